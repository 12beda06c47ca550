"""codec_prefs_*: the codecs that come of an offer, as `prefer: pending, operation: intersect, keep: all`, and so on.

Only what an answer can be is taken: codecs of both sides, in the order of the offer (pending) or of `allow`
(configured), all of them or the first.
"""

from __future__ import annotations

from typing import Any

from arietta.config.kinds import Invalid, Kind, Note

WORDS = {
    "prefer": ("pending", "configured"),
    "operation": ("intersect", "union", "only_preferred", "only_nonpreferred"),
    "keep": ("all", "first"),
    "transcode": ("allow", "prevent"),
}
SUPPORTED = {
    "prefer": ("pending", "configured"),
    "operation": ("intersect",),
    "keep": ("all", "first"),
    "transcode": ("allow",),
}
DEFAULT = "prefer: pending, operation: intersect, keep: all, transcode: allow"


class CodecPreferences(Kind):
    """Words by name, in the order of DEFAULT; those that are left out have their default."""

    def read(self, text: str, name: str, current: Any, note: Note) -> str:
        chosen = dict(part.split(": ") for part in DEFAULT.split(", "))
        for part in filter(None, map(str.strip, text.lower().split(","))):
            key, _, word = (piece.strip() for piece in part.partition(":"))
            if word not in WORDS.get(key, ()):
                raise Invalid(f"{name} {part!r} is no choice of {', '.join(WORDS)} with one of its words")
            if word not in SUPPORTED[key]:
                raise Invalid(f"{name} {part!r} is not supported by this version, {' and '.join(SUPPORTED[key])} is")
            chosen[key] = word
        return ", ".join(f"{key}: {word}" for key, word in chosen.items())

    def label(self) -> str:
        return "prefer, operation, keep, transcode"
