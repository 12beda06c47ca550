"""RTCP in C: the bytes, and what is understood, are those of the reference."""

from __future__ import annotations

import ctypes
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.media.engine import EngineSettings, RtpSettings
from arietta.media.reference.control import RtcpSession
from arietta.rtp import (
    Bye,
    ReceiverReport,
    ReceiverStatistics,
    ReportBlock,
    SenderReport,
    SourceDescription,
    UnknownReport,
    compound,
    parse_compound,
)

from .leaves import leaf
from .test_c_rtp import Receiver

SSRC = 0x01020304
FAR = ("192.0.2.1", 4001)
WALL_NS = 1_700_000_000_123_456_789


class NativeSpread(ctypes.Structure):
    _fields_ = [
        ("count", ctypes.c_int64),
        ("least", ctypes.c_double),
        ("greatest", ctypes.c_double),
        ("mean", ctypes.c_double),
        ("square", ctypes.c_double),
    ]


class Session(ctypes.Structure):
    _fields_ = [
        ("last_report", ctypes.c_uint32),
        ("last_report_ns", ctypes.c_int64),
        ("reported_sent", ctypes.c_int64),
        ("reported_received", ctypes.c_int64),
        ("local_jitter", NativeSpread),
        ("local_loss", NativeSpread),
        ("remote_jitter", NativeSpread),
        ("remote_loss", NativeSpread),
        ("round_trip", NativeSpread),
        ("remote_lost", ctypes.c_int32),
        ("tx_jitter", ctypes.c_double),
        ("round_trip_last", ctypes.c_double),
    ]


class View(ctypes.Structure):
    _fields_ = [
        ("ssrc", ctypes.c_uint32),
        ("cname", ctypes.c_char_p),
        ("timestamp", ctypes.c_uint32),
        ("send_clock_rate", ctypes.c_int),
        ("receive_clock_rate", ctypes.c_int),
        ("packets_sent", ctypes.c_int64),
        ("octets_sent", ctypes.c_int64),
        ("packets_received", ctypes.c_int64),
        ("incoming", ctypes.POINTER(Receiver)),
        ("now_ns", ctypes.c_int64),
        ("wall_offset_ns", ctypes.c_int64),
    ]


rtcp = leaf("rtcp", "receiver")
rtcp.rtcp_moved.restype = rtcp.rtcp_receive.restype = ctypes.c_bool
rtcp.spread_deviation.restype = ctypes.c_double


class Port(SimpleNamespace):
    """What a session asks of its port."""


class Both:
    """One port's RTCP twice: the session in C and the one in Python, with the same past."""

    def __init__(self, cname: str = "arietta@192.0.2.2") -> None:
        self.sent: list[bytes] = []
        self.core = SimpleNamespace(
            cname=cname,
            wall_offset_ns=WALL_NS,
            now_ns=1_000_000_000,
            packets_dropped=0,
            send_errors=0,
            settings=EngineSettings(strict_rtp=False),
            call_at=lambda when_ns, call: None,
        )
        self.port = Port(
            core=self.core,
            pair=SimpleNamespace(send=lambda data, target: self.sent.append(data)),
            closed=False,
            ssrc=SSRC,
            clock_rate=8000,
            receive_rate=16000,
            locked_source=None,
            send_target=FAR,
            report=None,
            packets_sent=0,
            octets_sent=0,
            packets_received=0,
            octets_received=0,
            statistics_in=None,
            timestamp_at=lambda now_ns: now_ns * 8 // 1_000_000 & 0xFFFFFFFF,
            keep_report=lambda data, sent, peer: None,
        )
        self.theirs = RtcpSession(self.port)  # type: ignore[arg-type]
        self.theirs.configure(
            RtpSettings(remote_address=FAR, send_payload_type=0, send_codec="ulaw", receive={}, rtcp_mux=True)
        )
        self.ours = Session()
        self.incoming = Receiver()
        rtcp.rtcp_init(ctypes.byref(self.ours))

    def view(self) -> Any:
        port, core = self.port, self.core
        return ctypes.byref(
            View(
                ssrc=port.ssrc,
                cname=core.cname.encode(),
                timestamp=port.timestamp_at(core.now_ns),
                send_clock_rate=port.clock_rate,
                receive_clock_rate=port.receive_rate,
                packets_sent=port.packets_sent,
                octets_sent=port.octets_sent,
                packets_received=port.packets_received,
                incoming=ctypes.pointer(self.incoming) if port.statistics_in is not None else None,
                now_ns=core.now_ns,
                wall_offset_ns=core.wall_offset_ns,
            )
        )

    def send(self, count: int) -> None:
        self.port.packets_sent += count
        self.port.octets_sent += 160 * count

    def hear(self, sequence: int, timestamp: int) -> None:
        port = self.port
        if port.statistics_in is None:
            port.statistics_in = ReceiverStatistics(77, sequence)
            rtcp.receiver_init(ctypes.byref(self.incoming), 77, sequence)
        arrival = self.core.now_ns * 16000 // 1_000_000_000 & 0xFFFFFFFF
        rtcp.receiver_update(
            ctypes.byref(self.incoming), sequence, ctypes.c_uint32(timestamp), ctypes.c_uint32(arrival)
        )
        port.statistics_in.update(sequence, timestamp, arrival)
        port.packets_received += 1

    def report(self) -> tuple[bytes | None, bytes | None]:
        """What each of the two sends, None when it keeps silent."""
        self.sent.clear()
        self.theirs.report(self.core.now_ns)
        ours = None
        if rtcp.rtcp_moved(ctypes.byref(self.ours), self.view()):
            ours = self.write(goodbye=False)
            rtcp.rtcp_reported(ctypes.byref(self.ours), self.view())
        return ours, self.sent[0] if self.sent else None

    def goodbye(self) -> tuple[bytes, bytes]:
        self.sent.clear()
        self.theirs.goodbye()
        return self.write(goodbye=True), self.sent[0]

    def write(self, *, goodbye: bool) -> bytes:
        out = ctypes.create_string_buffer(512)
        size = rtcp.rtcp_write(ctypes.byref(self.ours), self.view(), goodbye, out)
        return out.raw[:size]

    def receive(self, data: bytes) -> tuple[bool, bool]:
        dropped = self.core.packets_dropped
        self.theirs.receive(data, FAR, self.core.now_ns)
        room = ctypes.create_string_buffer(data, len(data))
        ours = rtcp.rtcp_receive(ctypes.byref(self.ours), self.view(), room, len(data))
        return ours, self.core.packets_dropped == dropped

    def figures(self) -> tuple[list[object], list[object]]:
        ours, theirs = self.ours, self.theirs.statistics()
        return [
            *native_spread(ours.local_jitter),
            *native_spread(ours.local_loss),
            *native_spread(ours.remote_jitter),
            *native_spread(ours.remote_loss),
            *native_spread(ours.round_trip),
            ours.remote_lost,
            ours.tx_jitter,
            ours.round_trip_last,
        ], [
            *(theirs.local_minjitter, theirs.local_maxjitter, theirs.local_normdevjitter, theirs.local_stdevjitter),
            *(theirs.local_minrxploss, theirs.local_maxrxploss, theirs.local_normdevrxploss, theirs.local_stdevrxploss),
            *(theirs.remote_minjitter, theirs.remote_maxjitter),
            *(theirs.remote_normdevjitter, theirs.remote_stdevjitter),
            *(theirs.remote_minrxploss, theirs.remote_maxrxploss),
            *(theirs.remote_normdevrxploss, theirs.remote_stdevrxploss),
            *(theirs.minrtt, theirs.maxrtt, theirs.normdevrtt, theirs.stdevrtt),
            *(theirs.txploss, theirs.txjitter, theirs.rtt),
        ]


def native_spread(spread: NativeSpread) -> tuple[float, float, float, float]:
    return spread.least, spread.greatest, spread.mean, rtcp.spread_deviation(ctypes.byref(spread))


words = st.integers(0, 0xFFFFFFFF)
middles = st.integers(0, 1 << 22).map(
    lambda n: ((WALL_NS // 1_000_000_000 + 2_208_988_800 << 16) + n - (1 << 18)) & 0xFFFFFFFF
)
blocks = st.lists(
    st.builds(
        ReportBlock,
        st.just(SSRC) | words,
        st.integers(0, 255),
        st.integers(-0x800000, 0x7FFFFF),
        words,
        words,
        st.just(0) | words | middles,
        st.integers(0, 1 << 18) | words,
    ),
    max_size=3,
).map(tuple)
texts = st.text(max_size=20)
packets = st.one_of(
    st.builds(SenderReport, words, st.integers(0, (1 << 64) - 1), words, words, words, blocks),
    st.builds(ReceiverReport, words, blocks),
    st.builds(SourceDescription, st.lists(st.tuples(words, texts), max_size=3).map(tuple)),
    st.builds(Bye, st.lists(words, max_size=3).map(tuple), texts),
    st.builds(UnknownReport, st.integers(204, 207), st.integers(0, 31), st.binary(max_size=8).map(lambda b: b * 4)),
)
datagrams = st.lists(packets, min_size=1, max_size=4).map(compound)
moves = st.one_of(
    st.tuples(st.just("send"), st.integers(1, 300)),
    st.tuples(st.just("hear"), st.sampled_from([1, 1, 1, 1, 2, 5, -1, 0, 70]), st.integers(0, 2000)),
    st.tuples(st.just("receive"), datagrams),
    st.tuples(st.just("wait"), st.integers(0, 200_000_000_000)),
    st.just(("report",)),
)


@given(st.lists(moves, max_size=40), st.text(st.characters(blacklist_characters="\0", codec="utf-8"), max_size=300))
@settings(deadline=None, max_examples=200)
def test_a_course_of_traffic_is_reported_and_understood_as_in_the_reference(course: list[Any], cname: str) -> None:
    both = Both(cname)
    sequence = 65500
    for move in course:
        if move[0] == "send":
            both.send(move[1])
        elif move[0] == "hear":
            sequence = (sequence + move[1]) & 0xFFFF
            both.hear(sequence, (sequence * 320 + move[2]) & 0xFFFFFFFF)
        elif move[0] == "receive":
            assert both.receive(move[1]) == (True, True)
        elif move[0] == "wait":
            both.core.now_ns += move[1]
        else:
            ours, theirs = both.report()
            assert ours == theirs
        figures = both.figures()
        assert figures[0] == figures[1]
    both.send(1)
    ours, theirs = both.goodbye()
    assert ours == theirs
    assert isinstance(parse_compound(ours)[-1], Bye)


@given(
    datagrams | st.binary(max_size=60) | st.binary(max_size=60).map(lambda b: b"\x81\xca\x00\x05" + b),
    st.integers(0, 200),
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 255)), max_size=4),
)
@settings(deadline=None, max_examples=600)
def test_broken_datagrams_are_refused_as_in_the_reference(
    data: bytes, cut: int, changes: list[tuple[int, int]]
) -> None:
    broken = bytearray(data[:cut])
    for at, value in changes:
        if at < len(broken):
            broken[at] = value
    both = Both()
    ours, theirs = both.receive(bytes(broken))
    assert ours == theirs
    figures = both.figures()
    assert figures[0] == figures[1]


def test_padding_is_allowed_at_the_end_only() -> None:
    bye = bytes((0xA1, 203, 0, 2)) + SSRC.to_bytes(4, "big") + bytes((0, 0, 0, 4))
    plain = bytes(Bye((SSRC,)))
    assert Both().receive(plain + bye) == (True, True)
    assert Both().receive(bye + plain) == (False, False)
