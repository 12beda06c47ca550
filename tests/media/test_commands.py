"""Commands in any order: nothing fails inside, every player, recorder and digit is told of its end once."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.engine import (
    DigitOut,
    MediaError,
    Music,
    RecordOptions,
    Samples,
    Side,
    Silence,
)
from arietta.media.reference.port import BasePort
from arietta.media.tones import parse_tones

from .virtual import World, tone

pytestmark = pytest.mark.usefixtures("each_engine")

SOURCES = [Samples(tone(400, 200)), Silence(100), Music(), parse_tones("400/100,0/100"), parse_tones("!400/60")]
SIDES = list(Side)


class Player:
    """Gives random commands, and counts what is owed to it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random = random.Random(seed)
        self.folder = folder
        self.world = World()
        core = self.world.core
        self.phones = [self.world.phone(codec) for codec in ("ulaw", "ulaw", "gsm", "slin16")]
        self.ports: list[Any] = [phone.port for phone in self.phones]
        self.ports += core.open_pipe(lambda e: None, lambda e: None)
        self.ports.append(core.open_stream(format="alaw", on_event=lambda e: None, on_frame=lambda f: None))
        self.mixers = [core.open_mixer(), core.open_mixer(holding=True)]
        self.handles: list[Any] = []
        self.owed = 0
        self.told = 0

    def end(self, *_: object) -> None:
        self.told += 1

    def step(self) -> None:
        choose = self.random.choice
        port, other = choose(self.ports), choose([*self.ports, *self.mixers, None])
        actions: list[Callable[[], object]] = [
            lambda: self.keep(port.play(choose(SOURCES), on_end=self.end)),
            lambda: self.keep(
                port.record(
                    f"{self.folder}/{self.random.randrange(3)}",
                    choose(["wav", "gsm", "wav49"]),
                    RecordOptions(side=choose(SIDES), beep=choose([True, False]), max_duration_ms=choose([0, 100])),
                    on_end=self.end,
                )
            ),
            lambda: port.generate(choose([*SOURCES[1:], None])),
            lambda: port.link(other, muted=choose([True, False])),
            lambda: port.mute(choose([True, False, None]), choose([True, False, None])),
            lambda: port.echo(choose([True, False])),
            lambda: port.volume(choose([Side.IN, Side.OUT]), choose([1, 0.5, 4])),
            lambda: port.detect_talk(choose([256, None]), 100),
            lambda: port.detect_digits(choose([True, False])),
            lambda: port.detect_tone(choose([400, None]), 60, side=choose([Side.IN, Side.OUT])),
            lambda: self.digits(port),
            lambda: getattr(choose(self.handles), choose(["pause", "resume", "stop"]))() if self.handles else None,
            lambda: choose(self.mixers).generate(choose([SOURCES[3], None])),
            lambda: self.ports.append(choose(self.mixers).port()),
            lambda: self.ports.append(
                self.world.core.open_snoop(port, spy=choose(SIDES), whisper=choose(SIDES), on_event=lambda e: None)
            ),
            lambda: choose(self.phones).say(tone(500, 100, rate=8000)),
            lambda: choose(self.phones).configure(dtmf_inband=choose([True, False])),
            lambda: port.close() if self.random.random() < 0.2 else None,
            lambda: self.world.run(choose([5, 20, 100, 700])),
        ]
        try:
            choose(actions)()
        except MediaError:
            pass

    def keep(self, handle: object) -> None:
        self.owed += 1
        self.handles.append(handle)

    def digits(self, port: BasePort) -> None:
        port.send_digits([DigitOut("1", 60, 20), DigitOut("#", 40, 0)], self.end)
        self.owed += 1


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_commands_in_any_order_do_no_harm(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    faults: list[logging.LogRecord] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = faults.append  # type: ignore[method-assign]
    logger = logging.getLogger("arietta.media")
    logger.addHandler(handler)
    try:
        player = Player(seed, tmp_path_factory.getbasetemp())
        for _ in range(60):
            player.step()
        player.world.run(500)
        player.world.core.close()
        player.world.run(10)
    finally:
        logger.removeHandler(handler)
    assert [record.getMessage() for record in faults] == []
    assert player.told == player.owed
    assert player.world.network.pairs == {}
    assert player.world.core.stats().ports == player.world.core.stats().mixers == 0
    assert player.world.core.next_deadline_ns is None
