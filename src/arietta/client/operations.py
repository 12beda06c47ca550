"""Every operation of the ARI as a method. Made by `arietta reference` from the declarations; do not edit."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec.json import Decoder

from arietta.model import snapshots

from .carrier import Carrier, segment

Only = Literal[
    "build",
    "system",
    "config",
    "status",
]
IfExists = Literal[
    "fail",
    "overwrite",
    "append",
]
TerminateOn = Literal[
    "none",
    "any",
    "*",
    "#",
]
Reason = Literal[
    "normal",
    "busy",
    "congestion",
    "no_answer",
    "timeout",
    "rejected",
    "unallocated",
    "normal_unspecified",
    "number_incomplete",
    "codec_mismatch",
    "interworking",
    "failure",
    "answered_elsewhere",
]
Spy = Literal[
    "none",
    "both",
    "out",
    "in",
]
Whisper = Literal[
    "none",
    "both",
    "out",
    "in",
]
Encapsulation = Literal[
    "rtp",
    "audiosocket",
    "none",
]
Transport = Literal[
    "udp",
    "tcp",
    "websocket",
]
ConnectionType = Literal[
    "client",
    "server",
]
Direction = Literal["both"]
MuteDirection = Literal[
    "both",
    "in",
    "out",
]
DeviceState = Literal[
    "NOT_INUSE",
    "INUSE",
    "BUSY",
    "INVALID",
    "UNAVAILABLE",
    "RINGING",
    "RINGINUSE",
    "ONHOLD",
]
Operation = Literal[
    "restart",
    "pause",
    "unpause",
    "reverse",
    "forward",
]

_APPLICATION = Decoder(snapshots.Application)
_ASTERISK_INFO = Decoder(snapshots.AsteriskInfo)
_ASTERISK_PING = Decoder(snapshots.AsteriskPing)
_BRIDGE = Decoder(snapshots.Bridge)
_CHANNEL = Decoder(snapshots.Channel)
_DEVICE_STATE = Decoder(snapshots.DeviceState)
_ENDPOINT = Decoder(snapshots.Endpoint)
_LIVE_RECORDING = Decoder(snapshots.LiveRecording)
_MAILBOX = Decoder(snapshots.Mailbox)
_MODULE = Decoder(snapshots.Module)
_PLAYBACK = Decoder(snapshots.Playback)
_RT_PSTAT = Decoder(snapshots.RTPstat)
_SOUND = Decoder(snapshots.Sound)
_STORED_RECORDING = Decoder(snapshots.StoredRecording)
_VARIABLE = Decoder(snapshots.Variable)
_VARIABLES = Decoder(snapshots.Variables)
_APPLICATION_LIST = Decoder(list[snapshots.Application])
_BRIDGE_LIST = Decoder(list[snapshots.Bridge])
_CHANNEL_LIST = Decoder(list[snapshots.Channel])
_CONFIG_TUPLE_LIST = Decoder(list[snapshots.ConfigTuple])
_DEVICE_STATE_LIST = Decoder(list[snapshots.DeviceState])
_ENDPOINT_LIST = Decoder(list[snapshots.Endpoint])
_LOG_CHANNEL_LIST = Decoder(list[snapshots.LogChannel])
_MAILBOX_LIST = Decoder(list[snapshots.Mailbox])
_MODULE_LIST = Decoder(list[snapshots.Module])
_SOUND_LIST = Decoder(list[snapshots.Sound])
_STORED_RECORDING_LIST = Decoder(list[snapshots.StoredRecording])


class Applications:
    """Stasis application resources."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def list(self) -> Sequence[snapshots.Application]:
        """List all applications."""
        return await self._carrier.ask("GET", "/applications", _APPLICATION_LIST)

    async def get(
        self,
        *,
        application_name: str,
    ) -> snapshots.Application:
        """Get details of an application.

        application_name: Name of the application.

        Raises NotFound.
        """
        return await self._carrier.ask("GET", f"/applications/{segment(application_name)}", _APPLICATION)

    async def subscribe(
        self,
        *,
        application_name: str,
        event_source: Sequence[str],
    ) -> snapshots.Application:
        """Subscribe an application to event sources.

        Sources are taken one after the other; the first bad one ends it, and those before it stay.

        application_name: Name of the application.
        event_source: Sources of events: channel:ID, bridge:ID, endpoint:TECH[/RESOURCE], deviceState:NAME.

        Raises BadRequest, NotFound, Unprocessable.
        """
        return await self._carrier.ask(
            "POST",
            f"/applications/{segment(application_name)}/subscription",
            _APPLICATION,
            body={
                "eventSource": event_source,
            },
        )

    async def unsubscribe(
        self,
        *,
        application_name: str,
        event_source: Sequence[str],
    ) -> snapshots.Application:
        """Unsubscribe an application from event sources.

        application_name: Name of the application.
        event_source: Sources of events: channel:ID, bridge:ID, endpoint:TECH[/RESOURCE], deviceState:NAME.

        Raises BadRequest, NotFound, Conflict, Unprocessable, NotSupported.
        """
        return await self._carrier.ask(
            "DELETE",
            f"/applications/{segment(application_name)}/subscription",
            _APPLICATION,
            query={
                "eventSource": event_source,
            },
        )

    async def filter(
        self,
        *,
        application_name: str,
        filter: Mapping[str, Any] | None = None,
    ) -> snapshots.Application:
        """Filter the events an application gets.

        Only the lists that are named are replaced; an empty object clears both. What is disallowed is kept
        back even if it is allowed; an empty list of allowed events allows all.

        application_name: Name of the application.
        filter: Lists `allowed` and `disallowed` of {type: EVENT}.

        Raises BadRequest, NotFound.
        """
        return await self._carrier.ask(
            "PUT",
            f"/applications/{segment(application_name)}/eventFilter",
            _APPLICATION,
            whole=filter,
        )


class Asterisk:
    """Asterisk resources."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def get_object(
        self,
        *,
        config_class: str,
        object_type: str,
        id: str,
    ) -> Sequence[snapshots.ConfigTuple]:
        """Retrieve a configuration object.

        config_class: Class of the configuration, such as res_pjsip.
        object_type: Type of the object, such as endpoint.
        id: Name of the object.

        Raises NotFound.
        """
        return await self._carrier.ask(
            "GET",
            f"/asterisk/config/dynamic/{segment(config_class)}/{segment(object_type)}/{segment(id)}",
            _CONFIG_TUPLE_LIST,
        )

    async def update_object(
        self,
        *,
        config_class: str,
        object_type: str,
        id: str,
        fields: Sequence[Mapping[str, Any]] | None = None,
    ) -> Sequence[snapshots.ConfigTuple]:
        """Create or update a configuration object.

        config_class: Class of the configuration, such as res_pjsip.
        object_type: Type of the object, such as endpoint.
        id: Name of the object.
        fields: Settings as a list of {attribute, value}.

        Raises BadRequest, Forbidden, NotFound.
        """
        return await self._carrier.ask(
            "PUT",
            f"/asterisk/config/dynamic/{segment(config_class)}/{segment(object_type)}/{segment(id)}",
            _CONFIG_TUPLE_LIST,
            body={
                "fields": fields,
            },
        )

    async def delete_object(
        self,
        *,
        config_class: str,
        object_type: str,
        id: str,
    ) -> None:
        """Delete a configuration object.

        config_class: Class of the configuration, such as res_pjsip.
        object_type: Type of the object, such as endpoint.
        id: Name of the object.

        Raises Forbidden, NotFound.
        """
        await self._carrier.tell(
            "DELETE",
            f"/asterisk/config/dynamic/{segment(config_class)}/{segment(object_type)}/{segment(id)}",
        )

    async def get_info(
        self,
        *,
        only: Sequence[Only] | None = None,
    ) -> snapshots.AsteriskInfo:
        """Get facts about the server.

        Unknown parts are ignored, so that asking for nothing else shows nothing.

        only: Parts to show; all without it.
        """
        return await self._carrier.ask(
            "GET",
            "/asterisk/info",
            _ASTERISK_INFO,
            query={
                "only": only,
            },
        )

    async def ping(self) -> snapshots.AsteriskPing:
        """Response pong message."""
        return await self._carrier.ask("GET", "/asterisk/ping", _ASTERISK_PING)

    async def list_modules(self) -> Sequence[snapshots.Module]:
        """List the modules that are loaded."""
        return await self._carrier.ask("GET", "/asterisk/modules", _MODULE_LIST)

    async def get_module(
        self,
        *,
        module_name: str,
    ) -> snapshots.Module:
        """Get a module's details.

        module_name: Name of the module, with its suffix.

        Raises NotFound, Conflict.
        """
        return await self._carrier.ask("GET", f"/asterisk/modules/{segment(module_name)}", _MODULE)

    async def load_module(
        self,
        *,
        module_name: str,
    ) -> None:
        """Load a module.

        module_name: Name of the module, with its suffix.

        Raises Conflict.
        """
        await self._carrier.tell("POST", f"/asterisk/modules/{segment(module_name)}")

    async def unload_module(
        self,
        *,
        module_name: str,
    ) -> None:
        """Unload a module.

        module_name: Name of the module, with its suffix.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell("DELETE", f"/asterisk/modules/{segment(module_name)}")

    async def reload_module(
        self,
        *,
        module_name: str,
    ) -> None:
        """Reload a module.

        module_name: Name of the module, with its suffix.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell("PUT", f"/asterisk/modules/{segment(module_name)}")

    async def list_log_channels(self) -> Sequence[snapshots.LogChannel]:
        """List the log channels."""
        return await self._carrier.ask("GET", "/asterisk/logging", _LOG_CHANNEL_LIST)

    async def add_log(
        self,
        *,
        log_channel_name: str,
        configuration: str,
    ) -> None:
        """Add a log channel.

        log_channel_name: Name of the log channel.
        configuration: Levels to write, separated by commas.

        Raises BadRequest, Conflict.
        """
        await self._carrier.tell(
            "POST",
            f"/asterisk/logging/{segment(log_channel_name)}",
            body={
                "configuration": configuration,
            },
        )

    async def delete_log(
        self,
        *,
        log_channel_name: str,
    ) -> None:
        """Delete a log channel.

        log_channel_name: Name of the log channel.

        Raises NotFound.
        """
        await self._carrier.tell("DELETE", f"/asterisk/logging/{segment(log_channel_name)}")

    async def rotate_log(
        self,
        *,
        log_channel_name: str,
    ) -> None:
        """Rotate a log channel.

        log_channel_name: Name of the log channel.

        Raises NotFound.
        """
        await self._carrier.tell("PUT", f"/asterisk/logging/{segment(log_channel_name)}/rotate")

    async def get_global_var(
        self,
        *,
        variable: str,
    ) -> snapshots.Variable:
        """Get the value of a global variable; one that was never set is empty.

        variable: Name of the variable.

        Raises BadRequest, ServerError.
        """
        return await self._carrier.ask(
            "GET",
            "/asterisk/variable",
            _VARIABLE,
            query={
                "variable": variable,
            },
        )

    async def set_global_var(
        self,
        *,
        variable: str,
        value: str | None = None,
    ) -> None:
        """Set the value of a global variable.

        variable: Name of the variable.
        value: Its new value; none empties it.

        Raises BadRequest.
        """
        await self._carrier.tell(
            "POST",
            "/asterisk/variable",
            body={
                "variable": variable,
                "value": value,
            },
        )


class Bridges:
    """Bridge resources."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def create(
        self,
        *,
        type: str | None = None,
        bridge_id: str | None = None,
        name: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> snapshots.Bridge:
        """Create a bridge.

        As in Asterisk, the whole JSON body is taken as variables, other parameters in it included; what does
        not fit is refused after the bridge was made. Name the bridge in the path to set variables.

        type: Words separated by commas: mixing or holding, dtmf_events, proxy_media, video_sfu, video_single.
        bridge_id: Identifier the bridge shall have.
        name: Name of the bridge.
        variables: Variables of the bridge, by their names.

        Raises BadRequest, Conflict, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            "/bridges",
            _BRIDGE,
            query={
                "type": type,
                "bridgeId": bridge_id,
                "name": name,
            },
            whole=variables,
        )

    async def create_with_id(
        self,
        *,
        bridge_id: str,
        type: str | None = None,
        name: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> snapshots.Bridge:
        """Create a bridge with an identifier.

        bridge_id: Identifier of the bridge.
        type: Words separated by commas: mixing or holding, dtmf_events, proxy_media, video_sfu, video_single.
        name: Name of the bridge.
        variables: Variables of the bridge, by their names.

        Raises BadRequest, Conflict, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            f"/bridges/{segment(bridge_id)}",
            _BRIDGE,
            body={
                "type": type,
                "name": name,
                "variables": variables,
            },
        )

    async def get(
        self,
        *,
        bridge_id: str,
    ) -> snapshots.Bridge:
        """Get a bridge's details.

        bridge_id: Identifier of the bridge.

        Raises NotFound.
        """
        return await self._carrier.ask("GET", f"/bridges/{segment(bridge_id)}", _BRIDGE)

    async def destroy(
        self,
        *,
        bridge_id: str,
    ) -> None:
        """Shut down a bridge; its channels stay in their application.

        bridge_id: Identifier of the bridge.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell("DELETE", f"/bridges/{segment(bridge_id)}")

    async def get_bridge_var(
        self,
        *,
        bridge_id: str,
        variable: str,
    ) -> snapshots.Variable:
        """Get the value of a bridge's variable.

        bridge_id: Identifier of the bridge.
        variable: Name of the variable.

        Raises BadRequest, NotFound, Conflict.
        """
        return await self._carrier.ask(
            "GET",
            f"/bridges/{segment(bridge_id)}/variable",
            _VARIABLE,
            query={
                "variable": variable,
            },
        )

    async def set_bridge_var(
        self,
        *,
        bridge_id: str,
        variable: str,
        value: str | None = None,
        report_events: bool = False,
    ) -> None:
        """Set the value of a bridge's variable.

        bridge_id: Identifier of the bridge.
        variable: Name of the variable.
        value: Its new value; none empties it.
        report_events: Whether the bridge shows it from now on.

        Raises BadRequest, NotFound, Conflict.
        """
        await self._carrier.tell(
            "POST",
            f"/bridges/{segment(bridge_id)}/variable",
            body={
                "variable": variable,
                "value": value,
                "report_events": report_events,
            },
        )

    async def get_bridge_vars(
        self,
        *,
        bridge_id: str,
        variables: Sequence[str],
    ) -> snapshots.Variables:
        """Get the values of several variables of a bridge.

        bridge_id: Identifier of the bridge.
        variables: Names of the variables.

        Raises BadRequest, NotFound, Conflict.
        """
        return await self._carrier.ask(
            "GET",
            f"/bridges/{segment(bridge_id)}/variables",
            _VARIABLES,
            query={
                "variables": variables,
            },
        )

    async def set_bridge_vars(
        self,
        *,
        bridge_id: str,
        variables: Mapping[str, Any],
    ) -> None:
        """Set the values of several variables of a bridge.

        bridge_id: Identifier of the bridge.
        variables: Values, by the names of the variables.

        Raises BadRequest, NotFound, Conflict.
        """
        await self._carrier.tell(
            "POST",
            f"/bridges/{segment(bridge_id)}/variables",
            body={
                "variables": variables,
            },
        )

    async def add_channel(
        self,
        *,
        bridge_id: str,
        channel: Sequence[str],
        role: str | None = None,
        absorb_dtmf: bool = False,
        mute: bool = False,
        inhibit_connected_line_updates: bool = False,
    ) -> None:
        """Add channels to a bridge.

        All of them are looked up before the first is added.

        bridge_id: Identifier of the bridge.
        channel: Identifiers of the channels.
        role: Role of the channels in the bridge.
        absorb_dtmf: Whether digits of the channels are kept from the others.
        mute: Whether the channels are heard by nobody.
        inhibit_connected_line_updates: Whether nobody is told whom the channels stand for.

        Raises BadRequest, NotFound, Conflict, Unprocessable.
        """
        await self._carrier.tell(
            "POST",
            f"/bridges/{segment(bridge_id)}/addChannel",
            body={
                "channel": channel,
                "role": role,
                "absorbDTMF": absorb_dtmf,
                "mute": mute,
                "inhibitConnectedLineUpdates": inhibit_connected_line_updates,
            },
        )

    async def remove_channel(
        self,
        *,
        bridge_id: str,
        channel: Sequence[str],
    ) -> None:
        """Remove channels from a bridge.

        bridge_id: Identifier of the bridge.
        channel: Identifiers of the channels.

        Raises BadRequest, NotFound, Conflict, Unprocessable.
        """
        await self._carrier.tell(
            "POST",
            f"/bridges/{segment(bridge_id)}/removeChannel",
            body={
                "channel": channel,
            },
        )

    async def set_video_source(
        self,
        *,
        bridge_id: str,
        channel_id: str,
    ) -> None:
        """Show the video of one channel to all others in a bridge.

        bridge_id: Identifier of the bridge.
        channel_id: Channel whose video is shown.

        Raises BadRequest, NotFound, Conflict, Unprocessable.
        """
        await self._carrier.tell("POST", f"/bridges/{segment(bridge_id)}/videoSource/{segment(channel_id)}")

    async def clear_video_source(
        self,
        *,
        bridge_id: str,
    ) -> None:
        """Show the video of whoever talks, or of everybody, again.

        bridge_id: Identifier of the bridge.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell("DELETE", f"/bridges/{segment(bridge_id)}/videoSource")

    async def start_moh(
        self,
        *,
        bridge_id: str,
        moh_class: str | None = None,
    ) -> None:
        """Play music on hold to a bridge, or change the class that is played.

        bridge_id: Identifier of the bridge.
        moh_class: Class of the music.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell(
            "POST",
            f"/bridges/{segment(bridge_id)}/moh",
            body={
                "mohClass": moh_class,
            },
        )

    async def stop_moh(
        self,
        *,
        bridge_id: str,
    ) -> None:
        """Stop the music on hold that was begun by this interface.

        bridge_id: Identifier of the bridge.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell("DELETE", f"/bridges/{segment(bridge_id)}/moh")

    async def play(
        self,
        *,
        bridge_id: str,
        media: Sequence[str],
        announcer_format: str | None = None,
        lang: str | None = None,
        offsetms: int = 0,
        skipms: int = 3000,
        playback_id: str | None = None,
    ) -> snapshots.Playback:
        """Start playback of media on a bridge.

        Media are sound:, recording:, number:, digits:, characters: and tone:; the name of a sound may be an
        http or https URL. What cannot be found fails later, in an event. One announcer serves the bridge, so
        playbacks queue.

        bridge_id: Identifier of the bridge.
        media: Media to play, in order.
        announcer_format: Format in which the media is brought into the bridge.
        lang: Language of the sounds.
        offsetms: Milliseconds of the first media to skip.
        skipms: Milliseconds that forward and reverse skip.
        playback_id: Identifier of the playback.

        Raises NotFound, Conflict, Unprocessable, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            f"/bridges/{segment(bridge_id)}/play",
            _PLAYBACK,
            body={
                "media": media,
                "announcer_format": announcer_format,
                "lang": lang,
                "offsetms": offsetms,
                "skipms": skipms,
                "playbackId": playback_id,
            },
        )

    async def play_with_id(
        self,
        *,
        bridge_id: str,
        playback_id: str,
        media: Sequence[str],
        announcer_format: str | None = None,
        lang: str | None = None,
        offsetms: int = 0,
        skipms: int = 3000,
    ) -> snapshots.Playback:
        """Start playback of media on a bridge.

        Media are sound:, recording:, number:, digits:, characters: and tone:; the name of a sound may be an
        http or https URL. What cannot be found fails later, in an event. One announcer serves the bridge, so
        playbacks queue.

        bridge_id: Identifier of the bridge.
        playback_id: Identifier of the playback.
        media: Media to play, in order.
        announcer_format: Format in which the media is brought into the bridge.
        lang: Language of the sounds.
        offsetms: Milliseconds of the first media to skip.
        skipms: Milliseconds that forward and reverse skip.

        Raises NotFound, Conflict, Unprocessable, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            f"/bridges/{segment(bridge_id)}/play/{segment(playback_id)}",
            _PLAYBACK,
            body={
                "media": media,
                "announcer_format": announcer_format,
                "lang": lang,
                "offsetms": offsetms,
                "skipms": skipms,
            },
        )

    async def record(
        self,
        *,
        bridge_id: str,
        name: str,
        format: str,
        recorder_format: str | None = None,
        max_duration_seconds: int = 0,
        max_silence_seconds: int = 0,
        if_exists: IfExists = "fail",
        beep: bool = False,
        terminate_on: TerminateOn = "none",
    ) -> snapshots.LiveRecording:
        """Start a recording of all that is heard in a bridge.

        bridge_id: Identifier of the bridge.
        name: Name of the recording.
        format: Format of the file.
        recorder_format: Format in which the bridge's audio is taken out.
        max_duration_seconds: Longest duration in seconds; 0 for no limit.
        max_silence_seconds: Silence in seconds that ends it; 0 for none.
        if_exists: What to do if there is such a recording.
        beep: Whether a beep is played first.
        terminate_on: Digit that ends it.

        Raises BadRequest, NotFound, Conflict, Unprocessable, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            f"/bridges/{segment(bridge_id)}/record",
            _LIVE_RECORDING,
            body={
                "name": name,
                "format": format,
                "recorder_format": recorder_format,
                "maxDurationSeconds": max_duration_seconds,
                "maxSilenceSeconds": max_silence_seconds,
                "ifExists": if_exists,
                "beep": beep,
                "terminateOn": terminate_on,
            },
        )

    async def list(self) -> Sequence[snapshots.Bridge]:
        """List all bridges."""
        return await self._carrier.ask("GET", "/bridges", _BRIDGE_LIST)


class Channels:
    """Channel resources."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def originate(
        self,
        *,
        endpoint: str,
        extension: str | None = None,
        context: str | None = None,
        priority: int | None = None,
        label: str | None = None,
        app: str | None = None,
        app_args: str | None = None,
        caller_id: str | None = None,
        timeout: int = 30,
        variables: Mapping[str, Any] | None = None,
        channel_id: str | None = None,
        other_channel_id: str | None = None,
        originator: str | None = None,
        formats: str | None = None,
    ) -> snapshots.Channel:
        """Call an endpoint.

        Once answered, the new channel enters the application, or runs the dialplan from the extension. The
        answer shows it before anything happened; its identifier can be used at once.

        endpoint: Endpoint to call, as TECH/RESOURCE.
        extension: Extension to run once answered.
        context: Context of the extension; else default.
        priority: Priority to begin at; else 1.
        label: Label to begin at, rather than a priority.
        app: Application to enter, rather than the dialplan.
        app_args: Arguments for the application, separated by commas.
        caller_id: Caller to show.
        timeout: Seconds to wait for an answer; -1 for ever.
        variables: Variables of the channel, by their names.
        channel_id: Identifier the channel shall have.
        other_channel_id: Identifier of the second half of a Local channel.
        originator: Channel on whose behalf it is made; its formats are taken over.
        formats: Formats of the channel, separated by commas, without an originator.

        Raises BadRequest, NotFound, Conflict, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            "/channels",
            _CHANNEL,
            body={
                "endpoint": endpoint,
                "extension": extension,
                "context": context,
                "priority": priority,
                "label": label,
                "app": app,
                "appArgs": app_args,
                "callerId": caller_id,
                "timeout": timeout,
                "variables": variables,
                "channelId": channel_id,
                "otherChannelId": other_channel_id,
                "originator": originator,
                "formats": formats,
            },
        )

    async def originate_with_id(
        self,
        *,
        channel_id: str,
        endpoint: str,
        extension: str | None = None,
        context: str | None = None,
        priority: int | None = None,
        label: str | None = None,
        app: str | None = None,
        app_args: str | None = None,
        caller_id: str | None = None,
        timeout: int = 30,
        variables: Mapping[str, Any] | None = None,
        other_channel_id: str | None = None,
        originator: str | None = None,
        formats: str | None = None,
    ) -> snapshots.Channel:
        """Call an endpoint.

        Once answered, the new channel enters the application, or runs the dialplan from the extension. The
        answer shows it before anything happened; its identifier can be used at once.

        channel_id: Identifier the channel shall have.
        endpoint: Endpoint to call, as TECH/RESOURCE.
        extension: Extension to run once answered.
        context: Context of the extension; else default.
        priority: Priority to begin at; else 1.
        label: Label to begin at, rather than a priority.
        app: Application to enter, rather than the dialplan.
        app_args: Arguments for the application, separated by commas.
        caller_id: Caller to show.
        timeout: Seconds to wait for an answer; -1 for ever.
        variables: Variables of the channel, by their names.
        other_channel_id: Identifier of the second half of a Local channel.
        originator: Channel on whose behalf it is made; its formats are taken over.
        formats: Formats of the channel, separated by commas, without an originator.

        Raises BadRequest, NotFound, Conflict, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            f"/channels/{segment(channel_id)}",
            _CHANNEL,
            body={
                "endpoint": endpoint,
                "extension": extension,
                "context": context,
                "priority": priority,
                "label": label,
                "app": app,
                "appArgs": app_args,
                "callerId": caller_id,
                "timeout": timeout,
                "variables": variables,
                "otherChannelId": other_channel_id,
                "originator": originator,
                "formats": formats,
            },
        )

    async def create(
        self,
        *,
        endpoint: str,
        app: str,
        app_args: str | None = None,
        channel_id: str | None = None,
        other_channel_id: str | None = None,
        originator: str | None = None,
        formats: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> snapshots.Channel:
        """Make a channel in an application, without dialling yet.

        endpoint: Endpoint to call, as TECH/RESOURCE.
        app: Application the channel is in.
        app_args: Arguments for the application, separated by commas.
        channel_id: Identifier the channel shall have.
        other_channel_id: Identifier of the second half of a Local channel.
        originator: Channel on whose behalf it is made; its formats are taken over.
        formats: Formats of the channel, separated by commas, without an originator.
        variables: Variables of the channel, by their names.

        Raises BadRequest, Conflict, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            "/channels/create",
            _CHANNEL,
            body={
                "endpoint": endpoint,
                "app": app,
                "appArgs": app_args,
                "channelId": channel_id,
                "otherChannelId": other_channel_id,
                "originator": originator,
                "formats": formats,
                "variables": variables,
            },
        )

    async def get(
        self,
        *,
        channel_id: str,
    ) -> snapshots.Channel:
        """Get a channel's details.

        channel_id: Identifier of the channel.

        Raises NotFound.
        """
        return await self._carrier.ask("GET", f"/channels/{segment(channel_id)}", _CHANNEL)

    async def hangup(
        self,
        *,
        channel_id: str,
        reason_code: str | None = None,
        reason: Reason | None = None,
    ) -> None:
        """Hang up a channel, whether it is in an application or not.

        channel_id: Identifier of the channel.
        reason_code: Reason as a Q.850 number; not with reason.
        reason: Reason in a word; not with reason_code.

        Raises BadRequest, NotFound.
        """
        await self._carrier.tell(
            "DELETE",
            f"/channels/{segment(channel_id)}",
            query={
                "reason_code": reason_code,
                "reason": reason,
            },
        )

    async def continue_in_dialplan(
        self,
        *,
        channel_id: str,
        context: str | None = None,
        extension: str | None = None,
        priority: int | None = None,
        label: str | None = None,
    ) -> None:
        """Leave the application and go on in the dialplan.

        channel_id: Identifier of the channel.
        context: Context to go on in.
        extension: Extension to go on in.
        priority: Priority to go on at.
        label: Label to go on at, rather than a priority.

        Raises BadRequest, NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell(
            "POST",
            f"/channels/{segment(channel_id)}/continue",
            body={
                "context": context,
                "extension": extension,
                "priority": priority,
                "label": label,
            },
        )

    async def move(
        self,
        *,
        channel_id: str,
        app: str,
        app_args: str | None = None,
    ) -> None:
        """Move a channel to another application.

        channel_id: Identifier of the channel.
        app: Application to go to.
        app_args: Arguments for the application, separated by commas.

        Raises BadRequest, NotFound, Conflict.
        """
        await self._carrier.tell(
            "POST",
            f"/channels/{segment(channel_id)}/move",
            body={
                "app": app,
                "appArgs": app_args,
            },
        )

    async def redirect(
        self,
        *,
        channel_id: str,
        endpoint: str,
    ) -> None:
        """Send the far end of a channel to another place.

        channel_id: Identifier of the channel.
        endpoint: Endpoint to go to, of the channel's technology.

        Raises BadRequest, NotFound, Conflict, InvalidState, Unprocessable.
        """
        await self._carrier.tell(
            "POST",
            f"/channels/{segment(channel_id)}/redirect",
            body={
                "endpoint": endpoint,
            },
        )

    async def answer(
        self,
        *,
        channel_id: str,
    ) -> None:
        """Answer a channel.

        channel_id: Identifier of the channel.

        Raises NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell("POST", f"/channels/{segment(channel_id)}/answer")

    async def ring(
        self,
        *,
        channel_id: str,
    ) -> None:
        """Let the far end of a channel hear ringing.

        channel_id: Identifier of the channel.

        Raises NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell("POST", f"/channels/{segment(channel_id)}/ring")

    async def ring_stop(
        self,
        *,
        channel_id: str,
    ) -> None:
        """Stop ringing on a channel.

        channel_id: Identifier of the channel.

        Raises NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell("DELETE", f"/channels/{segment(channel_id)}/ring")

    async def progress(
        self,
        *,
        channel_id: str,
    ) -> None:
        """Open the way for audio before an answer.

        channel_id: Identifier of the channel.

        Raises NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell("POST", f"/channels/{segment(channel_id)}/progress")

    async def snoop_channel(
        self,
        *,
        channel_id: str,
        spy: Spy = "none",
        whisper: Whisper = "none",
        app: str,
        app_args: str | None = None,
        snoop_id: str | None = None,
    ) -> snapshots.Channel:
        """Make a channel that hears another one, or speaks for it.

        channel_id: Identifier of the channel.
        spy: What is heard of the channel.
        whisper: Where it is spoken to.
        app: Application the snooping channel enters.
        app_args: Arguments for the application, separated by commas.
        snoop_id: Identifier of the snooping channel.

        Raises BadRequest, NotFound, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            f"/channels/{segment(channel_id)}/snoop",
            _CHANNEL,
            body={
                "spy": spy,
                "whisper": whisper,
                "app": app,
                "appArgs": app_args,
                "snoopId": snoop_id,
            },
        )

    async def snoop_channel_with_id(
        self,
        *,
        channel_id: str,
        snoop_id: str,
        spy: Spy = "none",
        whisper: Whisper = "none",
        app: str,
        app_args: str | None = None,
    ) -> snapshots.Channel:
        """Make a channel that hears another one, or speaks for it.

        channel_id: Identifier of the channel.
        snoop_id: Identifier of the snooping channel.
        spy: What is heard of the channel.
        whisper: Where it is spoken to.
        app: Application the snooping channel enters.
        app_args: Arguments for the application, separated by commas.

        Raises BadRequest, NotFound, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            f"/channels/{segment(channel_id)}/snoop/{segment(snoop_id)}",
            _CHANNEL,
            body={
                "spy": spy,
                "whisper": whisper,
                "app": app,
                "appArgs": app_args,
            },
        )

    async def dial(
        self,
        *,
        channel_id: str,
        caller: str | None = None,
        timeout: int = 0,
    ) -> None:
        """Dial a channel that was made without dialling.

        channel_id: Identifier of the channel.
        caller: Channel that calls.
        timeout: Seconds to wait for an answer; 0 for ever.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell(
            "POST",
            f"/channels/{segment(channel_id)}/dial",
            body={
                "caller": caller,
                "timeout": timeout,
            },
        )

    async def rtpstatistics(
        self,
        *,
        channel_id: str,
    ) -> snapshots.RTPstat:
        """Get the figures of a channel's RTP session.

        channel_id: Identifier of the channel.

        Raises Forbidden, NotFound.
        """
        return await self._carrier.ask("GET", f"/channels/{segment(channel_id)}/rtp_statistics", _RT_PSTAT)

    async def external_media(
        self,
        *,
        channel_id: str | None = None,
        app: str,
        variables: Mapping[str, Any] | None = None,
        external_host: str | None = None,
        encapsulation: Encapsulation = "rtp",
        transport: Transport = "udp",
        connection_type: ConnectionType = "client",
        format: str,
        direction: Direction = "both",
        data: str | None = None,
        transport_data: str | None = None,
    ) -> snapshots.Channel:
        """Make a channel to a program that takes and gives audio.

        channel_id: Identifier the channel shall have.
        app: Application the channel enters.
        variables: Variables of the channel, by their names.
        external_host: Where the program is: HOST:PORT, or a WebSocket client's name.
        encapsulation: How audio is wrapped.
        transport: How audio travels.
        connection_type: Whether it connects or waits.
        format: Format of the audio.
        direction: Ways the audio goes.
        data: What the encapsulation needs; for AudioSocket a UUID.
        transport_data: What the transport needs; for WebSocket more of its URI.

        Raises BadRequest, Conflict, ServerError, NotSupported.
        """
        return await self._carrier.ask(
            "POST",
            "/channels/externalMedia",
            _CHANNEL,
            body={
                "channelId": channel_id,
                "app": app,
                "variables": variables,
                "external_host": external_host,
                "encapsulation": encapsulation,
                "transport": transport,
                "connection_type": connection_type,
                "format": format,
                "direction": direction,
                "data": data,
                "transport_data": transport_data,
            },
        )

    async def transfer_progress(
        self,
        *,
        channel_id: str,
        states: str,
    ) -> None:
        """Tell the far end how the transfer goes that it asked for.

        channel_id: Identifier of the channel.
        states: How far the transfer is.

        Raises BadRequest, NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell(
            "POST",
            f"/channels/{segment(channel_id)}/transfer_progress",
            body={
                "states": states,
            },
        )

    async def list(self) -> Sequence[snapshots.Channel]:
        """List all channels."""
        return await self._carrier.ask("GET", "/channels", _CHANNEL_LIST)

    async def send_dtmf(
        self,
        *,
        channel_id: str,
        dtmf: str | None = None,
        before: int = 0,
        between: int = 100,
        duration: int = 100,
        after: int = 0,
    ) -> None:
        """Send digits to a channel; what is no digit is skipped.

        channel_id: Identifier of the channel.
        dtmf: Digits to send: 0-9, A-D, * and #.
        before: Milliseconds to wait before the first digit.
        between: Milliseconds between digits.
        duration: Milliseconds each digit lasts.
        after: Milliseconds to wait after the last digit.

        Raises BadRequest, NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell(
            "POST",
            f"/channels/{segment(channel_id)}/dtmf",
            body={
                "dtmf": dtmf,
                "before": before,
                "between": between,
                "duration": duration,
                "after": after,
            },
        )

    async def mute(
        self,
        *,
        channel_id: str,
        direction: MuteDirection = "both",
    ) -> None:
        """Mute a channel.

        The direction has to be named, whatever default is documented.

        channel_id: Identifier of the channel.
        direction: What is muted: what comes in, goes out, or both.

        Raises BadRequest, NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell(
            "POST",
            f"/channels/{segment(channel_id)}/mute",
            body={
                "direction": direction,
            },
        )

    async def unmute(
        self,
        *,
        channel_id: str,
        direction: MuteDirection = "both",
    ) -> None:
        """Unmute a channel.

        channel_id: Identifier of the channel.
        direction: What is muted: what comes in, goes out, or both.

        Raises BadRequest, NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell(
            "DELETE",
            f"/channels/{segment(channel_id)}/mute",
            query={
                "direction": direction,
            },
        )

    async def hold(
        self,
        *,
        channel_id: str,
    ) -> None:
        """Put the far end of a channel on hold.

        channel_id: Identifier of the channel.

        Raises NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell("POST", f"/channels/{segment(channel_id)}/hold")

    async def unhold(
        self,
        *,
        channel_id: str,
    ) -> None:
        """Take the far end of a channel back from hold.

        channel_id: Identifier of the channel.

        Raises NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell("DELETE", f"/channels/{segment(channel_id)}/hold")

    async def start_moh(
        self,
        *,
        channel_id: str,
        moh_class: str | None = None,
    ) -> None:
        """Play music on hold to a channel.

        A playback interrupts it. An unknown class is accepted.

        channel_id: Identifier of the channel.
        moh_class: Class of the music.

        Raises NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell(
            "POST",
            f"/channels/{segment(channel_id)}/moh",
            body={
                "mohClass": moh_class,
            },
        )

    async def stop_moh(
        self,
        *,
        channel_id: str,
    ) -> None:
        """Stop music on hold.

        channel_id: Identifier of the channel.

        Raises NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell("DELETE", f"/channels/{segment(channel_id)}/moh")

    async def start_silence(
        self,
        *,
        channel_id: str,
    ) -> None:
        """Send silence to a channel, so that its far end gets audio all the time.

        channel_id: Identifier of the channel.

        Raises NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell("POST", f"/channels/{segment(channel_id)}/silence")

    async def stop_silence(
        self,
        *,
        channel_id: str,
    ) -> None:
        """Stop sending silence.

        channel_id: Identifier of the channel.

        Raises NotFound, Conflict, InvalidState.
        """
        await self._carrier.tell("DELETE", f"/channels/{segment(channel_id)}/silence")

    async def play(
        self,
        *,
        channel_id: str,
        media: Sequence[str],
        lang: str | None = None,
        offsetms: int | None = None,
        skipms: int = 3000,
        playback_id: str | None = None,
    ) -> snapshots.Playback:
        """Start playback of media.

        Media are sound:, recording:, number:, digits:, characters: and tone:; the name of a sound may be an
        http or https URL. What cannot be found fails later, in an event. While one playback goes on the next
        ones queue.

        channel_id: Identifier of the channel.
        media: Media to play, in order.
        lang: Language of the sounds.
        offsetms: Milliseconds of the first media to skip.
        skipms: Milliseconds that forward and reverse skip.
        playback_id: Identifier of the playback.

        Raises NotFound, Conflict, InvalidState, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            f"/channels/{segment(channel_id)}/play",
            _PLAYBACK,
            body={
                "media": media,
                "lang": lang,
                "offsetms": offsetms,
                "skipms": skipms,
                "playbackId": playback_id,
            },
        )

    async def play_with_id(
        self,
        *,
        channel_id: str,
        playback_id: str,
        media: Sequence[str],
        lang: str | None = None,
        offsetms: int | None = None,
        skipms: int = 3000,
    ) -> snapshots.Playback:
        """Start playback of media.

        Media are sound:, recording:, number:, digits:, characters: and tone:; the name of a sound may be an
        http or https URL. What cannot be found fails later, in an event. While one playback goes on the next
        ones queue.

        channel_id: Identifier of the channel.
        playback_id: Identifier of the playback.
        media: Media to play, in order.
        lang: Language of the sounds.
        offsetms: Milliseconds of the first media to skip.
        skipms: Milliseconds that forward and reverse skip.

        Raises NotFound, Conflict, InvalidState, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            f"/channels/{segment(channel_id)}/play/{segment(playback_id)}",
            _PLAYBACK,
            body={
                "media": media,
                "lang": lang,
                "offsetms": offsetms,
                "skipms": skipms,
            },
        )

    async def record(
        self,
        *,
        channel_id: str,
        name: str,
        format: str,
        max_duration_seconds: int = 0,
        max_silence_seconds: int = 0,
        if_exists: IfExists = "fail",
        beep: bool = False,
        terminate_on: TerminateOn = "none",
    ) -> snapshots.LiveRecording:
        """Start a recording of what comes in on a channel.

        What is played to it is not recorded; record a bridge, or a snoop, for both.

        channel_id: Identifier of the channel.
        name: Name of the recording.
        format: Format of the file.
        max_duration_seconds: Longest duration in seconds; 0 for no limit.
        max_silence_seconds: Silence in seconds that ends it; 0 for none.
        if_exists: What to do if there is such a recording.
        beep: Whether a beep is played first.
        terminate_on: Digit that ends it.

        Raises BadRequest, NotFound, Conflict, Unprocessable, ServerError.
        """
        return await self._carrier.ask(
            "POST",
            f"/channels/{segment(channel_id)}/record",
            _LIVE_RECORDING,
            body={
                "name": name,
                "format": format,
                "maxDurationSeconds": max_duration_seconds,
                "maxSilenceSeconds": max_silence_seconds,
                "ifExists": if_exists,
                "beep": beep,
                "terminateOn": terminate_on,
            },
        )

    async def get_channel_var(
        self,
        *,
        channel_id: str,
        variable: str,
    ) -> snapshots.Variable:
        """Get the value of a channel's variable or function.

        channel_id: Identifier of the channel.
        variable: Name of the variable or function.

        Raises BadRequest, NotFound, Conflict, ServerError.
        """
        return await self._carrier.ask(
            "GET",
            f"/channels/{segment(channel_id)}/variable",
            _VARIABLE,
            query={
                "variable": variable,
            },
        )

    async def set_channel_var(
        self,
        *,
        channel_id: str,
        variable: str,
        value: str | None = None,
        report_events: bool = False,
    ) -> None:
        """Set the value of a channel's variable or function.

        channel_id: Identifier of the channel.
        variable: Name of the variable or function.
        value: Its new value; none empties it.
        report_events: Whether the channel shows it from now on.

        Raises BadRequest, NotFound, Conflict.
        """
        await self._carrier.tell(
            "POST",
            f"/channels/{segment(channel_id)}/variable",
            body={
                "variable": variable,
                "value": value,
                "report_events": report_events,
            },
        )

    async def get_channel_vars(
        self,
        *,
        channel_id: str,
        variables: Sequence[str],
    ) -> snapshots.Variables:
        """Get the values of several variables of a channel.

        channel_id: Identifier of the channel.
        variables: Names of the variables.

        Raises BadRequest, NotFound, Conflict, ServerError.
        """
        return await self._carrier.ask(
            "GET",
            f"/channels/{segment(channel_id)}/variables",
            _VARIABLES,
            query={
                "variables": variables,
            },
        )

    async def set_channel_vars(
        self,
        *,
        channel_id: str,
        variables: Mapping[str, Any],
    ) -> None:
        """Set the values of several variables of a channel.

        channel_id: Identifier of the channel.
        variables: Values, by the names of the variables.

        Raises BadRequest, NotFound, Conflict.
        """
        await self._carrier.tell(
            "POST",
            f"/channels/{segment(channel_id)}/variables",
            body={
                "variables": variables,
            },
        )


class DeviceStates:
    """Device state resources."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def list(self) -> Sequence[snapshots.DeviceState]:
        """List all device states that are controlled here."""
        return await self._carrier.ask("GET", "/deviceStates", _DEVICE_STATE_LIST)

    async def get(
        self,
        *,
        device_name: str,
    ) -> snapshots.DeviceState:
        """Retrieve the current state of a device.

        device_name: Name of the device.
        """
        return await self._carrier.ask("GET", f"/deviceStates/{segment(device_name)}", _DEVICE_STATE)

    async def update(
        self,
        *,
        device_name: str,
        device_state: DeviceState,
    ) -> None:
        """Change the state of a device that is controlled here, and make it if need be.

        Only devices named `Stasis:NAME` are; the state may be written in any case.

        device_name: Name of the device.
        device_state: State to set.

        Raises NotFound, Conflict, ServerError.
        """
        await self._carrier.tell(
            "PUT",
            f"/deviceStates/{segment(device_name)}",
            body={
                "deviceState": device_state,
            },
        )

    async def delete(
        self,
        *,
        device_name: str,
    ) -> None:
        """Destroy a device that is controlled here.

        device_name: Name of the device.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell("DELETE", f"/deviceStates/{segment(device_name)}")


class Endpoints:
    """Endpoint resources."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def list(self) -> Sequence[snapshots.Endpoint]:
        """List all endpoints."""
        return await self._carrier.ask("GET", "/endpoints", _ENDPOINT_LIST)

    async def send_message(
        self,
        *,
        to: str,
        from_: str,
        body: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """Send a text to an address.

        to: Address it goes to, with its technology: `pjsip:6001`.
        from_: Address the request comes from.
        body: The text.
        variables: Headers to send, by their names.

        Raises BadRequest, NotFound.
        """
        await self._carrier.tell(
            "PUT",
            "/endpoints/sendMessage",
            body={
                "to": to,
                "from": from_,
                "body": body,
                "variables": variables,
            },
        )

    async def refer(
        self,
        *,
        to: str,
        from_: str,
        refer_to: str,
        to_self: bool = False,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask an address to call somebody.

        to: Address it goes to, with its technology: `pjsip:6001`.
        from_: Address the request comes from.
        refer_to: Address or endpoint that is to be called.
        to_self: Whether an endpoint that is to be called is told its own address here.
        variables: Headers to send, by their names.

        Raises BadRequest, NotFound.
        """
        await self._carrier.tell(
            "POST",
            "/endpoints/refer",
            body={
                "to": to,
                "from": from_,
                "refer_to": refer_to,
                "to_self": to_self,
                "variables": variables,
            },
        )

    async def list_by_tech(
        self,
        *,
        tech: str,
    ) -> Sequence[snapshots.Endpoint]:
        """List the endpoints of a technology.

        tech: Technology of the endpoint.

        Raises NotFound.
        """
        return await self._carrier.ask("GET", f"/endpoints/{segment(tech)}", _ENDPOINT_LIST)

    async def get(
        self,
        *,
        tech: str,
        resource: str,
    ) -> snapshots.Endpoint:
        """Details of an endpoint.

        tech: Technology of the endpoint.
        resource: Name of the endpoint within its technology.

        Raises BadRequest, NotFound.
        """
        return await self._carrier.ask("GET", f"/endpoints/{segment(tech)}/{segment(resource)}", _ENDPOINT)

    async def send_message_to_endpoint(
        self,
        *,
        tech: str,
        resource: str,
        from_: str,
        body: str | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """Send a text to an endpoint.

        tech: Technology of the endpoint.
        resource: Name of the endpoint within its technology.
        from_: Address the request comes from.
        body: The text.
        variables: Headers to send, by their names.

        Raises BadRequest, NotFound.
        """
        await self._carrier.tell(
            "PUT",
            f"/endpoints/{segment(tech)}/{segment(resource)}/sendMessage",
            body={
                "from": from_,
                "body": body,
                "variables": variables,
            },
        )

    async def refer_to_endpoint(
        self,
        *,
        tech: str,
        resource: str,
        from_: str,
        refer_to: str,
        to_self: bool = False,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask an endpoint to call somebody.

        tech: Technology of the endpoint.
        resource: Name of the endpoint within its technology.
        from_: Address the request comes from.
        refer_to: Address or endpoint that is to be called.
        to_self: Whether an endpoint that is to be called is told its own address here.
        variables: Headers to send, by their names.

        Raises BadRequest, NotFound.
        """
        await self._carrier.tell(
            "POST",
            f"/endpoints/{segment(tech)}/{segment(resource)}/refer",
            body={
                "from": from_,
                "refer_to": refer_to,
                "to_self": to_self,
                "variables": variables,
            },
        )


class Events:
    """WebSocket resource."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def user_event(
        self,
        *,
        event_name: str,
        application: str,
        source: Sequence[str] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> None:
        """Send an event of your own to an application, and to whoever listens to its sources.

        event_name: Name of the event.
        application: Application that gets it.
        source: What it is about: channel:ID, bridge:ID, endpoint:TECH/RESOURCE.
        variables: Facts to go with it, by their names.

        Raises BadRequest, NotFound, Unprocessable.
        """
        await self._carrier.tell(
            "POST",
            f"/events/user/{segment(event_name)}",
            body={
                "application": application,
                "source": source,
                "variables": variables,
            },
        )

    async def claim_channel(
        self,
        *,
        channel_id: str,
        application: str,
    ) -> None:
        """Claim a call that is offered to several applications.

        channel_id: Channel that is offered.
        application: Application that takes it.

        Raises BadRequest, NotFound, Conflict.
        """
        await self._carrier.tell(
            "POST",
            "/events/claim",
            body={
                "channelId": channel_id,
                "application": application,
            },
        )


class Mailboxes:
    """Mailbox resources."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def list(self) -> Sequence[snapshots.Mailbox]:
        """List all mailboxes."""
        return await self._carrier.ask("GET", "/mailboxes", _MAILBOX_LIST)

    async def get(
        self,
        *,
        mailbox_name: str,
    ) -> snapshots.Mailbox:
        """Retrieve the current state of a mailbox.

        mailbox_name: Name of the mailbox.

        Raises NotFound.
        """
        return await self._carrier.ask("GET", f"/mailboxes/{segment(mailbox_name)}", _MAILBOX)

    async def update(
        self,
        *,
        mailbox_name: str,
        old_messages: int,
        new_messages: int,
    ) -> None:
        """Change the state of a mailbox, and make it if need be.

        Counts are taken as they come; one that is left out is 0.

        mailbox_name: Name of the mailbox.
        old_messages: Messages that were heard.
        new_messages: Messages that were not.

        Raises NotFound.
        """
        await self._carrier.tell(
            "PUT",
            f"/mailboxes/{segment(mailbox_name)}",
            body={
                "oldMessages": old_messages,
                "newMessages": new_messages,
            },
        )

    async def delete(
        self,
        *,
        mailbox_name: str,
    ) -> None:
        """Destroy a mailbox.

        mailbox_name: Name of the mailbox.

        Raises NotFound.
        """
        await self._carrier.tell("DELETE", f"/mailboxes/{segment(mailbox_name)}")


class Playbacks:
    """Playback control resources."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def get(
        self,
        *,
        playback_id: str,
    ) -> snapshots.Playback:
        """Get a playback's details.

        playback_id: Identifier of the playback.

        Raises NotFound.
        """
        return await self._carrier.ask("GET", f"/playbacks/{segment(playback_id)}", _PLAYBACK)

    async def stop(
        self,
        *,
        playback_id: str,
    ) -> None:
        """Stop a playback.

        playback_id: Identifier of the playback.

        Raises NotFound.
        """
        await self._carrier.tell("DELETE", f"/playbacks/{segment(playback_id)}")

    async def control(
        self,
        *,
        playback_id: str,
        operation: Operation,
    ) -> None:
        """Control a playback.

        playback_id: Identifier of the playback.
        operation: What to do with it.

        Raises BadRequest, NotFound, Conflict.
        """
        await self._carrier.tell(
            "POST",
            f"/playbacks/{segment(playback_id)}/control",
            body={
                "operation": operation,
            },
        )


class Recordings:
    """Recording resources."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def list_stored(self) -> Sequence[snapshots.StoredRecording]:
        """List recordings that are complete."""
        return await self._carrier.ask("GET", "/recordings/stored", _STORED_RECORDING_LIST)

    async def get_stored(
        self,
        *,
        recording_name: str,
    ) -> snapshots.StoredRecording:
        """Get a stored recording's details.

        recording_name: Name of the recording.

        Raises NotFound.
        """
        return await self._carrier.ask("GET", f"/recordings/stored/{segment(recording_name)}", _STORED_RECORDING)

    async def delete_stored(
        self,
        *,
        recording_name: str,
    ) -> None:
        """Delete a stored recording.

        recording_name: Name of the recording.

        Raises NotFound.
        """
        await self._carrier.tell("DELETE", f"/recordings/stored/{segment(recording_name)}")

    async def get_stored_file(
        self,
        *,
        recording_name: str,
    ) -> bytes:
        """Get the file of a stored recording.

        recording_name: Name of the recording.

        Raises Forbidden, NotFound.
        """
        return await self._carrier.fetch("GET", f"/recordings/stored/{segment(recording_name)}/file")

    async def copy_stored(
        self,
        *,
        recording_name: str,
        destination_recording_name: str,
    ) -> snapshots.StoredRecording:
        """Copy a stored recording.

        recording_name: Name of the recording.
        destination_recording_name: Name of the copy.

        Raises BadRequest, Forbidden, NotFound, Conflict.
        """
        return await self._carrier.ask(
            "POST",
            f"/recordings/stored/{segment(recording_name)}/copy",
            _STORED_RECORDING,
            body={
                "destinationRecordingName": destination_recording_name,
            },
        )

    async def get_live(
        self,
        *,
        recording_name: str,
    ) -> snapshots.LiveRecording:
        """Get a live recording's details.

        recording_name: Name of the recording.

        Raises NotFound.
        """
        return await self._carrier.ask("GET", f"/recordings/live/{segment(recording_name)}", _LIVE_RECORDING)

    async def cancel(
        self,
        *,
        recording_name: str,
    ) -> None:
        """Stop a live recording and throw it away.

        recording_name: Name of the recording.

        Raises NotFound.
        """
        await self._carrier.tell("DELETE", f"/recordings/live/{segment(recording_name)}")

    async def stop(
        self,
        *,
        recording_name: str,
    ) -> None:
        """Stop a live recording and keep it.

        recording_name: Name of the recording.

        Raises NotFound.
        """
        await self._carrier.tell("POST", f"/recordings/live/{segment(recording_name)}/stop")

    async def pause(
        self,
        *,
        recording_name: str,
    ) -> None:
        """Pause a live recording.

        recording_name: Name of the recording.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell("POST", f"/recordings/live/{segment(recording_name)}/pause")

    async def unpause(
        self,
        *,
        recording_name: str,
    ) -> None:
        """Go on with a live recording.

        recording_name: Name of the recording.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell("DELETE", f"/recordings/live/{segment(recording_name)}/pause")

    async def mute(
        self,
        *,
        recording_name: str,
    ) -> None:
        """Record silence from now on.

        recording_name: Name of the recording.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell("POST", f"/recordings/live/{segment(recording_name)}/mute")

    async def unmute(
        self,
        *,
        recording_name: str,
    ) -> None:
        """Record what is heard again.

        recording_name: Name of the recording.

        Raises NotFound, Conflict.
        """
        await self._carrier.tell("DELETE", f"/recordings/live/{segment(recording_name)}/mute")


class Sounds:
    """Sound resources."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    async def list(
        self,
        *,
        lang: str | None = None,
        format: str | None = None,
    ) -> Sequence[snapshots.Sound]:
        """List all sounds.

        lang: Only sounds in this language.
        format: Only sounds in this format.

        Raises NotFound.
        """
        return await self._carrier.ask(
            "GET",
            "/sounds",
            _SOUND_LIST,
            query={
                "lang": lang,
                "format": format,
            },
        )

    async def get(
        self,
        *,
        sound_id: str,
    ) -> snapshots.Sound:
        """Get a sound's details.

        sound_id: Name of the sound.

        Raises NotFound.
        """
        return await self._carrier.ask("GET", f"/sounds/{segment(sound_id)}", _SOUND)


class Resources:
    """All of them, on one carrier."""

    def __init__(self, carrier: Carrier) -> None:
        self.applications = Applications(carrier)
        self.asterisk = Asterisk(carrier)
        self.bridges = Bridges(carrier)
        self.channels = Channels(carrier)
        self.device_states = DeviceStates(carrier)
        self.endpoints = Endpoints(carrier)
        self.events = Events(carrier)
        self.mailboxes = Mailboxes(carrier)
        self.playbacks = Playbacks(carrier)
        self.recordings = Recordings(carrier)
        self.sounds = Sounds(carrier)
