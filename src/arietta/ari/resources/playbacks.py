"""Playbacks that are not over."""

from typing import Annotated, cast

from arietta.errors import BadRequest
from arietta.model.snapshots import Playback
from arietta.model.wire import Encoded

from ..contract import Path, Query, operation
from ..domain import ControlOperation, Soon
from ..domain import Playbacks as Domain
from ..failures import OPERATION_UNKNOWN, PLAYBACK_NOT_FOUND, PLAYBACK_STATE

PlaybackId = Annotated[str, Path("playbackId", "Identifier of the playback.")]
OPERATIONS = ("restart", "pause", "unpause", "reverse", "forward")


class Playbacks:
    """Playback control resources"""

    NAME = "playbacks"

    def __init__(self, playbacks: Domain) -> None:
        self._playbacks = playbacks

    @operation("GET", "/playbacks/{playbackId}", nickname="get", since=("12.0.0",), failures=(PLAYBACK_NOT_FOUND,))
    def get(self, *, playback_id: PlaybackId) -> Playback | Encoded:
        """Get a playback's details."""
        return self._playbacks.get(playback_id)

    @operation("DELETE", "/playbacks/{playbackId}", nickname="stop", since=("12.0.0",), failures=(PLAYBACK_NOT_FOUND,))
    def stop(self, *, playback_id: PlaybackId) -> Soon[None]:
        """Stop a playback."""
        return self._playbacks.stop(playback_id)

    @operation(
        "POST",
        "/playbacks/{playbackId}/control",
        nickname="control",
        since=("12.0.0",),
        failures=(OPERATION_UNKNOWN, PLAYBACK_NOT_FOUND, PLAYBACK_STATE),
    )
    def control(
        self,
        *,
        playback_id: PlaybackId,
        operation: Annotated[str, Query("operation", "What to do with it.", values=OPERATIONS)],
    ) -> Soon[None]:
        """Control a playback."""
        if operation not in OPERATIONS:
            raise BadRequest(f"Invalid operation: {operation}")
        return self._playbacks.control(playback_id, cast(ControlOperation, operation))
