"""Codec names as the configuration writes them, and as RTP writes them (RFC 3551, RFC 4733, RFC 7587)."""

from __future__ import annotations

import functools

import msgspec

from arietta.sdp.description import Media

TELEPHONE_EVENT = "telephone-event"
MAX_PAYLOAD_TYPE = 127
MAX_ENCODING = 64


class Codec(msgspec.Struct, frozen=True):
    """One audio codec as an rtpmap names it."""

    name: str
    encoding: str
    clock_rate_hz: int
    """The clock of its RTP timestamps; for G.722 that is 8000 (RFC 3551 4.5.2)."""
    payload_type: int
    """The static payload type, or the dynamic one preferred in our offers."""
    channels: int = 1
    """As the rtpmap has it: always 2 for Opus, whatever a packet holds (RFC 7587 7)."""
    parameters: str = ""
    """What our fmtp line says."""

    @property
    def dynamic(self) -> bool:
        """True if the payload type needs an rtpmap."""
        return self.payload_type >= 96

    @property
    def rtpmap(self) -> str:
        """Its name, clock rate and channels."""
        many = f"/{self.channels}" if self.channels > 1 else ""
        return f"{self.encoding}/{self.clock_rate_hz}{many}"


CODECS = {
    codec.name: codec
    for codec in (
        Codec("ulaw", "PCMU", 8000, 0),
        Codec("alaw", "PCMA", 8000, 8),
        Codec("gsm", "GSM", 8000, 3),
        Codec("g722", "G722", 8000, 9),
        Codec("opus", "opus", 48000, 107, channels=2, parameters="useinbandfec=1"),
        Codec("slin", "L16", 8000, 117),
        Codec("slin12", "L16", 12000, 122),
        Codec("slin16", "L16", 16000, 118),
        Codec("slin24", "L16", 24000, 123),
        Codec("slin32", "L16", 32000, 124),
        Codec("slin44", "L16", 44100, 125),
        Codec("slin48", "L16", 48000, 126),
        Codec("slin96", "L16", 96000, 127),
        Codec("slin192", "L16", 192000, 108),
    )
}
"""Every codec that may be negotiated, by its configuration name."""

_BY_ENCODING = {(codec.encoding.lower(), codec.clock_rate_hz): codec for codec in CODECS.values()}
_STATIC = {str(codec.payload_type): codec for codec in CODECS.values() if not codec.dynamic}


class UnknownCodec(ValueError):
    """A codec name that is in no table."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"unknown codec {name!r}; known are {', '.join(CODECS)}")


def codec_named(name: str) -> Codec:
    """The codec of a configuration name; raises UnknownCodec."""
    codec = CODECS.get(name)
    if codec is None:
        raise UnknownCodec(name)
    return codec


class PayloadTable(msgspec.Struct, frozen=True):
    """What the payload types of one media section mean."""

    codecs: tuple[tuple[int, Codec], ...]
    """Payload type and codec, in the order of the m= line; unknown ones are left out."""
    events: dict[int, int]
    """Payload type of telephone-event, and its clock rate in Hz."""


def payload_table(media: Media) -> PayloadTable:
    """Read the formats of an m= line with its rtpmap attributes; what cannot be read is unknown."""
    maps: dict[str, str] = {}
    for value in media.attributes("rtpmap"):
        number, _, encoding = value.partition(" ")
        maps.setdefault(number, encoding.strip())
    codecs: list[tuple[int, Codec]] = []
    events: dict[int, int] = {}
    for form in media.formats:
        if not (form.isascii() and form.isdigit()) or len(form) > 3 or int(form) > MAX_PAYLOAD_TYPE:
            continue
        if form not in maps:
            static = _STATIC.get(form)
            if static is not None:
                codecs.append((int(form), static))
            continue
        codec, event_rate_hz = _meaning(maps[form][:MAX_ENCODING])
        if codec is not None:
            codecs.append((int(form), codec))
        elif event_rate_hz:
            events[int(form)] = event_rate_hz
    return PayloadTable(tuple(codecs), events)


@functools.lru_cache(maxsize=256)
def _meaning(encoding: str) -> tuple[Codec | None, int]:
    """The codec of ``name/rate[/channels]``, or else the clock rate of telephone-event, or else 0."""
    name, _, rest = encoding.partition("/")
    rate_text, _, channels = rest.partition("/")
    if not (rate_text.isascii() and rate_text.isdigit()) or len(rate_text) > 6:
        return None, 0
    if name.lower() == TELEPHONE_EVENT and channels in ("", "1"):
        return None, int(rate_text)
    codec = _BY_ENCODING.get((name.lower(), int(rate_text)))
    if codec is not None and channels not in (("2",) if codec.channels == 2 else ("", "1")):
        return None, 0
    return codec, 0
