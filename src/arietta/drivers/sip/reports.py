"""Reports of RTCP as facts about their channel, for calls that begin while somebody wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from arietta.media.engine import Address, RtpPort
from arietta.model import facts
from arietta.rtp import ProtocolError, ReceiverReport, SenderReport, parse_compound

if TYPE_CHECKING:
    from arietta.drivers.sip.leg import SipLeg

NTP_1970 = 2208988800
"""Seconds from the beginning of NTP's time to that of Unix."""


def tell_reports(leg: SipLeg, port: RtpPort) -> None:
    """Publish the reports of a port that was opened, if anybody wants them."""
    if leg.driver.registry.bus.wanted(facts.RtcpReported.topics):
        port.tell_reports(lambda data, sent, peer: _publish(leg, data, sent, peer))


def _publish(leg: SipLeg, data: bytes, sent: bool, peer: Address) -> None:
    channel = leg.channel
    if channel is None or not channel.registry.bus.wanted(facts.RtcpReported.topics):
        return
    try:
        report = parse_compound(data)[0]
    except ProtocolError:
        return  # the engine has counted it
    if not isinstance(report, SenderReport | ReceiverReport):
        return
    port = leg.port
    statistics = getattr(port, "statistics", None) if not sent else None
    host, number = peer
    fact = facts.RtcpReported(
        channel=channel.snapshot(),
        sent=sent,
        peer=f"[{host}]:{number}" if ":" in host else f"{host}:{number}",
        ssrc=report.ssrc,
        blocks=tuple(
            facts.ReportBlock(
                block.ssrc,
                block.fraction_lost,
                block.lost,
                block.highest_sequence,
                block.jitter,
                block.last_report,
                block.delay / 65536,
            )
            for block in report.blocks
        ),
        round_trip_s=statistics().rtt if statistics is not None else 0.0,
        **_sender(report),
    )
    channel.registry.bus.publish(fact, fact.topics)


def _sender(report: SenderReport | ReceiverReport) -> dict[str, Any]:
    if not isinstance(report, SenderReport):
        return {}
    return {
        "sent_at": (report.ntp >> 32) - NTP_1970 + (report.ntp & 0xFFFFFFFF) / (1 << 32),
        "timestamp": report.timestamp,
        "packets": report.packets,
        "octets": report.octets,
    }
