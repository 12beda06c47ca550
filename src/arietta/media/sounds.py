"""Where sounds are: names and languages to files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .engine import MediaError
from .files import EXTENSIONS

__all__ = ["SoundEntry", "SoundFormat", "SoundLibrary", "SoundNameRefused", "package_sounds", "system_sounds"]

_LANGUAGE = re.compile(r"[a-z]{2,3}(?:[_-][A-Za-z0-9_]+)?")
_SYSTEM = ("/usr/local/share/asterisk/sounds", "/usr/share/asterisk/sounds", "/opt/asterisk/share/asterisk/sounds")
_RATES = {"slin12": 12000, "slin16": 16000, "slin24": 24000, "slin32": 32000, "slin44": 44100, "slin48": 48000}
_NARROW = (
    *("ulaw", "ul", "mu", "pcm", "alaw", "al", "sln", "slin", "wav", "gsm", "WAV", "wav49"),
    *("sln16", "wav16", "sln12", "sln24", "sln32", "sln44", "sln48", "sln96", "sln192"),
)
_WIDE = (
    *("sln16", "wav16", "sln24", "sln32", "sln48", "sln44", "sln96", "sln192", "sln12"),
    *("wav", "sln", "slin", "ulaw", "ul", "mu", "pcm", "alaw", "al", "gsm", "WAV", "wav49"),
)


class SoundNameRefused(MediaError):
    """A name that would lead out of the sounds directories."""


@dataclass(frozen=True, slots=True)
class SoundFormat:
    """One file of a sound."""

    language: str
    format: str
    """The file's extension."""


@dataclass(frozen=True, slots=True)
class SoundEntry:
    """One sound as GET /sounds shows it."""

    id: str
    text: str | None
    formats: tuple[SoundFormat, ...]


def system_sounds() -> list[str]:
    """Sounds directories that packages installed on this system."""
    return [folder for folder in _SYSTEM if os.path.isdir(folder)]


def package_sounds() -> str:
    """The sounds directory that comes with this package."""
    return str(Path(__file__).parent.parent / "data" / "sounds")


class SoundLibrary:
    """The sounds directories, the first one first; each holds folders of languages, and sounds of none."""

    def __init__(
        self, directories: Sequence[str], default_language: str = "en", *, allow_absolute: bool = False
    ) -> None:
        self.directories = tuple(os.path.normpath(directory) for directory in directories)
        self.default_language = default_language
        self._allow_absolute = allow_absolute
        self._real = tuple(os.path.realpath(directory) + os.sep for directory in self.directories)

    def find(self, name: str, language: str = "", codec: str = "ulaw") -> str | None:
        """The file of a sound that is nearest to the codec, or None.

        Languages are tried from the special to the general: en_US, en, the default one, none. Raises
        SoundNameRefused for a name that leads out of the directories; an absolute one is allowed inside them, or
        anywhere with `allow_absolute`.
        """
        if "\0" in name or ".." in name.split("/"):
            raise SoundNameRefused(f"sound {name!r} leads out of the sounds directories")
        order = self._order(codec)
        if name.startswith("/"):
            if not self._allow_absolute and not os.path.realpath(name).startswith(self._real):
                raise SoundNameRefused(f"sound {name!r} is outside of the sounds directories")
            return _existing(name, order)
        for folder in self._languages(language):
            for directory in self.directories:
                found = _existing(os.path.join(directory, folder, name), order)
                if found is not None:
                    return found
        return None

    def index(self, language: str | None = None, format: str | None = None) -> list[SoundEntry]:
        """Every sound, by id; those of one language or format only when given."""
        formats: dict[str, dict[tuple[str, str], None]] = {}
        texts: dict[str, str] = {}
        for directory in self.directories:
            for folder, tongue in _language_folders(directory, self.default_language):
                for name, extension in _files(folder, deep=folder != directory):
                    if (language is None or tongue == language) and (format is None or extension == format):
                        formats.setdefault(name, {})[tongue, extension] = None
                for name, text in _texts(folder):
                    texts.setdefault(name, text)
        return [
            SoundEntry(name, texts.get(name), tuple(SoundFormat(*pair) for pair in formats[name]))
            for name in sorted(formats)
        ]

    def entry(self, name: str) -> SoundEntry | None:
        """One sound of the index."""
        return next((entry for entry in self.index() if entry.id == name), None)

    def _languages(self, language: str) -> dict[str, None]:
        folders: dict[str, None] = {}
        for tongue in (language, self.default_language):
            if not _LANGUAGE.fullmatch(tongue):
                continue
            parts = tongue.replace("-", "_").split("_")
            folders[tongue] = None
            for count in range(len(parts), 0, -1):
                folders["_".join(parts[:count])] = None
        folders[""] = None
        return folders

    @staticmethod
    def _order(codec: str) -> tuple[str, ...]:
        if codec in _RATES or codec in ("slin96", "slin192", "g722", "opus"):
            return ("sln" + codec[4:], *_WIDE) if codec.startswith("slin") else _WIDE
        same = tuple(extension for extension, name in EXTENSIONS.items() if name == codec)
        return same + _NARROW


def _existing(stem: str, order: Sequence[str]) -> str | None:
    folder, base = os.path.split(stem)
    if not base or not os.path.isdir(folder):
        return None
    for extension in order:
        path = f"{stem}.{extension}"
        if os.path.isfile(path):
            return path
    if base.rpartition(".")[2] in EXTENSIONS and os.path.isfile(stem):
        return stem
    return None


def _language_folders(directory: str, default_language: str) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return
    yield directory, default_language
    for name in names:
        path = os.path.join(directory, name)
        if _LANGUAGE.fullmatch(name) and os.path.isdir(path):
            yield path, name


def _files(folder: str, *, deep: bool) -> Iterator[tuple[str, str]]:
    """Name and extension of the sounds in a folder; `deep` looks into folders that are no languages too."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        if not deep and root == folder:
            folders[:] = [name for name in folders if not _LANGUAGE.fullmatch(name)]
        for name in sorted(names):
            stem, _, extension = name.rpartition(".")
            if stem and extension in EXTENSIONS and not stem.startswith("."):
                yield os.path.relpath(os.path.join(root, stem), folder), extension


def _texts(folder: str) -> Iterator[tuple[str, str]]:
    """What is said, from files of `name: words` lines such as core-sounds-en.txt."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".txt"))
    except OSError:
        return
    for name in names:
        try:
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                for line in file:
                    sound, colon, text = line.strip().partition(":")
                    if colon and not sound.startswith(";"):
                        yield sound.strip(), text.strip()
        except OSError:
            continue
