"""Functions on features: FEATURE and FEATUREMAP."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec

from arietta.config.features import PARK, FeatureMap, FeaturesGeneral
from arietta.config.kinds import Invalid
from arietta.config.reference import value_text
from arietta.config.settings import Settings, declared
from arietta.dialplan.arguments import is_yes
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.features.offered import INHERIT, OWN, settings_of
from arietta.dialplan.functions import Function, needed

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

log = logging.getLogger(__name__)


def _value(kind: type[Settings], function: str, option: str, text: str) -> Any:
    """What a text means for an option; FunctionError for one that makes no sense."""
    entry = next((entry for entry in declared(kind) if entry.field == option), None)
    if entry is None:
        known = ", ".join(entry.field for entry in declared(kind))
        raise FunctionError(function, f"{option!r} is none of {known}")
    try:
        return entry.kind.read(text, option, entry.default, log.warning)
    except Invalid as failure:
        raise FunctionError(function, str(failure)) from failure


def _read(part: str, kind: type[Settings], function: str) -> Any:
    def read(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
        who, option = needed(channel, function), arguments.strip().lower()
        if function == "FEATURE" and option == "inherit":
            return "yes" if INHERIT in who.functions else "no"
        settings = getattr(settings_of(plan, who), part)
        if option not in (entry.field for entry in declared(kind)):
            _value(kind, function, option, "")
        return value_text(getattr(settings, option))

    return read


def _write(part: str, kind: type[Settings], function: str) -> Any:
    def write(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
        who, option = needed(channel, function), arguments.strip().lower()
        if function == "FEATURE" and option == "inherit":
            who.functions.pop(INHERIT, None)
            if is_yes(value):
                who.functions[INHERIT] = True
            return
        if option == PARK:
            raise FunctionError(function, f"{PARK} has no keys: calls are not parked by keys")
        settings = settings_of(plan, who)
        changed = msgspec.structs.replace(getattr(settings, part), **{option: _value(kind, function, option, value)})
        who.functions[OWN] = msgspec.structs.replace(settings, **{part: changed})

    return write


FUNCTIONS = (
    Function(
        "FEATURE",
        "FEATURE(option)",
        "An option of features.conf [general] for this channel; `inherit` says whether those it calls have the same.",
        _read("general", FeaturesGeneral, "FEATURE"),
        _write("general", FeaturesGeneral, "FEATURE"),
    ),
    Function(
        "FEATUREMAP",
        "FEATUREMAP(feature)",
        "The keys of blindxfer, atxfer, disconnect, automon or automixmon for this channel.",
        _read("map", FeatureMap, "FEATUREMAP"),
        _write("map", FeatureMap, "FEATUREMAP"),
    ),
)
