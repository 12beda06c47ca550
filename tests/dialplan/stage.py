"""A stage for ladders: a virtual clock, channels with legs that remember, and a driver whose phones obey a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from arietta.bus import Bus
from arietta.channels import signals
from arietta.channels.channel import Channel, State
from arietta.channels.driver import CannotRequest, DialRequest, Indication, Party
from arietta.channels.registry import ChannelRegistry
from arietta.config.conf import parse_conf
from arietta.dialplan.interpreter import Interpreter
from arietta.dialplan.reader import read_dialplan
from arietta.media.engine import JitterRules, MediaError, Side
from arietta.media.volume import check_volume


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer as soon as nothing else is to be done."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual_now = 0.0

    def time(self) -> float:
        return self._virtual_now

    def _run_once(self) -> None:
        if not self._ready:  # type: ignore[attr-defined]
            due = [timer.when() for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
            self._virtual_now = max(self._virtual_now, min(due, default=0.0))
        super()._run_once()  # type: ignore[misc]


class Leg:
    """A leg that writes down what it is told."""

    protocol_id = ""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.port = Port(self.said)
        self.on_call: Callable[[], None] = lambda: None

    def call(self) -> None:
        self.said.append("call")
        self.on_call()

    def answer(self) -> None:
        self.said.append("answer")

    def indicate(self, indication: Indication, data: str = "") -> None:
        if indication is not Indication.CONNECTED_LINE:
            self.said.append(indication.value)

    def send_digits(self, digits: Sequence[Any], on_end: Callable[[], None] | None = None) -> None:
        self.said.append("digits " + " ".join(f"{one.digit}/{one.duration_ms}/{one.gap_ms}" for one in digits))
        if on_end is not None:
            asyncio.get_running_loop().call_later(0.1, on_end)

    def redirect(self, target: str) -> None:
        self.said.append(f"redirect {target}")

    def hangup(self, cause: int) -> int | None:
        self.said.append(f"hangup {cause}")
        return None

    def read(self, item: str) -> str | None:
        return "192.0.2.1" if item == "peerip" else None


class Port:
    """A port that writes down what it is told."""

    def __init__(self, said: list[str]) -> None:
        self.said = said

    def link(self, other: Port | None) -> None:
        """What is heard of others is not written down."""

    def echo(self, on: bool) -> None:
        self.said.append(f"echo {'on' if on else 'off'}")

    def volume(self, side: Side, factor: float) -> None:
        check_volume(side, factor)
        self.said.append(f"volume {side.value} {factor:g}")

    def mute(self, incoming: bool | None = None, outgoing: bool | None = None) -> None:
        self.said.append(f"mute {incoming} {outgoing}")

    def buffer(self, rules: JitterRules) -> None:
        self.said.append(f"buffer {rules.fixed} {rules.target_ms} {rules.largest_ms} {rules.resync_ms}")

    def detect_talk(self, threshold: int | None, silence_ms: int = 2500) -> None:
        self.said.append(f"talk {threshold} {silence_ms}")

    def detect_tone(self, frequency_hz: int | None, duration_ms: int = 500) -> None:
        self.said.append(f"tone {frequency_hz} {duration_ms}")


class Player:
    """Plays each sound for a second, and writes down how it is moved."""

    def __init__(
        self, channel: Channel, names: Sequence[str], on_end: Callable[[str | None], None], offset_ms: int
    ) -> None:
        self.said = leg_of(channel).said
        self.said.append("play " + " ".join(names) + (f" from {offset_ms}" if offset_ms else ""))
        self.loop = channel.registry.loop
        self.begun = self.loop.time() - offset_ms / 1000
        self.timer = self.loop.call_later(len(names) - offset_ms / 1000, on_end, None)

    @property
    def position_ms(self) -> int:
        return round((self.loop.time() - self.begun) * 1000)

    def skip(self, ms: int) -> None:
        self.said.append(f"skip {ms}")

    def pause(self) -> None:
        self.said.append("pause")

    def resume(self) -> None:
        self.said.append("resume")

    def stop(self) -> None:
        self.timer.cancel()


class Media:
    """Every sound takes a second; those whose name begins with "no" do not exist."""

    def play(self, channel: Channel, uri: str, on_end: Callable[[str | None], None]) -> Callable[[], None]:
        leg_of(channel).said.append(uri)
        if uri.partition(":")[2].startswith("no"):
            return channel.registry.loop.call_soon(on_end, f"there is no {uri}").cancel
        timer = channel.registry.loop.call_later(1.0, on_end, None)

        def stop() -> None:
            timer.cancel()
            leg_of(channel).said.append("stop")

        return stop

    def player(
        self, channel: Channel, names: Sequence[str], on_end: Callable[[str | None], None], offset_ms: int = 0
    ) -> Any:
        if any(name.startswith("no") for name in names):
            raise MediaError(f"there is no {names[0]}")
        return Player(channel, names, on_end, offset_ms)

    def tones(self, channel: Channel, what: str | None) -> bool:
        leg_of(channel).said.append(f"tones {what}")
        return what != "nothing"

    def music(self, channel: Channel, music_class: str | None) -> None:
        leg_of(channel).said.append(f"music {music_class}")


class Bridges:
    """Two-party bridges that only watch who leaves."""

    def __init__(self) -> None:
        self.story: list[str] = []

    def connect(
        self, caller: Channel, peer: Channel, on_left: Callable[[Channel], None], *, names: bool = True
    ) -> Callable[[], None]:
        self.story.append(f"{caller.name} and {peer.name} talk")
        open_bridge = [True]

        def left(channel: Channel) -> None:
            if open_bridge[0]:
                open_bridge[0] = False
                on_left(channel)

        caller.on_end.append(left)
        peer.on_end.append(left)

        def end() -> None:
            open_bridge[0] = False
            self.story.append("the bridge ends")

        return end


class Phones:
    """A driver of technology Test: a phone does what its script says after it is called."""

    technology = "Test"

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.scripts: dict[str, list[tuple[float, signals.Signal]]] = {}
        self.made: list[Channel] = []
        self.wanted: list[DialRequest] = []

    def request(self, wanted: DialRequest) -> Channel:
        if wanted.resource not in self.scripts:
            raise CannotRequest(f"there is no phone {wanted.resource}", 20)
        registry = self.stage.registry
        leg = Leg()
        channel = Channel(
            registry,
            leg,  # type: ignore[arg-type]
            channel_id=registry.new_id(),
            name=f"Test/{wanted.resource}",
            caller=Party("", wanted.resource),
        )

        def ring() -> None:
            for delay, signal in self.scripts[wanted.resource]:
                registry.loop.call_later(delay, channel.receive, signal)

        leg.on_call = ring
        registry.add(channel)
        self.made.append(channel)
        self.wanted.append(wanted)
        return channel

    def endpoints(self) -> list[Any]:
        return []

    def endpoint(self, resource: str) -> None:
        return None

    def device_state(self, resource: str) -> str | None:
        return "NOT_INUSE" if resource in self.scripts else None

    async def stop(self) -> None:
        return


def leg_of(channel: Channel) -> Leg:
    leg: Any = channel.leg
    assert isinstance(leg, Leg)
    return leg


class Stage:
    """One dialplan and its world."""

    def __init__(self, text: str, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.loop = loop or VirtualLoop()
        self.bus = Bus()
        self.events: list[Any] = []
        self.bus.subscribe("channel:", self.events.append)
        self.registry = ChannelRegistry(self.bus, None, self.loop)  # type: ignore[arg-type]
        self.phones = Phones(self)
        self.registry.drivers["test"] = self.phones  # type: ignore[assignment]
        self.bridges = Bridges()
        self.plan = Interpreter(
            read_dialplan(parse_conf(text, "extensions.conf")),
            self.registry,
            media=Media(),
            bridges=self.bridges,
            entity_id="00:11:22:33:44:55",
            version="1.2.3",
            clock=lambda: 1_800_000_000 + self.loop.time(),
        )
        self.registry.dialplan = self.plan

    def channel(self, exten: str = "s", context: str = "default", number: str = "6001") -> Channel:
        """An incoming channel that nobody owns yet."""
        channel = Channel(
            self.registry,
            Leg(),  # type: ignore[arg-type]
            channel_id=self.registry.new_id(),
            name="Test/caller",
            state=State.RING,
            context=context,
            exten=exten,
            caller=Party("Caller", number),
        )
        self.registry.add(channel)
        return channel

    def later(self, delay: float, action: Callable[..., Any], *arguments: Any) -> None:
        """Do something after `delay` seconds."""
        self.loop.call_later(delay, action, *arguments)

    def press(self, channel: Channel, digits: str, start: float = 0.1, gap: float = 0.1) -> None:
        """The caller presses keys."""
        for place, digit in enumerate(digits):
            self.later(start + place * gap, channel.receive, signals.DigitEnded(digit, 100))

    def run(self, channel: Channel) -> list[str]:
        """Run the channel's dialplan to its end; what its leg was told."""

        async def story() -> None:
            channel.own(self.plan.run(channel))
            assert channel.task is not None
            await channel.task

        self.do(story())
        return leg_of(channel).said

    def do(self, story: Coroutine[Any, Any, None]) -> None:
        """Run a story, and close the loop behind it."""
        asyncio.set_event_loop(None)
        try:
            self.loop.run_until_complete(story)
            if isinstance(self.loop, VirtualLoop):
                self.loop.run_until_complete(asyncio.sleep(100))
        finally:
            self.loop.close()

    def steps(self) -> list[str]:
        """The steps that were executed: ``exten:priority Application(arguments)``."""
        return [
            f"{event.channel.dialplan.exten}:{event.channel.dialplan.priority} "
            f"{event.dialplan_app}({event.dialplan_app_data})"
            for event in self.events
            if type(event).__name__ == "ChannelDialplan" and event.dialplan_app != "AppDial"
        ]

    def variables(self, name: str) -> list[str]:
        """The values a variable had, one after the other."""
        return [
            event.value for event in self.events if type(event).__name__ == "ChannelVarset" and event.variable == name
        ]


def walk(text: str, exten: str = "s", **particulars: Any) -> tuple[list[str], Stage]:
    """Run a call to `exten` through a dialplan: the steps it took, and the stage."""
    stage = Stage(text)
    stage.run(stage.channel(exten, **particulars))
    return stage.steps(), stage
