"""From when to when a certificate is valid, read from its file (RFC 5280 4.1) without asking whether it is trusted."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

SEQUENCE, INTEGER, UTC_TIME, GENERALIZED_TIME, VERSION = 0x30, 0x02, 0x17, 0x18, 0xA0
END = "-----END CERTIFICATE-----"


def validity(path: Path) -> tuple[datetime, datetime]:
    """The first and the last moment of the first certificate in a PEM file; OSError, ValueError."""
    text = path.read_text(encoding="ascii", errors="replace")
    begin = text.find("-----BEGIN CERTIFICATE-----")
    if begin < 0 or END not in text[begin:]:
        raise ValueError("there is no certificate in PEM in it")
    return validity_of(ssl.PEM_cert_to_DER_cert(text[begin : text.index(END, begin) + len(END)]))


def validity_of(der: bytes) -> tuple[datetime, datetime]:
    """The same of one in DER; ValueError for anything else."""
    certificate = _value(der, 0, SEQUENCE)[0]
    signed = _value(certificate, 0, SEQUENCE)[0]
    at = 0
    if signed[:1] == bytes((VERSION,)):
        at = _value(signed, at, VERSION)[1]
    for tag in (INTEGER, SEQUENCE, SEQUENCE):  # serial number, algorithm, issuer
        at = _value(signed, at, tag)[1]
    times = _value(signed, at, SEQUENCE)[0]
    first, at = _time(times, 0)
    return first, _time(times, at)[0]


def _value(data: bytes, at: int, tag: int) -> tuple[bytes, int]:
    """The contents of the element that begins there, and where the next one begins (X.690 8.1)."""
    if len(data) < at + 2 or data[at] != tag:
        raise ValueError("it is not a certificate")
    length, begin = data[at + 1], at + 2
    if length >= 0x80:
        size = length & 0x7F
        length, begin = int.from_bytes(data[begin : begin + size]), begin + size
    if begin + length > len(data):
        raise ValueError("it ends too early")
    return data[begin : begin + length], begin + length


def _time(data: bytes, at: int) -> tuple[datetime, int]:
    tag = data[at] if at < len(data) else -1
    if tag not in (UTC_TIME, GENERALIZED_TIME):
        raise ValueError("it has no dates")
    value, after = _value(data, at, tag)
    text = value.decode("ascii", "replace")
    if tag == UTC_TIME:  # RFC 5280 4.1.2.5.1: 50 to 99 are of the last century
        text = ("19" if text >= "5" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC), after
