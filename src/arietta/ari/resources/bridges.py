"""Bridges, and what applications do with theirs."""

from collections.abc import Sequence
from typing import Annotated, Any

from arietta.errors import AllocationFailed
from arietta.model.snapshots import Bridge, LiveRecording, Playback, Variable, Variables
from arietta.model.wire import Encoded

from ..contract import Body, Path, Query, operation
from ..domain import Assignment, Soon
from ..domain import Bridges as Domain
from ..failures import (
    ALLOCATION_FAILED,
    BRIDGE_BUSY,
    BRIDGE_NOT_CONTROLLED,
    BRIDGE_NOT_FOUND,
    BRIDGE_VARIABLE_NOT_FOUND,
    CHANNEL_NOT_IN_BRIDGE,
    CHANNEL_NOT_IN_STASIS,
    CHANNEL_OR_BRIDGE_NOT_FOUND,
    CHANNEL_UNKNOWN,
    FAILED,
    FORMAT_UNKNOWN,
    ID_TAKEN,
    INVALID_PARAMETERS,
    MISSING_VARIABLE,
    RECORDING_EXISTS,
)
from ..variables import optional_assignments, read_assignments
from .reading import (
    IF_EXISTS,
    TERMINATE_ON,
    playback_location,
    read_names,
    read_play,
    read_record,
    recording_location,
    settle,
    show_variable,
    show_variables,
)

BridgeId = Annotated[str, Path("bridgeId", "Identifier of the bridge.")]
BridgeTypes = Annotated[
    str | None,
    Query(
        "type",
        "Words separated by commas: mixing or holding, dtmf_events, proxy_media, video_sfu, video_single.",
    ),
]
BridgeName = Annotated[str | None, Query("name", "Name of the bridge.")]
ChannelIds = Annotated[list[str], Query("channel", "Identifiers of the channels.")]
Milliseconds = Annotated[int, Query("offsetms", "Milliseconds of the first media to skip.", minimum=0)]
VariableName = Annotated[str, Query("variable", "Name of the variable.")]
VariableNames = Annotated[list[str], Query("variables", "Names of the variables.")]
VariableValue = Annotated[str | None, Query("value", "Its new value; none empties it.")]
ReportEvents = Annotated[bool, Query("report_events", "Whether the bridge shows it from now on.")]

CONTROL = (BRIDGE_NOT_FOUND, BRIDGE_NOT_CONTROLLED)
VARIABLE = (MISSING_VARIABLE, BRIDGE_VARIABLE_NOT_FOUND, BRIDGE_NOT_CONTROLLED)
SINCE_VARIABLES = ("20.20.0", "22.10.0", "23.4.0")


class Bridges:
    """Bridge resources"""

    NAME = "bridges"

    def __init__(self, bridges: Domain) -> None:
        self._bridges = bridges

    @operation(
        "POST",
        "/bridges",
        nickname="create",
        since=("12.0.0",),
        failures=(ID_TAKEN,),
        undocumented=(INVALID_PARAMETERS, FAILED),
    )
    def create(
        self,
        *,
        types: BridgeTypes = None,
        bridge_id: Annotated[str | None, Query("bridgeId", "Identifier the bridge shall have.")] = None,
        name: BridgeName = None,
        variables: Annotated[
            dict[str, Any] | None, Body("variables", "Variables of the bridge, by their names.", whole=True)
        ] = None,
    ) -> Soon[Bridge | Encoded]:
        """Create a bridge.

        As in Asterisk, the whole JSON body is taken as variables, other parameters in it included; what does
        not fit is refused after the bridge was made. Name the bridge in the path to set variables.
        """
        bridge = self._bridges.create(bridge_id or None, _read_types(types), name or "")
        if variables is None:
            return bridge
        return self._with_variables(bridge.id, read_assignments(variables))

    @operation(
        "POST",
        "/bridges/{bridgeId}",
        nickname="createWithId",
        since=("12.2.0",),
        failures=(ID_TAKEN,),
        undocumented=(INVALID_PARAMETERS, FAILED),
    )
    def create_with_id(
        self,
        *,
        types: BridgeTypes = None,
        bridge_id: BridgeId,
        name: BridgeName = None,
        variables: Annotated[
            dict[str, Any] | None, Body("variables", "Variables of the bridge, by their names.")
        ] = None,
    ) -> Soon[Bridge | Encoded]:
        """Create a bridge with an identifier."""
        assignments = optional_assignments(variables)
        bridge = self._bridges.create(bridge_id, _read_types(types), name or "")
        return bridge if assignments is None else self._with_variables(bridge.id, assignments)

    @operation("GET", "/bridges/{bridgeId}", nickname="get", since=("12.0.0",), failures=(BRIDGE_NOT_FOUND,))
    def get(self, *, bridge_id: BridgeId) -> Bridge | Encoded:
        """Get a bridge's details."""
        return self._bridges.get(bridge_id)

    @operation(
        "DELETE",
        "/bridges/{bridgeId}",
        nickname="destroy",
        since=("12.0.0",),
        failures=(BRIDGE_NOT_FOUND,),
        undocumented=(BRIDGE_NOT_CONTROLLED,),
    )
    def destroy(self, *, bridge_id: BridgeId) -> Soon[None]:
        """Shut down a bridge; its channels stay in their application."""
        return self._bridges.destroy(bridge_id)

    @operation(
        "GET",
        "/bridges/{bridgeId}/variable",
        nickname="getBridgeVar",
        since=SINCE_VARIABLES,
        failures=VARIABLE,
    )
    def get_variable(self, *, bridge_id: BridgeId, variable: VariableName) -> Soon[Variable]:
        """Get the value of a bridge's variable."""
        return show_variable(self._bridges.variable(bridge_id, variable))

    @operation(
        "POST",
        "/bridges/{bridgeId}/variable",
        nickname="setBridgeVar",
        since=SINCE_VARIABLES,
        failures=VARIABLE,
    )
    def set_variable(
        self,
        *,
        bridge_id: BridgeId,
        variable: VariableName,
        value: VariableValue = None,
        report_events: ReportEvents = False,
    ) -> Soon[None]:
        """Set the value of a bridge's variable."""
        return self._bridges.set_variables(bridge_id, {variable: Assignment(value or "", report_events)})

    @operation(
        "GET",
        "/bridges/{bridgeId}/variables",
        nickname="getBridgeVars",
        since=SINCE_VARIABLES,
        failures=VARIABLE,
    )
    async def get_variables(self, *, bridge_id: BridgeId, variables: VariableNames) -> Variables:
        """Get the values of several variables of a bridge."""
        names = read_names(variables)
        return await show_variables(names, lambda name: self._bridges.variable(bridge_id, name))

    @operation(
        "POST",
        "/bridges/{bridgeId}/variables",
        nickname="setBridgeVars",
        since=SINCE_VARIABLES,
        failures=VARIABLE,
    )
    def set_variables(
        self,
        *,
        bridge_id: BridgeId,
        variables: Annotated[
            dict[str, Any] | None, Body("variables", "Values, by the names of the variables.", required=True)
        ] = None,
    ) -> Soon[None]:
        """Set the values of several variables of a bridge."""
        self._bridges.require(bridge_id)
        return self._bridges.set_variables(bridge_id, read_assignments(variables))

    @operation(
        "POST",
        "/bridges/{bridgeId}/addChannel",
        nickname="addChannel",
        since=("12.0.0",),
        failures=(CHANNEL_UNKNOWN, BRIDGE_NOT_FOUND, BRIDGE_BUSY, CHANNEL_NOT_IN_STASIS),
    )
    def add_channel(
        self,
        *,
        bridge_id: BridgeId,
        channel: ChannelIds,
        role: Annotated[str | None, Query("role", "Role of the channels in the bridge.")] = None,
        absorb_dtmf: Annotated[
            bool, Query("absorbDTMF", "Whether digits of the channels are kept from the others.")
        ] = False,
        mute: Annotated[bool, Query("mute", "Whether the channels are heard by nobody.")] = False,
        inhibit_connected_line_updates: Annotated[
            bool,
            Query("inhibitConnectedLineUpdates", "Whether nobody is told whom the channels stand for."),
        ] = False,
    ) -> Soon[None]:
        """Add channels to a bridge.

        All of them are looked up before the first is added.
        """
        return self._bridges.add_channels(
            bridge_id,
            tuple(name for name in channel if name),
            role or None,
            absorb_dtmf,
            mute,
            inhibit_connected_line_updates,
        )

    @operation(
        "POST",
        "/bridges/{bridgeId}/removeChannel",
        nickname="removeChannel",
        since=("12.0.0",),
        failures=(CHANNEL_UNKNOWN, BRIDGE_NOT_FOUND, BRIDGE_NOT_CONTROLLED, CHANNEL_NOT_IN_BRIDGE),
    )
    def remove_channel(self, *, bridge_id: BridgeId, channel: ChannelIds) -> Soon[None]:
        """Remove channels from a bridge."""
        return self._bridges.remove_channels(bridge_id, tuple(name for name in channel if name))

    @operation(
        "POST",
        "/bridges/{bridgeId}/videoSource/{channelId}",
        nickname="setVideoSource",
        since=("13.13.0", "14.2.0"),
        failures=(CHANNEL_OR_BRIDGE_NOT_FOUND, BRIDGE_NOT_CONTROLLED, CHANNEL_NOT_IN_BRIDGE),
        undocumented=(CHANNEL_UNKNOWN,),
    )
    def set_video_source(
        self,
        *,
        bridge_id: BridgeId,
        channel_id: Annotated[str, Path("channelId", "Channel whose video is shown.")],
    ) -> Soon[None]:
        """Show the video of one channel to all others in a bridge."""
        return self._bridges.set_video_source(bridge_id, channel_id)

    @operation(
        "DELETE",
        "/bridges/{bridgeId}/videoSource",
        nickname="clearVideoSource",
        since=("13.13.0", "14.2.0"),
        failures=(BRIDGE_NOT_FOUND,),
        undocumented=(BRIDGE_NOT_CONTROLLED,),
    )
    def clear_video_source(self, *, bridge_id: BridgeId) -> Soon[None]:
        """Show the video of whoever talks, or of everybody, again."""
        return self._bridges.clear_video_source(bridge_id)

    @operation("POST", "/bridges/{bridgeId}/moh", nickname="startMoh", since=("12.0.0",), failures=CONTROL)
    def start_music(
        self,
        *,
        bridge_id: BridgeId,
        music_class: Annotated[str | None, Query("mohClass", "Class of the music.")] = None,
    ) -> Soon[None]:
        """Play music on hold to a bridge, or change the class that is played."""
        return self._bridges.start_music(bridge_id, music_class or None)

    @operation("DELETE", "/bridges/{bridgeId}/moh", nickname="stopMoh", since=("12.0.0",), failures=CONTROL)
    def stop_music(self, *, bridge_id: BridgeId) -> Soon[None]:
        """Stop the music on hold that was begun by this interface."""
        return self._bridges.stop_music(bridge_id)

    @operation(
        "POST",
        "/bridges/{bridgeId}/play",
        nickname="play",
        since=("12.0.0",),
        failures=(BRIDGE_NOT_FOUND, BRIDGE_NOT_CONTROLLED, FORMAT_UNKNOWN),
        undocumented=(ALLOCATION_FAILED,),
        success=201,
        location=playback_location,
    )
    @operation(
        "POST",
        "/bridges/{bridgeId}/play/{playbackId}",
        nickname="playWithId",
        since=("12.3.0",),
        failures=(BRIDGE_NOT_FOUND, BRIDGE_NOT_CONTROLLED, FORMAT_UNKNOWN),
        undocumented=(ALLOCATION_FAILED,),
        success=201,
        location=playback_location,
    )
    def play(
        self,
        *,
        bridge_id: BridgeId,
        media: Annotated[list[str] | None, Query("media", "Media to play, in order.", required=True)] = None,
        announcer_format: Annotated[
            str | None, Query("announcer_format", "Format in which the media is brought into the bridge.")
        ] = None,
        lang: Annotated[str | None, Query("lang", "Language of the sounds.")] = None,
        offset_ms: Milliseconds = 0,
        skip_ms: Annotated[int, Query("skipms", "Milliseconds that forward and reverse skip.", minimum=0)] = 3000,
        playback_id: Annotated[str | None, Query("playbackId", "Identifier of the playback.")] = None,
    ) -> Soon[Playback]:
        """Start playback of media on a bridge.

        Media are sound:, recording:, number:, digits:, characters: and tone:; the name of a sound may be an
        http or https URL. What cannot be found fails later, in an event.
        One announcer serves the bridge, so playbacks queue.
        """
        self._bridges.require(bridge_id)
        order = read_play(media, lang, offset_ms, skip_ms, playback_id, announcer_format)
        if order is None:
            raise AllocationFailed
        return self._bridges.play(bridge_id, order)

    @operation(
        "POST",
        "/bridges/{bridgeId}/record",
        nickname="record",
        since=("12.0.0",),
        failures=(INVALID_PARAMETERS, BRIDGE_NOT_FOUND, RECORDING_EXISTS, FORMAT_UNKNOWN),
        undocumented=(FAILED,),
        success=201,
        location=recording_location,
    )
    def record(
        self,
        *,
        bridge_id: BridgeId,
        name: Annotated[str, Query("name", "Name of the recording.")],
        format: Annotated[str, Query("format", "Format of the file.")],
        recorder_format: Annotated[
            str | None, Query("recorder_format", "Format in which the bridge's audio is taken out.")
        ] = None,
        max_duration_seconds: Annotated[
            int, Query("maxDurationSeconds", "Longest duration in seconds; 0 for no limit.", minimum=0)
        ] = 0,
        max_silence_seconds: Annotated[
            int, Query("maxSilenceSeconds", "Silence in seconds that ends it; 0 for none.", minimum=0)
        ] = 0,
        if_exists: Annotated[
            str, Query("ifExists", "What to do if there is such a recording.", values=IF_EXISTS)
        ] = "fail",
        beep: Annotated[bool, Query("beep", "Whether a beep is played first.")] = False,
        terminate_on: Annotated[str, Query("terminateOn", "Digit that ends it.", values=TERMINATE_ON)] = "none",
    ) -> Soon[LiveRecording]:
        """Start a recording of all that is heard in a bridge."""
        self._bridges.require(bridge_id)
        order = read_record(
            name,
            format,
            max_duration_seconds,
            max_silence_seconds,
            if_exists,
            beep,
            terminate_on,
            recorder_format,
        )
        return self._bridges.record(bridge_id, order)

    @operation("GET", "/bridges", nickname="list", since=("12.0.0",))
    def list(self) -> Sequence[Bridge | Encoded] | Encoded:
        """List all bridges."""
        return self._bridges.list()

    async def _with_variables(self, bridge_id: str, assignments: dict[str, Assignment]) -> Bridge | Encoded:
        await settle(self._bridges.set_variables(bridge_id, assignments))
        return self._bridges.get(bridge_id)


def _read_types(types: str | None) -> tuple[str, ...]:
    """Words of the type; `mixing` without any."""
    return tuple(word.strip() for word in (types or "mixing").split(","))
