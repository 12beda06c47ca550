"""Random stories of ports, mixers and what is done to them: the same for the same seed, whatever the engine.

`story(seed)` makes a list of plain steps; `told(world, steps)` lets them happen in a world and returns all that could
be seen from outside: every packet each phone got, what each stream was handed, every event, what was refused.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arietta.media.codecs import CODECS
from arietta.media.engine import (
    DigitOut,
    MediaError,
    Music,
    RecordOptions,
    Samples,
    Side,
    Silence,
)
from arietta.media.tones import digit_tones, parse_tones, render
from arietta.rtp import DIGITS, TelephoneEvent

from .impairments import Network, say_over
from .virtual import Phone, World, tone

__all__ = ["Outcome", "Step", "story", "told"]

Step = tuple[Any, ...]
"""A verb, then its arguments: names, numbers, strings."""

PHONE_CODECS = ("ulaw", "ulaw", "ulaw", "alaw", "gsm", "g722", "slin16", "slin48")
STREAM_FORMATS = ("ulaw", "slin", "slin16", "slin48", "gsm")
FORMATS = ("wav", "wav16", "ulaw", "gsm", "sln")
SIDES = ("in", "out", "both")
MOST_PORTS = 7
MOST_MIXERS = 2


@dataclass
class Outcome:
    """What was seen."""

    packets: dict[str, list[tuple[int, bool, int, int, bytes]]] = field(default_factory=dict)
    """To each phone: payload type, marker, sequence number and timestamp since its first packet, payload."""
    frames: dict[str, list[bytes]] = field(default_factory=dict)
    """To each stream's Python code."""
    events: list[tuple[int, str, object]] = field(default_factory=list)
    """When (ms), of what, and which."""
    refused: list[tuple[int, str]] = field(default_factory=list)
    """Place of the step, and the words."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Recordings."""


class _Author:
    """Makes up a story, keeping in mind what is there."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.steps: list[Step] = []
        self.ports: list[str] = []
        self.phones: list[str] = []
        self.streams: list[str] = []
        self.mixers: list[str] = []
        self.recordings: list[str] = []
        self._names = 0

    def name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}{self._names}"

    def write(self, length: int) -> list[Step]:
        self.phone()
        self.phone()
        self.steps.append(("link", self.phones[0], self.phones[1], False, False))
        for _ in range(length):
            openings = [self.phone, self.phone, self.stream, self.pipe, self.snoop, self.mixer]
            deeds = [self.say] * 6 + [self.link] * 4 + [self.play, self.play, self.record, self.stop_record, self.mute]
            deeds += [self.digits, self.press, self.echo, self.listen, self.push, self.push, self.generate, self.stop]
            deeds += [self.unlink, self.close, self.pass_digits]
            self.rng.choice(openings * 2 + deeds * 3)()
            self.steps.append(("wait", self.rng.choice((0, 20, 60, 137, 300))))
        return self.steps

    # -- openings --

    def phone(self) -> None:
        if len(self.ports) < MOST_PORTS:
            name = self.name("phone")
            self.ports.append(name)
            self.phones.append(name)
            events = self.rng.choice((101, 101, 101, None))
            self.steps.append(("phone", name, self.rng.choice(PHONE_CODECS), events, self.rng.choice((20, 20, 20, 40))))

    def stream(self) -> None:
        if len(self.ports) < MOST_PORTS:
            name = self.name("stream")
            self.ports.append(name)
            self.streams.append(name)
            self.steps.append(("stream", name, self.rng.choice(STREAM_FORMATS), self.rng.random() < 0.5))

    def pipe(self) -> None:
        if len(self.ports) < MOST_PORTS - 1:
            one, other = self.name("pipe"), self.name("pipe")
            self.ports += [one, other]
            self.steps.append(("pipe", one, other))

    def snoop(self) -> None:
        if len(self.ports) < MOST_PORTS:
            name, target = self.name("snoop"), self.rng.choice(self.ports)
            self.ports.append(name)
            self.steps.append(("snoop", name, target, self.rng.choice(SIDES), self.rng.choice(("none", *SIDES))))

    def mixer(self) -> None:
        if len(self.mixers) < MOST_MIXERS:
            name = self.name("mixer")
            self.mixers.append(name)
            self.steps.append(("mixer", name, self.rng.random() < 0.2))

    # -- deeds --

    def any_port(self) -> str:
        return self.rng.choice(self.ports)

    def link(self) -> None:
        chance = self.rng.random
        self.steps.append(
            ("link", self.any_port(), self.rng.choice(self.ports + 3 * self.mixers), chance() < 0.1, chance() < 0.2)
        )

    def unlink(self) -> None:
        self.steps.append(("unlink", self.any_port()))

    def say(self) -> None:
        network = (self.rng.randrange(1000), *self.rng.choice(((0, 0), (0, 0), (0.08, 0), (0, 30), (0.05, 15))))
        ms = self.rng.choice((200, 500, 900))
        self.steps.append(("say", self.rng.choice(self.phones), self.rng.randrange(250, 1800), ms, *network))

    def push(self) -> None:
        if self.streams:
            self.steps.append(
                ("push", self.rng.choice(self.streams), self.rng.randrange(300, 1200), self.rng.choice((20, 100, 333)))
            )

    def play(self) -> None:
        kind = self.rng.choice(("tone", "ring", "silence"))
        self.steps.append(
            ("play", self.any_port(), kind, self.rng.choice((100, 250, 700)), self.rng.choice((0, 0, 60)))
        )

    def stop(self) -> None:
        self.steps.append((self.rng.choice(("stop", "pause", "resume", "restart")), self.any_port()))

    def generate(self) -> None:
        kind = self.rng.choice(("ring", "silence", "music", "none"))
        self.steps.append(("generate", self.rng.choice(self.ports + self.mixers), kind))

    def record(self) -> None:
        name = self.name("recording")
        self.recordings.append(name)
        limit, beep = self.rng.choice((0, 400)), self.rng.random() < 0.2
        self.steps.append(
            ("record", self.any_port(), name, self.rng.choice(FORMATS), self.rng.choice(SIDES), limit, beep)
        )

    def stop_record(self) -> None:
        if self.recordings:
            self.steps.append(("stop_record", self.rng.choice(self.recordings)))

    def mute(self) -> None:
        flags = [self.rng.choice((True, False, False, None)) for _ in range(2)]
        self.steps.append(("mute", self.any_port(), *flags))

    def digits(self) -> None:
        keys = "".join(self.rng.choices("0123456789*#ABCD", k=self.rng.randrange(1, 4)))
        self.steps.append(("digits", self.any_port(), keys, self.rng.choice((60, 100, 160))))

    def press(self) -> None:
        verb = self.rng.choice(("press", "tones"))
        self.steps.append(
            (verb, self.rng.choice(self.phones), self.rng.choice("0123456789*#ABCD"), self.rng.choice((60, 100)))
        )

    def echo(self) -> None:
        self.steps.append(("echo", self.any_port(), self.rng.random() < 0.5))

    def pass_digits(self) -> None:
        self.steps.append(("pass_digits", self.any_port(), self.rng.random() < 0.5))

    def listen(self) -> None:
        what = self.rng.choice(("talk", "tone", "inband"))
        self.steps.append((what, self.any_port(), self.rng.random() < 0.8, self.rng.choice(("in", "out"))))

    def close(self) -> None:
        if len(self.ports) > 3:
            name = self.any_port() if self.rng.random() < 0.8 or not self.mixers else self.mixers[0]
            for known in (self.ports, self.streams, self.mixers):
                if name in known:
                    known.remove(name)
            if name in self.phones and len(self.phones) > 1:
                self.phones.remove(name)
            self.steps.append(("close", name))


def story(seed: int, length: int = 40) -> list[Step]:
    """So many deeds, each with a pause after it."""
    return _Author(seed).write(length)


class _Log(list[Any]):
    """A list of events that tells when they came."""

    def __init__(self, tell: Callable[[object], None]) -> None:
        super().__init__()
        self._tell = tell

    def append(self, event: Any) -> None:
        super().append(event)
        self._tell(event)


class _Stage:
    """Where a story happens: its verbs are methods."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.core = world.core
        self.folder = folder
        self.outcome = Outcome()
        self.ports: dict[str, Any] = {}
        self.phones: dict[str, Phone] = {}
        self.mixers: dict[str, Any] = {}
        self.players: dict[str, Any] = {}
        self.recorders: dict[str, Any] = {}
        self._begun = world.now

    def log(self, name: str) -> Callable[[object], None]:
        def tell(event: object) -> None:
            self.outcome.events.append(((self.world.now - self._begun) // 1_000_000, name, event))

        return tell

    def any(self, name: str) -> Any:
        return self.ports.get(name) or self.mixers[name]

    def wait(self, ms: int) -> None:
        self.world.run(ms)

    def phone(self, name: str, codec: str, event_type: int | None, ptime_ms: int) -> None:
        address = (f"10.0.3.{len(self.phones) + 1}", 4000)
        phone = Phone(self.world, address, codec, events=_Log(self.log(name)))
        phone.call(telephone_event_pt=event_type, ptime_ms=ptime_ms)
        self.phones[name] = phone
        self.ports[name] = phone.port

    def stream(self, name: str, format: str, digits: bool) -> None:
        frames = self.outcome.frames.setdefault(name, [])
        told = self.log(name)
        self.ports[name] = self.core.open_stream(
            format=format,
            on_event=told,
            on_frame=frames.append,
            on_digit=(lambda digit, ms: told((digit, ms))) if digits else None,
        )

    def pipe(self, one: str, other: str) -> None:
        self.ports[one], self.ports[other] = self.core.open_pipe(self.log(one), self.log(other))

    def snoop(self, name: str, target: str, spy: str, whisper: str) -> None:
        self.ports[name] = self.core.open_snoop(
            self.ports[target], spy=Side(spy), whisper=Side(whisper), on_event=self.log(name)
        )

    def mixer(self, name: str, holding: bool) -> None:
        self.mixers[name] = self.core.open_mixer(holding=holding)

    def link(self, name: str, other: str, muted: bool, announcer: bool) -> None:
        self.ports[name].link(self.any(other), muted=muted, announcer=announcer)

    def unlink(self, name: str) -> None:
        self.ports[name].link(None)

    def say(self, name: str, frequency: int, ms: int, seed: int, loss: float, jitter_ms: float) -> None:
        phone = self.phones[name]
        samples = tone(frequency, ms, rate=CODECS[phone.codec].rate)
        say_over(Network(seed=seed, loss=loss, jitter_ms=jitter_ms), phone, samples)

    def push(self, name: str, frequency: int, ms: int) -> None:
        stream = self.ports[name]
        found = CODECS[stream.codec] if stream.codec in CODECS else CODECS["slin"]
        samples = tone(frequency, ms // 20 * 20, rate=found.rate)
        self.log(name)(("took", stream.push(samples if found.linear else found.encoder()(samples))))

    def play(self, name: str, kind: str, ms: int, offset_ms: int) -> None:
        sources = {
            "tone": Samples(tone(440, ms)),
            "silence": Silence(ms),
            "ring": parse_tones("440+480/200,0/100"),
        }
        self.players[name] = self.ports[name].play(
            sources[kind], offset_ms=offset_ms, on_end=self.log(f"{name}'s player")
        )

    def stop(self, name: str) -> None:
        self.players[name].stop()

    def pause(self, name: str) -> None:
        self.players[name].pause()

    def resume(self, name: str) -> None:
        self.players[name].resume()

    def restart(self, name: str) -> None:
        self.players[name].restart()

    def generate(self, name: str, kind: str) -> None:
        sources = {"none": None, "silence": Silence(), "ring": parse_tones("425/300,0/200"), "music": Music("none")}
        self.any(name).generate(sources[kind])

    def record(self, port: str, name: str, format: str, side: str, limit_ms: int, beep: bool) -> None:
        options = RecordOptions(side=Side(side), max_duration_ms=limit_ms, beep=beep)

        def ended(end: Any) -> None:
            self.log(name)((end.reason, end.duration_ms, end.talking_ms, end.silence_ms, end.error))

        self.recorders[name] = self.ports[port].record(str(self.folder / name), format, options, on_end=ended)

    def stop_record(self, name: str) -> None:
        self.recorders[name].stop()

    def mute(self, name: str, incoming: bool | None, outgoing: bool | None) -> None:
        self.ports[name].mute(incoming, outgoing)

    def digits(self, name: str, keys: str, ms: int) -> None:
        told = self.log(f"{name}'s digits")
        self.ports[name].send_digits([DigitOut(key, ms, 60) for key in keys], lambda: told("sent"))

    def press(self, name: str, digit: str, ms: int) -> None:
        """A key as telephone-events, all with the timestamp of its beginning."""
        phone = self.phones[name]
        start, code = phone.timestamp, DIGITS.index(digit)

        def packet(length: int, end: bool) -> None:
            phone.timestamp = start
            phone.send(bytes(TelephoneEvent(code, end, 10, length)), number=101)

        units = CODECS[phone.codec].clock_rate // 1000
        for n in range(ms // 20):
            self.world.at(20 * n, lambda n=n: packet(20 * units * (n + 1), False))  # type: ignore[misc]
        for _ in range(3):
            self.world.at(ms, lambda: packet(units * ms, True))

    def tones(self, name: str, digit: str, ms: int) -> None:
        """A key as tones."""
        phone = self.phones[name]
        rate = CODECS[phone.codec].rate
        samples, _ = render(digit_tones(digit), rate, 5000.0)
        phone.say(samples[: rate * ms // 1000 * 2] + bytes(rate // 10 * 2))

    def echo(self, name: str, on: bool) -> None:
        self.ports[name].echo(on)

    def pass_digits(self, name: str, on: bool) -> None:
        self.ports[name].pass_digits(on)

    def talk(self, name: str, on: bool, side: str) -> None:
        self.ports[name].detect_talk(256 if on else None, 200)

    def tone(self, name: str, on: bool, side: str) -> None:
        self.ports[name].detect_tone(440 if on else None, 100, side=Side(side))

    def inband(self, name: str, on: bool, side: str) -> None:
        self.ports[name].detect_digits(on)

    def close(self, name: str) -> None:
        self.any(name).close()

    def end(self) -> Outcome:
        """Close all that is there, and see what came of it."""
        for owner in (*self.ports.values(), *self.mixers.values()):
            owner.close()
            self.world.run(0)
        self.world.run(1000)
        for name, phone in self.phones.items():
            self.outcome.packets[name] = _relative(phone)
        self.outcome.files = {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}
        return self.outcome


def _relative(phone: Phone) -> list[tuple[int, bool, int, int, bytes]]:
    packets = phone.collect()
    if not packets:
        return []
    first = packets[0]
    return [
        (
            packet.payload_type,
            packet.marker,
            (packet.sequence - first.sequence) & 0xFFFF,
            (packet.timestamp - first.timestamp) & 0xFFFFFFFF,
            packet.payload,
        )
        for packet in packets
    ]


def told(world: World, steps: list[Step], folder: Path) -> Outcome:
    """What can be seen of a story; recordings go to the folder, which must be empty.

    A step that speaks of something that is not there (no player yet) is left out; what the engine refuses is kept.
    """
    stage = _Stage(world, folder)
    for place, (verb, *arguments) in enumerate(steps):
        try:
            getattr(stage, verb)(*arguments)
            world.run(0)
        except KeyError:
            continue
        except MediaError as error:
            stage.outcome.refused.append((place, str(error)))
    return stage.end()
