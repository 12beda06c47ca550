"""indications.conf: the tones of countries."""

from typing import Annotated, ClassVar

import msgspec

from arietta.config.conf import ConfFile, Option, Section
from arietta.config.kinds import Text
from arietta.config.settings import Report, Settings, merged, read_settings

MAX_FREQUENCY_HZ = 20000
MAX_TONE_MS = 600_000


class IndicationsGeneral(Settings, frozen=True, kw_only=True, eq=False):
    """Which country's tones are the default."""

    TITLE: ClassVar[str] = "indications.conf [general]"

    country: Annotated[str, Text("Country whose tones are played unless a channel has its own.")] = "us"


class ToneZone(Settings, frozen=True, kw_only=True, eq=False):
    """The tones of one country; `tones` holds their notation by name, such as dial or busy."""

    TITLE: ClassVar[str] = "indications.conf country"

    description: Annotated[str, Text("Name of the country.")] = ""
    alias: Annotated[str, Text("Other country whose tones are used.")] = ""
    ringcadence: Annotated[str, Text("Milliseconds of ring and silence, between commas.")] = ""
    tones: dict[str, str] = msgspec.field(default_factory=dict)
    cadence_ms: tuple[int, ...] = ()


class IndicationsSettings(Settings, frozen=True, kw_only=True, eq=False):
    """indications.conf whole."""

    general: IndicationsGeneral = IndicationsGeneral()
    zones: dict[str, ToneZone] = msgspec.field(default_factory=dict)

    def zone(self, name: str = "") -> ToneZone | None:
        """The tones of a country, aliases followed; the default country without a name."""
        found = self.zones.get((name or self.general.country).lower())
        return self.zones.get(found.alias.lower(), found) if found and found.alias else found


def read_indications(file: ConfFile, report: Report) -> IndicationsSettings:
    """The countries of indications.conf."""
    zones: dict[str, ToneZone] = {}
    for section in file.active():
        if section.name.lower() == "general":
            continue
        key = section.name.lower()
        if key in zones:
            report.error(section, f"[{section.name}] exists already at {zones[key].where}")
            continue
        zones[key] = _read_zone(section, report)
    for zone in zones.values():
        if zone.alias and zone.alias.lower() not in zones:
            report.error(zone.at("alias"), f"alias {zone.alias} is not a country of this file")
    general = read_settings(IndicationsGeneral, merged(file.named("general"), report), report)
    if zones and general.country.lower() not in zones:
        report.error(
            general.at("country") if general.file else zones[next(iter(zones))],
            f"country {general.country} is not in this file",
        )
    return IndicationsSettings(name="indications.conf", file=file.path, general=general, zones=zones)


def _read_zone(section: Section, report: Report) -> ToneZone:
    tones: dict[str, str] = {}
    values: dict[str, str] = {}
    set_at: dict[str, Option] = {}
    cadence: list[int] = []
    for option in section.options:
        name = option.name.lower()
        if name in ("description", "alias", "ringcadence"):
            values[name] = option.value
            set_at[name] = option
            if name == "ringcadence":
                cadence = _read_cadence(option, report)
        else:
            refusal = tone_error(option.value)
            if refusal:
                report.error(option, f"{option.name} {option.value}: {refusal}")
            tones[name] = option.value
    return ToneZone(
        name=section.name,
        file=section.file,
        line=section.line,
        set_at=set_at,
        tones=tones,
        cadence_ms=tuple(cadence),
        **values,
    )


def _read_cadence(option: Option, report: Report) -> list[int]:
    cadence: list[int] = []
    for word in map(str.strip, option.value.split(",")):
        if not (word.isascii() and word.isdigit()) or int(word[:12]) > MAX_TONE_MS:
            report.error(option, f"ringcadence {word} is not a number of milliseconds in 0..{MAX_TONE_MS}")
            return []
        cadence.append(int(word))
    return cadence


def tone_error(notation: str) -> str:
    """Why a tone such as `!350+440/100,0/4000` cannot be read, or ""."""
    if not notation.strip():
        return "a tone has at least one element such as 425/500"
    for element in notation.split(","):
        frequencies, slash, length = element.strip().removeprefix("!").partition("/")
        if slash and not (length.strip().isdecimal() and int(length.strip()[:12]) <= MAX_TONE_MS):
            return f"length {length} is not a number of milliseconds in 0..{MAX_TONE_MS}"
        tones = frequencies.removeprefix("M").removeprefix("m")
        for word in tones.replace("*", "+").split("+"):
            if not (word.strip().isdecimal() and int(word.strip()[:12]) <= MAX_FREQUENCY_HZ):
                return f"frequency {word.strip() or 'nothing'} is not a number of hertz in 0..{MAX_FREQUENCY_HZ}"
    return ""
