"""SIP messages without their secrets, as long as they were: what is shown to people and written into captures.

Masked are the answers to challenges, passwords in URIs, the keys of SRTP (RFC 4568) and ICE's passwords (RFC 8839).
What else is secret is not sent in SIP by anything we know. Lengths stay, so Content-Length stays true.
"""

from __future__ import annotations

import re

__all__ = ["mask_message"]

_SECRETS = re.compile(
    rb"""(?ix)
    (
        ^(?:proxy-)?authorization [ \t]* : [ \t]* (?:basic|bearer) [ \t]+
      | \bresponse [ \t]* = [ \t]* "? (?=[0-9a-f]{32})
      | \binline: (?=[0-9a-z+/])
      | ^a=ice-pwd:
      | \bsips?:[^\s:@;<>"]{1,200}: (?=[^\s@;<>"]{1,200}@)
    )
    ( [^\s@|;,"&]+ )
    """,
    re.MULTILINE,
)
# A message without any of these in it has nothing that is masked.
_SIGNS = re.compile(rb"(?i)authorization|inline:|ice-pwd|sips?:[^\s:@;<>\"]{1,200}:[^\s@;<>\"]{1,200}@")


def mask_message(data: bytes) -> bytes:
    """A message, or any part of one, with every secret in it replaced by as many asterisks."""
    if _SIGNS.search(data) is None:
        return data
    return _SECRETS.sub(lambda found: found[1] + b"*" * len(found[2]), data)
