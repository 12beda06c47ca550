"""The tone zones: all there, in the syntax of indications.conf, with tones a telephone can carry."""

from __future__ import annotations

import configparser
import re

import pytest

from .audio import DATA

ZONES = ("us", "uk", "de", "fr", "at", "ch", "nl", "it", "es", "jp", "au", "in")
TONES = ("dial", "busy", "ring", "congestion", "callwaiting", "dialrecall", "record", "info", "stutter")
ELEMENT = re.compile(r"!?(?P<first>\d+)(?:(?P<sign>[+*])(?P<second>\d+))?(?:/(?P<milliseconds>\d+))?")


def read_zones() -> configparser.ConfigParser:
    zones = configparser.ConfigParser(interpolation=None, comment_prefixes=(";",))
    zones.read_string((DATA / "indications.conf").read_text("ascii"))
    return zones


INDICATIONS = read_zones()


def test_the_default_is_the_united_states() -> None:
    assert INDICATIONS["general"]["country"] == "us"
    assert INDICATIONS.sections() == ["general", *ZONES]


@pytest.mark.parametrize("zone", ZONES)
def test_a_zone_describes_every_tone(zone: str) -> None:
    section = INDICATIONS[zone]
    assert section["description"]
    cadence = [int(milliseconds) for milliseconds in section["ringcadence"].split(",")]
    assert len(cadence) % 2 == 0
    assert all(100 <= milliseconds <= 10_000 for milliseconds in cadence)
    for name in set(section) - {"description", "ringcadence"}:
        elements = section[name].split(",")
        for element in elements:
            match = ELEMENT.fullmatch(element)
            assert match, f"{zone} {name}: {element}"
            audible = [int(part) for part in (match["first"], match["second"] or "0") if part != "0"]
            if match["sign"] == "*":
                audible.pop()  # how fast the loudness swings, not a pitch
            assert all(300 <= frequency_hz <= 3400 for frequency_hz in audible), f"{zone} {name}: {element}"
            assert match["milliseconds"] or element == elements[-1], f"{zone} {name}: {element} never ends"
    assert set(TONES) <= set(section)


def test_the_tones_that_a_caller_in_the_united_states_knows() -> None:
    zone = INDICATIONS["us"]
    assert zone["dial"] == "350+440"
    assert zone["busy"] == "480+620/500,0/500"
    assert zone["ring"] == "440+480/2000,0/4000"
    assert zone["congestion"] == "480+620/250,0/250"
    assert zone["info"] == "!950/330,!1400/330,!1800/330,0"
