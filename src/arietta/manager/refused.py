"""What a client is told that asks for an action of Asterisk which is not here."""

from __future__ import annotations

from arietta.asterisk.absent import why_absent
from arietta.asterisk.names import names


def why_not(name: str) -> str:
    """That it is not supported, and why; empty for an action that nobody knows."""
    reason = why_absent("actions", name)
    return f"{names('actions')[name.lower()].text} is not supported: {reason}" if reason else ""
