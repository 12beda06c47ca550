"""codec_prefs_*: the codecs that come of two lists, as `prefer: pending, operation: intersect` and so on."""

from __future__ import annotations

from typing import Any

from arietta.config.kinds import Invalid, Kind, Note

WORDS = {
    "prefer": ("pending", "configured"),
    "operation": ("intersect", "union", "only_preferred", "only_nonpreferred"),
    "keep": ("all", "first"),
    "transcode": ("allow", "prevent"),
}
IN_COMMON = "prefer: pending, operation: intersect, keep: all, transcode: allow"
MERGED = "prefer: pending, operation: union, keep: all, transcode: allow"


class CodecPreferences(Kind):
    """Words by name; those that are left out have their default."""

    def __init__(self, description: str, default: str = IN_COMMON) -> None:
        super().__init__(description)
        self._default = default

    def read(self, text: str, name: str, current: Any, note: Note) -> str:
        chosen = dict(part.split(": ") for part in self._default.split(", "))
        for part in filter(None, map(str.strip, text.lower().split(","))):
            key, _, word = (piece.strip() for piece in part.partition(":"))
            if word not in WORDS.get(key, ()):
                raise Invalid(f"{name} {part!r} is no choice of {', '.join(WORDS)} with one of its words")
            chosen[key] = word
        return ", ".join(f"{key}: {word}" for key, word in chosen.items())

    def label(self) -> str:
        return "prefer, operation, keep, transcode"
