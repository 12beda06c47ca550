"""core show sounds, file convert and indication show: what can be played, and in which form it is kept."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.tables import columns, plural
from arietta.media.codecs.resample import resample
from arietta.media.engine import MediaError
from arietta.media.files import read_sound
from arietta.media.writers import SoundWriter, write_format

FRAME_S = 0.02
MAX_LISTED = 2000


def show_sounds(console: Console, arguments: list[str]) -> str:
    found = console.switch.sounds.index(arguments[0] if arguments else None)
    rows = [(one.id, ",".join(sorted({form.format for form in one.formats})), one.text or "") for one in found]
    lines = columns((40, 20, 60), ("Name", "Formats", "Text"), *rows[:MAX_LISTED])
    return "\n".join([*lines, plural(len(rows), "sound")])


def show_sound(console: Console, arguments: list[str]) -> str:
    found = console.switch.sounds.entry(arguments[0])
    if found is None:
        raise CommandError(f"There is no sound '{arguments[0]}'")
    forms = [f"  {form.language or '(no language)'} {form.format}" for form in found.formats]
    return "\n".join([found.id, *([f"  {found.text}"] if found.text else []), *forms])


def show_indications(console: Console, arguments: list[str]) -> str:
    settings = console.switch.config.indications
    if not arguments:
        rows = [(name, zone.alias, zone.description) for name, zone in sorted(settings.zones.items())]
        lines = columns((10, 10, 50), ("Country", "Alias", "Description"), *rows)
        return "\n".join([*lines, plural(len(rows), "country", "countries")])
    zone = settings.zone(arguments[0])
    if zone is None:
        raise CommandError(f"There are no tones of '{arguments[0]}' in indications.conf")
    tones = [f"  {name} = {notation}" for name, notation in zone.tones.items()]
    return "\n".join([f"Country Indication {zone.name}: {zone.description}", *tones])


async def convert(console: Console, arguments: list[str]) -> str:
    folder = console.switch.config.directories.sounds
    source = _inside(folder, arguments[0])
    target = _inside(folder, arguments[1])
    try:
        seconds = await asyncio.to_thread(_convert, source, target)
    except MediaError as problem:
        raise CommandError(str(problem)) from None
    return f"Converted {source} to {target}: {seconds:.1f} s of sound."


def _inside(folder: Path, name: str) -> Path:
    """A file of the folder of sounds, which nobody leaves."""
    path = Path(os.path.realpath(folder / name))
    if "\0" in name or not path.is_relative_to(os.path.realpath(folder)) or not path.suffix:
        raise CommandError(f"'{name}' is no file with an extension in {folder}")
    return path


def _convert(source: Path, target: Path) -> float:
    form = write_format(target.suffix[1:])
    sound = read_sound(str(source))
    samples = resample(sound.samples(), sound.rate, form.rate)
    frame = int(form.rate * FRAME_S) * 2
    samples += bytes(-len(samples) % frame)
    writer = SoundWriter(str(target.with_suffix("")), form)
    try:
        writer.write(samples)
        writer.finish()
    except BaseException:
        writer.abandon()
        raise
    return len(samples) / 2 / form.rate


def _countries(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else console.switch.config.indications.zones


COMMANDS = (
    Command(("core", "show", "sounds"), "List the sounds, of all languages or one.", show_sounds, "[LANGUAGE]", 0, 1),
    Command(("core", "show", "sound"), "Show the files of a sound.", show_sound, "NAME", 1, 1),
    Command(("indication", "show"), "List the countries with tones, or the tones of one.", show_indications,
            "[COUNTRY]", 0, 1, _countries),
    Command(("file", "convert"), "Write a sound file in another format, in the folder of sounds.", convert,
            "FILE NEWFILE", 2, 2),
)  # fmt: skip
