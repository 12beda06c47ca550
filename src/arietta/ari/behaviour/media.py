"""What playback, recording and sound operations do."""

from __future__ import annotations

from collections.abc import Sequence

from arietta.ari.domain import ControlOperation, Download
from arietta.errors import Forbidden, NotFound
from arietta.media.sounds import SoundLibrary
from arietta.model import snapshots
from arietta.stasis import playbacks, recordings


class Playbacks:
    """Playbacks that are not over."""

    def __init__(self, living: playbacks.Playbacks) -> None:
        self._living = living

    def get(self, playback_id: str) -> snapshots.Playback:
        return self._living.need(playback_id).snapshot()

    def stop(self, playback_id: str) -> None:
        self._living.need(playback_id).stop()

    def control(self, playback_id: str, operation: ControlOperation) -> None:
        self._living.need(playback_id).control(operation)


class Recordings:
    """Recordings that are made, and those that are kept."""

    def __init__(self, living: recordings.Recordings) -> None:
        self._living = living

    def list_stored(self) -> Sequence[snapshots.StoredRecording]:
        return self._living.stored()

    def get_stored(self, name: str) -> snapshots.StoredRecording:
        return snapshots.StoredRecording(name=name, format=self._living.need_stored(name).suffix[1:])

    def delete_stored(self, name: str) -> None:
        self._living.need_stored(name).unlink()

    def stored_file(self, name: str) -> Download:
        path = self._living.need_stored(name)
        try:
            return Download(path.read_bytes(), f"audio/{path.suffix[1:]}")
        except OSError as problem:
            raise Forbidden(f"recording {name!r} cannot be read: {problem.strerror}") from problem

    def copy_stored(self, name: str, destination: str) -> snapshots.StoredRecording:
        path = self._living.copy(name, destination)
        return snapshots.StoredRecording(name=destination, format=path.suffix[1:])

    def get_live(self, name: str) -> snapshots.LiveRecording:
        return self._living.need(name).snapshot()

    def cancel(self, name: str) -> None:
        self._living.need(name).cancel()

    def stop(self, name: str) -> None:
        self._living.need(name).stop()

    def pause(self, name: str) -> None:
        self._living.need(name).pause()

    def unpause(self, name: str) -> None:
        self._living.need(name).unpause()

    def mute(self, name: str) -> None:
        self._living.need(name).mute()

    def unmute(self, name: str) -> None:
        self._living.need(name).unmute()


class Sounds:
    """Installed sounds."""

    def __init__(self, library: SoundLibrary) -> None:
        self._library = library

    def list(self, language: str | None, format: str | None) -> Sequence[snapshots.Sound]:
        found = []
        for sound in self._library.index():
            pairs = [
                snapshots.FormatLangPair(language=pair.language, format=pair.format)
                for pair in sound.formats
                if (not language or pair.language == language) and (not format or pair.format == format)
            ]
            if pairs:
                found.append(_sound(sound.id, sound.text, pairs))
        if not found:
            raise NotFound(f"no sound of language {language or 'any'} and format {format or 'any'} is installed")
        return found

    def get(self, name: str) -> snapshots.Sound:
        for sound in self._library.index():
            if sound.id == name:
                pairs = [snapshots.FormatLangPair(language=p.language, format=p.format) for p in sound.formats]
                return _sound(sound.id, sound.text, pairs)
        raise NotFound(f"sound {name!r} is not installed")


def _sound(ident: str, text: str | None, pairs: list[snapshots.FormatLangPair]) -> snapshots.Sound:
    if text:
        return snapshots.Sound(id=ident, text=text, formats=pairs)
    return snapshots.Sound(id=ident, formats=pairs)
