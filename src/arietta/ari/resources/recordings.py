"""Recordings that are made, and those that are kept."""

from collections.abc import Sequence
from typing import Annotated

from arietta.errors import BadRequest
from arietta.model.snapshots import LiveRecording, StoredRecording
from arietta.model.wire import Encoded

from ..contract import Path, Query, operation
from ..domain import Download, Soon
from ..domain import Recordings as Domain
from ..failures import (
    FILE_FORBIDDEN,
    MISSING_PARAMETER,
    OUTSIDE_OF_FOLDER,
    RECORDING_EXISTS,
    RECORDING_IDLE,
    RECORDING_NOT_FOUND,
)
from .reading import settle

RecordingName = Annotated[str, Path("recordingName", "Name of the recording.")]


class Recordings:
    """Recording resources"""

    NAME = "recordings"

    def __init__(self, recordings: Domain) -> None:
        self._recordings = recordings

    @operation("GET", "/recordings/stored", nickname="listStored", since=("12.0.0",))
    def list_stored(self) -> Soon[Sequence[StoredRecording]]:
        """List recordings that are complete."""
        return self._recordings.list_stored()

    @operation(
        "GET",
        "/recordings/stored/{recordingName}",
        nickname="getStored",
        since=("12.0.0",),
        failures=(RECORDING_NOT_FOUND,),
    )
    def get_stored(self, *, recording_name: RecordingName) -> Soon[StoredRecording]:
        """Get a stored recording's details."""
        return self._recordings.get_stored(recording_name)

    @operation(
        "DELETE",
        "/recordings/stored/{recordingName}",
        nickname="deleteStored",
        since=("12.0.0",),
        failures=(RECORDING_NOT_FOUND,),
    )
    def delete_stored(self, *, recording_name: RecordingName) -> Soon[None]:
        """Delete a stored recording."""
        return self._recordings.delete_stored(recording_name)

    @operation(
        "GET",
        "/recordings/stored/{recordingName}/file",
        nickname="getStoredFile",
        since=("14.0.0",),
        failures=(FILE_FORBIDDEN, RECORDING_NOT_FOUND),
    )
    def get_stored_file(self, *, recording_name: RecordingName) -> Soon[Download]:
        """Get the file of a stored recording."""
        return self._recordings.stored_file(recording_name)

    @operation(
        "POST",
        "/recordings/stored/{recordingName}/copy",
        nickname="copyStored",
        since=("12.5.0",),
        failures=(RECORDING_NOT_FOUND, RECORDING_EXISTS),
        undocumented=(MISSING_PARAMETER, OUTSIDE_OF_FOLDER),
    )
    async def copy_stored(
        self,
        *,
        recording_name: RecordingName,
        destination_recording_name: Annotated[
            str | None, Query("destinationRecordingName", "Name of the copy.", required=True)
        ] = None,
    ) -> StoredRecording:
        """Copy a stored recording."""
        await settle(self._recordings.get_stored(recording_name))
        if not destination_recording_name:
            raise BadRequest("Missing parameter destinationRecordingName")
        copied: StoredRecording = await settle(self._recordings.copy_stored(recording_name, destination_recording_name))
        return copied

    @operation(
        "GET",
        "/recordings/live/{recordingName}",
        nickname="getLive",
        since=("12.0.0",),
        failures=(RECORDING_NOT_FOUND,),
    )
    def get_live(self, *, recording_name: RecordingName) -> LiveRecording | Encoded:
        """Get a live recording's details."""
        return self._recordings.get_live(recording_name)

    @operation(
        "DELETE",
        "/recordings/live/{recordingName}",
        nickname="cancel",
        since=("12.0.0",),
        failures=(RECORDING_NOT_FOUND,),
    )
    def cancel(self, *, recording_name: RecordingName) -> Soon[None]:
        """Stop a live recording and throw it away."""
        return self._recordings.cancel(recording_name)

    @operation(
        "POST",
        "/recordings/live/{recordingName}/stop",
        nickname="stop",
        since=("12.0.0",),
        failures=(RECORDING_NOT_FOUND,),
    )
    def stop(self, *, recording_name: RecordingName) -> Soon[None]:
        """Stop a live recording and keep it."""
        return self._recordings.stop(recording_name)

    @operation(
        "POST",
        "/recordings/live/{recordingName}/pause",
        nickname="pause",
        since=("12.0.0",),
        failures=(RECORDING_NOT_FOUND, RECORDING_IDLE),
    )
    def pause(self, *, recording_name: RecordingName) -> Soon[None]:
        """Pause a live recording."""
        return self._recordings.pause(recording_name)

    @operation(
        "DELETE",
        "/recordings/live/{recordingName}/pause",
        nickname="unpause",
        since=("12.0.0",),
        failures=(RECORDING_NOT_FOUND, RECORDING_IDLE),
    )
    def unpause(self, *, recording_name: RecordingName) -> Soon[None]:
        """Go on with a live recording."""
        return self._recordings.unpause(recording_name)

    @operation(
        "POST",
        "/recordings/live/{recordingName}/mute",
        nickname="mute",
        since=("12.0.0",),
        failures=(RECORDING_NOT_FOUND, RECORDING_IDLE),
    )
    def mute(self, *, recording_name: RecordingName) -> Soon[None]:
        """Record silence from now on."""
        return self._recordings.mute(recording_name)

    @operation(
        "DELETE",
        "/recordings/live/{recordingName}/mute",
        nickname="unmute",
        since=("12.0.0",),
        failures=(RECORDING_NOT_FOUND, RECORDING_IDLE),
    )
    def unmute(self, *, recording_name: RecordingName) -> Soon[None]:
        """Record what is heard again."""
        return self._recordings.unmute(recording_name)
