"""Frozen pictures of living things, field by field as ARI shows them.

A field typed with `UnsetType` is on the wire only when it applies; JSON null is never sent.
Fields stand in the order in which they are written.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from .wire import Date, Long, Object

ChannelState = Literal[
    "Down",
    "Rsrved",
    "OffHook",
    "Dialing",
    "Ring",
    "Ringing",
    "Up",
    "Busy",
    "Dialing Offhook",
    "Pre-ring",
    "Unknown",
]
"""What a channel does now, in ARI's words."""

BridgeType = Literal["mixing", "holding"]
"""What members of a bridge hear: each other, or music."""

DeviceStateValue = Literal[
    "UNKNOWN",
    "NOT_INUSE",
    "INUSE",
    "BUSY",
    "INVALID",
    "UNAVAILABLE",
    "RINGING",
    "RINGINUSE",
    "ONHOLD",
]
"""What a device does now, in the words of the dialplan's hints."""

EndpointState = Literal["unknown", "offline", "online"]
"""Whether an endpoint has a contact that can be reached."""

PlaybackState = Literal["queued", "playing", "paused", "continuing", "done", "failed"]
"""Where a playback stands."""

RecordingState = Literal["queued", "recording", "paused", "done", "failed", "canceled"]
"""Where a live recording stands."""


class CallerID(Struct, frozen=True, gc=False):
    """A party of a call, by name and number."""

    name: Annotated[str, Meta(description="Display name of the party, or an empty text.")]
    number: Annotated[str, Meta(description="Number of the party, or an empty text.")]


class DialplanCEP(Struct, frozen=True, gc=False):
    """A place in the dialplan with the application that runs there."""

    context: Annotated[str, Meta(description="Context of the place.")]
    exten: Annotated[str, Meta(description="Extension of the place.")]
    priority: Annotated[Long, Meta(description="Priority of the place, counted from 1.")]
    app_name: Annotated[str, Meta(description="Name of the dialplan application that runs now.")]
    app_data: Annotated[str, Meta(description="Arguments the dialplan application was given.")]


class Channel(Struct, frozen=True, kw_only=True, gc=False):
    """One leg of a call."""

    id: Annotated[str, Meta(description="Identifier of the channel, unique in the system.")]
    name: Annotated[str, Meta(description="Name of the channel: technology, resource, counter.")]
    state: Annotated[ChannelState, Meta(description="What the channel does now.")]
    protocol_id: Annotated[
        str, Meta(description="Identifier of the call in its protocol (SIP: the Call-ID), or an empty text.")
    ]
    caller: Annotated[CallerID, Meta(description="Party on the far end of this channel.")]
    connected: Annotated[CallerID, Meta(description="Party this channel is talking to.")]
    accountcode: Annotated[str, Meta(description="Account the call is charged to.")]
    dialplan: Annotated[DialplanCEP, Meta(description="Where the channel is in the dialplan.")]
    creationtime: Annotated[Date, Meta(description="Time at which the channel was made.")]
    language: Annotated[str, Meta(description="Language of the sounds the channel hears.")]
    channelvars: Annotated[
        dict[str, str] | UnsetType, Meta(description="Values of the variables that are reported.")
    ] = UNSET
    caller_rdnis: Annotated[str | UnsetType, Meta(description="Number the call was redirected from, if it was.")] = (
        UNSET
    )
    tenantid: Annotated[str | UnsetType, Meta(description="Tenant the channel belongs to, if it has one.")] = UNSET


class Dialed(Struct, frozen=True, gc=False):
    """What is known of a channel that was dialled; it names no fields."""


class RTPstat(Struct, frozen=True, kw_only=True, gc=False):
    """Figures of one RTP session; jitter and round trips in seconds, loss in packets, scores 0 to 100."""

    txcount: Annotated[int, Meta(description="Packets sent.")]
    rxcount: Annotated[int, Meta(description="Packets received.")]
    txjitter: Annotated[float | UnsetType, Meta(description="Jitter of what was sent.")] = UNSET
    rxjitter: Annotated[float | UnsetType, Meta(description="Jitter of what was received.")] = UNSET
    remote_maxjitter: Annotated[float | UnsetType, Meta(description="Largest jitter the far end told.")] = UNSET
    remote_minjitter: Annotated[float | UnsetType, Meta(description="Smallest jitter the far end told.")] = UNSET
    remote_normdevjitter: Annotated[float | UnsetType, Meta(description="Mean jitter the far end told.")] = UNSET
    remote_stdevjitter: Annotated[
        float | UnsetType, Meta(description="Standard deviation of the jitter the far end told.")
    ] = UNSET
    local_maxjitter: Annotated[float | UnsetType, Meta(description="Largest jitter seen here.")] = UNSET
    local_minjitter: Annotated[float | UnsetType, Meta(description="Smallest jitter seen here.")] = UNSET
    local_normdevjitter: Annotated[float | UnsetType, Meta(description="Mean jitter seen here.")] = UNSET
    local_stdevjitter: Annotated[float | UnsetType, Meta(description="Standard deviation of the jitter seen here.")] = (
        UNSET
    )
    txploss: Annotated[int, Meta(description="Packets sent that were lost.")]
    rxploss: Annotated[int, Meta(description="Packets that should have been received and were lost.")]
    remote_maxrxploss: Annotated[float | UnsetType, Meta(description="Largest loss the far end told.")] = UNSET
    remote_minrxploss: Annotated[float | UnsetType, Meta(description="Smallest loss the far end told.")] = UNSET
    remote_normdevrxploss: Annotated[float | UnsetType, Meta(description="Mean loss the far end told.")] = UNSET
    remote_stdevrxploss: Annotated[
        float | UnsetType, Meta(description="Standard deviation of the loss the far end told.")
    ] = UNSET
    local_maxrxploss: Annotated[float | UnsetType, Meta(description="Largest loss seen here.")] = UNSET
    local_minrxploss: Annotated[float | UnsetType, Meta(description="Smallest loss seen here.")] = UNSET
    local_normdevrxploss: Annotated[float | UnsetType, Meta(description="Mean loss seen here.")] = UNSET
    local_stdevrxploss: Annotated[float | UnsetType, Meta(description="Standard deviation of the loss seen here.")] = (
        UNSET
    )
    rtt: Annotated[float | UnsetType, Meta(description="Last round trip.")] = UNSET
    maxrtt: Annotated[float | UnsetType, Meta(description="Longest round trip.")] = UNSET
    minrtt: Annotated[float | UnsetType, Meta(description="Shortest round trip.")] = UNSET
    normdevrtt: Annotated[float | UnsetType, Meta(description="Mean round trip.")] = UNSET
    stdevrtt: Annotated[float | UnsetType, Meta(description="Standard deviation of the round trips.")] = UNSET
    txmes: Annotated[float | UnsetType, Meta(description="Media experience score of what was sent.")] = UNSET
    rxmes: Annotated[float | UnsetType, Meta(description="Media experience score of what was received.")] = UNSET
    remote_maxmes: Annotated[float | UnsetType, Meta(description="Best media experience score the far end told.")] = (
        UNSET
    )
    remote_minmes: Annotated[float | UnsetType, Meta(description="Worst media experience score the far end told.")] = (
        UNSET
    )
    remote_normdevmes: Annotated[
        float | UnsetType, Meta(description="Mean media experience score the far end told.")
    ] = UNSET
    remote_stdevmes: Annotated[
        float | UnsetType, Meta(description="Standard deviation of the media experience score the far end told.")
    ] = UNSET
    local_maxmes: Annotated[float | UnsetType, Meta(description="Best media experience score seen here.")] = UNSET
    local_minmes: Annotated[float | UnsetType, Meta(description="Worst media experience score seen here.")] = UNSET
    local_normdevmes: Annotated[float | UnsetType, Meta(description="Mean media experience score seen here.")] = UNSET
    local_stdevmes: Annotated[
        float | UnsetType, Meta(description="Standard deviation of the media experience score seen here.")
    ] = UNSET
    local_ssrc: Annotated[int, Meta(description="Synchronization source of what is sent.")]
    remote_ssrc: Annotated[int, Meta(description="Synchronization source of what is received.")]
    txoctetcount: Annotated[int, Meta(description="Bytes of media sent.")]
    rxoctetcount: Annotated[int, Meta(description="Bytes of media received.")]
    channel_uniqueid: Annotated[str, Meta(description="Identifier of the channel the session belongs to.")]


class Bridge(Struct, frozen=True, kw_only=True, gc=False):
    """Channels that hear each other."""

    id: Annotated[str, Meta(description="Identifier of the bridge, unique in the system.")]
    technology: Annotated[str, Meta(description="Mixer the bridge uses now.")]
    bridge_type: Annotated[BridgeType, Meta(description="What the members of the bridge hear.")]
    bridge_class: Annotated[str, Meta(description="Kind of the bridge, by what made it.")]
    creator: Annotated[str, Meta(description="What made the bridge.")]
    name: Annotated[str, Meta(description="Name its creator gave the bridge.")]
    channels: Annotated[list[str], Meta(description="Identifiers of the channels inside.")]
    creationtime: Annotated[Date, Meta(description="Time at which the bridge was made.")]
    video_mode: Annotated[
        str | UnsetType, Meta(description="How the video source is chosen: none, talker, sfu or single.")
    ] = UNSET
    video_source_id: Annotated[str | UnsetType, Meta(description="Identifier of the channel whose video is shown.")] = (
        UNSET
    )
    bridgevars: Annotated[
        dict[str, str] | UnsetType, Meta(description="Values of the variables that are reported.")
    ] = UNSET


class Endpoint(Struct, frozen=True, kw_only=True, gc=False):
    """A device or peer that calls can be placed to."""

    technology: Annotated[str, Meta(description="Technology of the endpoint.")]
    resource: Annotated[str, Meta(description="Name of the endpoint within its technology.")]
    state: Annotated[EndpointState | UnsetType, Meta(description="Whether the endpoint can be reached.")] = UNSET
    channel_ids: Annotated[list[str], Meta(description="Identifiers of the channels of the endpoint.")]


class TextMessage(Struct, frozen=True, kw_only=True, gc=False):
    """A text without a call."""

    from_: Annotated[str, Meta(description="Address of the sender, with its technology.")] = field(name="from")
    to: Annotated[str, Meta(description="Address of the recipient, with its technology.")]
    body: Annotated[str, Meta(description="The text.")]
    variables: Annotated[dict[str, str] | UnsetType, Meta(description="Headers and facts that came with the text.")] = (
        UNSET
    )


class Playback(Struct, frozen=True, kw_only=True, gc=False):
    """Media that is played to a channel or a bridge."""

    id: Annotated[str, Meta(description="Identifier of the playback, unique in the system.")]
    media_uri: Annotated[str, Meta(description="What is played now.")]
    next_media_uri: Annotated[str | UnsetType, Meta(description="What is played next, while there is something.")] = (
        UNSET
    )
    target_uri: Annotated[str, Meta(description="Where it is heard: `channel:ID` or `bridge:ID`.")]
    language: Annotated[str | UnsetType, Meta(description="Language the sounds are looked for in.")] = UNSET
    state: Annotated[PlaybackState, Meta(description="Where the playback stands.")]


class LiveRecording(Struct, frozen=True, kw_only=True, gc=False):
    """A recording that is being made."""

    name: Annotated[str, Meta(description="Name of the recording, without its format's suffix.")]
    format: Annotated[str, Meta(description="Format of the file.")]
    state: Annotated[RecordingState, Meta(description="Where the recording stands.")]
    target_uri: Annotated[str, Meta(description="What is recorded: `channel:ID` or `bridge:ID`.")]
    duration: Annotated[int | UnsetType, Meta(description="Length in whole seconds.")] = UNSET
    talking_duration: Annotated[
        int | UnsetType, Meta(description="Seconds in which somebody spoke, if silence is watched.")
    ] = UNSET
    silence_duration: Annotated[int | UnsetType, Meta(description="Seconds of silence, if silence is watched.")] = UNSET
    cause: Annotated[str | UnsetType, Meta(description="Why the recording failed, if it did.")] = UNSET


class StoredRecording(Struct, frozen=True, gc=False):
    """A finished recording on disk."""

    name: Annotated[str, Meta(description="Name of the recording, without its format's suffix.")]
    format: Annotated[str, Meta(description="Format of the file.")]


class FormatLangPair(Struct, frozen=True, gc=False):
    """One file of a sound."""

    language: Annotated[str, Meta(description="Language that is spoken.")]
    format: Annotated[str, Meta(description="Format of the file.")]


class Sound(Struct, frozen=True, kw_only=True, gc=False):
    """A piece of audio that can be played by name."""

    id: Annotated[str, Meta(description="Name of the sound, as in `sound:NAME`.")]
    text: Annotated[str | UnsetType, Meta(description="What is said, if it is known.")] = UNSET
    formats: Annotated[list[FormatLangPair], Meta(description="Files there are of the sound.")]


class DeviceState(Struct, frozen=True, gc=False):
    """What a device does, as hints see it."""

    name: Annotated[str, Meta(description="Name of the device.")]
    state: Annotated[DeviceStateValue, Meta(description="What the device does now.")]


class Mailbox(Struct, frozen=True, gc=False):
    """How many messages wait for somebody."""

    name: Annotated[str, Meta(description="Name of the mailbox.")]
    old_messages: Annotated[int, Meta(description="Messages that were heard already.")]
    new_messages: Annotated[int, Meta(description="Messages that were not heard yet.")]


class Application(Struct, frozen=True, kw_only=True, gc=False):
    """A Stasis application with what it listens to."""

    name: Annotated[str, Meta(description="Name of the application.")]
    channel_ids: Annotated[list[str], Meta(description="Identifiers of the channels subscribed to.")]
    bridge_ids: Annotated[list[str], Meta(description="Identifiers of the bridges subscribed to.")]
    endpoint_ids: Annotated[
        list[str], Meta(description="Endpoints subscribed to, as technology or technology/resource.")
    ]
    device_names: Annotated[list[str], Meta(description="Names of the devices subscribed to.")]
    events_allowed: Annotated[list[Object], Meta(description="Events that pass; all do if it is empty.")]
    events_disallowed: Annotated[list[Object], Meta(description="Events that are kept back.")]


class BuildInfo(Struct, frozen=True, kw_only=True, gc=False):
    """How the server was built."""

    os: Annotated[str, Meta(description="Operating system it was built on.")]
    kernel: Annotated[str, Meta(description="Kernel it was built on.")]
    machine: Annotated[str, Meta(description="Architecture it was built for.")]
    options: Annotated[str, Meta(description="Options it was built with.")]
    date: Annotated[str, Meta(description="Time of the build.")]
    user: Annotated[str, Meta(description="Name of who built it.")]


class SystemInfo(Struct, frozen=True, gc=False):
    """Which server this is."""

    version: Annotated[str, Meta(description="Version of the server.")]
    entity_id: Annotated[str, Meta(description="Identifier of this server among others.")]


class SetId(Struct, frozen=True, gc=False):
    """Whom the server runs as."""

    user: Annotated[str, Meta(description="User the server runs as.")]
    group: Annotated[str, Meta(description="Group the server runs as.")]


class ConfigInfo(Struct, frozen=True, kw_only=True, gc=False):
    """Limits and names the server was configured with."""

    name: Annotated[str, Meta(description="Name of this server.")]
    default_language: Annotated[str, Meta(description="Language of channels that name none.")]
    max_channels: Annotated[int | UnsetType, Meta(description="Most channels at once, if limited.")] = UNSET
    max_open_files: Annotated[int | UnsetType, Meta(description="Most open files at once, if limited.")] = UNSET
    max_load: Annotated[float | UnsetType, Meta(description="Load at which calls are refused, if set.")] = UNSET
    setid: Annotated[SetId, Meta(description="User and group the server runs as.")]


class StatusInfo(Struct, frozen=True, gc=False):
    """Since when the server runs."""

    startup_time: Annotated[Date, Meta(description="Time at which the server started.")]
    last_reload_time: Annotated[Date, Meta(description="Time at which its configuration was last read.")]


class AsteriskInfo(Struct, frozen=True, kw_only=True, gc=False):
    """Facts about the server, as far as they were asked for."""

    build: Annotated[BuildInfo | UnsetType, Meta(description="How the server was built.")] = UNSET
    system: Annotated[SystemInfo | UnsetType, Meta(description="Which server this is.")] = UNSET
    config: Annotated[ConfigInfo | UnsetType, Meta(description="Limits and names it was given.")] = UNSET
    status: Annotated[StatusInfo | UnsetType, Meta(description="Since when it runs.")] = UNSET


class AsteriskPing(Struct, frozen=True, kw_only=True, gc=False):
    """The answer to a ping."""

    ping: Annotated[str, Meta(description="Always `pong`.")]
    timestamp: Annotated[str, Meta(description="Time of the answer.")]
    asterisk_id: Annotated[str, Meta(description="Identifier of this server among others.")]


class Module(Struct, frozen=True, kw_only=True, gc=False):
    """A part of the server that can be loaded."""

    name: Annotated[str, Meta(description="Name of the module, with `.so`.")]
    description: Annotated[str, Meta(description="What the module does.")]
    use_count: Annotated[int, Meta(description="How many others use the module now.")]
    status: Annotated[str, Meta(description="Whether the module runs.")]
    support_level: Annotated[str, Meta(description="Who looks after the module.")]


class LogChannel(Struct, frozen=True, kw_only=True, gc=False):
    """A place log lines go to."""

    channel: Annotated[str, Meta(description="Name of the log channel, mostly a file.")]
    type: Annotated[str, Meta(description="Kind of the log channel.")]
    status: Annotated[str, Meta(description="Whether lines are written to it.")]
    configuration: Annotated[str, Meta(description="Levels that are written to it.")]


class Variable(Struct, frozen=True, gc=False):
    """The value of one variable."""

    value: Annotated[str, Meta(description="Value of the variable.")]


class Variables(Struct, frozen=True, gc=False):
    """Values of several variables."""

    variables: Annotated[dict[str, str], Meta(description="Values by the names of the variables.")]


class ConfigTuple(Struct, frozen=True, gc=False):
    """One setting of a configuration object."""

    attribute: Annotated[str, Meta(description="Name of the setting.")]
    value: Annotated[str, Meta(description="Value of the setting.")]
