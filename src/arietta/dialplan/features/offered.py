"""The features that a channel may use, by their keys, and what features.conf and FEATURE say of them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING

from arietta.config.features import ApplicationFeature, FeatureMap, FeatureSettings
from arietta.config.settings import declared

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

log = logging.getLogger(__name__)

BUILT_IN = frozenset(entry.field for entry in declared(FeatureMap))
DYNAMIC = "DYNAMIC_FEATURES"
"""The variable with the names of features that execute applications, parted by ``#``."""
OWN = "FEATURE"
"""Where a channel keeps settings of its own."""
INHERIT = "FEATURE(inherit)"
"""Where it keeps that those it calls have them too."""


def settings_of(plan: Interpreter, channel: Channel) -> FeatureSettings:
    """The settings of a channel: its own, or those of features.conf."""
    own: FeatureSettings | None = channel.functions.get(OWN)
    return own if own is not None else plan.features


def inherit(caller: Channel, peer: Channel) -> None:
    """Let who is called have the caller's own settings, if FEATURE(inherit) says so."""
    if INHERIT in caller.functions and OWN in caller.functions:
        peer.functions[OWN], peer.functions[INHERIT] = caller.functions[OWN], True


def keys_of(plan: Interpreter, channel: Channel, feature: str) -> str:
    """The keys of a feature for a channel; "" if it has none."""
    settings = settings_of(plan, channel)
    if feature in BUILT_IN:
        keys: str = getattr(settings.map, feature)
        return keys
    return next((one.keys for one in settings.named(feature)), "")


def offered(plan: Interpreter, channel: Channel, allowed: Collection[str]) -> dict[str, str | ApplicationFeature]:
    """What its keys may mean for a channel: built-in features by their names, and those that execute applications."""
    found: dict[str, str | ApplicationFeature] = {}
    names = plan.variable(channel, DYNAMIC)
    for name in filter(None, (name.strip() for name in names.split("#"))) if names else ():
        features = plan.features.named(name)
        if not features:
            log.warning("%s: %s names %r, which is no feature of features.conf", channel.name, DYNAMIC, name)
        found.update((feature.keys, feature) for feature in features)
    for feature in sorted(allowed):
        keys = keys_of(plan, channel, feature)
        if keys:
            found[keys] = feature
    return found
