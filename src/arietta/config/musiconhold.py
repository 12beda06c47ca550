"""musiconhold.conf: classes of music."""

from typing import Annotated, ClassVar

import msgspec

from arietta.config.conf import ConfFile
from arietta.config.kinds import Bool, Choice, FilePath, Milliseconds, Text, TextList
from arietta.config.settings import Report, Settings, merged, read_settings


class MusicGeneral(Settings, frozen=True, kw_only=True, eq=False):
    """Music on hold as a whole."""

    TITLE: ClassVar[str] = "musiconhold.conf [general]"

    cachertclasses: Annotated[bool, Bool("Whether classes of a database are kept.")] = False
    preferchannelclass: Annotated[bool, Bool("Whether the channel's class wins over the suggested one.")] = True


class MusicClass(Settings, frozen=True, kw_only=True, eq=False):
    """A class of music; the name of the section is the class."""

    TITLE: ClassVar[str] = "musiconhold.conf class"

    mode: Annotated[
        str,
        Choice("Where the music comes from.", "files", "playlist", "custom", "mp3", "mp3nb", "quietmp3", "quietmp3nb"),
    ] = "files"
    directory: Annotated[str, FilePath("Folder of sound files, relative to the data folder.")] = ""
    entry: Annotated[tuple[str, ...], TextList("One sound of a playlist.", each_line_adds=True, separator="")] = ()
    sort: Annotated[str, Choice("Order of the files.", "", "random", "alpha", "randstart", aliases={"no": ""})] = ""
    announcement: Annotated[str, Text("Sound played between the pieces.")] = ""
    application: Annotated[str, Text("Program that makes the music.")] = ""
    format: Annotated[str, Text("Format that program writes.")] = ""
    digit: Annotated[str, Text("Digit that selects the class.")] = ""
    loop_last: Annotated[bool, Bool("Whether the last piece is repeated.")] = False
    answeredonly: Annotated[bool, Bool("Whether only answered calls hear it.")] = False
    kill_escalation_delay: Annotated[int, Milliseconds("Time between signals to the program.")] = 500
    kill_method: Annotated[str, Choice("What signals go to.", "process_group", "process")] = "process_group"


class MusicSettings(Settings, frozen=True, kw_only=True, eq=False):
    """musiconhold.conf whole."""

    general: MusicGeneral = MusicGeneral()
    classes: dict[str, MusicClass] = msgspec.field(default_factory=dict)


def read_musiconhold(file: ConfFile, report: Report) -> MusicSettings:
    """The classes of musiconhold.conf."""
    classes: dict[str, MusicClass] = {}
    for section in file.active():
        if section.name.lower() == "general":
            continue
        if section.name in classes:
            report.error(section, f"[{section.name}] exists already at {classes[section.name].where}")
            continue
        made = classes[section.name] = read_settings(MusicClass, (section,), report)
        if made.mode == "files" and not made.directory:
            report.error(section, f"class [{section.name}] with mode=files has no directory")
        elif made.mode == "playlist" and not made.entry:
            report.error(section, f"class [{section.name}] with mode=playlist has no entry")
    general = read_settings(MusicGeneral, merged(file.named("general"), report), report)
    return MusicSettings(name="musiconhold.conf", file=file.path, general=general, classes=classes)
