"""features.conf: what those who talk ask for with their keys."""

from typing import Annotated, ClassVar

import msgspec

from arietta.config.conf import ConfFile, Option, Section
from arietta.config.kinds import Bool, Integer, Invalid, Kind, Milliseconds, Note, Seconds, Text
from arietta.config.settings import Report, Settings, merged, read_settings

BLIND_TRANSFER, ATTENDED_TRANSFER, DISCONNECT = "blindxfer", "atxfer", "disconnect"
AUTO_MONITOR, AUTO_MIX_MONITOR, PARK = "automon", "automixmon", "parkcall"

MAX_KEYS = 11
"""Of one code."""
MAX_FEATURES = 200
KEYS = frozenset("0123456789*#ABCD")


class Keys(Kind):
    """Keys such as *2, or none."""

    def read(self, text: str, name: str, current: object, note: Note) -> str:
        keys = text.strip().upper()
        if len(keys) > MAX_KEYS or not set(keys) <= KEYS:
            raise Invalid(f"{name} {text} is not up to {MAX_KEYS} of the keys 0-9 * # A-D")
        return keys

    def label(self) -> str:
        return "keys"


class FeaturesGeneral(Settings, frozen=True, kw_only=True, eq=False):
    """Features as a whole."""

    TITLE: ClassVar[str] = "features.conf [general]"

    featuredigittimeout: Annotated[int, Milliseconds("Longest time between two keys of a feature.", 1, 60000)] = 1000
    courtesytone: Annotated[str, Text("Sound for both when a recording by keys begins or ends.")] = ""
    recordingfailsound: Annotated[str, Text("Sound for who wanted a recording that cannot be.")] = ""
    transferdigittimeout: Annotated[int, Seconds("Longest time between two keys of a transfer's goal.", 1, 3600)] = 3
    atxfernoanswertimeout: Annotated[int, Seconds("How long the goal of an attended transfer may ring.", 1, 3600)] = 15
    atxferdropcall: Annotated[
        bool, Bool("Whether all is over when a goal does not answer whose transferer hung up; else that one is called.")
    ] = False
    atxferloopdelay: Annotated[int, Seconds("Time before the goal is called again.", 0, 3600)] = 10
    atxfercallbackretries: Annotated[int, Integer("How often the transferer is called back.", 0, 100)] = 2
    xfersound: Annotated[str, Text("Sound for those that waited, when an attended transfer is complete.")] = "beep"
    xferfailsound: Annotated[str, Text("Sound for who transfers when that fails.")] = "beeperr"
    atxferabort: Annotated[str, Keys("Keys that give an attended transfer up.")] = "*1"
    atxfercomplete: Annotated[str, Keys("Keys that complete it.")] = "*2"
    atxferthreeway: Annotated[str, Keys("Keys that make it a call of three.")] = "*3"
    atxferswap: Annotated[str, Keys("Keys that change who the transferer talks to.")] = "*4"
    pickupexten: Annotated[str, Keys("What is dialled to answer a call that rings in one's group.")] = "*8"
    pickupsound: Annotated[str, Text("Sound for who picked a call up.")] = ""
    pickupfailsound: Annotated[str, Text("Sound for who could not.")] = ""
    transferdialattempts: Annotated[int, Integer("How often the goal of a transfer may be dialled.", 1, 1000)] = 1
    transferretrysound: Annotated[str, Text("Sound after a goal that does not exist.")] = "pbx-invalid"
    transferinvalidsound: Annotated[str, Text("Sound after the last such goal.")] = "privacy-incorrect"
    transferannouncesound: Annotated[str, Text("Sound that asks for the goal.")] = "pbx-transfer"


class FeatureMap(Settings, frozen=True, kw_only=True, eq=False):
    """Which keys mean which feature."""

    TITLE: ClassVar[str] = "features.conf [featuremap]"

    blindxfer: Annotated[str, Keys("Transfers the other one, who rings there at once.")] = "#"
    atxfer: Annotated[str, Keys("Transfers the other one after a talk with who is called.")] = ""
    disconnect: Annotated[str, Keys("Ends the call.")] = "*"
    automon: Annotated[str, Keys("Begins or ends a recording, as automixmon.")] = ""
    automixmon: Annotated[str, Keys("Begins or ends a recording.")] = ""
    parkcall: Annotated[str, Keys("Parks the call.")] = ""


class ApplicationFeature(msgspec.Struct, frozen=True):
    """A feature that executes an application."""

    name: str
    keys: str
    on_peer: bool
    """Whether the application is executed for the other one."""
    application: str
    arguments: str = ""
    music_class: str = ""
    """What the other one hears meanwhile; "" is nothing."""


class FeatureSettings(msgspec.Struct, frozen=True, kw_only=True):
    """features.conf whole."""

    general: FeaturesGeneral = FeaturesGeneral()
    map: FeatureMap = FeatureMap()
    applications: dict[str, ApplicationFeature] = {}
    groups: dict[str, dict[str, str]] = {}
    """Features by their names with their keys, by the names of the groups."""

    places: dict[str, Option] = {}
    """Where each of the applications is written."""

    def named(self, name: str) -> tuple[ApplicationFeature, ...]:
        """What a name in DYNAMIC_FEATURES stands for: a feature, or those of a group with its keys."""
        if name in self.applications:
            return (self.applications[name],)
        group = self.groups.get(name, {})
        return tuple(
            msgspec.structs.replace(feature, keys=keys or feature.keys)
            for feature, keys in ((self.applications[one], keys) for one, keys in group.items())
        )


def read_features(file: ConfFile, report: Report) -> FeatureSettings:
    """The settings of features.conf."""
    applications: dict[str, ApplicationFeature] = {}
    places: dict[str, Option] = {}
    for section in file.named("applicationmap"):
        for option in section.options:
            feature = _application(option, report)
            if feature is not None and len(applications) >= MAX_FEATURES:
                report.error(option, f"{option.name} is one more than the {MAX_FEATURES} features there may be")
            elif feature is not None:
                applications[feature.name] = feature
                places[feature.name] = option
    known = ("general", "featuremap", "applicationmap")
    groups = {
        section.name: _group(section, applications, report)
        for section in file.active()
        if section.name.lower() not in known
    }
    return FeatureSettings(
        general=read_settings(FeaturesGeneral, merged(file.named("general"), report), report),
        map=read_settings(FeatureMap, merged(file.named("featuremap"), report), report),
        applications=applications,
        groups=groups,
        places=places,
    )


def _application(option: Option, report: Report) -> ApplicationFeature | None:
    """``keys,self|peer[/who],Application[(arguments)|,arguments][,music class]``."""
    written, _, rest = option.value.partition(",")
    side, _, call = (part.strip() for part in rest.partition(","))
    side, slash, who = side.partition("/")
    keys = written.strip().upper()
    if not keys or len(keys) > MAX_KEYS or not set(keys) <= KEYS:
        report.error(option, f"{option.name}: {written.strip()!r} is not 1 to {MAX_KEYS} of the keys 0-9 * # A-D")
        return None
    if side.lower() not in ("self", "peer"):
        report.error(option, f"{option.name}: {side!r} is neither self nor peer")
        return None
    if slash:
        report.warn(option, f"{option.name}: /{who} has no effect: who has it in DYNAMIC_FEATURES may use it")
    application, arguments, music_class = _call(call)
    if not application:
        report.error(option, f"{option.name} names no application")
        return None
    return ApplicationFeature(option.name, keys, side.lower() == "peer", application, arguments, music_class)


def _call(text: str) -> tuple[str, str, str]:
    """Application, arguments and class of music."""
    opening, comma = text.find("("), text.find(",")
    if opening >= 0 and (comma < 0 or opening < comma) and ")" in text:
        closing = text.rindex(")")
        return text[:opening].strip(), text[opening + 1 : closing], text[closing + 1 :].lstrip(" ,").strip()
    application, _, rest = text.partition(",")
    rest = rest.strip()
    if rest.startswith('"') and '"' in rest[1:]:
        arguments, _, music_class = rest[1:].partition('"')
        return application.strip(), arguments, music_class.lstrip(" ,").strip()
    arguments, _, music_class = rest.partition(",")
    return application.strip(), arguments.strip(), music_class.strip()


def _group(section: Section, applications: dict[str, ApplicationFeature], report: Report) -> dict[str, str]:
    """``feature=[keys]`` lines of a group."""
    found: dict[str, str] = {}
    for option in section.options:
        keys = option.value.strip().upper()
        if option.name not in applications:
            report.error(option, f"[{section.name}] {option.name} is no feature of [applicationmap]")
        elif len(keys) > MAX_KEYS or not set(keys) <= KEYS:
            report.error(option, f"{option.name}={option.value} is not up to {MAX_KEYS} of the keys 0-9 * # A-D")
        else:
            found[option.name] = keys
    return found
