"""Events of RTCP: what the ends of a call report of its audio."""

from __future__ import annotations

from arietta.manager.events.blocks import Blocks
from arietta.manager.events.declared import Kind, translates
from arietta.manager.message import Headers, ManagerEvent
from arietta.model import facts

OLDER = "reports of calls that began when nobody listened, of other technologies than PJSIP, and of video"

RTCP_SENT = Kind("RTCPSent", "reporting", "A report about the audio of a channel was sent.", lacks=OLDER)
RTCP_RECEIVED = Kind("RTCPReceived", "reporting", "A report about the audio of a channel came.", lacks=OLDER)


@translates(facts.RtcpReported)
def _reported(fact: facts.RtcpReported, blocks: Blocks) -> ManagerEvent:
    headers: Headers = (
        *blocks.channel(fact.channel),
        ("SSRC", f"{fact.ssrc:#010x}"),
        ("PT", "201(RR)" if fact.sent_at is None else "200(SR)"),
    )
    headers += (("To", fact.peer),) if fact.sent else (("From", fact.peer), ("RTT", f"{fact.round_trip_s:.4f}"))
    headers += (("ReportCount", str(len(fact.blocks))),)
    if fact.sent_at is not None:
        headers += (
            ("SentNTP", f"{fact.sent_at:.6f}"),
            ("SentRTP", str(fact.timestamp)),
            ("SentPackets", str(fact.packets)),
            ("SentOctets", str(fact.octets)),
        )
    for number, block in enumerate(fact.blocks):
        headers += _block(f"Report{number}", block)
    return (RTCP_SENT if fact.sent else RTCP_RECEIVED)(headers)


def _block(prefix: str, block: facts.ReportBlock) -> Headers:
    return (
        (prefix + "SourceSSRC", f"{block.ssrc:#010x}"),
        (prefix + "FractionLost", str(block.fraction_lost)),
        (prefix + "CumulativeLost", str(block.lost)),
        (prefix + "HighestSequence", str(block.highest_sequence & 0xFFFF)),
        (prefix + "SequenceNumberCycles", str(block.highest_sequence >> 16)),
        (prefix + "IAJitter", str(block.jitter)),
        (prefix + "LSR", str(block.last_report)),
        (prefix + "DLSR", f"{block.delay_s:.4f}"),
    )
