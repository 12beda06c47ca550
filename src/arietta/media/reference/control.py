"""RTCP of one port: reports out at intervals while there is traffic, reports in (RFC 3550 6)."""

from __future__ import annotations

import math
import weakref
from typing import TYPE_CHECKING

from ...rtp import (
    Bye,
    ProtocolError,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    compound,
    middle_ntp,
    parse_compound,
)
from ..engine import Address, RtpSettings, RtpStatistics

if TYPE_CHECKING:
    from .udp import UdpPort

__all__ = ["RtcpSession", "Spread"]

NTP_1970 = 2_208_988_800
LONGEST_ROUND_TRIP = 60 << 16


class Spread:
    """Least, greatest, mean and standard deviation of a series (Welford)."""

    __slots__ = ("_count", "_square", "greatest", "least", "mean")

    def __init__(self) -> None:
        self._count = 0
        self._square = 0.0
        self.least = self.greatest = self.mean = 0.0

    def add(self, value: float) -> None:
        self._count += 1
        if self._count == 1:
            self.least = self.greatest = self.mean = value
            return
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)
        change = value - self.mean
        self.mean += change / self._count
        self._square += change * (value - self.mean)

    @property
    def deviation(self) -> float:
        return math.sqrt(self._square / self._count) if self._count > 1 else 0.0


class RtcpSession:
    """What one port reports, and what is reported to it."""

    __slots__ = (
        "_last_report",
        "_last_report_ns",
        "_learnt",
        "_local_jitter",
        "_local_loss",
        "_port",
        "_remote_jitter",
        "_remote_loss",
        "_remote_lost",
        "_reported_received",
        "_reported_sent",
        "_round_trip",
        "_round_trip_last",
        "_settings",
        "_tx_jitter",
        "armed",
    )

    def __init__(self, port: UdpPort) -> None:
        self._port: UdpPort = weakref.proxy(port)  # the port has its session: no cycle for the collector to find
        self._settings: RtpSettings | None = None
        self.armed = False
        """A report is due at some time."""
        self._learnt: Address | None = None
        self._last_report = 0
        self._last_report_ns = 0
        self._reported_sent = 0
        self._reported_received = 0
        self._local_jitter = Spread()
        self._local_loss = Spread()
        self._remote_jitter = Spread()
        self._remote_loss = Spread()
        self._remote_lost = 0
        self._tx_jitter = 0.0
        self._round_trip = Spread()
        self._round_trip_last = 0.0

    def configure(self, settings: RtpSettings) -> None:
        if self._settings is None or self._settings.remote_address != settings.remote_address:
            self._learnt = None
        self._settings = settings

    def traffic(self, now_ns: int) -> None:
        """A packet went or came: a report is due."""
        if not self.armed:
            self.armed = True
            core = self._port.core
            core.call_at(now_ns + core.settings.rtcp_interval_ms * 1_000_000, self._port.report)

    def receive(self, data: bytes, source: Address, now_ns: int) -> None:
        """One datagram; broken ones and those of strangers are counted and dropped."""
        core = self._port.core
        settings = self._settings
        locked = self._port.locked_source
        expected = locked or (settings.remote_address if settings is not None else None)
        named = settings.remote_rtcp if settings is not None else None
        if core.settings.strict_rtp and (expected is None or source[0] != expected[0]) and source != named:
            core.packets_dropped += 1
            return
        try:
            packets = parse_compound(data)
        except ProtocolError:
            core.packets_dropped += 1
            return
        self._learnt = source
        self._port.keep_report(data, False, source)
        for packet in packets:
            if isinstance(packet, SenderReport):
                self._last_report = middle_ntp(packet.ntp)
                self._last_report_ns = now_ns
                self._reported(packet.blocks, now_ns)
            elif isinstance(packet, ReceiverReport):
                self._reported(packet.blocks, now_ns)

    def goodbye(self) -> None:
        """Leave politely, when anything was sent (RFC 3550 6.3.7)."""
        port = self._port
        if port.packets_sent:
            self._send([*self._packets(port.core.now_ns), Bye((port.ssrc,))])

    def statistics(self) -> RtpStatistics:
        port = self._port
        incoming = port.statistics_in
        rate = port.receive_rate
        return RtpStatistics(
            txcount=port.packets_sent,
            rxcount=port.packets_received,
            txjitter=self._tx_jitter,
            rxjitter=incoming.jitter / rate if incoming is not None else 0.0,
            remote_maxjitter=self._remote_jitter.greatest,
            remote_minjitter=self._remote_jitter.least,
            remote_normdevjitter=self._remote_jitter.mean,
            remote_stdevjitter=self._remote_jitter.deviation,
            local_maxjitter=self._local_jitter.greatest,
            local_minjitter=self._local_jitter.least,
            local_normdevjitter=self._local_jitter.mean,
            local_stdevjitter=self._local_jitter.deviation,
            txploss=self._remote_lost,
            rxploss=max(0, incoming.lost) if incoming is not None else 0,
            remote_maxrxploss=self._remote_loss.greatest,
            remote_minrxploss=self._remote_loss.least,
            remote_normdevrxploss=self._remote_loss.mean,
            remote_stdevrxploss=self._remote_loss.deviation,
            local_maxrxploss=self._local_loss.greatest,
            local_minrxploss=self._local_loss.least,
            local_normdevrxploss=self._local_loss.mean,
            local_stdevrxploss=self._local_loss.deviation,
            rtt=self._round_trip_last,
            maxrtt=self._round_trip.greatest,
            minrtt=self._round_trip.least,
            normdevrtt=self._round_trip.mean,
            stdevrtt=self._round_trip.deviation,
            local_ssrc=port.ssrc,
            remote_ssrc=incoming.ssrc if incoming is not None else 0,
            txoctetcount=port.octets_sent,
            rxoctetcount=port.octets_received,
        )

    def report(self, now_ns: int) -> None:
        """The five seconds are over."""
        port = self._port
        self.armed = False
        if port.closed:
            return
        moved = port.packets_sent != self._reported_sent or port.packets_received != self._reported_received
        if not moved:
            return  # nothing was sent or heard: silent until there is traffic again
        self._send(self._packets(now_ns))
        self._reported_received = port.packets_received
        self._reported_sent = port.packets_sent
        self.traffic(now_ns)

    def _packets(self, now_ns: int) -> list[RtcpPacket]:
        port = self._port
        blocks: tuple[ReportBlock, ...] = ()
        incoming = port.statistics_in
        if incoming is not None and port.packets_received != self._reported_received:
            delay = (now_ns - self._last_report_ns) * 65536 // 1_000_000_000 if self._last_report else 0
            fraction = incoming.fraction_lost()
            jitter = incoming.jitter
            self._local_jitter.add(jitter / port.receive_rate)
            self._local_loss.add(fraction / 256)
            blocks = (
                ReportBlock(
                    incoming.ssrc,
                    fraction,
                    incoming.lost,
                    incoming.highest_sequence,
                    jitter,
                    self._last_report,
                    min(delay, 0xFFFFFFFF),
                ),
            )
        report: RtcpPacket
        if port.packets_sent != self._reported_sent:
            report = SenderReport(
                port.ssrc,
                self._ntp(now_ns),
                port.timestamp_at(now_ns),
                port.packets_sent & 0xFFFFFFFF,
                port.octets_sent & 0xFFFFFFFF,
                blocks,
            )
        else:
            report = ReceiverReport(port.ssrc, blocks)
        return [report, SourceDescription(((port.ssrc, port.core.cname),))]

    def _send(self, packets: list[RtcpPacket]) -> None:
        target = self._target()
        settings = self._settings
        if target is None or settings is None or settings.awaits_keys:
            return
        pair = self._port.pair
        data = compound(packets)
        self._port.keep_report(data, True, target)
        try:
            (pair.send if settings.rtcp_mux else pair.send_control)(data, target)
        except OSError:
            self._port.core.send_errors += 1

    def _target(self) -> Address | None:
        settings = self._settings
        if settings is None:
            return None
        if settings.rtcp_mux:
            return self._port.send_target
        if settings.symmetric and self._learnt is not None:
            return self._learnt
        if settings.remote_rtcp is not None:
            return settings.remote_rtcp
        target = self._port.send_target
        return (target[0], target[1] + 1) if target is not None and target[1] < 65535 else None

    def _ntp(self, now_ns: int) -> int:
        wall_ns = now_ns + self._port.core.wall_offset_ns
        seconds, rest = divmod(wall_ns, 1_000_000_000)
        return (((seconds + NTP_1970) & 0xFFFFFFFF) << 32) | ((rest << 32) // 1_000_000_000)

    def _reported(self, blocks: tuple[ReportBlock, ...], now_ns: int) -> None:
        for block in blocks:
            if block.ssrc != self._port.ssrc:
                continue
            self._tx_jitter = block.jitter / self._port.clock_rate
            self._remote_jitter.add(self._tx_jitter)
            self._remote_loss.add(block.fraction_lost / 256)
            self._remote_lost = max(0, block.lost)
            if block.last_report:
                round_trip = (middle_ntp(self._ntp(now_ns)) - block.last_report - block.delay) & 0xFFFFFFFF
                if round_trip < LONGEST_ROUND_TRIP:
                    self._round_trip_last = round_trip / 65536
                    self._round_trip.add(self._round_trip_last)
