"""Offer and answer (RFC 3264) as functions over session descriptions; nothing but new keys is made up here.

One audio stream is negotiated: the first usable audio section of an offer is accepted and every other section
is refused with port 0, in its place.  Keys travel in the description (RFC 4568), or their certificates' fingerprints
do (RFC 5763).  Our ICE is that of a lite agent (RFC 8445).  Not done here: DTLS where RTCP has a port of its own,
video, T.38.
"""

from __future__ import annotations

import msgspec

from arietta.sdp.bundle import bundle_of, carrier_of, is_live, transport_attribute
from arietta.sdp.codecs import TELEPHONE_EVENT, Codec, PayloadTable, codec_named, payload_table
from arietta.sdp.crypto import ATTRIBUTE as CRYPTO
from arietta.sdp.crypto import Crypto, SecureKeys, fresh, usable_cryptos
from arietta.sdp.description import (
    Direction,
    Line,
    Media,
    Origin,
    SessionDescription,
    connection_to,
    direction_of,
)
from arietta.sdp.dtls import (
    DtlsError,
    DtlsSide,
    DtlsTerms,
    begins_after_answer,
    dtls_lines,
    dtls_of,
    setup_to_answer,
)
from arietta.sdp.ice import IceError, IceSide, ice_lines, ice_of
from arietta.sdp.packet_time import USUAL, PacketTime, milliseconds

NOT_ACCEPTABLE_HERE = 488
PLAIN = ("RTP/AVP", "RTP/AVPF")
SECURE = ("RTP/SAVP", "RTP/SAVPF")
DTLS = ("UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF")
WITH_FEEDBACK = "F"
"""How the names of profiles with RTCP feedback end (RFC 4585, RFC 5124)."""
EVENT_PAYLOAD_TYPE = 101
EVENT_RATE_HZ = 8000
"""The clock of events that every phone has; offered besides those of our codecs."""
DYNAMIC_PAYLOAD_TYPES = (*range(96, 128),)


class OfferSettings(msgspec.Struct, frozen=True):
    """Our side of a negotiation."""

    address: str
    """The IPv4 or IPv6 address where we take media."""
    port: int
    """The RTP port; RTCP is the one above it."""
    codecs: tuple[str, ...]
    """Names of the codecs we allow, the best one first."""
    telephone_event: bool = True
    """Offer and take digits as RFC 4733 events."""
    packet_time: PacketTime = USUAL
    """How much audio we like in a packet."""
    direction: Direction = Direction.SENDRECV
    session_id: int = 1
    """The number that names our session in o=; it stays for the whole dialog."""
    version: int = 1
    """The version of our first description; later ones count from the previous one."""
    username: str = "-"
    name: str = "Arietta"
    rtcp_mux: bool = False
    """Offer and take RTP and RTCP on one port (RFC 5761)."""
    prefer_ours: bool = False
    """Send with the first of our codecs that both sides have, and not with the peer's first."""
    crypto_suites: tuple[str, ...] = ()
    """SRTP suites we offer and take, the best first (RFC 4568 6.2); none is plain RTP."""
    crypto_optional: bool = False
    """Go on without encryption when the peer has none: offers are RTP/AVP with keys in them."""

    dtls: DtlsSide | None = None
    """Keys are agreed by DTLS with this certificate (RFC 5763); its a=setup is what we would like. Needs rtcp_mux."""
    ice: IceSide | None = None
    """Our ICE, used when the peer has some too."""
    avpf: bool = False
    """Offer a profile with RTCP feedback, and take no other (RFC 4585); without it both are taken."""
    force_avp: bool = False
    """Offer DTLS without `UDP/TLS/` before the profile."""
    bundle: bool = False
    """Offer and take a bundle (RFC 8843), which of ours has one section."""

    @property
    def demands_encryption(self) -> bool:
        """True if no plain stream may come out of it."""
        return (bool(self.crypto_suites) or self.dtls is not None) and not self.crypto_optional


class Refusal(msgspec.Struct, frozen=True):
    """Why no audio came out of a negotiation."""

    status: int
    """The SIP status that says so."""
    reason: str


class Negotiated(msgspec.Struct, frozen=True):
    """What two descriptions agree on, seen from our side."""

    refusal: Refusal | None = None
    """Set if there is no audio; every other field is then at its default."""
    index: int = -1
    """The place of the audio section among the m= lines."""
    address: str = ""
    """Where the peer takes RTP."""
    port: int = 0
    rtcp_address: str = ""
    rtcp_port: int = 0
    rtcp_mux: bool = False
    codec: str = ""
    """The codec we send."""
    payload_type: int = -1
    """The payload type we send it with."""
    receive: dict[int, str] = {}
    """The codecs that may arrive, by payload type."""
    send: dict[str, int] = {}
    """The codecs that the peer takes, with its payload types."""
    send_events: dict[int, int] = {}
    """Its payload types of telephone-event, and their clocks in Hz."""
    event_payload_type: int | None = None
    """The payload type we send digits with; None if the peer takes none."""
    event_rate_hz: int = 0
    """The clock of these: that of our codec where both sides have it."""
    receive_events: dict[int, int] = {}
    """The clock rates in Hz of telephone-events that may arrive, by payload type."""
    ptime_ms: int = 20
    """How much audio to send in a packet."""
    maxptime_ms: int | None = None
    """The most audio the peer takes in a packet."""
    direction: Direction = Direction.INACTIVE
    """What we do: sendrecv, sendonly, recvonly or inactive."""
    held: bool = False
    """True if the peer put us on hold: it sends only, does nothing, or gave the address 0.0.0.0."""
    keys: SecureKeys | None = None
    """SRTP keys; None for plain RTP, and where they are agreed by DTLS."""
    dtls: DtlsTerms | None = None
    """How keys are agreed on the stream itself."""
    ice: IceSide | None = None
    """The peer's ICE, which finds where media goes; None: it goes to the address."""


def make_offer(settings: OfferSettings, previous: SessionDescription | None = None) -> SessionDescription:
    """Our offer; with the previous description of the dialog, its changed version (RFC 3264 8).

    Payload numbers, keys and refused sections of the previous description stay as they are, and the version rises
    only if something else changed.  Raises UnknownCodec.
    """
    slot = _live_audio(previous) if previous is not None else None
    before = previous.media[slot] if previous is not None and slot is not None else None
    numbers = payload_table(before) if before is not None else None
    keys = [_our_key(tag, suite, before) for tag, suite in enumerate(settings.crypto_suites, 1)]
    mid = before.attribute("mid") if before is not None else None
    audio = _audio_section(
        settings,
        _numbered(settings, numbers),
        settings.direction,
        _offered_protocol(settings, before),
        _Extras(settings.rtcp_mux, keys, settings.dtls, settings.ice, mid or ("0" if settings.bundle else "")),
    )
    if previous is None:
        return _describe(settings, (audio,), None)
    media = [_refused(section) for section in previous.media]
    if slot is None:
        slot = next((place for place, section in enumerate(media) if section.kind == "audio"), None)
    if slot is None:
        media.append(audio)
    else:
        media[slot] = audio
    return _describe(settings, tuple(media), previous)


def offered_codecs(offer: SessionDescription) -> tuple[str, ...]:
    """The codecs of the audio that an offer begins with, the peer's best first."""
    index = _live_audio(offer)
    if index is None:
        return ()
    return tuple(dict.fromkeys(codec.name for _, codec in payload_table(offer.media[index]).codecs))


def answer_offer(
    offer: SessionDescription, settings: OfferSettings, previous: SessionDescription | None = None
) -> tuple[SessionDescription, Negotiated]:
    """Our answer to an offer, and what was agreed (RFC 3264 6); `previous` is our last description, if any.

    With a refusal in the result every section of the answer is refused; a caller that must not answer like
    that sends the refusal's status.
    """
    refusal: Refusal | None = None
    chosen: tuple[int, _Usable] | None = None
    for index, section in enumerate(offer.media):
        if section.kind != "audio" or not is_live(offer, section):
            continue
        usable = _usable(offer, section, settings)
        if isinstance(usable, _Usable):
            chosen = index, usable
            break
        refusal = refusal or usable
    sections = [_refused(section) for section in offer.media]
    if chosen is None:
        refusal = refusal or _refusal("no audio in the offer")
        return _describe(settings, tuple(sections), previous), Negotiated(refusal=refusal)

    index, usable = chosen
    section, common, theirs = offer.media[index], usable.codecs, usable.crypto
    direction = _our_direction(offer, section, settings, is_reached_by_ice=usable.ice is not None)
    events = _events_for(usable.events, common) if settings.telephone_event else {}
    ours = _our_key(theirs.tag, theirs.suite, _live_section(previous)) if theirs is not None else None
    extras = _Extras(
        usable.mux,
        [ours] if ours is not None else [],
        DtlsSide(settings.dtls.fingerprints, usable.setup) if settings.dtls is not None and usable.dtls else None,
        settings.ice if usable.ice is not None else None,
        section.attribute("mid") or "",
    )
    sections[index] = _audio_section(settings, _Payloads(common, events), direction, section.protocol, extras)
    answer = _describe(settings, tuple(sections), previous, has_bundle=bool(bundle_of(offer, section)))
    receive = {number: codec.name for number, codec in common}
    keys = SecureKeys(ours.suite, ours.key, theirs.key) if ours is not None and theirs is not None else None
    terms = _Terms(usable.mux, keys, usable.dtls, usable.ice)
    agreed = _negotiated(offer, index, common, receive, events, events, direction, settings.packet_time, terms)
    return answer, agreed


def read_answer(offer: SessionDescription, answer: SessionDescription, packet_time: PacketTime = USUAL) -> Negotiated:
    """What the peer's answer to our offer agreed on (RFC 3264 7)."""
    index = _live_audio(offer)
    if index is None:
        return Negotiated(refusal=_refusal("no audio in the offer"))
    if index >= len(answer.media):
        return Negotiated(refusal=_refusal("no audio in the answer"))
    section = answer.media[index]
    if section.port == 0 or section.kind != "audio":
        return Negotiated(refusal=_refusal("audio refused in the answer"))
    if answer.connection_of(section) is None:
        return Negotiated(refusal=_refusal("no connection address"))
    terms = _agreed_terms(offer, offer.media[index], answer, section)
    if isinstance(terms, Refusal):
        return Negotiated(refusal=terms)

    ours = payload_table(offer.media[index])
    theirs = payload_table(section)
    offered = {codec.name: number for number, codec in ours.codecs}
    common = [(number, codec) for number, codec in theirs.codecs if codec.name in offered]
    if not common:
        return Negotiated(refusal=_refusal("no common codec"))

    # What we offered is what we take; a phone that answers with a number of its own tends to send it too.
    receive = {offered[codec.name]: codec.name for _, codec in common}
    for number, codec in common:
        if number not in ours.events:
            receive.setdefault(number, codec.name)
    rates = set(ours.events.values())
    send_events = {number: rate for number, rate in theirs.events.items() if rate in rates}
    receive_events = {number: rate for number, rate in ours.events.items() if rate in theirs.events.values()}
    for number, rate in send_events.items():
        if number not in receive:
            receive_events.setdefault(number, rate)
    direction = offer.direction_of(offer.media[index]).intersect(answer.direction_of(section).reversed())
    if terms.ice is None:
        direction = _without_sending_nowhere(answer, section, direction)
    return _negotiated(answer, index, common, receive, send_events, receive_events, direction, packet_time, terms)


class _Usable(msgspec.Struct, frozen=True):
    """An audio section of an offer that we can answer."""

    codecs: list[tuple[int, Codec]]
    """Those of both sides, the one to send with first."""
    events: dict[int, int]
    crypto: Crypto | None
    """The peer's key; None for plain RTP, and with DTLS."""
    mux: bool
    """RTCP comes and goes on the port of RTP."""
    dtls: DtlsTerms | None
    setup: str
    """Our a=setup."""
    ice: IceSide | None


def _usable(offer: SessionDescription, section: Media, settings: OfferSettings) -> _Usable | Refusal:
    """What can be made of a section, or why nothing can."""
    if section.protocol.upper() not in PLAIN + SECURE + DTLS:
        return _refusal(f"media protocol {section.protocol[:40]} is not supported")
    if settings.avpf and not section.protocol.upper().endswith(WITH_FEEDBACK):
        return _refusal(f"media protocol {section.protocol[:40]}, while use_avpf wants one with feedback")
    if offer.connection_of(section) is None:
        return _refusal("no connection address")
    if section.attribute("rtcp-mux-only") is not None and not settings.rtcp_mux:
        return _refusal("RTCP only on the port of RTP, which rtcp_mux does not allow")  # RFC 8858 4
    mux = settings.rtcp_mux and transport_attribute(offer, section, "rtcp-mux") is not None
    crypto, dtls, setup = None, None, ""
    try:
        if settings.dtls is not None:
            theirs = _their_dtls(offer, section, settings, mux)
            if theirs is not None:
                setup = setup_to_answer(theirs.setup, settings.dtls.setup)
                dtls = DtlsTerms(theirs.fingerprints, setup == "active")
        else:
            crypto = _their_key(section, settings)
        # ICE is for the answerer to leave out (RFC 8839 4.2.3).
        ice = ice_of(offer, section) if settings.ice is not None else None
    except (_Refused, DtlsError, IceError) as problem:
        return _refusal(str(problem))
    table = payload_table(section)
    common = _common(table, settings)
    if not common:
        return _refusal("no common codec")
    return _Usable(common, table.events, crypto, mux, dtls, setup, ice)


class _Refused(ValueError):
    """Why the keys of a section cannot be used."""


class _Terms(msgspec.Struct, frozen=True):
    """How the packets of a stream go, as both sides agreed."""

    mux: bool
    keys: SecureKeys | None
    dtls: DtlsTerms | None
    ice: IceSide | None


def _agreed_terms(
    offer: SessionDescription, ours: Media, answer: SessionDescription, theirs: Media
) -> _Terms | Refusal:
    """What an answer made of the terms of our offer."""
    mux = ours.attribute("rtcp-mux") is not None and transport_attribute(answer, theirs, "rtcp-mux") is not None
    try:
        dtls = _agreed_dtls(offer, ours, answer, theirs)
        if dtls is not None and not mux:
            raise _Refused("answered with DTLS and without a=rtcp-mux, on which it is supported alone")
        keys = _agreed_keys(ours, theirs) if dtls is None else None
        ice = ice_of(answer, theirs) if ours.attribute("ice-ufrag") is not None else None
    except (_Refused, DtlsError, IceError) as problem:
        return _refusal(str(problem))
    return _Terms(mux, keys, dtls, ice)


# -- DTLS (RFC 5763) --


def _their_dtls(offer: SessionDescription, section: Media, settings: OfferSettings, mux: bool) -> DtlsSide | None:
    """The peer's certificate and wishes; None for plain RTP."""
    theirs = dtls_of(offer, section, default_setup="active")  # RFC 4145 4
    if theirs is None:
        if settings.demands_encryption or section.protocol.upper() not in PLAIN:
            raise _Refused("no a=fingerprint for the encryption of media by DTLS")
        return None
    if not mux:
        raise _Refused("DTLS where RTCP has a port of its own is not supported: a=rtcp-mux is needed")
    return theirs


def _agreed_dtls(offer: SessionDescription, ours: Media, answer: SessionDescription, theirs: Media) -> DtlsTerms | None:
    offered = dtls_of(offer, ours, default_setup="actpass") if ours.attribute("fingerprint") is not None else None
    if offered is None:
        return None
    answered = dtls_of(answer, theirs, default_setup="active")
    if answered is None:
        if ours.protocol.upper() in PLAIN and theirs.protocol.upper() in PLAIN:
            return None
        raise _Refused(f"answered with {theirs.protocol[:40]} and without a=fingerprint")
    return DtlsTerms(answered.fingerprints, begins_after_answer(offered.setup, answered.setup))


# -- keys (RFC 4568) --


def _their_key(section: Media, settings: OfferSettings) -> Crypto | None:
    """The peer's best key that we can use (RFC 4568 5.1.2); None for plain RTP."""
    protocol = section.protocol.upper()
    secure = protocol not in PLAIN
    if secure and not settings.crypto_suites:
        raise _Refused("encrypted media, which media_encryption does not allow")
    if protocol in DTLS:
        raise _Refused(f"media protocol {protocol}, while media_encryption allows keys in the description alone")
    if not settings.crypto_suites:
        return None
    offered, problem = usable_cryptos(section.attributes(CRYPTO))
    best = next((crypto for crypto in offered if crypto.suite in settings.crypto_suites), None)
    if best is not None:
        return best
    if secure or settings.demands_encryption:
        raise _Refused(str(problem) if problem is not None else "no key for the encryption of media")
    return None


def _our_key(tag: int, suite: str, before: Media | None) -> Crypto:
    """Our key for a suite: the one our previous description has for it, else a new one."""
    kept, _ = usable_cryptos(before.attributes(CRYPTO)) if before is not None else ([], None)
    key = next((crypto.key for crypto in kept if crypto.suite == suite), None)
    return Crypto(tag, suite, key) if key is not None else fresh(tag, suite)


def _agreed_keys(ours: Media, theirs: Media) -> SecureKeys | None:
    """The keys of an answer with ours of the offer; a suite is offered once, so it says which (tags are not minded)."""
    offered, _ = usable_cryptos(ours.attributes(CRYPTO))
    answered, problem = usable_cryptos(theirs.attributes(CRYPTO))
    if not offered or (not answered and problem is None):
        secure = ours.protocol.upper() in SECURE or theirs.protocol.upper() not in PLAIN
        if secure:
            raise _Refused(f"answered with {theirs.protocol[:40]} and without a key")
        return None
    if not answered:
        raise _Refused(str(problem))
    mine = next((crypto for crypto in offered if crypto.suite == answered[0].suite), None)
    if mine is None:
        raise _Refused(f"answered with a key of {answered[0].suite}, which was not offered")
    return SecureKeys(mine.suite, mine.key, answered[0].key)


def _offered_protocol(settings: OfferSettings, before: Media | None) -> str:
    """The profile of our offer: the one the stream has, as long as it goes with our settings."""
    encrypted = SECURE if settings.crypto_suites or settings.force_avp else DTLS
    wants = bool(settings.crypto_suites) or settings.dtls is not None
    kinds: tuple[str, ...] = encrypted if settings.demands_encryption else PLAIN + SECURE + DTLS if wants else PLAIN
    if settings.avpf:
        kinds = tuple(kind for kind in kinds if kind.endswith(WITH_FEEDBACK))
    if before is not None and before.protocol.upper() in kinds:
        return before.protocol
    return kinds[0]


# -- codecs and events --


class _Payloads(msgspec.Struct, frozen=True):
    """The numbered codecs and events of one section."""

    codecs: list[tuple[int, Codec]]
    events: dict[int, int]


def _numbered(settings: OfferSettings, previous: PayloadTable | None) -> _Payloads:
    """Give every codec we offer a payload type: the one it had before, its own, or a free dynamic one."""
    before = {codec.name: number for number, codec in previous.codecs} if previous is not None else {}
    events_before = {rate: number for number, rate in previous.events.items()} if previous is not None else {}
    used = set(before.values()) | set(events_before.values())

    def free(preferred: int) -> int:
        number = preferred
        if number in used:
            number = next(candidate for candidate in DYNAMIC_PAYLOAD_TYPES if candidate not in used)
        used.add(number)
        return number

    wanted = [codec_named(name) for name in dict.fromkeys(settings.codecs)]
    codecs = [(before[codec.name] if codec.name in before else free(codec.payload_type), codec) for codec in wanted]
    events: dict[int, int] = {}
    if settings.telephone_event:
        for rate in dict.fromkeys((*(codec.clock_rate_hz for codec in wanted), EVENT_RATE_HZ)):
            number = events_before[rate] if rate in events_before else free(EVENT_PAYLOAD_TYPE)
            events[number] = rate
    return _Payloads(codecs, events)


def _common(table: PayloadTable, settings: OfferSettings) -> list[tuple[int, Codec]]:
    """The codecs of both sides, each once, the one to send with first."""
    allowed = {name: place for place, name in enumerate(settings.codecs)}
    common: dict[str, tuple[int, Codec]] = {}
    for number, codec in table.codecs:
        if codec.name in allowed:
            common.setdefault(codec.name, (number, codec))
    found = list(common.values())
    if settings.prefer_ours:
        found.sort(key=lambda entry: allowed[entry[1].name])
    return found


def _events_for(events: dict[int, int], codecs: list[tuple[int, Codec]]) -> dict[int, int]:
    """The telephone-events whose clock is that of one of the codecs (RFC 4733 2.1), one for each clock.

    Phones offer Opus with events of 8000 Hz alone: better those than none.
    """
    rates = {codec.clock_rate_hz for _, codec in codecs}
    found: dict[int, int] = {}
    for number, rate in events.items():
        if rate in rates:
            rates.discard(rate)
            found[number] = rate
    return found or dict(list(events.items())[:1])


def _our_direction(
    remote: SessionDescription, section: Media, settings: OfferSettings, *, is_reached_by_ice: bool
) -> Direction:
    direction = remote.direction_of(section).reversed().intersect(settings.direction)
    return direction if is_reached_by_ice else _without_sending_nowhere(remote, section, direction)


def _without_sending_nowhere(remote: SessionDescription, section: Media, direction: Direction) -> Direction:
    connection = remote.connection_of(section)
    if connection is not None and connection.unspecified:
        return direction_of(False, direction.receives)
    return direction


def _negotiated(
    remote: SessionDescription,
    index: int,
    common: list[tuple[int, Codec]],
    receive: dict[int, str],
    send_events: dict[int, int],
    receive_events: dict[int, int],
    direction: Direction,
    packet_time: PacketTime,
    terms: _Terms,
) -> Negotiated:
    section = remote.media[index]
    carrier = carrier_of(remote, section)
    connection = remote.connection_of(carrier)
    address = connection.address if connection is not None else ""
    number, codec = common[0]
    rtcp_address, rtcp_port = _rtcp(carrier, address, terms.mux)
    nowhere = terms.ice is None and connection is not None and connection.unspecified
    event = _event_for(codec, send_events)
    remote_direction = remote.direction_of(section)
    return Negotiated(
        index=index,
        address=address,
        port=carrier.port,
        rtcp_address=rtcp_address,
        rtcp_port=rtcp_port,
        rtcp_mux=terms.mux,
        codec=codec.name,
        payload_type=number,
        receive=receive,
        send={codec.name: number for number, codec in common},
        send_events=send_events,
        event_payload_type=event,
        event_rate_hz=send_events[event] if event is not None else 0,
        receive_events=receive_events,
        ptime_ms=packet_time.agreed(codec.name, section),
        maxptime_ms=milliseconds(section.attribute("maxptime")),
        direction=direction,
        held=not remote_direction.receives or nowhere,
        keys=terms.keys,
        dtls=terms.dtls,
        ice=terms.ice,
    )


def sending(agreed: Negotiated, codec: str) -> Negotiated:
    """The same with another of the codecs that the peer takes."""
    event = _event_for(codec_named(codec), agreed.send_events)
    return msgspec.structs.replace(
        agreed,
        codec=codec,
        payload_type=agreed.send[codec],
        event_payload_type=event,
        event_rate_hz=agreed.send_events[event] if event is not None else 0,
    )


def _event_for(codec: Codec, events: dict[int, int]) -> int | None:
    """The payload type of events that goes with a codec: one of its clock, or else any."""
    fitting = (key for key, rate in events.items() if rate == codec.clock_rate_hz)
    return next(fitting, next(iter(events), None))


def _rtcp(section: Media, address: str, mux: bool) -> tuple[str, int]:
    """Where the peer takes RTCP: the RTP port (RFC 5761), a=rtcp (RFC 3605), or the port above RTP's."""
    if mux:
        return address, section.port
    parts = (section.attribute("rtcp") or "").split()
    if parts and parts[0].isascii() and parts[0].isdigit() and len(parts[0]) <= 5 and 0 < int(parts[0]) <= 65535:
        return (parts[3] if len(parts) == 4 else address), int(parts[0])
    return address, min(section.port + 1, 65535)


def _live_section(description: SessionDescription | None) -> Media | None:
    """Our audio section."""
    place = _live_audio(description) if description is not None else None
    return description.media[place] if description is not None and place is not None else None


def _live_audio(description: SessionDescription) -> int | None:
    """The place of our audio section: the first that is not refused."""
    for index, section in enumerate(description.media):
        if section.kind == "audio" and section.port:
            return index
    return None


def _refusal(reason: str) -> Refusal:
    return Refusal(NOT_ACCEPTABLE_HERE, reason)


def _refused(section: Media) -> Media:
    """The section with port 0 (RFC 3264 6): a refusal needs nothing but the m= line."""
    return Media(section.kind, 0, section.protocol, section.formats or ("0",))


class _Extras(msgspec.Struct, frozen=True):
    """What one of our sections says besides its codecs."""

    mux: bool
    keys: list[Crypto]
    dtls: DtlsSide | None
    ice: IceSide | None
    mid: str


def _audio_section(
    settings: OfferSettings, payloads: _Payloads, direction: Direction, protocol: str, extras: _Extras
) -> Media:
    lines: list[Line] = []
    formats: list[str] = []
    for number, codec in payloads.codecs:
        formats.append(str(number))
        lines.append(("a", f"rtpmap:{number} {codec.rtpmap}"))
        if codec.parameters:
            lines.append(("a", f"fmtp:{number} {codec.parameters}"))
    for number, rate in payloads.events.items():
        formats.append(str(number))
        lines.append(("a", f"rtpmap:{number} {TELEPHONE_EVENT}/{rate}"))
        lines.append(("a", f"fmtp:{number} 0-16"))
    best = payloads.codecs[0][1].name
    lines.append(("a", f"ptime:{settings.packet_time.ours(best)}"))
    lines.extend(("a", f"{CRYPTO}:{crypto}") for crypto in extras.keys)
    if extras.ice is not None:
        lines.extend(ice_lines(extras.ice, settings.address, settings.port, has_rtcp=not extras.mux))
    if extras.dtls is not None:
        lines.extend(dtls_lines(extras.dtls))
    if extras.mid:
        lines.append(("a", f"mid:{extras.mid}"))
    if extras.mid and extras.dtls is not None:
        lines.append(("a", f"msid:{settings.username}{settings.session_id} audio"))  # a browser's track has a stream
    if extras.mux:
        lines.append(("a", "rtcp-mux"))
    lines.append(("a", direction.value))
    return Media("audio", settings.port, protocol, tuple(formats), lines=tuple(lines))


def _session_lines(settings: OfferSettings, media: tuple[Media, ...], has_bundle: bool) -> tuple[Line, ...]:
    """What all our sections have in common: they are lite, and those with a name are one bundle."""
    lines: list[Line] = []
    live = [section for section in media if section.port]
    if any(section.attribute("ice-ufrag") is not None for section in live):
        lines.append(("a", "ice-lite"))
    tags = [section.attribute("mid") for section in live]
    if settings.bundle and has_bundle and any(tags):
        lines.append(("a", f"group:BUNDLE {' '.join(tag for tag in tags if tag)}"))
    return tuple(lines)


def _describe(
    settings: OfferSettings,
    media: tuple[Media, ...],
    previous: SessionDescription | None,
    *,
    has_bundle: bool = True,
) -> SessionDescription:
    connection = connection_to(settings.address)
    lines = _session_lines(settings, media, has_bundle)
    if previous is not None:
        origin = previous.origin
        if previous.media == media and previous.connection == connection and previous.lines == lines:
            return previous
        raised = Origin(
            origin.username,
            origin.session_id,
            origin.version + 1,
            origin.network,
            connection.address_type,
            settings.address,
        )
        return SessionDescription(raised, previous.name, connection, lines=lines, media=media)
    origin = Origin(
        settings.username,
        settings.session_id,
        settings.version,
        "IN",
        connection.address_type,
        settings.address,
    )
    return SessionDescription(origin, settings.name, connection, lines=lines, media=media)
