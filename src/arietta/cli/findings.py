"""What `arietta doctor` finds."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, ODD, BAD = "ok", "warning", "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One point looked at: how it stands, what was seen, and what to do if it is not good."""

    state: str
    subject: str
    text: str
    advice: str = ""
