"""What is heard on a channel, and what it remembers: digits, music, playbacks, recordings, variables."""

from typing import Annotated, Any, cast

from arietta.errors import BadRequest, ServerFailure
from arietta.model.snapshots import LiveRecording, Playback, Variable, Variables

from ..contract import Body, Path, Query, operation
from ..domain import Assignment, Direction, Soon
from ..domain import Channels as Domain
from ..failures import (
    CHANNEL_NOT_FOUND,
    DIRECTION_INVALID,
    DTMF_REQUIRED,
    FAILED,
    FORMAT_UNKNOWN,
    INVALID_PARAMETERS,
    INVALID_STATE,
    MISSING_VARIABLE,
    NOT_IN_STASIS,
    RECORDING_EXISTS,
    VARIABLE_NOT_FOUND,
)
from ..variables import read_assignments
from .reading import (
    IF_EXISTS,
    TERMINATE_ON,
    playback_location,
    read_names,
    read_play,
    read_record,
    recording_location,
    show_variable,
    show_variables,
)

ChannelId = Annotated[str, Path("channelId", "Identifier of the channel.")]
DIRECTIONS = ("both", "in", "out")
MuteDirection = Annotated[
    str | None,
    Query("direction", "What is muted: what comes in, goes out, or both.", values=DIRECTIONS, default="both"),
]
MusicClass = Annotated[str | None, Query("mohClass", "Class of the music.")]
VariableName = Annotated[str, Query("variable", "Name of the variable or function.")]
CONTROL = (CHANNEL_NOT_FOUND, NOT_IN_STASIS, INVALID_STATE)
VARIABLE = (MISSING_VARIABLE, VARIABLE_NOT_FOUND, NOT_IN_STASIS)
SINCE = ("12.0.0",)
SINCE_VARIABLES = ("20.20.0", "22.10.0", "23.4.0")


class ChannelMedia:
    """Operations on what a channel hears, says and remembers."""

    def __init__(self, channels: Domain) -> None:
        self._channels = channels

    @operation(
        "POST",
        "/channels/{channelId}/dtmf",
        nickname="sendDTMF",
        since=SINCE,
        failures=(DTMF_REQUIRED, *CONTROL),
    )
    def send_dtmf(
        self,
        *,
        channel_id: ChannelId,
        dtmf: Annotated[str | None, Query("dtmf", "Digits to send: 0-9, A-D, * and #.")] = None,
        before: Annotated[int, Query("before", "Milliseconds to wait before the first digit.")] = 0,
        between: Annotated[int, Query("between", "Milliseconds between digits.")] = 100,
        duration: Annotated[int, Query("duration", "Milliseconds each digit lasts.")] = 100,
        after: Annotated[int, Query("after", "Milliseconds to wait after the last digit.")] = 0,
    ) -> Soon[None]:
        """Send digits to a channel; what is no digit is skipped."""
        self._channels.require_up(channel_id)
        if not dtmf:
            raise BadRequest("DTMF is required")
        return self._channels.send_dtmf(channel_id, dtmf, before, between, duration, after)

    @operation(
        "POST",
        "/channels/{channelId}/mute",
        nickname="mute",
        since=SINCE,
        failures=CONTROL,
        undocumented=(DIRECTION_INVALID,),
    )
    def mute(self, *, channel_id: ChannelId, direction: MuteDirection = None) -> Soon[None]:
        """Mute a channel.

        The direction has to be named, whatever default is documented.
        """
        self._channels.require_up(channel_id)
        return self._channels.mute(channel_id, _read_direction(direction))

    @operation(
        "DELETE",
        "/channels/{channelId}/mute",
        nickname="unmute",
        since=SINCE,
        failures=CONTROL,
        undocumented=(DIRECTION_INVALID,),
    )
    def unmute(self, *, channel_id: ChannelId, direction: MuteDirection = None) -> Soon[None]:
        """Unmute a channel."""
        self._channels.require_up(channel_id)
        return self._channels.unmute(channel_id, _read_direction(direction))

    @operation("POST", "/channels/{channelId}/hold", nickname="hold", since=SINCE, failures=CONTROL)
    def hold(self, *, channel_id: ChannelId) -> Soon[None]:
        """Put the far end of a channel on hold."""
        return self._channels.hold(channel_id)

    @operation("DELETE", "/channels/{channelId}/hold", nickname="unhold", since=SINCE, failures=CONTROL)
    def unhold(self, *, channel_id: ChannelId) -> Soon[None]:
        """Take the far end of a channel back from hold."""
        return self._channels.unhold(channel_id)

    @operation("POST", "/channels/{channelId}/moh", nickname="startMoh", since=SINCE, failures=CONTROL)
    def start_music(self, *, channel_id: ChannelId, music_class: MusicClass = None) -> Soon[None]:
        """Play music on hold to a channel.

        A playback interrupts it. An unknown class is accepted.
        """
        return self._channels.start_music(channel_id, music_class or None)

    @operation("DELETE", "/channels/{channelId}/moh", nickname="stopMoh", since=SINCE, failures=CONTROL)
    def stop_music(self, *, channel_id: ChannelId) -> Soon[None]:
        """Stop music on hold."""
        return self._channels.stop_music(channel_id)

    @operation("POST", "/channels/{channelId}/silence", nickname="startSilence", since=SINCE, failures=CONTROL)
    def start_silence(self, *, channel_id: ChannelId) -> Soon[None]:
        """Send silence to a channel, so that its far end gets audio all the time."""
        return self._channels.start_silence(channel_id)

    @operation("DELETE", "/channels/{channelId}/silence", nickname="stopSilence", since=SINCE, failures=CONTROL)
    def stop_silence(self, *, channel_id: ChannelId) -> Soon[None]:
        """Stop sending silence."""
        return self._channels.stop_silence(channel_id)

    @operation(
        "POST",
        "/channels/{channelId}/play",
        nickname="play",
        since=SINCE,
        failures=CONTROL,
        undocumented=(FAILED,),
        success=201,
        location=playback_location,
    )
    @operation(
        "POST",
        "/channels/{channelId}/play/{playbackId}",
        nickname="playWithId",
        since=("12.2.0",),
        failures=CONTROL,
        undocumented=(FAILED,),
        success=201,
        location=playback_location,
    )
    def play(
        self,
        *,
        channel_id: ChannelId,
        media: Annotated[list[str] | None, Query("media", "Media to play, in order.", required=True)] = None,
        lang: Annotated[str | None, Query("lang", "Language of the sounds.")] = None,
        offset_ms: Annotated[int | None, Query("offsetms", "Milliseconds of the first media to skip.")] = None,
        skip_ms: Annotated[int, Query("skipms", "Milliseconds that forward and reverse skip.")] = 3000,
        playback_id: Annotated[str | None, Query("playbackId", "Identifier of the playback.")] = None,
    ) -> Soon[Playback]:
        """Start playback of media.

        Media are sound:, recording:, number:, digits:, characters: and tone:; the name of a sound may be an
        http or https URL. What cannot be found fails later, in an event.
        While one playback goes on the next ones queue.
        """
        self._channels.require_up(channel_id)
        order = read_play(media, lang, offset_ms or 0, skip_ms, playback_id)
        if order is None:
            raise ServerFailure("Missing parameter media")
        return self._channels.play(channel_id, order)

    @operation(
        "POST",
        "/channels/{channelId}/record",
        nickname="record",
        since=SINCE,
        failures=(INVALID_PARAMETERS, CHANNEL_NOT_FOUND, RECORDING_EXISTS, FORMAT_UNKNOWN),
        undocumented=(FAILED,),
        success=201,
        location=recording_location,
    )
    def record(
        self,
        *,
        channel_id: ChannelId,
        name: Annotated[str | None, Query("name", "Name of the recording.", required=True)] = None,
        format: Annotated[str | None, Query("format", "Format of the file.", required=True)] = None,
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
        """Start a recording of what comes in on a channel.

        What is played to it is not recorded; record a bridge, or a snoop, for both.
        """
        self._channels.require_in_application(channel_id)
        order = read_record(name, format, max_duration_seconds, max_silence_seconds, if_exists, beep, terminate_on)
        return self._channels.record(channel_id, order)

    @operation(
        "GET",
        "/channels/{channelId}/variable",
        nickname="getChannelVar",
        since=SINCE,
        failures=VARIABLE,
        undocumented=(FAILED,),
    )
    def get_variable(self, *, channel_id: ChannelId, variable: VariableName) -> Soon[Variable]:
        """Get the value of a channel's variable or function."""
        return show_variable(self._channels.variable(channel_id, variable))

    @operation("POST", "/channels/{channelId}/variable", nickname="setChannelVar", since=SINCE, failures=VARIABLE)
    def set_variable(
        self,
        *,
        channel_id: ChannelId,
        variable: VariableName,
        value: Annotated[str | None, Query("value", "Its new value; none empties it.")] = None,
        report_events: Annotated[bool, Query("report_events", "Whether the channel shows it from now on.")] = False,
    ) -> Soon[None]:
        """Set the value of a channel's variable or function."""
        return self._channels.set_variables(channel_id, {variable: Assignment(value or "", report_events)})

    @operation(
        "GET",
        "/channels/{channelId}/variables",
        nickname="getChannelVars",
        since=SINCE_VARIABLES,
        failures=VARIABLE,
        undocumented=(FAILED,),
    )
    async def get_variables(
        self,
        *,
        channel_id: ChannelId,
        variables: Annotated[list[str], Query("variables", "Names of the variables.")],
    ) -> Variables:
        """Get the values of several variables of a channel."""
        names = read_names(variables)
        return await show_variables(names, lambda name: self._channels.variable(channel_id, name))

    @operation(
        "POST",
        "/channels/{channelId}/variables",
        nickname="setChannelVars",
        since=SINCE_VARIABLES,
        failures=VARIABLE,
    )
    def set_variables(
        self,
        *,
        channel_id: ChannelId,
        variables: Annotated[
            dict[str, Any] | None, Body("variables", "Values, by the names of the variables.", required=True)
        ] = None,
    ) -> Soon[None]:
        """Set the values of several variables of a channel."""
        self._channels.require_in_application(channel_id)
        return self._channels.set_variables(channel_id, read_assignments(variables))


def _read_direction(direction: str | None) -> Direction:
    if direction not in DIRECTIONS:
        raise BadRequest(f"Invalid direction: {direction or 'none'}")
    return cast(Direction, direction)
