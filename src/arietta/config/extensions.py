"""extensions.conf as sections; what the steps in them mean is the dialplan's business."""

from typing import Annotated, ClassVar

from arietta.config.conf import ConfFile, Option, Section
from arietta.config.kinds import Bool, Text
from arietta.config.settings import Report, Settings, merged, read_settings


class DialplanGeneral(Settings, frozen=True, kw_only=True, eq=False):
    """The dialplan as a whole."""

    TITLE: ClassVar[str] = "extensions.conf [general]"

    static: Annotated[bool, Bool("Whether the dialplan cannot be saved from the console.")] = False
    writeprotect: Annotated[bool, Bool("The same.")] = False
    autofallthrough: Annotated[bool, Bool("Whether a call that runs out of steps is hung up.")] = True
    extenpatternmatchnew: Annotated[bool, Bool("Whether patterns are matched by a tree.")] = False
    clearglobalvars: Annotated[bool, Bool("Whether a reload forgets global variables.")] = False
    overrideswitch: Annotated[str, Text("Switch asked before the dialplan.")] = ""
    userscontext: Annotated[str, Text("Context of the users of users.conf.")] = "default"


class DialplanSource(Settings, frozen=True, kw_only=True, eq=False):
    """extensions.conf whole: contexts in their order, each with its options, files and lines."""

    general: DialplanGeneral = DialplanGeneral()
    globals: tuple[Option, ...] = ()
    contexts: tuple[Section, ...] = ()

    def has_context(self, name: str) -> bool:
        """Whether a context of that name is written, names compared without case."""
        return any(context.name.lower() == name.lower() for context in self.contexts)


def read_extensions(file: ConfFile, report: Report) -> DialplanSource:
    """The sections of extensions.conf, [general] and [globals] apart."""
    general = read_settings(DialplanGeneral, merged(file.named("general"), report), report)
    variables = tuple(option for section in file.named("globals") for option in section.options)
    contexts = tuple(section for section in file.active() if section.name.lower() not in ("general", "globals"))
    return DialplanSource(name="extensions.conf", file=file.path, general=general, globals=variables, contexts=contexts)
