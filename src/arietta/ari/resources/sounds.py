"""Installed sounds."""

from collections.abc import Sequence
from typing import Annotated

from arietta.model.snapshots import Sound

from ..contract import Path, Query, operation
from ..domain import Soon
from ..domain import Sounds as Domain
from ..failures import SOUND_NOT_FOUND


class Sounds:
    """Sound resources"""

    NAME = "sounds"

    def __init__(self, sounds: Domain) -> None:
        self._sounds = sounds

    @operation("GET", "/sounds", nickname="list", since=("12.0.0",), undocumented=(SOUND_NOT_FOUND,))
    def list(
        self,
        *,
        language: Annotated[str | None, Query("lang", "Only sounds in this language.")] = None,
        format: Annotated[str | None, Query("format", "Only sounds in this format.")] = None,
    ) -> Soon[Sequence[Sound]]:
        """List all sounds."""
        return self._sounds.list(language, format)

    @operation("GET", "/sounds/{soundId}", nickname="get", since=("12.0.0",), undocumented=(SOUND_NOT_FOUND,))
    def get(self, *, sound_id: Annotated[str, Path("soundId", "Name of the sound.")]) -> Soon[Sound]:
        """Get a sound's details."""
        return self._sounds.get(sound_id)
