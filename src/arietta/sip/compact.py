"""Messages with the short names of header fields (RFC 3261 7.3.3), for those that have to fit into little."""

from __future__ import annotations

from .headers import COMPACT

__all__ = ["compact"]

_SHORT = {name.encode(): letter.encode() for letter, name in COMPACT.items()}


def compact(data: bytes) -> bytes:
    """The same message, as we write them, with the short name of each field that has one."""
    head, blank, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    for index in range(1, len(lines)):
        name, colon, value = lines[index].partition(b":")
        short = _SHORT.get(name)
        if short is not None:
            lines[index] = short + colon + value
    return b"\r\n".join(lines) + blank + body
