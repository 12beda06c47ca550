"""Media URIs of ARI: what ``sound:``, ``recording:``, ``number:``, ``digits:``, ``characters:`` and ``tone:`` name.

The name of a sound may be an http or https URL. Such a sound is fetched first: `fetch` gives its file, `resolve`
everything else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePath

from arietta import verbose
from arietta.media import say, tones
from arietta.media.engine import Files, MediaError, Source
from arietta.media.remote import RemoteSounds, is_remote, shown
from arietta.media.sounds import SoundLibrary

# Tried in this order for a recording named without a suffix.
RECORDING_SUFFIXES = ("wav", "WAV", "gsm", "ulaw", "alaw", "sln", "sln16", "wav16")

# What the console names a file by: its codec, and the folder of what is spoken piece by piece.
CODECS = {"wav": "slin", "wav16": "slin16", "WAV": "gsm", "sln": "slin"} | {
    f"sln{rate}": f"slin{rate}" for rate in (12, 16, 24, 32, 44, 48, 96, 192)
}
SPOKEN_FOLDERS = ("digits", "letters", "phonetic", "silence")


class MediaFailed(Exception):
    """A URI names nothing that can be played; the message names it and why."""


class MediaLibrary:
    """Everything a media URI can name."""

    def __init__(
        self,
        sounds: SoundLibrary,
        zones: Mapping[str, Mapping[str, str]],
        zone: str,
        recordings: Path,
        remote: RemoteSounds,
    ) -> None:
        self.sounds = sounds
        self._remote = remote
        self._zones = zones
        self._zone = zone
        self._recordings = recordings

    def fetch(self, uri: str) -> asyncio.Future[str] | None:
        """The file of a sound of another server once it is here; None for a URI that `resolve` takes.

        The future fails with RemoteFailed, a MediaError. Who does not want the sound any more cancels it.
        """
        scheme, _, name = uri.partition(":")
        return self._remote.file(name) if scheme == "sound" and is_remote(name) else None

    def resolve(self, uri: str, language: str, zone: str = "") -> Source:
        """What the engine is to play for a URI, tones as in a country; MediaFailed if there is no such thing."""
        scheme, colon, rest = uri.partition(":")
        if not colon:
            raise MediaFailed(f"media URI {uri!r} has no scheme")
        match scheme:
            case "sound":
                return Files((self._sound(rest, language),))
            case "recording":
                return Files((self._recording(rest),))
            case "number":
                return self._said(uri, _say_number, rest, language)
            case "digits":
                return self._said(uri, say.say_digits, rest, language)
            case "characters":
                return self._said(uri, say.say_characters, rest, language)
            case "tone":
                return self.tone(rest, zone)
            case _:
                raise MediaFailed(f"media URI {uri!r} has the unknown scheme {scheme!r}")

    def call_progress(self, name: str, zone: str) -> tones.Tones | None:
        """A tone of a zone by its name alone; None where the zone has none."""
        return self.tone(name, zone) if name in self._zones.get(zone or self._zone, {}) else None

    def tone(self, what: str, zone: str = "") -> tones.Tones:
        """A tone by its name in indications.conf or by its cadence, with ``;tonezone=`` after it."""
        name, _, options = what.partition(";")
        zone = zone or self._zone
        for option in options.split(";") if options else ():
            key, _, value = option.partition("=")
            if key.strip() == "tonezone":
                zone = value.strip()
        definition = self._zones.get(zone, {}).get(name, name)
        try:
            return tones.parse_tones(definition)
        except ValueError as problem:
            raise MediaFailed(f"tone {name!r} of zone {zone!r}: {problem}") from problem

    def _sound(self, name: str, language: str) -> str:
        if "://" in name:
            raise MediaFailed(f"sound {shown(name)!r} has a scheme other than http and https")
        try:
            found = self.sounds.find(name, language)
        except MediaError as refusal:
            raise MediaFailed(str(refusal)) from None
        if found is None:
            raise MediaFailed(f"there is no sound {name!r} in language {language!r}")
        return str(found)

    def _recording(self, name: str) -> str:
        base = (self._recordings / name).resolve()
        if not base.is_relative_to(self._recordings.resolve()):
            raise MediaFailed(f"recording {name!r} is outside of the folder of recordings")
        for suffix in RECORDING_SUFFIXES:
            path = base.with_name(f"{base.name}.{suffix}")
            if path.is_file():
                return str(path)
        raise MediaFailed(f"there is no recording {name!r}")

    def _said(self, uri: str, say_it: Callable[[str], Sequence[str]], what: str, language: str) -> Source:
        try:
            names = say_it(what)
        except ValueError as problem:
            raise MediaFailed(f"media URI {uri!r}: {problem}") from problem
        return Files(tuple(self._sound(name, language) for name in names))


def tell_playing(who: str, source: Source, language: str) -> None:
    """Tell the console which files somebody hears, each with the codec it holds in the place of its suffix."""
    if not isinstance(source, Files) or verbose.level() < 3:
        return
    for path in map(PurePath, source.paths):
        folder = f"{path.parent.name}/" if path.parent.name in SPOKEN_FOLDERS else ""
        suffix = path.suffix[1:]
        verbose.verbose(
            3, f"<{who}> Playing '{folder}{path.stem}.{CODECS.get(suffix, suffix)}' (language '{language}')"
        )


def _say_number(text: str) -> Sequence[str]:
    return say.say_number(int(text))
