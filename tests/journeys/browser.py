"""The media of a browser on the virtual network: it checks, shakes hands, and speaks SRTP from one port."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from arietta.media.codecs import CODECS
from arietta.rtp import RtpPacket
from arietta.sdp import Candidate, IceSide, OfferSettings, SessionDescription, make_offer, parse, read_answer
from arietta.sdp.negotiation import Negotiated, answer_offer
from arietta.stun import BINDING_SUCCESS, is_stun, parse_stun
from arietta.testing.ciphers import Ciphers
from arietta.testing.loop import VirtualLoop
from arietta.webrtc.dtls import Association, Identity
from webrtc.peer import Handshaker, new_identity, side_of
from webrtc.peer import check as connectivity_check

PACE_S = 0.05
IDENTITY = new_identity("browser")


class BrowserMedia(asyncio.DatagramProtocol):
    """One peer connection. `identity` is its certificate, `described` the one its description speaks of."""

    def __init__(
        self, loop: VirtualLoop, host: str, *, identity: Identity = IDENTITY, described: Identity = IDENTITY
    ) -> None:
        self.loop = loop
        self.host = host
        self.ours = IceSide("brow", "b" * 24)
        self.checks = True
        self.answered = 0
        """Checks that were answered well."""
        self.heard = b""
        """Samples that came."""
        self.unreadable = 0
        """Datagrams of media that its keys do not open."""
        self._identity, self._described = identity, described
        self._transport: Any = loop.network.open_datagrams(self, host, 0)
        self._agreed: Negotiated | None = None
        self._handshaker: Handshaker | None = None
        self._ciphers: Ciphers | None = None
        self._ssrc, self._sequence = 0x1234, 0
        self._offered: SessionDescription | None = None
        self._shaken = asyncio.Event()

    # -- descriptions --

    def offer(self, setup: str = "actpass") -> bytes:
        """Its offer, with no candidate in it: they would trickle."""
        self._offered = make_offer(self._settings(setup), self._offered)
        return _of_a_full_agent(self._offered)

    def take_answer(self, answer: bytes) -> None:
        assert self._offered is not None
        self.agree(read_answer(self._offered, parse(answer)))

    def answer(self, offer: bytes, setup: str = "actpass") -> bytes:
        """Its answer; it begins."""
        answer, agreed = answer_offer(parse(offer), self._settings(setup))
        self.agree(agreed)
        return _of_a_full_agent(answer)

    def agree(self, agreed: Negotiated) -> None:
        assert agreed.refusal is None and agreed.ice is not None and agreed.dtls is not None
        assert agreed.ice.is_lite
        if self._agreed is None:
            self._handshaker = Handshaker(Association(self._identity, agreed.dtls))
        self._agreed = agreed
        if self.checks:
            self.check()

    def restart(self) -> None:
        """Other credentials, from another port."""
        self.ours = IceSide("rest", "r" * 24)
        self._transport.close()
        self._transport = self.loop.network.open_datagrams(self, self.host, 0)

    def _settings(self, setup: str) -> OfferSettings:
        return OfferSettings(
            self.host,
            9,
            ("ulaw",),
            rtcp_mux=True,
            dtls=side_of(self._described, setup),
            ice=self.ours,
            avpf=True,
            bundle=True,
        )

    # -- the port --

    @property
    def target(self) -> tuple[str, int]:
        assert self._agreed is not None and self._agreed.ice is not None
        (candidate,) = self._agreed.ice.candidates
        assert isinstance(candidate, Candidate)
        return candidate.address, candidate.port

    @property
    def has_keys(self) -> bool:
        return self._ciphers is not None

    def check(self) -> None:
        """A check every PACE_S until the keys are there; then it is left at that."""
        if self._transport.is_closing() or self._agreed is None or self._agreed.ice is None:
            return
        self._transport.sendto(connectivity_check(self.ours, self._agreed.ice), self.target)
        if not self.has_keys:
            self.loop.call_later(PACE_S, self.check)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert addr == self.target
        if is_stun(data):
            if parse_stun(data).kind == BINDING_SUCCESS:
                self.answered += 1
                self._shake()
        elif 20 <= data[0] <= 63:
            self._shake(data)
        elif self._ciphers is not None and not 192 <= data[1] <= 223:
            plain = self._ciphers.unprotect(data)
            if plain is None:
                self.unreadable += 1
            else:
                self.heard += CODECS["ulaw"].decoder()(RtpPacket.parse(plain).payload)

    def _shake(self, *data: bytes) -> None:
        assert self._handshaker is not None
        for datagram in self._handshaker.take(*data):
            self._transport.sendto(datagram, self.target)
        if self._handshaker.keys and self._ciphers is None:
            self._ciphers = Ciphers(self._handshaker.keys[0])
            self._shaken.set()

    async def shaken(self) -> None:
        """Wait for the keys."""
        await self._shaken.wait()

    async def say(self, samples: bytes, *, plain: bool = False) -> None:
        """Send samples in their time."""
        encode = CODECS["ulaw"].encoder()
        for at in range(0, len(samples), 320):
            packet = bytes(
                RtpPacket(0, self._sequence, self._sequence * 160, self._ssrc, encode(samples[at : at + 320]))
            )
            if not plain:
                assert self._ciphers is not None
                packet = self._ciphers.protect(packet)
            self._transport.sendto(packet, self.target)
            self._sequence += 1
            await asyncio.sleep(0.02)

    def close(self) -> None:
        self._transport.close()


def _of_a_full_agent(description: SessionDescription) -> bytes:
    """The description without what only a lite agent says."""
    lines = tuple(line for line in description.lines if line[1] != "ice-lite")
    media = tuple(
        msgspec.structs.replace(
            section, lines=tuple(line for line in section.lines if not line[1].startswith(("candidate", "end-of")))
        )
        for section in description.media
    )
    return bytes(msgspec.structs.replace(description, lines=lines, media=media))
