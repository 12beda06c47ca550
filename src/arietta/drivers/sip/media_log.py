"""Packets of RTP and reports of RTCP on the console, for `rtp set debug`, `rtcp set debug` and `rtcp set stats`.

Nothing is looked at while nobody asked. Who watches a busy server sees `MAX_A_SECOND` lines of each second and how many
were left out.
"""

from __future__ import annotations

import ipaddress
import logging
import time
from typing import TYPE_CHECKING

from arietta.drivers.sip.leg import SipLeg
from arietta.drivers.sip.reports import tell_reports
from arietta.errors import BadRequest
from arietta.media.engine import PacketHead, RtpPort
from arietta.model import facts
from arietta.verbose import verbose

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver

__all__ = ["MediaLog"]

log = logging.getLogger(__name__)

MAX_A_SECOND = 500


class Watched:
    """Whose packets or reports are shown: nobody's, everybody's, or those of one address."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._host = self._port = ""
        self.on = False

    def ask(self, words: list[str]) -> None:
        """Take `on`, `off` or `ip ADDRESS[:PORT]`; BadRequest for anything else."""
        match words:
            case ["on" | "off" as state]:
                self._host = self._port = ""
                self.on = state == "on"
            case ["ip", address]:
                self._host, self._port = _place(address)
                self.on = True
            case _:
                raise BadRequest(f"{' '.join(words)!r} is none of on, off, ip ADDRESS[:PORT]")

    def wants(self, peer: str) -> bool:
        """Whether those of `host:port` are shown."""
        host, _, port = peer.rpartition(":")
        return self.on and (not self._host or self._host == host.strip("[]")) and self._port in ("", port)

    def __str__(self) -> str:
        if not self.on:
            return f"{self._what} are not shown."
        place = f"{self._host}:{self._port}" if self._port else self._host
        return f"{self._what} of {place or 'all peers'} are shown."


class MediaLog:
    """Shows what comes and goes as the audio of SIP's calls."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver
        self._packets, self._reports = Watched("Packets of RTP"), Watched("Reports of RTCP")
        self._has_statistics = self._hears_reports = False
        self._second = self._shown = self._left_out = 0

    def ask(self, what: str, words: list[str]) -> str:
        """Carry out `rtp debug`, `rtcp debug` or `rtcp stats`; what is shown now. BadRequest for other words."""
        if what == "rtp debug":
            self._packets.ask(words)
            for _, port in self._media():
                self._watch_packets(port)
            return str(self._packets)
        if what == "rtcp debug":
            self._reports.ask(words)
        elif words in (["on"], ["off"]):
            self._has_statistics = words == ["on"]
        else:
            raise BadRequest(f"{' '.join(words)!r} is neither on nor off")
        self._listen_to_reports()
        counted = f"Statistics of RTCP are {'' if self._has_statistics else 'not '}shown."
        return str(self._reports) if what == "rtcp debug" else counted

    def watch(self, port: RtpPort) -> None:
        """Show a port that was opened, if its like are shown."""
        if self._packets.on:
            self._watch_packets(port)

    def stop(self) -> None:
        """The end of the driver."""
        self._reports.on = self._has_statistics = False
        self._listen_to_reports()

    def _media(self) -> list[tuple[SipLeg, RtpPort]]:
        legs = [channel.leg for channel in self._driver.registry if isinstance(channel.leg, SipLeg)]
        return [(leg, leg.media.port) for leg in legs if leg.media.port is not None]

    def _watch_packets(self, port: RtpPort) -> None:
        port.tell_heads(self._show_packet if self._packets.on else None)

    def _listen_to_reports(self) -> None:
        wanted = self._reports.on or self._has_statistics
        if wanted == self._hears_reports:
            return
        self._hears_reports = wanted
        bus = self._driver.registry.bus
        for topic in facts.RtcpReported.topics:
            (bus.subscribe if wanted else bus.unsubscribe)(topic, self._hear_report)
        for leg, port in self._media():
            tell_reports(leg, port)

    # -- what is shown --

    def _show_packet(self, head: PacketHead) -> None:
        host, port = head.peer
        peer = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if self._packets.wants(peer):
            way = "Sent RTP packet to     " if head.sent else "Got  RTP packet from   "
            numbers = f"seq {head.sequence:06d}, ts {head.timestamp:06d}, len {head.size:06d}"
            self._show(f"{way} {peer} (type {head.payload_type:02d}, {numbers})")

    def _hear_report(self, fact: object) -> None:
        assert isinstance(fact, facts.RtcpReported)
        if self._reports.wants(fact.peer):
            self._show("\n".join(_report(fact)))
        if self._has_statistics:
            self._show(_statistics(fact))

    def _show(self, text: str) -> None:
        second = int(time.time())
        if second != self._second:
            if self._left_out:
                log.warning("%d lines of RTP were not shown: %d a second are", self._left_out, MAX_A_SECOND)
            self._second, self._shown, self._left_out = second, 0, 0
        if self._shown >= MAX_A_SECOND:
            self._left_out += 1
            return
        self._shown += 1
        verbose(0, text)


def _place(text: str) -> tuple[str, str]:
    """The address and port of `192.0.2.1`, `192.0.2.1:4000`, `2001:db8::1` or `[2001:db8::1]:4000`."""
    host, port = text, ""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        port = port.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise BadRequest(f"{text!r} is no address such as 192.0.2.1 or 192.0.2.1:4000") from None
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise BadRequest(f"port {port!r} of {text!r} is outside 1..65535")
    return host, port


def _report(fact: facts.RtcpReported) -> list[str]:
    kind = "SR" if fact.sent_at is not None else "RR"
    lines = [f"{'Sent' if fact.sent else 'Got '} RTCP {kind} {'to  ' if fact.sent else 'from'} {fact.peer}"]
    lines.append(f"  SSRC of who reports: {fact.ssrc}")
    if fact.sent_at is not None:
        lines.append(f"  Time by its clock: {fact.sent_at:.6f}, RTP timestamp {fact.timestamp}")
        lines.append(f"  It has sent: {fact.packets} packets, {fact.octets} octets")
    for block in fact.blocks:
        lines += [
            f"  Reported on SSRC: {block.ssrc}",
            f"    Fraction lost: {block.fraction_lost}/256, lost altogether: {block.lost}",
            f"    Highest sequence number: {block.highest_sequence}, jitter: {block.jitter}",
            f"    Last report: {block.last_report}, {block.delay_s:.4f} s before this one",
        ]
    return lines


def _statistics(fact: facts.RtcpReported) -> str:
    way = "to  " if fact.sent else "from"
    lost = ", ".join(f"lost {one.lost} ({one.fraction_lost / 2.56:.1f} %), jitter {one.jitter}" for one in fact.blocks)
    return (
        f"{fact.channel.name}: RTCP {way} {fact.peer}: {lost or 'nothing heard'}, round trip {fact.round_trip_s:.4f} s"
    )
