"""What NOTIFYs carry: presence, dialogs of an extension, and messages that wait (RFC 3863, 4480, 4235, 3842).

The state of an extension is given as the sum of IN_USE, BUSY, UNAVAILABLE, RINGING and ON_HOLD, 0 for idle.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

import msgspec

from .errors import ProtocolError

__all__ = [
    "DIALOG_INFO",
    "MESSAGE_SUMMARY",
    "PIDF",
    "Waiting",
    "read_message_summary",
    "write_dialog_info",
    "write_message_summary",
    "write_pidf",
]

PIDF = "application/pidf+xml"
DIALOG_INFO = "application/dialog-info+xml"
MESSAGE_SUMMARY = "application/simple-message-summary"
IN_USE, BUSY, UNAVAILABLE, RINGING, ON_HOLD = 1, 2, 4, 8, 16

MOST_MESSAGES = 2**31 - 1
MAX_SUMMARY = 8192
"""The longest message summary that is read, in bytes."""
ACTIVITIES = {"away": "away", "xa": "away", "dnd": "busy", "unavailable": "away"}
"""RFC 4480's activity for a presence that is set."""
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COUNTS = re.compile(r"(\d{1,10})\s*/\s*(\d{1,10})(?:\s*\(\s*\d{1,10}\s*/\s*\d{1,10}\s*\))?")


class Waiting(msgspec.Struct, frozen=True):
    """How many messages wait."""

    new: int = 0
    old: int = 0


def write_pidf(entity: str, ident: str, status: int, presence: str = "not_set", message: str = "") -> bytes:
    """The presence of an extension whose URI is `entity` (RFC 3863), with what its user does (RFC 4480)."""
    activity, note = _seen_as(status, presence)
    is_open = status != UNAVAILABLE and presence != "unavailable"
    activities = f"<rpid:activities><rpid:{activity}/></rpid:activities>" if activity else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"'
        f' xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity={_attribute(entity)}>\n'
        f"<tuple id={_attribute(_name(ident))}><status><basic>{'open' if is_open else 'closed'}</basic></status>"
        f'<contact priority="1">{_text(entity)}</contact></tuple>\n'
        f"<note>{_text(message or note)}</note>\n"
        f"<dm:person id={_attribute('p' + _name(ident))}>{activities}</dm:person>\n"
        "</presence>\n"
    ).encode()


def write_dialog_info(entity: str, ident: str, status: int, version: int, *, early_in_use: bool = False) -> bytes:
    """The dialogs of an extension as one: early while it rings, confirmed while it talks (RFC 4235).

    `early_in_use`: an extension that rings while it talks is shown as ringing.
    """
    early = status == RINGING or (status == RINGING | IN_USE and early_in_use)
    talking = status & (IN_USE | BUSY | ON_HOLD)
    state = "early" if early else "confirmed" if talking else "terminated"
    direction = ' direction="recipient"' if early else ""
    held = '<local><target uri={}><param pname="+sip.rendering" pvalue="no"/></target></local>' if talking else ""
    target = held.format(_attribute(entity)) if status & ON_HOLD else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="{version}" state="full"'
        f" entity={_attribute(entity)}>\n"
        f"<dialog id={_attribute(ident)}{direction}><state>{state}</state>{target}</dialog>\n"
        "</dialog-info>\n"
    ).encode()


def write_message_summary(waiting: Waiting, account: str = "") -> bytes:
    """A message summary (RFC 3842 5.2); `account` is the URI to call to hear the messages."""
    lines = [f"Messages-Waiting: {'yes' if waiting.new else 'no'}"]
    if account:
        lines.append(f"Message-Account: {_one_line(account)}")
    lines.append(f"Voice-Message: {waiting.new}/{waiting.old} (0/0)")
    return "".join(f"{line}\r\n" for line in lines).encode()


def read_message_summary(body: bytes) -> Waiting:
    """What a message summary says of voice messages, one and none where it has no numbers; ProtocolError 400."""
    if len(body) > MAX_SUMMARY:
        raise ProtocolError(400, f"a message summary of {len(body)} bytes, {MAX_SUMMARY} at most")
    fields: dict[str, str] = {}
    for line in body.decode("utf-8", "replace").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    status = fields.get("messages-waiting", "").lower()
    if status not in ("yes", "no"):
        raise ProtocolError(400, f"Messages-Waiting {status[:32]!r} is neither yes nor no")
    counted = _COUNTS.fullmatch(fields.get("voice-message", ""))
    if counted is None:
        return Waiting(1 if status == "yes" else 0)
    return Waiting(min(int(counted[1]), MOST_MESSAGES), min(int(counted[2]), MOST_MESSAGES))


def _seen_as(status: int, presence: str) -> tuple[str, str]:
    """The activity and the words for people."""
    if status == UNAVAILABLE:
        return "", "Unavailable"
    if status & RINGING:
        return "on-the-phone", "Ringing"
    if status & ON_HOLD:
        return "on-the-phone", "On hold"
    if status & (IN_USE | BUSY):
        return "on-the-phone", "On the phone"
    if presence in ACTIVITIES:
        return ACTIVITIES[presence], {"dnd": "Do not disturb", "unavailable": "Unavailable"}.get(presence, "Away")
    return "", "Ready"


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("\ufffd", text))


def _name(text: str) -> str:
    """What an xs:ID may be made of; one begins with a letter."""
    return "e" + re.sub(r"[^A-Za-z0-9_.-]", "_", text)


def _one_line(text: str) -> str:
    return "".join(" " if letter in "\r\n" else letter for letter in text)
