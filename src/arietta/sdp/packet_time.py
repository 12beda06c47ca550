"""How much audio goes into a packet (RFC 8866 6.4): what each side would like, and which of them is heard."""

from __future__ import annotations

import msgspec

from arietta.sdp.description import Media

USUAL_MS, LEAST_MS, MOST_MS = 20, 10, 120


class PacketTime(msgspec.Struct, frozen=True):
    """Our wishes, in milliseconds."""

    by_codec: dict[str, int] = {}
    """Of codecs that are to have another one than USUAL_MS."""
    follows_peer: bool = True
    """Send as the peer's a=ptime says, where it says anything."""

    def ours(self, codec: str) -> int:
        """What we would like."""
        return self.by_codec.get(codec, USUAL_MS)

    def agreed(self, codec: str, theirs: Media) -> int:
        """What to send a codec in; never more than the peer's a=maxptime."""
        wanted = milliseconds(theirs.attribute("ptime")) if self.follows_peer else None
        most = milliseconds(theirs.attribute("maxptime"))
        return max(LEAST_MS, min(wanted or self.ours(codec), most or MOST_MS, MOST_MS))


USUAL = PacketTime()


def milliseconds(text: str | None) -> int | None:
    """The value of a ptime or maxptime; None for what is no sensible number."""
    if not text:
        return None
    whole = text.partition(".")[0]
    if not (whole.isascii() and whole.isdigit()) or len(whole) > 5:
        return None
    return int(whole) or None
