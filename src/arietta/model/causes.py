"""Why calls end: Q.850 cause numbers, their texts, the SIP statuses they stand for."""

UNALLOCATED = 1
NO_ROUTE_DESTINATION = 3
NORMAL_CLEARING = 16
USER_BUSY = 17
NO_USER_RESPONSE = 18
NO_ANSWER = 19
SUBSCRIBER_ABSENT = 20
CALL_REJECTED = 21
NUMBER_CHANGED = 22
ANSWERED_ELSEWHERE = 26
DESTINATION_OUT_OF_ORDER = 27
INVALID_NUMBER_FORMAT = 28
NORMAL_UNSPECIFIED = 31
CONGESTION = 34
FAILURE = 38
SWITCH_CONGESTION = 42
REQUESTED_CHANNEL_UNAVAILABLE = 44
BEARER_CAPABILITY_UNAVAILABLE = 58
RECOVERY_ON_TIMER_EXPIRY = 102
INTERWORKING = 127

_TEXTS = {
    1: "Unallocated (unassigned) number",
    2: "No route to specified transmit network",
    3: "No route to destination",
    5: "Misdialled trunk prefix",
    6: "Channel unacceptable",
    7: "Call awarded and being delivered in an established channel",
    8: "Pre-empted",
    14: "Number ported elsewhere",
    16: "Normal Clearing",
    17: "User busy",
    18: "No user responding",
    19: "User alerting, no answer",
    20: "Subscriber absent",
    21: "Call Rejected",
    22: "Number changed",
    23: "Redirected to new destination",
    26: "Answered elsewhere",
    27: "Destination out of order",
    28: "Invalid number format",
    29: "Facility rejected",
    30: "Response to STATus ENQuiry",
    31: "Normal, unspecified",
    34: "Circuit/channel congestion",
    38: "Network out of order",
    41: "Temporary failure",
    42: "Switching equipment congestion",
    43: "Access information discarded",
    44: "Requested channel not available",
    45: "Pre-empted",
    50: "Facility not subscribed",
    52: "Outgoing call barred",
    54: "Incoming call barred",
    57: "Bearer capability not authorized",
    58: "Bearer capability not available",
    65: "Bearer capability not implemented",
    66: "Channel not implemented",
    69: "Facility not implemented",
    81: "Invalid call reference value",
    88: "Incompatible destination",
    95: "Invalid message unspecified",
    96: "Mandatory information element is missing",
    97: "Message type nonexist.",
    98: "Wrong message",
    99: "Info. element nonexist or not implemented",
    100: "Invalid information element contents",
    101: "Message not compatible with call state",
    102: "Recover on timer expiry",
    103: "Mandatory information element length error",
    111: "Protocol error, unspecified",
    127: "Interworking, unspecified",
}

REASONS = {
    "normal": NORMAL_CLEARING,
    "busy": USER_BUSY,
    "congestion": CONGESTION,
    "no_answer": NO_ANSWER,
    "timeout": NO_USER_RESPONSE,
    "rejected": CALL_REJECTED,
    "unallocated": UNALLOCATED,
    "normal_unspecified": NORMAL_UNSPECIFIED,
    "number_incomplete": INVALID_NUMBER_FORMAT,
    "codec_mismatch": BEARER_CAPABILITY_UNAVAILABLE,
    "interworking": INTERWORKING,
    "failure": FAILURE,
    "answered_elsewhere": ANSWERED_ELSEWHERE,
}
"""The words `DELETE /channels/{channelId}?reason=` takes, with their causes."""

_SIP_STATUSES = {
    1: 404,
    2: 404,
    3: 404,
    17: 486,
    18: 480,
    19: 480,
    20: 480,
    21: 403,
    22: 410,
    27: 502,
    28: 484,
    29: 501,
    31: 480,
    34: 503,
    38: 500,
    42: 503,
    44: 503,
    58: 488,
    66: 503,
    127: 500,
}

_CAUSES_OF_STATUSES = {
    401: 21,
    402: 21,
    403: 21,
    404: 1,
    405: 127,
    406: 127,
    407: 21,
    408: 3,
    409: 41,
    410: 22,
    411: 127,
    413: 127,
    414: 127,
    415: 127,
    420: 127,
    480: 19,
    481: 127,
    482: 127,
    483: 127,
    484: 28,
    485: 1,
    486: 17,
    487: 127,
    488: 58,
    500: 38,
    501: 29,
    502: 27,
    503: 34,
    504: 102,
    505: 127,
    600: 17,
    603: 21,
    604: 1,
    606: 58,
}


def text(cause: int) -> str:
    """What a Q.850 cause number means; `Unknown` for numbers without a meaning."""
    return _TEXTS.get(cause, "Unknown")


def sip_status(cause: int) -> int:
    """The SIP status that refuses an INVITE for a cause; 603 where none is bound to it."""
    return _SIP_STATUSES.get(cause, 603)


def of_sip_status(status: int) -> int:
    """The cause that a SIP final status other than 2xx stands for (cf. RFC 3398 8.2.6.1)."""
    return _CAUSES_OF_STATUSES.get(status, INTERWORKING)
