"""RTP, RTCP and telephone events as values (RFC 3550, 3551, 4733); sans-IO."""

from .errors import ProtocolError
from .events import DIGITS, DigitReceiver, TelephoneEvent
from .packet import RtpPacket, looks_like_rtcp
from .rtcp import (
    Bye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    UnknownReport,
    compound,
    middle_ntp,
    parse_compound,
)
from .sequence import (
    sequence_add,
    sequence_difference,
    sequence_newer,
    timestamp_add,
    timestamp_difference,
)
from .statistics import ReceiverStatistics

__all__ = [
    "DIGITS",
    "Bye",
    "DigitReceiver",
    "ProtocolError",
    "ReceiverReport",
    "ReceiverStatistics",
    "ReportBlock",
    "RtcpPacket",
    "RtpPacket",
    "SenderReport",
    "SourceDescription",
    "TelephoneEvent",
    "UnknownReport",
    "compound",
    "looks_like_rtcp",
    "middle_ntp",
    "parse_compound",
    "sequence_add",
    "sequence_difference",
    "sequence_newer",
    "timestamp_add",
    "timestamp_difference",
]
