"""Frozen past-tense facts, exactly as ARI sends them.

The name of a class is its `type` on the wire. `application` and `asterisk_id` end every event; they
differ by receiver, so `suffix` writes them once for all events of an application, and a frame is
`encode(event)[:-1] + suffix(asterisk_id, application)`.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from .snapshots import Bridge, Channel, DeviceState, Endpoint, LiveRecording, Playback, TextMessage
from .wire import Date, Object

ContactStatus = Literal["Unreachable", "Reachable", "Unknown", "NonQualified", "Removed"]
"""What is known of the way to a contact."""


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """Something that happened."""


class TypeFirst(Event, frozen=True, kw_only=True, gc=False, tag=True, tag_field="type"):
    """An event that starts with its type and time, as nearly all do."""

    timestamp: Annotated[Date, Meta(description="Time at which it happened.")]


class ContactInfo(Struct, frozen=True, kw_only=True, gc=False):
    """A contact of an endpoint."""

    uri: Annotated[str, Meta(description="Where the contact is.")]
    contact_status: Annotated[ContactStatus, Meta(description="What is known of the way to it.")]
    aor: Annotated[str, Meta(description="Address of record it is bound to.")]
    roundtrip_usec: Annotated[str | UnsetType, Meta(description="Microseconds to the contact and back, as a text.")] = (
        UNSET
    )


class Peer(Struct, frozen=True, kw_only=True, gc=False):
    """What changed about the peer of an endpoint."""

    peer_status: Annotated[str, Meta(description="What became of the peer.")]
    cause: Annotated[str | UnsetType, Meta(description="Why it changed.")] = UNSET
    address: Annotated[str | UnsetType, Meta(description="Address of the peer.")] = UNSET
    port: Annotated[str | UnsetType, Meta(description="Port of the peer.")] = UNSET
    time: Annotated[str | UnsetType, Meta(description="When the last reply of the peer came.")] = UNSET


class AdditionalParam(Struct, frozen=True, gc=False):
    """A parameter that the protocol of a transfer adds."""

    parameter_name: Annotated[str, Meta(description="Name of the parameter.")]
    parameter_value: Annotated[str, Meta(description="Value of the parameter.")]


class RequiredDestination(Struct, frozen=True, kw_only=True, gc=False):
    """Where a transfer was asked to go."""

    protocol_id: Annotated[
        str | UnsetType, Meta(description="Identifier of the call to be replaced (SIP: its Call-ID).")
    ] = UNSET
    destination: Annotated[str | UnsetType, Meta(description="Extension the transfer goes to.")] = UNSET
    additional_protocol_params: Annotated[
        list[AdditionalParam] | UnsetType, Meta(description="What else the protocol said, for instance tags.")
    ] = UNSET


class ReferTo(Struct, frozen=True, kw_only=True, gc=False):
    """The goal of a transfer."""

    requested_destination: Annotated[RequiredDestination, Meta(description="Where the transfer was asked to go.")]
    destination_channel: Annotated[
        Channel | UnsetType, Meta(description="Channel that is to be replaced, if there is one.")
    ] = UNSET
    connected_channel: Annotated[
        Channel | UnsetType, Meta(description="Channel that talks to the one to be replaced.")
    ] = UNSET
    bridge: Annotated[Bridge | UnsetType, Meta(description="Bridge that the channel to be replaced is in.")] = UNSET


class ReferredBy(Struct, frozen=True, kw_only=True, gc=False):
    """Who asked for a transfer."""

    source_channel: Annotated[Channel, Meta(description="Channel on which the transfer was asked for.")]
    connected_channel: Annotated[Channel | UnsetType, Meta(description="Channel that talks to the one that asks.")] = (
        UNSET
    )
    bridge: Annotated[Bridge | UnsetType, Meta(description="Bridge that the asking channel is in.")] = UNSET


class MissingParams(Struct, frozen=True, kw_only=True, gc=False, tag=True, tag_field="type"):
    """A request that lacked parameters."""

    params: Annotated[list[str], Meta(description="Names of the parameters that are missing.")]


class RESTHeader(Struct, frozen=True, gc=False):
    """One header of a REST request or response."""

    name: Annotated[str, Meta(description="Name of the header.")]
    value: Annotated[str, Meta(description="Value of the header.")]


class RESTQueryStringParameter(Struct, frozen=True, gc=False):
    """One query parameter of a REST request."""

    name: Annotated[str, Meta(description="Name of the parameter.")]
    value: Annotated[str, Meta(description="Value of the parameter.")]


class RESTRequest(Struct, frozen=True, kw_only=True, gc=False, tag=True, tag_field="type"):
    """An operation asked for over the event socket."""

    transaction_id: Annotated[str, Meta(description="Mark of the client that the answer repeats.")]
    request_id: Annotated[str, Meta(description="Second mark of the client that the answer repeats.")]
    method: Annotated[str, Meta(description="HTTP method, in capitals.")]
    uri: Annotated[str, Meta(description="Path below `/ari` without its first slash, with an optional query.")]
    content_type: Annotated[str | UnsetType, Meta(description="Content type of the body.")] = UNSET
    query_strings: Annotated[
        list[RESTQueryStringParameter] | UnsetType, Meta(description="Further query parameters.")
    ] = UNSET
    message_body: Annotated[str | UnsetType, Meta(description="Body of the request.")] = UNSET


class DeviceStateChanged(TypeFirst, frozen=True, kw_only=True, gc=False):
    """The state of a device changed."""

    device_state: Annotated[DeviceState, Meta(description="Name and new state of the device.")]


class PlaybackStarted(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A playback, or an item of its list, began."""

    playback: Annotated[Playback, Meta(description="The playback.")]


class PlaybackContinuing(TypeFirst, frozen=True, kw_only=True, gc=False):
    """An item of a playback's list ended; the next one follows."""

    playback: Annotated[Playback, Meta(description="The playback, with the item that comes next.")]


class PlaybackFinished(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A playback ended."""

    playback: Annotated[Playback, Meta(description="The playback.")]


class RecordingStarted(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A recording began."""

    recording: Annotated[LiveRecording, Meta(description="The recording.")]


class RecordingFinished(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A recording ended."""

    recording: Annotated[LiveRecording, Meta(description="The recording.")]


class RecordingFailed(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A recording broke off."""

    recording: Annotated[LiveRecording, Meta(description="The recording, with the cause.")]


class ApplicationMoveFailed(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A channel could not enter the application it was moved to."""

    channel: Annotated[Channel, Meta(description="The channel that stays.")]
    destination: Annotated[str, Meta(description="Application it was moved to.")]
    args: Annotated[list[str], Meta(description="Arguments for that application.")]


class ApplicationRegistered(TypeFirst, frozen=True, kw_only=True, gc=False):
    """An application was opened on this socket."""


class ApplicationUnregistered(TypeFirst, frozen=True, kw_only=True, gc=False):
    """An application was closed on this socket."""


class ApplicationReplaced(TypeFirst, frozen=True, kw_only=True, gc=False):
    """Another socket took the application over."""


class BridgeCreated(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A bridge was made."""

    bridge: Annotated[Bridge, Meta(description="The bridge.")]


class BridgeDestroyed(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A bridge ended."""

    bridge: Annotated[Bridge, Meta(description="The bridge as it was last.")]


class BridgeMerged(TypeFirst, frozen=True, kw_only=True, gc=False):
    """One bridge took in all channels of another."""

    bridge: Annotated[Bridge, Meta(description="The bridge that remains.")]
    bridge_from: Annotated[Bridge, Meta(description="The bridge that was emptied.")]


class BridgeVideoSourceChanged(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A bridge shows the video of another channel."""

    bridge: Annotated[Bridge, Meta(description="The bridge.")]
    old_video_source_id: Annotated[
        str | UnsetType, Meta(description="Identifier of the channel that was shown before.")
    ] = UNSET


class BridgeBlindTransfer(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A blind transfer was asked for."""

    channel: Annotated[Channel, Meta(description="The channel that asked.")]
    exten: Annotated[str, Meta(description="Extension the transfer goes to.")]
    context: Annotated[str, Meta(description="Context the transfer goes to.")]
    result: Annotated[str, Meta(description="How the transfer went.")]
    is_external: Annotated[bool, Meta(description="Whether a protocol asked for it (true) or a feature code (false).")]
    transferee: Annotated[
        Channel | UnsetType, Meta(description="The channel that is sent away, if there is just one.")
    ] = UNSET
    replace_channel: Annotated[
        Channel | UnsetType, Meta(description="The channel that takes the place of the one that asked.")
    ] = UNSET
    bridge: Annotated[Bridge | UnsetType, Meta(description="The bridge as it was.")] = UNSET


class BridgeAttendedTransfer(TypeFirst, frozen=True, kw_only=True, gc=False):
    """An attended transfer was asked for."""

    transferer_first_leg: Annotated[Channel, Meta(description="First channel of the party that transfers.")]
    transferer_second_leg: Annotated[Channel, Meta(description="Second channel of the party that transfers.")]
    result: Annotated[str, Meta(description="How the transfer went.")]
    is_external: Annotated[bool, Meta(description="Whether a protocol asked for it (true) or a feature code (false).")]
    transferee: Annotated[Channel | UnsetType, Meta(description="The channel that is transferred.")] = UNSET
    transfer_target: Annotated[Channel | UnsetType, Meta(description="The channel it is transferred to.")] = UNSET
    transferer_first_leg_bridge: Annotated[Bridge | UnsetType, Meta(description="Bridge of the first channel.")] = UNSET
    transferer_second_leg_bridge: Annotated[Bridge | UnsetType, Meta(description="Bridge of the second channel.")] = (
        UNSET
    )
    replace_channel: Annotated[
        Channel | UnsetType, Meta(description="The channel that takes the place of the party that transfers.")
    ] = UNSET
    destination_type: Annotated[str, Meta(description="Kind of goal: bridge, application, link, threeway or fail.")]
    destination_bridge: Annotated[str | UnsetType, Meta(description="Identifier of the bridge all meet in.")] = UNSET
    destination_application: Annotated[str | UnsetType, Meta(description="Application the transferee goes to.")] = UNSET
    destination_link_first_leg: Annotated[
        Channel | UnsetType, Meta(description="First half of the link between the two bridges.")
    ] = UNSET
    destination_link_second_leg: Annotated[
        Channel | UnsetType, Meta(description="Second half of the link between the two bridges.")
    ] = UNSET
    destination_threeway_channel: Annotated[
        Channel | UnsetType, Meta(description="Channel that stays with both parties.")
    ] = UNSET
    destination_threeway_bridge: Annotated[
        Bridge | UnsetType, Meta(description="Bridge in which three parties meet.")
    ] = UNSET


class ChannelCreated(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A channel was made."""

    channel: Annotated[Channel, Meta(description="The channel.")]


class ChannelDestroyed(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A channel ended."""

    cause: Annotated[int, Meta(description="Why, as a Q.850 number.")]
    cause_txt: Annotated[str, Meta(description="Why, in words.")]
    tech_cause: Annotated[int | UnsetType, Meta(description="Why, as the protocol put it (SIP: a status).")] = UNSET
    channel: Annotated[Channel, Meta(description="The channel as it was last.")]


class ChannelEnteredBridge(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A channel entered a bridge."""

    bridge: Annotated[Bridge, Meta(description="The bridge, with the channel.")]
    channel: Annotated[Channel | UnsetType, Meta(description="The channel.")] = UNSET


class ChannelLeftBridge(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A channel left a bridge."""

    bridge: Annotated[Bridge, Meta(description="The bridge, without the channel.")]
    channel: Annotated[Channel, Meta(description="The channel.")]


class ChannelStateChange(TypeFirst, frozen=True, kw_only=True, gc=False):
    """The state of a channel changed."""

    channel: Annotated[Channel, Meta(description="The channel, with its new state.")]


class ChannelDtmfReceived(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A digit came in on a channel; told when it ends."""

    digit: Annotated[str, Meta(description="One of 0-9, A-D, # and *.")]
    duration_ms: Annotated[int, Meta(description="Milliseconds the digit lasted.")]
    channel: Annotated[Channel, Meta(description="The channel.")]


class ChannelDialplan(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A channel reached another application of the dialplan."""

    dialplan_app: Annotated[str, Meta(description="The application that begins.")]
    dialplan_app_data: Annotated[str, Meta(description="Its arguments.")]
    channel: Annotated[Channel, Meta(description="The channel.")]


class ChannelCallerId(TypeFirst, frozen=True, kw_only=True, gc=False):
    """The caller id of a channel changed."""

    caller_presentation: Annotated[int, Meta(description="Whether the caller may be shown, as a number.")]
    caller_presentation_txt: Annotated[str, Meta(description="Whether the caller may be shown, in words.")]
    channel: Annotated[Channel, Meta(description="The channel.")]


class ChannelUserevent(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A program or the dialplan said something of its own."""

    eventname: Annotated[str, Meta(description="Name that was given to it.")]
    userevent: Annotated[Object, Meta(description="Facts that were given with it.")]
    channel: Annotated[Channel | UnsetType, Meta(description="Channel it is about.")] = UNSET
    bridge: Annotated[Bridge | UnsetType, Meta(description="Bridge it is about.")] = UNSET
    endpoint: Annotated[Endpoint | UnsetType, Meta(description="Endpoint it is about.")] = UNSET


class ChannelHangupRequest(Event, frozen=True, kw_only=True, gc=False):
    """Somebody asked for the end of a channel."""

    cause: Annotated[int | UnsetType, Meta(description="Why, as a number.")] = UNSET
    soft: Annotated[
        bool | UnsetType,
        Meta(description="Whether the channel was asked to end, rather than told that it did."),
    ] = UNSET
    tech_cause: Annotated[int | UnsetType, Meta(description="Why, as the protocol put it (SIP: a status).")] = UNSET
    type: Annotated[Literal["ChannelHangupRequest"], Meta(description="Always `ChannelHangupRequest`.")] = (
        "ChannelHangupRequest"
    )
    timestamp: Annotated[Date, Meta(description="Time at which it happened.")]
    channel: Annotated[Channel, Meta(description="The channel.")]


class ChannelVarset(Event, frozen=True, kw_only=True, gc=False):
    """A variable was set."""

    variable: Annotated[str, Meta(description="Name of the variable.")]
    value: Annotated[str, Meta(description="New value of the variable.")]
    type: Annotated[Literal["ChannelVarset"], Meta(description="Always `ChannelVarset`.")] = "ChannelVarset"
    timestamp: Annotated[Date, Meta(description="Time at which it happened.")]
    channel: Annotated[
        Channel | UnsetType, Meta(description="Channel of the variable; global variables have none.")
    ] = UNSET


class ChannelHold(TypeFirst, frozen=True, kw_only=True, gc=False):
    """The far end put a channel on hold."""

    musicclass: Annotated[str | UnsetType, Meta(description="Music it asked for.")] = UNSET
    channel: Annotated[Channel, Meta(description="The channel.")]


class ChannelUnhold(TypeFirst, frozen=True, kw_only=True, gc=False):
    """The far end took a channel back from hold."""

    channel: Annotated[Channel, Meta(description="The channel.")]


class ChannelToneDetected(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A tone that was listened for came on a channel."""

    channel: Annotated[Channel, Meta(description="The channel.")]


class ChannelTalkingStarted(TypeFirst, frozen=True, kw_only=True, gc=False):
    """Somebody began to speak on a channel."""

    channel: Annotated[Channel, Meta(description="The channel.")]


class ChannelTalkingFinished(Event, frozen=True, kw_only=True, gc=False):
    """Somebody stopped speaking on a channel."""

    duration: Annotated[int, Meta(description="Milliseconds somebody spoke.")]
    type: Annotated[Literal["ChannelTalkingFinished"], Meta(description="Always `ChannelTalkingFinished`.")] = (
        "ChannelTalkingFinished"
    )
    timestamp: Annotated[Date, Meta(description="Time at which it happened.")]
    channel: Annotated[Channel, Meta(description="The channel.")]


class ContactStatusChange(TypeFirst, frozen=True, kw_only=True, gc=False):
    """The state of a contact changed."""

    endpoint: Annotated[Endpoint, Meta(description="The endpoint the contact belongs to.")]
    contact_info: Annotated[ContactInfo, Meta(description="The contact.")]


class PeerStatusChange(TypeFirst, frozen=True, kw_only=True, gc=False):
    """The state of a peer changed."""

    endpoint: Annotated[Endpoint, Meta(description="The endpoint the peer belongs to.")]
    peer: Annotated[Peer, Meta(description="What changed.")]


class EndpointStateChange(TypeFirst, frozen=True, kw_only=True, gc=False):
    """The state of an endpoint changed."""

    endpoint: Annotated[Endpoint, Meta(description="The endpoint.")]


class Dial(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A dialled call went on."""

    dialstatus: Annotated[str, Meta(description="How it stands; an empty text when it begins.")]
    forward: Annotated[str | UnsetType, Meta(description="Where the call was sent on to.")] = UNSET
    dialstring: Annotated[str | UnsetType, Meta(description="What was dialled.")] = UNSET
    caller: Annotated[Channel | UnsetType, Meta(description="The channel that dials, if there is one.")] = UNSET
    peer: Annotated[Channel, Meta(description="The channel that is dialled.")]
    forwarded: Annotated[Channel | UnsetType, Meta(description="The channel that follows up the redirection.")] = UNSET


class StasisEnd(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A channel left an application."""

    channel: Annotated[Channel, Meta(description="The channel.")]


class StasisStart(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A channel entered an application."""

    args: Annotated[list[str], Meta(description="Arguments given to the application.")]
    channel: Annotated[Channel, Meta(description="The channel.")]
    replace_channel: Annotated[Channel | UnsetType, Meta(description="The channel whose place it takes.")] = UNSET


class TextMessageReceived(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A text came in."""

    message: Annotated[TextMessage, Meta(description="The text.")]
    endpoint: Annotated[Endpoint | UnsetType, Meta(description="Endpoint it came from.")] = UNSET


class ChannelConnectedLine(TypeFirst, frozen=True, kw_only=True, gc=False):
    """The party a channel talks to changed."""

    channel: Annotated[Channel, Meta(description="The channel.")]


class ChannelTransfer(TypeFirst, frozen=True, kw_only=True, gc=False):
    """The far end asked for a transfer that is left to the application."""

    refer_to: Annotated[ReferTo, Meta(description="Where the transfer should go.")]
    referred_by: Annotated[ReferredBy, Meta(description="Who asked for it.")]
    state: Annotated[str | UnsetType, Meta(description="How far the transfer is.")] = UNSET


class CallBroadcast(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A call is offered to several applications."""

    channel: Annotated[Channel, Meta(description="The channel that waits to be claimed.")]
    caller: Annotated[str | UnsetType, Meta(description="Number of the caller.")] = UNSET
    called: Annotated[str | UnsetType, Meta(description="Number that was called.")] = UNSET


class CallClaimed(TypeFirst, frozen=True, kw_only=True, gc=False):
    """A call that was offered went to an application."""

    channel: Annotated[Channel, Meta(description="The channel.")]
    winner_app: Annotated[str, Meta(description="The application that got it.")]


class RESTResponse(Event, frozen=True, kw_only=True, gc=False, tag=True, tag_field="type"):
    """The answer to an operation asked for over the event socket."""

    transaction_id: Annotated[str, Meta(description="The client's mark of the request.")]
    request_id: Annotated[str, Meta(description="The client's second mark of the request.")]
    status_code: Annotated[int, Meta(description="HTTP status.")]
    reason_phrase: Annotated[str, Meta(description="HTTP status in words.")]
    uri: Annotated[str, Meta(description="The path asked for, without its query.")]
    content_type: Annotated[str | UnsetType, Meta(description="Content type of the body.")] = UNSET
    message_body: Annotated[str | UnsetType, Meta(description="Body of the answer.")] = UNSET
    timestamp: Annotated[Date, Meta(description="Time at which it happened.")]


CLASSES: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (*TypeFirst.__subclasses__(), *Event.__subclasses__()) if kind is not TypeFirst
}
"""Every event there is, by its `type`."""

_encode = msgspec.json.Encoder().encode


def encode(event: Event) -> bytes:
    """Compact JSON of an event, still without `asterisk_id` and `application`."""
    return _encode(event)


def suffix(asterisk_id: str, application: str) -> bytes:
    """The end of every frame for one application: it replaces the closing brace of `encode`."""
    return b',"asterisk_id":%b,"application":%b}' % (_encode(asterisk_id), _encode(application))


def type_name(event: Event) -> str:
    """The event's `type` on the wire."""
    return event.__class__.__name__
