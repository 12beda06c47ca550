"""Hears what happens and delivers it as manager events, while anybody wants events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from arietta.bridges.bridge import BridgeRegistry
from arietta.bus import Bus
from arietta.channels.channel import INTERNAL
from arietta.channels.registry import ChannelRegistry
from arietta.manager.events import agi, bridges, calls, records, reports, security, system
from arietta.manager.events.blocks import Blocks
from arietta.manager.events.declared import TRANSLATIONS
from arietta.manager.message import ManagerEvent
from arietta.model import facts

TRANSLATORS = (agi, bridges, calls, records, reports, security, system)
"""Being imported they have registered their translations."""
OTHERS = ("manager:",)
"""Where parts that speak manager events themselves (CDR, CEL, AsyncAGI) publish them."""


class Translator:
    """Facts in, manager events out: subscribed only between `start` and `stop`.

    `deliver` gets each event once, in the order in which things happen; what it does must not wait.
    """

    def __init__(
        self,
        bus: Bus,
        channels: ChannelRegistry,
        bridge_registry: BridgeRegistry,
        deliver: Callable[[ManagerEvent], None],
        *,
        variables: Sequence[str] = (),
    ) -> None:
        self._bus = bus
        self._deliver = deliver
        self._blocks = Blocks(channels, bridge_registry)
        self._blocks.variables = tuple(variables)
        self._running = False

    @property
    def running(self) -> bool:
        """Whether events are delivered."""
        return self._running

    def start(self) -> None:
        """Deliver events from now on; started twice is started."""
        if self._running:
            return
        self._running = True
        self._blocks.meet_all()
        for topic in _topics():
            self._bus.subscribe(topic, self._hear)

    def stop(self) -> None:
        """Deliver no events any more, and keep nothing."""
        if not self._running:
            return
        self._running = False
        for topic in _topics():
            self._bus.unsubscribe(topic, self._hear)
        self._blocks.forget_all()

    def show_variables(self, variables: Sequence[str]) -> None:
        """Show every channel with these variables from now on."""
        self._blocks.variables = tuple(variables)
        self._blocks.forget_blocks()

    def _hear(self, fact: Any) -> None:
        if type(fact) is ManagerEvent:
            self._deliver(fact)
            return
        translate = TRANSLATIONS.get(type(fact))
        if translate is not None:
            event = translate(fact, self._blocks)
            if event is not None:
                self._deliver(event)


def _topics() -> tuple[str, ...]:
    """Every topic on which something is published that has a translation."""
    found = dict.fromkeys(("channel:", *INTERNAL, "bridge:", "endpoint:", "deviceState:", *facts.USER_EVENTS, *OTHERS))
    for kind in TRANSLATIONS:
        if issubclass(kind, facts.Fact):
            found.update(dict.fromkeys(kind.topics))
    return tuple(found)
