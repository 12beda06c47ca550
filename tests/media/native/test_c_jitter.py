"""The jitter buffer in C: step by step as the reference, and what only it does (fixed depth, varying frames)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.codecs import CODECS, Codec
from arietta.media.engine import ADAPTIVE, JitterRules
from arietta.media.reference.jitter import JitterBuffer

from .leaves import leaf

NOTHING, FRAME, LOST = range(3)


class JitterFrame(ctypes.Structure):
    _fields_ = [
        ("kind", ctypes.c_int),
        ("codec", ctypes.c_void_p),
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_int),
        ("run", ctypes.c_int),
    ]


class Rules(ctypes.Structure):
    _fields_ = [
        ("fixed", ctypes.c_bool),
        ("target_ms", ctypes.c_int),
        ("largest_ms", ctypes.c_int),
        ("resync_ms", ctypes.c_int),
    ]


c = leaf("jitter", "codec")
c.codecs_init()
for name in ("jitter_new", "codec_named"):
    getattr(c, name).restype = ctypes.c_void_p
for name in ("jitter_get", "jitter_more"):
    getattr(c, name).restype = JitterFrame
for name in ("jitter_dropped", "jitter_lost"):
    getattr(c, name).restype = ctypes.c_int64
c.jitter_empty.restype = ctypes.c_bool

native = {name: c.codec_named(name.encode()) for name in CODECS}
names = {pointer: name for name, pointer in native.items() if pointer}


class Buffer:
    """The C functions on one buffer."""

    def __init__(self, rules: JitterRules = ADAPTIVE) -> None:
        theirs = Rules(rules.fixed, rules.target_ms, rules.largest_ms, rules.resync_ms)
        self._jitter = ctypes.c_void_p(c.jitter_new(ctypes.byref(theirs)))
        assert self._jitter

    def put(self, sequence: int, name: str, payload: bytes) -> None:
        data = ctypes.create_string_buffer(payload, len(payload))
        c.jitter_put(self._jitter, sequence, ctypes.c_void_p(native[name]), data, len(payload))

    def get(self) -> tuple[int, str | None, bytes, int]:
        return self._shown(c.jitter_get(self._jitter))

    def more(self) -> tuple[int, str | None, bytes, int]:
        return self._shown(c.jitter_more(self._jitter))

    def _shown(self, frame: JitterFrame) -> tuple[int, str | None, bytes, int]:
        data = ctypes.string_at(frame.data, frame.size) if frame.data else b""
        return frame.kind, names[frame.codec] if frame.codec else None, data, frame.run

    def clear(self) -> None:
        c.jitter_clear(self._jitter)

    def free(self) -> None:
        c.jitter_free(self._jitter)

    def state(self) -> tuple[int, int, int, int, bool]:
        j = self._jitter
        return (
            c.jitter_target_ms(j),
            c.jitter_depth_ms(j),
            c.jitter_dropped(j),
            c.jitter_lost(j),
            c.jitter_empty(j),
        )


@contextmanager
def buffer(rules: JitterRules = ADAPTIVE) -> Iterator[Buffer]:
    opened = Buffer(rules)
    try:
        yield opened
    finally:
        opened.free()


class Reference(JitterBuffer):
    """Tells which frames it made up."""

    __slots__ = ("_taken",)

    def get(self) -> tuple[int, str | None, bytes, int]:  # type: ignore[override]
        self._taken: list[int] = []
        got = super().get()
        if got is None:
            return NOTHING, None, b"", 0
        if self._taken[0]:
            return LOST, got[0].name, b"", self._taken[0]
        return FRAME, got[0].name, got[1], 0

    def _take(self) -> tuple[Codec, bytes] | None:
        before = self.lost
        got = super()._take()
        self._taken.append(self._concealed if self.lost > before else 0)
        return got

    def state(self) -> tuple[int, int, int, int, bool]:
        return self.target_ms, self.depth_ms, self.dropped, self.lost, self.empty


def payload(name: str, ms: int, mark: int) -> bytes:
    return bytes([mark % 251]) * CODECS[name].bytes_of(ms)


fixed_names = [name for name, form in CODECS.items() if form.frame_bytes > 0]
durations = {
    name: [
        ms for ms in [0, 20, 20, 20, 40, 60] + ([] if name == "gsm" else [10, 30]) if CODECS[name].bytes_of(ms) < 16000
    ]
    for name in fixed_names
}
arrivals = st.tuples(
    st.just("put"),
    st.sampled_from([1, 1, 1, 1, 1, 1, 2, 3, 8, 0, -1, -2, -5, -99, -100, 999, 1001, 30000]),
    st.sampled_from(fixed_names[:3] * 8 + fixed_names).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(durations[name]), st.sampled_from([0] * 12 + [1, 7]))
    ),
)
RULES = [ADAPTIVE, JitterRules(True, 20), JitterRules(True, 70), JitterRules(False, 60, 80, 100)]
moves = st.one_of(arrivals, st.just(("get",)), st.just(("get",)), st.sampled_from([("clear",), ("ticks", 40)]))


@given(st.integers(0, 0xFFFF), st.lists(moves, max_size=150), st.sampled_from(RULES))
@settings(deadline=None, max_examples=300)
def test_any_course_ends_as_in_the_reference(start: int, course: list[Any], rules: JitterRules) -> None:
    theirs = Reference(rules)
    with buffer(rules) as ours:
        sequence = start
        for n, move in enumerate(course):
            if move[0] == "put":
                _, step, (name, ms, rest) = move
                sequence = (sequence + step) & 0xFFFF
                data = payload(name, ms, n) + b"\x33" * rest
                ours.put(sequence, name, data)
                theirs.put(sequence, CODECS[name], data)
            elif move[0] == "clear":
                ours.clear()
                theirs.clear()
            for _ in range({"get": 1, "ticks": 40}.get(move[0], 0)):
                assert ours.get() == theirs.get()
            assert ours.state() == theirs.state()


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(0, 120), st.sampled_from([False] * 9 + [True])), min_size=50, max_size=600),
    st.sampled_from([name for name in ("ulaw", "gsm", "slin16") if name in fixed_names]),
    st.sampled_from([0, 0, 13, 50]),
)
@settings(deadline=None, max_examples=60)
def test_a_stream_over_a_network_plays_as_in_the_reference(
    start: int, course: list[tuple[int, bool]], name: str, hurry: int
) -> None:
    """Each packet leaves 20 ms after the one before (or with it, every so many); is late by its own time, or lost."""
    arrivals = []
    left_ms = 0
    for n, (late_ms, lost) in enumerate(course):
        left_ms += 0 if hurry and n % hurry == 0 else 20
        if not lost:
            arrivals.append((left_ms + late_ms, (start + n) & 0xFFFF, payload(name, 20, n)))
    arrivals.sort(key=lambda arrival: arrival[0])
    theirs = Reference()
    with buffer() as ours:
        for now_ms in range(0, left_ms + 700, 20):
            while arrivals and arrivals[0][0] <= now_ms:
                _, sequence, data = arrivals.pop(0)
                ours.put(sequence, name, data)
                theirs.put(sequence, CODECS[name], data)
            assert ours.get() == theirs.get()
            assert ours.state() == theirs.state()


def test_lost_frames_count_their_run() -> None:
    with buffer() as ours:
        for n in (0, 1, 4, 5, 200):
            ours.put(n, "ulaw", payload("ulaw", 20, n))
        got = [ours.get() for _ in range(12)]
    assert [(kind, run) for kind, _, _, run in got] == [
        *[(FRAME, 0)] * 2, (LOST, 1), (LOST, 2), *[(FRAME, 0)] * 2,
        *[(LOST, run) for run in range(1, 7)],
    ][:12]  # fmt: skip


def test_next_to_nothing_in_each_packet_does_not_wait_without_end() -> None:
    with buffer() as ours:
        for n in range(200):
            ours.put(n, "ulaw", bytes(8))
        _, depth, dropped, _, _ = ours.state()
    assert (depth, dropped) == (64, 200 - 64)


def test_the_longest_packet_alone_comes_out_whole() -> None:
    with buffer() as ours:
        ours.put(0, "ulaw", bytes(16384))
        ours.put(1, "ulaw", bytes(16385))
        assert sum(ours.get()[0] == FRAME for _ in range(200)) == 103  # the last one padded
        assert ours.state()[2] == 1


@pytest.mark.parametrize("target_ms", [60, 500])
def test_a_fixed_depth_stays(target_ms: int) -> None:
    with buffer(JitterRules(True, target_ms)) as ours:
        for n in range(target_ms // 20):
            assert ours.get()[0] == NOTHING
            ours.put(n, "ulaw", payload("ulaw", 20, n))
        for n in range(target_ms // 20, 600):
            assert ours.get()[0] == FRAME
            ours.put(n, "ulaw", payload("ulaw", 20, n))
            ours.put(n - target_ms // 20 - 2, "ulaw", payload("ulaw", 20, n))  # too late
            assert ours.state()[:2] == (target_ms, target_ms)


opus = pytest.mark.skipif(not native["opus"], reason="no codec of varying frames")
TOC_MS = {10: 0xC0 | 2 << 3, 20: 0xC0 | 3 << 3}
"""CELT, of so many milliseconds (RFC 6716 3.1, table 2)."""


def opus_payload(ms: int, mark: int) -> bytes:
    """One frame, or as many of 20 ms as make it up, of a byte each."""
    if ms <= 20:
        return bytes([TOC_MS[ms], mark])
    return bytes([TOC_MS[20] | 3, ms // 20] + [mark] * (ms // 20))


@opus
def test_a_long_packet_of_varying_frames_is_given_once_and_holds_its_ticks() -> None:
    with buffer() as ours:
        for n in range(3):
            ours.put(n, "opus", opus_payload(60, n))
        got = [ours.get() for _ in range(10)]
    whole = [(FRAME, "opus", opus_payload(60, n), 0) for n in range(3)]
    held = [(NOTHING, "opus", b"", 0)] * 2
    assert got == [whole[0], *held, whole[1], *held, whole[2], *held, (NOTHING, None, b"", 0)]


@opus
def test_short_packets_of_varying_frames_fill_their_tick() -> None:
    with buffer() as ours:
        for n in range(5):
            ours.put(n, "opus", opus_payload(10, n))
        ticks = []
        for _ in range(4):
            tick = [ours.get()]
            while tick[-1][0] == FRAME:
                tick.append(ours.more())
            ticks.append([data[1] for _, _, data, _ in tick[:-1]])
    assert ticks == [[0, 1], [2, 3], [4], []]
