"""Random courses: ports, mixers and what runs on them, by commands that chance chooses; the same for the same seed."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from arietta.media.engine import (
    DigitOut,
    Files,
    Generator,
    MediaError,
    Mixer,
    MixerMode,
    Music,
    PlayEnd,
    Player,
    Port,
    RecordEnd,
    Recorder,
    RecordOptions,
    RtpPort,
    Samples,
    Side,
    Silence,
    Source,
    StreamPort,
    Tones,
)
from arietta.media.tones import ToneSegment

__all__ = ["Course", "make_sounds", "speech", "spoken"]

SIDES = (Side.IN, Side.OUT, Side.BOTH)
STREAMS = ("slin", "slin16", "ulaw", "alaw", "gsm", "slin48")
RECORDINGS = ("wav", "ulaw", "alaw", "gsm", "sln", "wav16", "sln48")
DIGITS = "0123456789*#ABCD"


def speech(random: Random, ms: int, rate: int = 8000) -> bytes:
    """Samples whose pitch and loudness change, with pauses."""
    values = array("h")
    phase = 0.0
    while len(values) < rate * ms // 1000:
        pitch, level = random.uniform(90, 2500), random.choice((0, 0, 300, 2000, 9000, 30000))
        for _ in range(rate * random.randrange(20, 200) // 1000):
            phase += 2 * math.pi * pitch / rate
            values.append(round(level * math.sin(phase)))
    return values[: rate * ms // 1000].tobytes()


SPOKEN = speech(Random(1), 20_000, 16000)


def spoken(random: Random, most_ms: int) -> bytes:
    """Some of it, up to so much at 16 kHz."""
    start, size = random.randrange(len(SPOKEN) // 2), random.randrange(16 * most_ms)
    return SPOKEN[2 * start : 2 * (start + size)]


def make_sounds(folder: Path) -> tuple[str, ...]:
    """Sound files, of which the last is broken and one is missing."""
    (folder / "long.sln").write_bytes(SPOKEN[:48000])
    (folder / "short.ulaw").write_bytes(Random(5).randbytes(160 * 11 + 37))
    (folder / "wide.sln16").write_bytes(SPOKEN[100_000:122_400])
    (folder / "broken.wav").write_bytes(b"RIFF")
    return tuple(str(folder / name) for name in ("long.sln", "short.ulaw", "wide.sln16", "missing.gsm", "broken.wav"))


class Course:
    """Things that an engine's core was asked for, and what it told of them, in order.

    comparable: without what the two engines do alike but not at the same tick (music is fetched when somebody wants it)
    or not to the bit (codecs with a memory, which one of them lets run only while somebody listens).
    """

    def __init__(
        self,
        core: Any,
        seed: int,
        folder: Path,
        open_rtp: Callable[[Course, str], tuple[RtpPort, Callable[[], None]]],
        now: Callable[[], float] = lambda: 0,
        most_ports: int = 40,
        comparable: bool = False,
    ) -> None:
        self.core = core
        self.random = Random(seed)
        self._seed = seed
        self._steps = 0
        self.folder = folder
        self.told: list[tuple[Any, ...]] = []
        """(time, whose, what) of everything."""
        self.plays: dict[str, bool] = {}
        """Every player by name: whether its end was told."""
        self.recordings: dict[str, bool] = {}
        self.ports: dict[str, Port] = {}
        self.files: list[str] = []
        self._open_rtp = open_rtp
        self._now = now
        self._most_ports = most_ports
        self._music = Silence() if comparable else Music()
        self._forms = tuple(name for name in STREAMS if not comparable or name != "gsm")
        self._recordings = tuple(name for name in RECORDINGS if not comparable or name != "gsm")
        self._mixers: dict[str, Mixer] = {}
        self._talkers: dict[str, Callable[[], None]] = {}
        self._streams: dict[str, StreamPort] = {}
        self._players: list[Player] = []
        self._recorders: list[Recorder] = []
        self._count = 0
        self._sounds = make_sounds(folder)
        self._commands: dict[Callable[[], None], int] = {
            self.open: 6,
            self.talk: 30,
            self.link: 14,
            self.play: 6,
            self.steer: 6,
            self.generate: 3,
            self.digits: 3,
            self.switch: 8,
            self.record: 4,
            self.end_record: 4,
            self.look: 4,
            self.close: 3,
            self.close_mixer: 1,
        }

    def step(self) -> None:
        """One command, chosen by its number, whatever the others were: a course with fewer of them is alike."""
        self._steps += 1
        self.random.seed(f"{self._seed} {self._steps}")
        (command,) = self.random.choices(list(self._commands), list(self._commands.values()))
        try:
            command()
        except MediaError as error:
            self.tell("-", type(error).__name__)

    def finish(self) -> None:
        """Close all of it."""
        for port in list(self.ports.values()):
            port.close()
        for mixer in self._mixers.values():
            mixer.close()

    def tell(self, whose: str, what: Any) -> None:
        self.told.append((self._now(), whose, what))

    # -- opening and closing --

    def open(self) -> None:
        if len(self.ports) >= self._most_ports:
            self.close()
            return
        self._count += 1
        name = f"{self._count}"
        kind = self.random.choice(("rtp", "rtp", "rtp", "pipe", "stream", "snoop", "mixer", "mixer port"))
        if kind == "rtp":
            self.ports[name], self._talkers[name] = self._open_rtp(self, name)
        elif kind == "pipe":
            one, other = self.core.open_pipe(self.hears(name + "a"), self.hears(name + "b"))
            self.ports[name + "a"], self.ports[name + "b"] = one, other
        elif kind == "stream":
            self._open_stream(name)
        elif kind == "snoop" and self.ports:
            spy, whisper = self.random.choice((*SIDES, Side.NONE)), self.random.choice((*SIDES, Side.NONE))
            target = self.ports[self.any_port()]
            self.ports[name] = self.core.open_snoop(target, spy=spy, whisper=whisper, on_event=self.hears(name))
        elif kind == "mixer port" and self._mixers:
            self.ports[name] = self._mixers[self.any_mixer()].port(self.hears(name))
        else:
            self._mixers[name] = self.core.open_mixer(holding=self.random.random() < 0.2)

    def _open_stream(self, name: str) -> None:
        form = self.random.choice(self._forms)
        stream = self.core.open_stream(
            format=form,
            on_event=self.hears(name),
            on_frame=lambda frame: self.tell(name, (form, frame)),
            on_digit=self.random.choice((None, lambda digit, ms: self.tell(name, (digit, ms)))),
            buffer_ms=self.random.choice((20, 500, 2000)),
        )
        self.ports[name] = self._streams[name] = stream
        self._talkers[name] = lambda: self._push(stream)

    def _push(self, stream: StreamPort) -> None:
        self.tell("push", stream.push(spoken(self.random, 300)))

    def close(self) -> None:
        if self.ports:
            name = self.any_port()
            self._talkers.pop(name, None)
            self._streams.pop(name, None)
            self.ports.pop(name).close()

    def close_mixer(self) -> None:
        if self._mixers:
            self._mixers.pop(self.any_mixer()).close()

    def any_port(self) -> str:
        return self.random.choice(list(self.ports))

    def any_mixer(self) -> str:
        return self.random.choice(list(self._mixers))

    def hears(self, name: str) -> Callable[[object], None]:
        return lambda event: self.tell(name, event)

    # -- what runs --

    def talk(self) -> None:
        if self._talkers:
            self._talkers[self.random.choice(list(self._talkers))]()

    def link(self) -> None:
        if not self.ports:
            return
        port = self.ports[self.any_port()]
        muted, announcer = self.random.random() < 0.2, self.random.random() < 0.2
        chance = self.random.random()
        if chance < 0.15:
            port.link(None)
        elif chance < 0.4 or not self._mixers:
            port.link(self.ports[self.any_port()], muted=muted, announcer=announcer)
        else:
            port.link(self._mixers[self.any_mixer()], muted=muted, announcer=announcer)

    def source(self) -> Source:
        random = self.random
        return random.choice(
            (
                Files(tuple(random.choice(self._sounds) for _ in range(random.randrange(1, 3)))),
                Files((self._sounds[0],)),
                Samples(spoken(random, 1000), 16000),
                Samples(b""),
                Silence(random.randrange(500)),
                self.tones(),
                self._music,
            )
        )

    def tones(self) -> Tones:
        return Tones((ToneSegment((self.random.choice((440, 1000, 2100)),), 0, self.random.randrange(50, 500), True),))

    def play(self) -> None:
        if not self.ports:
            return
        self._count += 1
        name = f"play {self._count}"
        port, source, offset_ms = self.ports[self.any_port()], self.source(), self.random.choice((0, 0, 100, 10_000))
        self.plays[name] = False

        def ended(end: PlayEnd) -> None:
            assert not self.plays[name], "an end is told once"
            self.plays[name] = True
            self.tell(name, (end.reason, end.position_ms))

        self._players.append(port.play(source, offset_ms=offset_ms, on_end=ended))

    def steer(self) -> None:
        if not self._players:
            return
        player = self.random.choice(self._players[-8:])
        verb = self.random.choice(("pause", "resume", "resume", "stop", "restart", "skip", "position"))
        if verb == "skip":
            player.skip(self.random.choice((-5000, -100, 60, 500, 5000)))
        elif verb == "position":
            self.tell("position", player.position_ms)
        else:
            getattr(player, verb)()

    def generate(self) -> None:
        choices: tuple[Generator | None, ...] = (
            None,
            None,
            self.tones(),
            Silence(),
            self._music,
            Files((self._sounds[1],)),
        )
        generator = self.random.choice(choices)
        if self._mixers and self.random.random() < 0.3:
            self._mixers[self.any_mixer()].generate(generator)
        elif self.ports:
            self.ports[self.any_port()].generate(generator)

    def digits(self) -> None:
        if not self.ports:
            return
        self._count += 1
        name = f"digits {self._count}"
        wanted = [
            DigitOut(self.random.choice(DIGITS), self.random.choice((40, 100, 250)), self.random.choice((0, 50, 100)))
            for _ in range(self.random.randrange(4))
        ]
        self.ports[self.any_port()].send_digits(wanted, lambda: self.tell(name, "sent"))

    def switch(self) -> None:
        if not self.ports:
            return
        port, random = self.ports[self.any_port()], self.random
        on = random.random() < 0.5
        kind = random.choice(("mute", "echo", "digits", "talk", "tone", "inband", "volume", "flush", "digit"))
        if kind == "mute":
            port.mute(random.choice((None, True, False)), random.choice((None, False, on)))
        elif kind == "echo":
            port.echo(on)
        elif kind == "digits":
            port.pass_digits(on)
        elif kind == "talk":
            port.detect_talk(random.choice((None, 256, 1000)), random.choice((100, 1000)))
        elif kind == "tone":
            port.detect_tone(random.choice((None, 440, 2100)), 100, side=random.choice(SIDES), repeats=on)
        elif kind == "inband":
            port.detect_digits(on)
        elif kind == "volume":
            port.volume(random.choice(SIDES), random.choice((1, 1, 0, 0.4, 3, -1)))
        elif self._streams:
            stream = self._streams[random.choice(list(self._streams))]
            if kind == "flush":
                stream.flush()
            else:
                stream.digit(random.choice(DIGITS), random.choice((40, 120)))

    def record(self) -> None:
        if not self.ports:
            return
        self._count += 1
        name, random = f"record {self._count}", self.random
        options = RecordOptions(
            side=random.choice(SIDES),
            beep=random.random() < 0.2,
            max_duration_ms=random.choice((0, 0, 200)),
            max_silence_ms=random.choice((0, 0, 300)),
        )
        self.recordings[name] = False

        def ended(end: RecordEnd) -> None:
            assert not self.recordings[name], "an end is told once"
            self.recordings[name] = True
            self.files.append(end.path)
            self.tell(name, (end.reason, end.duration_ms, end.silence_ms))

        path, form = str(self.folder / f"r{self._count}"), random.choice(self._recordings)
        if form in ("wav", "wav16") and random.random() < 0.5:  # a track for each side, or for each party of a mixer
            options = replace(options, side=Side.BOTH, tracks=True)
        self._recorders.append(self.ports[self.any_port()].record(path, form, options, on_end=ended))

    def end_record(self) -> None:
        if self._recorders:
            recorder = self.random.choice(self._recorders[-8:])
            getattr(recorder, self.random.choice(("stop", "stop", "cancel", "pause", "resume", "mute", "unmute")))()

    def look(self) -> None:
        for name, mixer in self._mixers.items():
            assert isinstance(mixer.mode, MixerMode)
            self.tell(name, mixer.mode)
        for name, stream in self._streams.items():
            self.tell(name, stream.buffered_ms)
        for recorder in self._recorders[-8:]:
            self.tell("recorder", recorder.duration_ms)
        self.core.stats()
