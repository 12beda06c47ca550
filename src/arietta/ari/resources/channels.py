"""Channels, and what applications do with theirs."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, cast

from arietta.errors import BadRequest, Conflict, NotSupported
from arietta.model import causes
from arietta.model.snapshots import Channel, RTPstat
from arietta.model.wire import Encoded, Long

from ..contract import Body, Query, operation
from ..domain import Dialling, ExternalMedia, Origination, SnoopDirection, Soon
from ..failures import (
    ALLOCATION_FAILED,
    CHANNEL_NOT_FOUND,
    ENDPOINT_UNSUITABLE,
    FAILED,
    ID_TAKEN,
    INVALID_PARAMETERS,
    INVALID_STATE,
    MISSING_PARAMETER,
    NO_RTP,
    NOT_DIALABLE,
    NOT_IN_STASIS,
    PLACE_NOT_FOUND,
    REASON_INVALID,
    UNSUPPORTED,
)
from ..variables import optional_assignments
from .channel_media import CONTROL, SINCE, ChannelId, ChannelMedia

LONGEST_ID = 149
SNOOP_DIRECTIONS = ("none", "both", "out", "in")
ENCAPSULATIONS = ("rtp", "audiosocket", "none")
TRANSPORTS = {"rtp": "udp", "audiosocket": "tcp", "none": "websocket"}
_NUMBER = re.compile(r"\s*([+-]?[0-9]{1,9})")

Endpoint = Annotated[str, Query("endpoint", "Endpoint to call, as TECH/RESOURCE.")]
AppArgs = Annotated[str | None, Query("appArgs", "Arguments for the application, separated by commas.")]
OtherChannelId = Annotated[str | None, Query("otherChannelId", "Identifier of the second half of a Local channel.")]
NewChannelId = Annotated[str | None, Query("channelId", "Identifier the channel shall have.")]
Originator = Annotated[
    str | None, Query("originator", "Channel on whose behalf it is made; its formats are taken over.")
]
Formats = Annotated[str | None, Query("formats", "Formats of the channel, separated by commas, without an originator.")]
Variables = Annotated[dict[str, Any] | None, Body("variables", "Variables of the channel, by their names.")]
SnoopQuery = Annotated[str, Query("spy", "What is heard of the channel.", values=SNOOP_DIRECTIONS)]
WhisperQuery = Annotated[str, Query("whisper", "Where it is spoken to.", values=SNOOP_DIRECTIONS)]
ORIGINATE_EXTRAS = (PLACE_NOT_FOUND, ALLOCATION_FAILED)


class Channels(ChannelMedia):
    """Channel resources"""

    NAME = "channels"

    @operation(
        "POST",
        "/channels",
        nickname="originate",
        since=SINCE,
        failures=(INVALID_PARAMETERS, ID_TAKEN),
        undocumented=ORIGINATE_EXTRAS,
    )
    @operation(
        "POST",
        "/channels/{channelId}",
        nickname="originateWithId",
        since=("12.2.0",),
        failures=(INVALID_PARAMETERS, ID_TAKEN),
        undocumented=ORIGINATE_EXTRAS,
    )
    def originate(
        self,
        *,
        endpoint: Endpoint,
        extension: Annotated[str | None, Query("extension", "Extension to run once answered.")] = None,
        context: Annotated[str | None, Query("context", "Context of the extension; else default.")] = None,
        priority: Annotated[Long | None, Query("priority", "Priority to begin at; else 1.")] = None,
        label: Annotated[str | None, Query("label", "Label to begin at, rather than a priority.")] = None,
        app: Annotated[str | None, Query("app", "Application to enter, rather than the dialplan.")] = None,
        app_args: AppArgs = None,
        caller_id: Annotated[str | None, Query("callerId", "Caller to show.")] = None,
        timeout: Annotated[int, Query("timeout", "Seconds to wait for an answer; -1 for ever.")] = 30,
        variables: Variables = None,
        channel_id: NewChannelId = None,
        other_channel_id: OtherChannelId = None,
        originator: Originator = None,
        formats: Formats = None,
    ) -> Soon[Channel | Encoded]:
        """Call an endpoint.

        Once answered, the new channel enters the application, or runs the dialplan from the extension. The
        answer shows it before anything happened; its identifier can be used at once.
        """
        dialling = _read_dialling(endpoint, channel_id, other_channel_id, originator, formats, variables, app, app_args)
        if not app and not extension:
            raise BadRequest("Application or extension must be specified")
        _refuse_label_zero(label)
        order = Origination(
            **dialling,
            extension=extension or None,
            context=context or None,
            priority=priority if priority and priority > 0 else None,
            label=label or None,
            caller_id=caller_id or None,
            timeout_seconds=timeout if timeout > 0 or timeout == -1 else 30,
        )
        return self._channels.originate(order)

    @operation(
        "POST",
        "/channels/create",
        nickname="create",
        since=("14.0.0",),
        failures=(ID_TAKEN,),
        undocumented=(INVALID_PARAMETERS, ALLOCATION_FAILED),
    )
    def create(
        self,
        *,
        endpoint: Endpoint,
        app: Annotated[str | None, Query("app", "Application the channel is in.", required=True)] = None,
        app_args: AppArgs = None,
        channel_id: NewChannelId = None,
        other_channel_id: OtherChannelId = None,
        originator: Originator = None,
        formats: Formats = None,
        variables: Variables = None,
    ) -> Soon[Channel | Encoded]:
        """Make a channel in an application, without dialling yet."""
        dialling = _read_dialling(endpoint, channel_id, other_channel_id, originator, formats, variables, app, app_args)
        return self._channels.create(Dialling(**dialling))

    @operation("GET", "/channels/{channelId}", nickname="get", since=SINCE, failures=(CHANNEL_NOT_FOUND,))
    def get(self, *, channel_id: ChannelId) -> Channel | Encoded:
        """Get a channel's details."""
        return self._channels.get(channel_id)

    @operation(
        "DELETE",
        "/channels/{channelId}",
        nickname="hangup",
        since=SINCE,
        failures=(REASON_INVALID, CHANNEL_NOT_FOUND),
    )
    def hang_up(
        self,
        *,
        channel_id: ChannelId,
        reason_code: Annotated[str | None, Query("reason_code", "Reason as a Q.850 number; not with reason.")] = None,
        reason: Annotated[
            str | None,
            Query("reason", "Reason in a word; not with reason_code.", values=tuple(causes.REASONS)),
        ] = None,
    ) -> Soon[None]:
        """Hang up a channel, whether it is in an application or not."""
        self._channels.require(channel_id)
        return self._channels.hang_up(channel_id, _read_cause(reason, reason_code))

    @operation(
        "POST",
        "/channels/{channelId}/continue",
        nickname="continueInDialplan",
        since=SINCE,
        failures=CONTROL,
        undocumented=(INVALID_PARAMETERS,),
    )
    def continue_in_dialplan(
        self,
        *,
        channel_id: ChannelId,
        context: Annotated[str | None, Query("context", "Context to go on in.")] = None,
        extension: Annotated[str | None, Query("extension", "Extension to go on in.")] = None,
        priority: Annotated[int | None, Query("priority", "Priority to go on at.")] = None,
        label: Annotated[str | None, Query("label", "Label to go on at, rather than a priority.")] = None,
    ) -> Soon[None]:
        """Leave the application and go on in the dialplan."""
        self._channels.require_up(channel_id)
        _refuse_label_zero(label)
        number = priority if priority and priority > 0 else None
        return self._channels.continue_in_dialplan(
            channel_id, context or None, extension or None, number, label or None
        )

    @operation(
        "POST",
        "/channels/{channelId}/move",
        nickname="move",
        since=("13.26.0", "16.3.0"),
        failures=(CHANNEL_NOT_FOUND, NOT_IN_STASIS),
        undocumented=(MISSING_PARAMETER,),
    )
    def move(
        self,
        *,
        channel_id: ChannelId,
        app: Annotated[str, Query("app", "Application to go to.")],
        app_args: AppArgs = None,
    ) -> Soon[None]:
        """Move a channel to another application."""
        return self._channels.move(channel_id, app, app_args or None)

    @operation(
        "POST",
        "/channels/{channelId}/redirect",
        nickname="redirect",
        since=("13.3.0",),
        failures=(INVALID_PARAMETERS, *CONTROL, ENDPOINT_UNSUITABLE),
    )
    def redirect(
        self,
        *,
        channel_id: ChannelId,
        endpoint: Annotated[str, Query("endpoint", "Endpoint to go to, of the channel's technology.")],
    ) -> Soon[None]:
        """Send the far end of a channel to another place."""
        return self._channels.redirect(channel_id, endpoint)

    @operation("POST", "/channels/{channelId}/answer", nickname="answer", since=SINCE, failures=CONTROL)
    def answer(self, *, channel_id: ChannelId) -> Soon[None]:
        """Answer a channel."""
        return self._channels.answer(channel_id)

    @operation("POST", "/channels/{channelId}/ring", nickname="ring", since=SINCE, failures=CONTROL)
    def ring(self, *, channel_id: ChannelId) -> Soon[None]:
        """Let the far end of a channel hear ringing."""
        return self._channels.ring(channel_id)

    @operation("DELETE", "/channels/{channelId}/ring", nickname="ringStop", since=SINCE, failures=CONTROL)
    def stop_ringing(self, *, channel_id: ChannelId) -> Soon[None]:
        """Stop ringing on a channel."""
        return self._channels.stop_ringing(channel_id)

    @operation(
        "POST",
        "/channels/{channelId}/progress",
        nickname="progress",
        since=("22.6.0", "21.11.0", "20.16.0"),
        failures=CONTROL,
    )
    def progress(self, *, channel_id: ChannelId) -> Soon[None]:
        """Open the way for audio before an answer."""
        return self._channels.progress(channel_id)

    @operation(
        "POST",
        "/channels/{channelId}/snoop",
        nickname="snoopChannel",
        since=SINCE,
        failures=(INVALID_PARAMETERS, CHANNEL_NOT_FOUND),
        undocumented=(FAILED,),
    )
    @operation(
        "POST",
        "/channels/{channelId}/snoop/{snoopId}",
        nickname="snoopChannelWithId",
        since=("12.2.0",),
        failures=(INVALID_PARAMETERS, CHANNEL_NOT_FOUND),
        undocumented=(FAILED,),
    )
    def snoop(
        self,
        *,
        channel_id: ChannelId,
        spy: SnoopQuery = "none",
        whisper: WhisperQuery = "none",
        app: Annotated[str, Query("app", "Application the snooping channel enters.")],
        app_args: AppArgs = None,
        snoop_id: Annotated[str | None, Query("snoopId", "Identifier of the snooping channel.")] = None,
    ) -> Soon[Channel | Encoded]:
        """Make a channel that hears another one, or speaks for it."""
        self._channels.require(channel_id)
        heard, spoken = _read_snoop("spy", spy), _read_snoop("whisper", whisper)
        if heard == spoken == "none":
            raise BadRequest("Direction of spy or whisper must be specified")
        return self._channels.snoop(channel_id, heard, spoken, app, app_args or None, snoop_id or None)

    @operation(
        "POST",
        "/channels/{channelId}/dial",
        nickname="dial",
        since=("14.0.0",),
        failures=(CHANNEL_NOT_FOUND, NOT_DIALABLE),
    )
    def dial(
        self,
        *,
        channel_id: ChannelId,
        caller: Annotated[str | None, Query("caller", "Channel that calls.")] = None,
        timeout: Annotated[int, Query("timeout", "Seconds to wait for an answer; 0 for ever.", minimum=0)] = 0,
    ) -> Soon[None]:
        """Dial a channel that was made without dialling."""
        return self._channels.dial(channel_id, caller or None, max(0, timeout))

    @operation(
        "GET",
        "/channels/{channelId}/rtp_statistics",
        nickname="rtpstatistics",
        since=("13.27.0", "16.4.0"),
        failures=(CHANNEL_NOT_FOUND,),
        undocumented=(NO_RTP,),
    )
    def rtp_statistics(self, *, channel_id: ChannelId) -> Soon[RTPstat]:
        """Get the figures of a channel's RTP session."""
        return self._channels.rtp_statistics(channel_id)

    @operation(
        "POST",
        "/channels/externalMedia",
        nickname="externalMedia",
        since=("16.6.0", "17.1.0"),
        failures=(INVALID_PARAMETERS, ID_TAKEN),
        undocumented=(FAILED, UNSUPPORTED),
    )
    def external_media(
        self,
        *,
        channel_id: NewChannelId = None,
        app: Annotated[str, Query("app", "Application the channel enters.")],
        variables: Variables = None,
        external_host: Annotated[
            str | None, Query("external_host", "Where the program is: HOST:PORT, or a WebSocket client's name.")
        ] = None,
        encapsulation: Annotated[str, Query("encapsulation", "How audio is wrapped.", values=ENCAPSULATIONS)] = "rtp",
        transport: Annotated[str, Query("transport", "How audio travels.", values=("udp", "tcp", "websocket"))] = "udp",
        connection_type: Annotated[
            str, Query("connection_type", "Whether it connects or waits.", values=("client", "server"))
        ] = "client",
        format: Annotated[str, Query("format", "Format of the audio.")],
        direction: Annotated[str, Query("direction", "Ways the audio goes.", values=("both",))] = "both",
        data: Annotated[str | None, Query("data", "What the encapsulation needs; for AudioSocket a UUID.")] = None,
        transport_data: Annotated[
            str | None, Query("transport_data", "What the transport needs; for WebSocket more of its URI.")
        ] = None,
    ) -> Soon[Channel | Encoded]:
        """Make a channel to a program that takes and gives audio."""
        _refuse_long_id("channelId", channel_id)
        order = ExternalMedia(
            app=app,
            format=format,
            external_host=external_host or None,
            encapsulation=encapsulation or "rtp",
            transport=transport or "udp",
            connection_type=connection_type or "client",
            direction=direction or "both",
            data=data or None,
            transport_data=transport_data or None,
            channel_id=channel_id or None,
            variables=optional_assignments(variables),
        )
        _refuse_external_media(order)
        return self._channels.external_media(order)

    @operation(
        "POST",
        "/channels/{channelId}/transfer_progress",
        nickname="transfer_progress",
        since=("22.3.0", "21.8.0", "20.13.0"),
        failures=(INVALID_PARAMETERS, CHANNEL_NOT_FOUND, NOT_IN_STASIS, INVALID_STATE),
    )
    def transfer_progress(
        self,
        *,
        channel_id: ChannelId,
        states: Annotated[str, Query("states", "How far the transfer is.")],
    ) -> Soon[None]:
        """Tell the far end how the transfer goes that it asked for."""
        return self._channels.transfer_progress(channel_id, states)

    @operation("GET", "/channels", nickname="list", since=SINCE)
    def list(self) -> Sequence[Channel | Encoded] | Encoded:
        """List all channels."""
        return self._channels.list()


def _read_dialling(
    endpoint: str,
    channel_id: str | None,
    other_channel_id: str | None,
    originator: str | None,
    formats: str | None,
    variables: Any,
    app: str | None,
    app_args: str | None,
) -> dict[str, Any]:
    """What originate and create share; 400 or 409 for what contradicts itself."""
    technology, _, resource = endpoint.partition("/")
    if not technology or not resource:
        raise BadRequest(f"Endpoint is not TECH/RESOURCE: {endpoint}")
    if originator and formats:
        raise BadRequest("Originator and formats cannot both be specified")
    _refuse_long_id("channelId", channel_id)
    _refuse_long_id("otherChannelId", other_channel_id)
    if channel_id and channel_id == other_channel_id:
        raise Conflict(f"Parameters channelId and otherChannelId are equal: {channel_id}")
    return {
        "endpoint": endpoint,
        "channel_id": channel_id or None,
        "other_channel_id": other_channel_id or None,
        "originator": originator or None,
        "formats": tuple(name.strip() for name in formats.split(",")) if formats else (),
        "variables": optional_assignments(variables),
        "app": app or None,
        "app_args": app_args or None,
    }


def _refuse_long_id(name: str, identifier: str | None) -> None:
    if identifier and len(identifier) > LONGEST_ID:
        raise BadRequest(f"Parameter {name} has {len(identifier)} characters, more than {LONGEST_ID}")


def _refuse_label_zero(label: str | None) -> None:
    if label == "0":
        raise BadRequest("Label 0 is no priority")


def _read_cause(reason: str | None, reason_code: str | None) -> int:
    if reason and reason_code:
        raise BadRequest("Parameters reason and reason_code cannot both be specified")
    if reason_code:
        number = _NUMBER.match(reason_code)
        if number is None:
            raise BadRequest(f"Invalid reason_code: {reason_code}")
        return int(number[1])
    if not reason:
        return causes.NORMAL_CLEARING
    cause = causes.REASONS.get(reason)
    if cause is None:
        raise BadRequest(f"Invalid reason: {reason}")
    return cause


def _read_snoop(name: str, direction: str) -> SnoopDirection:
    if not direction:
        return "none"
    if direction not in SNOOP_DIRECTIONS:
        raise BadRequest(f"Invalid direction of {name}: {direction}")
    return cast(SnoopDirection, direction)


def _refuse_external_media(order: ExternalMedia) -> None:
    """400 for what is missing or contradicts itself, 501 for pairs that nobody speaks."""
    if order.direction != "both":
        raise BadRequest(f"Parameter direction must be both: {order.direction}")
    transport = TRANSPORTS.get(order.encapsulation)
    if transport is None or (order.encapsulation == "none" and order.transport != transport):
        raise NotSupported(f"Encapsulation {order.encapsulation} over {order.transport} is not supported")
    if order.transport != transport:
        raise BadRequest(f"Encapsulation {order.encapsulation} goes over {transport}, not {order.transport}")
    if order.connection_type not in ("client", "server"):
        raise BadRequest(f"Parameter connection_type is neither client nor server: {order.connection_type}")
    if order.connection_type == "server":
        if order.transport != "websocket":
            raise BadRequest(f"Parameter connection_type server needs websocket, not {order.transport}")
        return
    if not order.external_host:
        raise BadRequest("Missing parameter external_host")
    if order.transport == "websocket":
        return
    host, _, port = order.external_host.rpartition(":")
    if not host or not port.isdigit():
        raise BadRequest(f"Parameter external_host is not HOST:PORT: {order.external_host}")
    if order.encapsulation == "audiosocket" and not order.data:
        raise BadRequest("Missing parameter data: AudioSocket needs a UUID")
