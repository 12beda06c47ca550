"""What the operations need of the server, one Protocol per resource.

The resources read parameters, refuse what is wrong with them, and call these methods; whatever stands
behind them speaks model values and raises `arietta.errors.Refused`, whose status is the answer's:

    404 NotFound       there is no such thing             409 Conflict       it is not in an application, or taken
    412 InvalidState   the channel is Down or Ringing     422 Unprocessable  known, but it does not fit
    400 BadRequest     a parameter cannot be used         500 ServerFailure, AllocationFailed ({"error": ...})

`Soon[T]` is a T or an awaitable of one: return the value where nothing has to be waited for, then no task is
made. Whatever is shown may also be `Encoded`, JSON that was kept (see `model.wire`).
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from arietta.model import snapshots
from arietta.model.wire import Encoded

from .orders import (
    Assignment,
    Assignments,
    ControlOperation,
    Dialling,
    Direction,
    Download,
    ExternalMedia,
    IfExists,
    Origination,
    PlayRequest,
    RecordRequest,
    SnoopDirection,
    TerminateOn,
)

__all__ = [
    "Applications",
    "Assignment",
    "Assignments",
    "Bridges",
    "Channels",
    "ControlOperation",
    "DeviceStates",
    "Dialling",
    "Direction",
    "Domain",
    "Download",
    "Endpoints",
    "ExternalMedia",
    "IfExists",
    "Mailboxes",
    "Origination",
    "PlayRequest",
    "Playbacks",
    "RecordRequest",
    "Recordings",
    "SnoopDirection",
    "Soon",
    "Sounds",
    "System",
    "TerminateOn",
]

T = TypeVar("T")
Soon: TypeAlias = T | Awaitable[T]


class Channels(Protocol):
    """Channels, and what applications do with theirs."""

    def list(self) -> Sequence[snapshots.Channel | Encoded] | Encoded:
        """All channels."""
        ...

    def get(self, channel_id: str) -> snapshots.Channel | Encoded:
        """404 without such a channel."""
        ...

    def require(self, channel_id: str) -> None:
        """404 without such a channel."""
        ...

    def require_in_application(self, channel_id: str) -> None:
        """404; 409 if the channel is not in an application."""
        ...

    def require_up(self, channel_id: str) -> None:
        """404; 409; 412 while the channel is Down or Ringing (an incoming Ring will do)."""
        ...

    def originate(self, order: Origination) -> Soon[snapshots.Channel | Encoded]:
        """Make a channel and start to dial it; the answer shows it before anything happened (`Down`).

        400 for an id over 149 characters, unknown formats, formats together with an originator, an
        unknown originator; 404 for a label that the place does not have; 409 for an id that is taken or used
        twice; AllocationFailed for an unknown technology or an unknown or unreachable endpoint.
        """
        ...

    def create(self, order: Dialling) -> Soon[snapshots.Channel | Encoded]:
        """Make a channel that is in its application at once and is not dialled; refusals as `originate`.

        `app` may be missing: then the channel ends at once.
        """
        ...

    def dial(self, channel_id: str, caller: str | None, timeout_seconds: int) -> Soon[None]:
        """Dial a channel made by `create`; a timeout of 0 is none.

        404; 409 if it is not in an application or not Down any more; 404 too for a `caller` that is no channel.
        """
        ...

    def hang_up(self, channel_id: str, cause: int) -> Soon[None]:
        """End a channel, in an application or not, with a Q.850 cause (any number). 404."""
        ...

    def continue_in_dialplan(
        self,
        channel_id: str,
        context: str | None,
        extension: str | None,
        priority: int | None,
        label: str | None,
    ) -> Soon[None]:
        """Leave the application for a place in the dialplan ; without parameters, the next priority.

        404, also for a label the place does not have; 409; 412.
        """
        ...

    def move(self, channel_id: str, app: str, app_args: str | None) -> Soon[None]:
        """Go to another application; an unknown one is no refusal (ApplicationMoveFailed). 404; 409."""
        ...

    def redirect(self, channel_id: str, endpoint: str) -> Soon[None]:
        """Send the far end elsewhere. 404; 409; 412; 422 for another technology or a malformed endpoint."""
        ...

    def answer(self, channel_id: str) -> Soon[None]:
        """404; 409; 412."""
        ...

    def ring(self, channel_id: str) -> Soon[None]:
        """404; 409; 412."""
        ...

    def stop_ringing(self, channel_id: str) -> Soon[None]:
        """Nothing to stop is fine. 404; 409; 412."""
        ...

    def progress(self, channel_id: str) -> Soon[None]:
        """404; 409; 412."""
        ...

    def send_dtmf(
        self, channel_id: str, digits: str, before_ms: int, between_ms: int, duration_ms: int, after_ms: int
    ) -> Soon[None]:
        """Queue digits; what is none of 0-9*#A-D is skipped. 404; 409; 412."""
        ...

    def mute(self, channel_id: str, direction: Direction) -> Soon[None]:
        """404; 409; 412."""
        ...

    def unmute(self, channel_id: str, direction: Direction) -> Soon[None]:
        """404; 409; 412."""
        ...

    def hold(self, channel_id: str) -> Soon[None]:
        """404; 409; 412."""
        ...

    def unhold(self, channel_id: str) -> Soon[None]:
        """404; 409; 412."""
        ...

    def start_music(self, channel_id: str, music_class: str | None) -> Soon[None]:
        """An unknown class is accepted. 404; 409; 412."""
        ...

    def stop_music(self, channel_id: str) -> Soon[None]:
        """404; 409; 412."""
        ...

    def start_silence(self, channel_id: str) -> Soon[None]:
        """404; 409; 412."""
        ...

    def stop_silence(self, channel_id: str) -> Soon[None]:
        """404; 409; 412."""
        ...

    def play(self, channel_id: str, order: PlayRequest) -> Soon[snapshots.Playback]:
        """Queue a playback; media that does not exist fails later, as an event. 404; 409 (id taken too); 412."""
        ...

    def record(self, channel_id: str, order: RecordRequest) -> Soon[snapshots.LiveRecording]:
        """404; 409 not in an application, or the name exists and `fail` was asked for; 422 unknown format;
        500 for a name that leads out of the folder."""
        ...

    def variable(self, channel_id: str, name: str) -> Soon[str]:
        """Value of a variable or function, on any channel.

        404 for no channel and for a variable that was never set or is empty; 500 for an unknown function.
        """
        ...

    def set_variables(self, channel_id: str, assignments: Assignments) -> Soon[None]:
        """Set variables and functions; an empty value empties. 404; 409. Unknown functions are no refusal."""
        ...

    def snoop(
        self,
        channel_id: str,
        spy: SnoopDirection,
        whisper: SnoopDirection,
        app: str,
        app_args: str | None,
        snoop_id: str | None,
    ) -> Soon[snapshots.Channel | Encoded]:
        """Make a channel that hears and speaks for another one. 404; 500 if the id is taken or there is no
        such application."""
        ...

    def rtp_statistics(self, channel_id: str) -> Soon[snapshots.RTPstat]:
        """404 for no channel or no RTP session yet; 403 for a technology without RTP."""
        ...

    def external_media(self, order: ExternalMedia) -> Soon[snapshots.Channel | Encoded]:
        """Make a channel to a media program; the answer's `channelvars` hold all its variables.

        400 for a host without port, missing `data`, an unknown WebSocket client; 409 for an id that is taken;
        500 for an unknown format; 501 for a pair of encapsulation and transport that is not there.
        """
        ...

    def transfer_progress(self, channel_id: str, state: str) -> Soon[None]:
        """Tell the far end how its transfer goes. 404; 409; 400 for an unknown state."""
        ...


class Bridges(Protocol):
    """Bridges, and what applications do with theirs."""

    def list(self) -> Sequence[snapshots.Bridge | Encoded] | Encoded:
        """All bridges."""
        ...

    def get(self, bridge_id: str) -> snapshots.Bridge | Encoded:
        """404 without such a bridge."""
        ...

    def require(self, bridge_id: str) -> None:
        """404; 409 if the bridge was not made by an application."""
        ...

    def create(self, bridge_id: str | None, types: tuple[str, ...], name: str) -> snapshots.Bridge:
        """Make a bridge. 409 if the id is taken; 500 for an unknown word among the types."""
        ...

    def destroy(self, bridge_id: str) -> Soon[None]:
        """Members leave, and stay in their application. 404; 409 if not made by an application."""
        ...

    def add_channels(
        self,
        bridge_id: str,
        channel_ids: tuple[str, ...],
        role: str | None,
        absorb_dtmf: bool,
        mute: bool,
        inhibit_connected_line_updates: bool,
    ) -> Soon[None]:
        """All channels are looked up before the first is added.

        404 no bridge; 400 no such channel; 422 channel in no application; 409 bridge not controlled, or a
        channel is being recorded.
        """
        ...

    def remove_channels(self, bridge_id: str, channel_ids: tuple[str, ...]) -> Soon[None]:
        """404 no bridge; 400 no such channel; 422 channel not inside, or in no application; 409."""
        ...

    def set_video_source(self, bridge_id: str, channel_id: str) -> Soon[None]:
        """404 no bridge; 400 no such channel; 422 channel not inside; 409."""
        ...

    def clear_video_source(self, bridge_id: str) -> Soon[None]:
        """404."""
        ...

    def start_music(self, bridge_id: str, music_class: str | None) -> Soon[None]:
        """404; 409."""
        ...

    def stop_music(self, bridge_id: str) -> Soon[None]:
        """404; 409, also when there is none to stop."""
        ...

    def play(self, bridge_id: str, order: PlayRequest) -> Soon[snapshots.Playback]:
        """404; 409; 422 unknown announcer format."""
        ...

    def record(self, bridge_id: str, order: RecordRequest) -> Soon[snapshots.LiveRecording]:
        """404; 409 name exists; 422 unknown format or recorder format; 500 for a name out of the folder."""
        ...

    def variable(self, bridge_id: str, name: str) -> Soon[str]:
        """404 for no bridge and for a variable that was never set or is empty."""
        ...

    def set_variables(self, bridge_id: str, assignments: Assignments) -> Soon[None]:
        """404; 409."""
        ...


class Playbacks(Protocol):
    """Playbacks that are not over."""

    def get(self, playback_id: str) -> snapshots.Playback | Encoded:
        """404."""
        ...

    def stop(self, playback_id: str) -> Soon[None]:
        """404."""
        ...

    def control(self, playback_id: str, operation: ControlOperation) -> Soon[None]:
        """404; 409 in a state that does not allow it."""
        ...


class Recordings(Protocol):
    """Recordings that are made, and those that are kept."""

    def list_stored(self) -> Soon[Sequence[snapshots.StoredRecording]]:
        """All recordings in the folder, and in folders below it."""
        ...

    def get_stored(self, name: str) -> Soon[snapshots.StoredRecording]:
        """404, also for names that lead out of the folder."""
        ...

    def delete_stored(self, name: str) -> Soon[None]:
        """404."""
        ...

    def stored_file(self, name: str) -> Soon[Download]:
        """The file with the content type audio/FORMAT. 404; 403 if it cannot be read."""
        ...

    def copy_stored(self, name: str, destination: str) -> Soon[snapshots.StoredRecording]:
        """404; 409 if the destination exists; 403 if it leads out of the folder."""
        ...

    def get_live(self, name: str) -> snapshots.LiveRecording | Encoded:
        """404."""
        ...

    def cancel(self, name: str) -> Soon[None]:
        """Stop and throw away. 404."""
        ...

    def stop(self, name: str) -> Soon[None]:
        """Stop and keep. 404."""
        ...

    def pause(self, name: str) -> Soon[None]:
        """Twice is fine. 404; 409 while it waits for a playback."""
        ...

    def unpause(self, name: str) -> Soon[None]:
        """404; 409."""
        ...

    def mute(self, name: str) -> Soon[None]:
        """404; 409."""
        ...

    def unmute(self, name: str) -> Soon[None]:
        """404; 409."""
        ...


class Applications(Protocol):
    """Stasis applications."""

    def list(self) -> Sequence[snapshots.Application | Encoded] | Encoded:
        """All applications."""
        ...

    def get(self, name: str) -> snapshots.Application | Encoded:
        """404."""
        ...

    def require(self, name: str) -> None:
        """404."""
        ...

    def subscribe(self, name: str, scheme: str, resource: str) -> None:
        """Count one subscription: scheme is channel, bridge, endpoint or deviceState; bridge may be without
        resource (all). 404 no application; 422 no such source."""
        ...

    def unsubscribe(self, name: str, scheme: str, resource: str) -> None:
        """Take one subscription back. 404; 422 not subscribed; 501 for a bare scheme."""
        ...

    def set_event_filter(
        self,
        name: str,
        allowed: Sequence[Mapping[str, Any]] | None,
        disallowed: Sequence[Mapping[str, Any]] | None,
    ) -> None:
        """Replace the lists that are not None. 404."""
        ...

    def user_event(
        self,
        name: str,
        event_name: str,
        sources: Sequence[tuple[str, str]],
        variables: Mapping[str, Any] | None,
    ) -> None:
        """Send a ChannelUserevent to the application and whoever watches its sources (scheme, resource).

        404 no application; 422 no such source.
        """
        ...

    def claim(self, channel_id: str, application: str) -> Soon[None]:
        """Claim a broadcast call. 404 no such channel, or none that is offered; 409 claimed by another."""
        ...


class Endpoints(Protocol):
    """Endpoints, and texts to them."""

    def list(self) -> Sequence[snapshots.Endpoint | Encoded] | Encoded:
        """All endpoints."""
        ...

    def list_technology(self, technology: str) -> Sequence[snapshots.Endpoint | Encoded] | Encoded:
        """Endpoints of a technology, whose case counts. 404 for one that is not there or has none."""
        ...

    def get(self, technology: str, resource: str) -> snapshots.Endpoint | Encoded:
        """The technology in any case. 404."""
        ...

    def send_message(self, to: str, sender: str, body: str, variables: Mapping[str, str]) -> Soon[None]:
        """Send a text to a URI with its technology (`pjsip:6001`). 404 for one that leads nowhere."""
        ...

    def refer(self, to: str, sender: str, refer_to: str, to_self: bool, variables: Mapping[str, str]) -> Soon[None]:
        """Ask an endpoint to call somebody. 404 for a URI that leads nowhere."""
        ...


class DeviceStates(Protocol):
    """States of devices; only those of `Stasis:` are ours to change."""

    def list(self) -> Sequence[snapshots.DeviceState | Encoded] | Encoded:
        """Devices of `Stasis:`."""
        ...

    def get(self, name: str) -> snapshots.DeviceState | Encoded:
        """State of any device; UNKNOWN or INVALID where there is none."""
        ...

    def update(self, name: str, state: snapshots.DeviceStateValue) -> Soon[None]:
        """Set the state of a `Stasis:` device."""
        ...

    def delete(self, name: str) -> Soon[None]:
        """Forget a `Stasis:` device; none is fine."""
        ...


class Mailboxes(Protocol):
    """Counts of waiting messages."""

    def list(self) -> Sequence[snapshots.Mailbox | Encoded] | Encoded:
        """All mailboxes."""
        ...

    def get(self, name: str) -> snapshots.Mailbox | Encoded:
        """404."""
        ...

    def update(self, name: str, old_messages: int, new_messages: int) -> Soon[None]:
        """Make or change a mailbox; any counts."""
        ...

    def delete(self, name: str) -> Soon[None]:
        """404."""
        ...


class Sounds(Protocol):
    """Installed sounds."""

    def list(self, language: str | None, format: str | None) -> Soon[Sequence[snapshots.Sound]]:
        """Sounds there are in a language and a format, if named. 404 if there are none."""
        ...

    def get(self, name: str) -> Soon[snapshots.Sound]:
        """404."""
        ...


class System(Protocol):
    """The server itself."""

    def entity_id(self) -> str:
        """What events carry as `asterisk_id`."""
        ...

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    def build(self) -> snapshots.BuildInfo:
        """How the server was built."""
        ...

    def system(self) -> snapshots.SystemInfo:
        """Which server this is."""
        ...

    def config(self) -> snapshots.ConfigInfo:
        """Limits and names it was given."""
        ...

    def status(self) -> snapshots.StatusInfo:
        """Since when it runs."""
        ...

    def list_modules(self) -> Sequence[snapshots.Module]:
        """Modules that are loaded."""
        ...

    def get_module(self, name: str) -> snapshots.Module:
        """404; 409 if it cannot be described."""
        ...

    def load_module(self, name: str) -> Soon[None]:
        """409 if it is missing or loaded."""
        ...

    def unload_module(self, name: str) -> Soon[None]:
        """404; 409 while it is in use."""
        ...

    def reload_module(self, name: str) -> Soon[None]:
        """404; 409 if it cannot be reloaded."""
        ...

    def list_log_channels(self) -> Sequence[snapshots.LogChannel]:
        """Log channels."""
        ...

    def add_log_channel(self, name: str, configuration: str) -> Soon[None]:
        """409 if it exists or cannot be opened."""
        ...

    def delete_log_channel(self, name: str) -> Soon[None]:
        """404."""
        ...

    def rotate_log_channel(self, name: str) -> Soon[None]:
        """404."""
        ...

    def global_variable(self, name: str) -> Soon[str]:
        """Value of a global variable or function; empty if it was never set; 500 for an unknown function."""
        ...

    def set_global_variable(self, name: str, value: str) -> Soon[None]:
        """Set a global variable or function."""
        ...

    def get_object(self, kind: str, object_type: str, name: str) -> Sequence[snapshots.ConfigTuple]:
        """All settings of a configuration object. 404 for an unknown class, type or id."""
        ...

    def update_object(
        self, kind: str, object_type: str, name: str, fields: Sequence[tuple[str, str]] | None
    ) -> Soon[Sequence[snapshots.ConfigTuple]]:
        """Make or change a configuration object; None is no fields at all, a 400 if it exists.

        404; 403 if its type cannot be written; 400 for unknown attributes and bad values.
        """
        ...

    def delete_object(self, kind: str, object_type: str, name: str) -> Soon[None]:
        """404; 403."""
        ...


@dataclass(frozen=True, slots=True)
class Domain:
    """Everything the operations need."""

    applications: Applications
    bridges: Bridges
    channels: Channels
    device_states: DeviceStates
    endpoints: Endpoints
    mailboxes: Mailboxes
    playbacks: Playbacks
    recordings: Recordings
    sounds: Sounds
    system: System
