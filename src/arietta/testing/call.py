"""One call of a virtual phone, as a test tells it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec.structs import replace

from arietta.sdp import (
    Direction,
    Negotiated,
    OfferSettings,
    Refusal,
    SdpError,
    SessionDescription,
    answer_offer,
    make_offer,
    parse,
    read_answer,
)
from arietta.sip.events import (
    Acked,
    Answered,
    Ended,
    Failed,
    Incoming,
    InfoReceived,
    OfferDue,
    Provisional,
    ReferReceived,
    ReInvite,
    ReInviteAnswered,
    ReInviteFailed,
    RequestAnswered,
    RequestInDialog,
    SessionEvent,
)
from arietta.sip.headers import Reason
from arietta.sip.invite import InviteSession, SessionState
from arietta.sip.message import Headers, Request, Response, reason_phrase
from arietta.sip.transactions import ClientTransaction, ServerTransaction

from .audio import RATE, Match, compare, read_sound, tone, write_wav
from .voice import Heard, Voice
from .waiting import News, Unexpected

if TYPE_CHECKING:
    from .phone import Phone

__all__ = ["Beat", "Call", "End"]

WITHIN = 32.0
"""Seconds a call waits for what a test expects, unless told otherwise: 64*T1, when SIP itself gives up."""
LOOK_EVERY = 0.5
"""Seconds between two comparisons of what is heard."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing the far end said in a call."""

    time: float
    what: int | str
    """A status, or a method."""
    reason: str
    message: Request | Response | None
    """None when no message came but the phone gave up (408, 503)."""
    is_final: bool
    """After it the story cannot go on as if it had not been."""

    def __str__(self) -> str:
        return f"{self.what} {self.reason}".strip()


@dataclass(frozen=True, slots=True)
class End:
    """How a call ended."""

    time: float
    by: Literal["local", "remote", "timeout"]
    status: int
    """The final status of a call that was never answered, else 0."""
    reason: str
    """BYE, CANCEL, or what went wrong."""
    reasons: tuple[Reason, ...]
    """The Reason header fields the far end gave."""


class Call:
    """One call. Methods with `await` wait for the far end, and raise Unexpected when something else happens."""

    def __init__(
        self,
        phone: Phone,
        session: InviteSession,
        voice: Voice | None,
        *,
        codecs: tuple[str, ...] = (),
        offered: SessionDescription | None = None,
    ) -> None:
        self.phone = phone
        self.session = session
        self.story: list[Beat] = []
        """What the far end said, in order."""
        self.end: End | None = None
        """Set once the call is over."""
        self.negotiated: Negotiated | None = None
        self.remote_sdp: SessionDescription | None = None
        self.takes_reinvites = True
        """Answer the far end's re-INVITEs by itself; else `expect("INVITE")`, then `answer` or `reject`."""
        self.is_confirmed = False
        """Answered, and the ACK went or came."""
        self._voice = voice
        self._news = News()
        self._told = 0
        self._local_sdp = offered
        self._offer: bytes = b""
        self._we_offered = offered is not None
        self._codecs = codecs or phone.codecs
        self._direction = Direction.SENDRECV
        self._requests: dict[ClientTransaction, asyncio.Future[Response | None]] = {}

    def __repr__(self) -> str:
        last = self.story[-1] if self.story else "nothing yet"
        return f"<Call {self.call_id} of {self.phone.name}: {last}>"

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.session.invite.call_id if self.session.invite is not None else ""

    @property
    def request(self) -> Request:
        """The INVITE that began it."""
        assert self.session.invite is not None
        return self.session.invite

    # -- what the far end says -------------------------------------------------------------------------------------

    async def expect(self, what: int | str, within: float = WITHIN) -> Beat:
        """Wait for a status, or a method such as BYE, after what was expected before; others may come between."""
        return await self._news.find(lambda: self._next(what), within, lambda: self._words(f"{what} did not come"))

    async def answered(self, within: float = WITHIN) -> Call:
        """Wait until the call is up: answered and acknowledged."""

        def look() -> bool | None:
            if self.end is not None:
                raise Unexpected(self._words(f"not answered, but ended: {self.end}"))
            return self.is_confirmed or None

        await self._news.find(look, within, lambda: self._words("not answered"))
        return self

    async def ended(self, within: float = WITHIN) -> End:
        """Wait until the call is over."""
        return await self._news.find(lambda: self.end, within, lambda: self._words("not ended"))

    # -- what we say: beginning and end ------------------------------------------------------------------------------

    def ring(self, status: int = 180, headers: Headers = ()) -> None:
        """Say that we ring."""
        self._do(self.session.ring(self.phone.now, status, headers=headers), f"{status}")

    def progress(self, status: int = 183, headers: Headers = ()) -> None:
        """Answer the offer in a provisional response: what we send from then on is early media."""
        local, agreed = answer_offer(parse(self._offer), self._settings(), self._local_sdp)
        self._local_sdp = local
        self._do(self.session.ring(self.phone.now, status, bytes(local), headers), f"{status}")
        self._agree(agreed, self._offer)

    def answer(self, headers: Headers = ()) -> None:
        """Answer the INVITE (or re-INVITE) with 200, or refuse it with 488 when no codec is common; see `answered`."""
        if self._offer:
            settings = self._settings()
            try:
                local, agreed = answer_offer(parse(self._offer), settings, self._local_sdp)
            except SdpError as error:
                self.reject(400, headers=[("Warning", f'399 {self.phone.host} "{error.reason}"')])
                return
            if agreed.refusal is not None:
                self.reject(agreed.refusal.status)
                return
            self._local_sdp = local
            self._agree(agreed, self._offer)
        else:
            self._local_sdp = make_offer(self._settings(), self._local_sdp)
        self._we_offered = not self._offer
        self._do(self.session.accept(self.phone.now, bytes(self._local_sdp), headers), "200")

    def reject(self, status: int = 486, reason: str | None = None, headers: Headers = ()) -> None:
        """Refuse the INVITE or re-INVITE."""
        self._do(self.session.reject(self.phone.now, status, reason, headers), f"{status}")

    async def hang_up(self, headers: Headers = (), within: float = WITHIN) -> End:
        """End it by BYE, by CANCEL, or by 603, whatever its state asks for, and wait until the far end knows."""
        self.session.end(self.phone.now, headers=headers)
        self.phone.drain()
        end = await self.ended(within)
        await self.phone.news.find(
            lambda: self.session.state is SessionState.TERMINATED or None,
            within,
            lambda: self._words("the far end did not answer"),
        )
        return end

    async def cancel(self, headers: Headers = (), within: float = WITHIN) -> End:
        """Give up before the answer, and wait for the end (a 200 that crosses the CANCEL gets ACK and BYE)."""
        self._do(self.session.cancel(self.phone.now, headers), "CANCEL")
        return await self.ended(within)

    # -- what we say: in the call --------------------------------------------------------------------------------------

    async def hold(self) -> None:
        """Put the far end on hold: a re-INVITE that only sends (RFC 3264 8.4)."""
        await self.reinvite(direction=Direction.SENDONLY)

    async def resume(self) -> None:
        """Take the far end back."""
        await self.reinvite(direction=Direction.SENDRECV)

    async def reinvite(
        self,
        sdp: bytes | None = None,
        *,
        direction: Direction | None = None,
        codecs: tuple[str, ...] | None = None,
        headers: Headers = (),
        expect: int = 200,
        within: float = WITHIN,
    ) -> None:
        """Offer a change and wait for its answer: our own description, or `sdp` as it stands (b"" for none)."""
        self._codecs = codecs or self._codecs
        self._direction = direction or self._direction
        if sdp is None:
            self._local_sdp = make_offer(self._settings(), self._local_sdp)
            sdp = bytes(self._local_sdp)
        self._we_offered = bool(sdp)
        self._told = len(self.story)
        self._do(self.session.reinvite(self.phone.now, sdp, headers), "re-INVITE")
        await self.expect(expect, within)

    async def send_request(
        self,
        method: str,
        body: bytes = b"",
        content_type: str = "",
        *,
        headers: Headers = (),
        expect: int = 200,
        within: float = WITHIN,
    ) -> Response:
        """Send a request in the dialog and wait for its final response."""
        transaction = self.session.request(self.phone.now, method, body, headers, content_type)
        if transaction is None:
            raise Unexpected(self._words(f"{method} does not fit the state of the call"))
        future: asyncio.Future[Response | None] = asyncio.get_running_loop().create_future()
        self._requests[transaction] = future
        self.phone.drain()
        async with asyncio.timeout(within):
            response = await future
        if response is None or response.status != expect:
            got = "nothing" if response is None else response.start_line()
            raise Unexpected(self._words(f"expected {expect} to {method}, got {got}"))
        return response

    async def send_info(self, digit: str, duration_ms: int = 160, *, expect: int = 200) -> Response:
        """Send a digit as INFO, application/dtmf-relay."""
        body = f"Signal={digit}\r\nDuration={duration_ms}\r\n".encode()
        return await self.send_request("INFO", body, "application/dtmf-relay", expect=expect)

    async def send_message(self, text: str, *, expect: int = 200) -> Response:
        """Send a text in the dialog (RFC 3428)."""
        return await self.send_request("MESSAGE", text.encode(), "text/plain", expect=expect)

    # -- audio ---------------------------------------------------------------------------------------------------------

    @property
    def voice(self) -> Voice:
        """The RTP end."""
        if self._voice is None:
            raise Unexpected(self._words("the call has no voice: it was made with a description of the test's own"))
        return self._voice

    @property
    def heard(self) -> Heard:
        """What came."""
        return self.voice.heard

    @property
    def digits(self) -> str:
        """The digits that came as telephone-events."""
        return self.voice.digits

    def send_audio(self, sound: bytes | Path | str) -> asyncio.Future[bool]:
        """Send samples or a sound file; await the result to wait until it was sent."""
        return self.voice.send_samples(sound if isinstance(sound, bytes) else read_sound(sound))

    def send_tone(self, frequency_hz: float, duration_ms: float, rate: int = RATE) -> asyncio.Future[bool]:
        """Send a sine; with a wideband codec and its rate also one above 4 kHz."""
        return self.voice.send_samples(tone(frequency_hz, duration_ms, rate=rate), rate)

    def send_digits(self, digits: str, duration_ms: int = 100, gap_ms: int = 100) -> asyncio.Future[bool]:
        """Send digits as telephone-events; the result is that of the last one."""
        if not digits:
            raise ValueError("no digits to send")
        return [self.voice.send_digit(digit, duration_ms, gap_ms) for digit in digits][-1]

    async def hears(self, sound: bytes | Path | str, at_least: float = 0.9, within: float = WITHIN) -> Match:
        """Wait until the phone has heard a sound, by correlation; says how well and where."""
        expected = sound if isinstance(sound, bytes) else read_sound(sound)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        best, compared = Match(0.0, 0.0), -1
        while True:
            heard = self.heard
            if len(heard) != compared and 2 * len(heard) >= len(expected) * at_least * at_least:
                compared = len(heard)
                best = max(best, compare(heard.samples, expected), key=lambda match: match.correlation)
            if best.correlation >= at_least:
                return best
            now = loop.time()
            if now >= deadline or (self.end is not None and len(heard) == compared):
                raise Unexpected(
                    self._words(
                        f"did not hear the sound: correlation {best.correlation:.3f} at {best.offset_ms:.0f} ms"
                        f" is under {at_least} in {heard.duration_ms:.0f} ms of audio"
                    )
                )
            await asyncio.sleep(min(LOOK_EVERY, deadline - now))

    async def hears_digits(self, digits: str, within: float = WITHIN) -> None:
        """Wait until the far end has sent these digits as telephone-events, and no others."""
        await self.voice.news.find(
            lambda: self.digits == digits or None,
            within,
            lambda: self._words(f"digits {digits!r} did not come, but {self.digits!r}"),
        )

    def heard_wav(self, path: Path | str) -> None:
        """Write what was heard as a wav file."""
        write_wav(path, self.heard.samples)

    # -- misbehaviour ------------------------------------------------------------------------------------------------

    def bye_before_ack(self) -> None:
        """Send BYE first and the ACK after it; for a call made with `ack=False`, once 200 has come."""
        if self.session.bye(self.phone.now):
            self.phone.drain()
        self.phone.release_acks(self.call_id)

    def cancel_late(self) -> None:
        """Send a CANCEL although 200 has come, as a phone does whose 200 is still on the way."""
        invite = self.request
        request = Request("CANCEL", invite.uri_text)
        for name in ("From", "To", "Call-ID", "Max-Forwards"):
            request.set(name, invite.headers[name][0])
        request.set("Via", invite.headers["Via"][0])
        request.set("CSeq", f"{invite.cseq.number} CANCEL")
        self.phone.send_raw(bytes(request), self.session.peer)

    # -- what the session tells --------------------------------------------------------------------------------

    def take(self, event: SessionEvent) -> None:
        """Take an event of the session; for the phone."""
        now, session = self.phone.now, self.session
        match event:
            case Incoming():
                self._offer = event.sdp
                self._say("INVITE", "", event.request)
                self._told = 1  # who has the call knows of its INVITE
            case Provisional():
                self._take_early(event.sdp)
                self._say(event.status, event.reason, event.response)
            case Answered() | ReInviteAnswered():
                self._take_2xx(event.sdp)
                self.is_confirmed = True
                self._say(event.response.status, event.response.reason, event.response, final=True)
            case ReInvite():
                self._offer = event.sdp
                self._say("INVITE", "", event.request)
                if self.takes_reinvites:
                    self.answer()
            case ReInviteFailed():
                self._say(event.status, event.reason, None, final=True)
            case OfferDue() if self._local_sdp is not None:
                session.reinvite(now, bytes(self._local_sdp), event.headers)
            case Acked():
                self.is_confirmed = True
                self._take_answer(event.sdp)
                self._say("ACK", "", None)
            case InfoReceived():
                session.respond(event.transaction, now, 200)
                self._say("INFO", "", event.request)
            case ReferReceived():
                session.respond(event.transaction, now, 202)
                self._say("REFER", "", event.request)
            case RequestInDialog():
                self._take_request(event.transaction, event.request)
            case RequestAnswered():
                self._finish_request(event)
            case Failed():
                self._say(event.status, event.reason, event.response, final=True)
                self._end(End(now, "remote", event.status, event.reason, event.reasons))
            case Ended():
                if event.by == "remote":
                    self._say(event.reason, "", event.request, final=True)
                elif event.status:
                    self._say(event.status, reason_phrase(event.status), None, final=True)
                self._end(End(now, event.by, event.status, event.reason, event.reasons))
        self._news.tell()

    def give_voice(self, voice: Voice) -> None:
        """Take the RTP end of a call that came in; for the phone."""
        self._voice = voice
        if self.end is not None:
            voice.close()

    def close(self) -> None:
        """Free the ports; for the phone."""
        if self._voice is not None:
            self._voice.close()
        for future in self._requests.values():
            if not future.done():
                future.set_result(None)
        self._requests.clear()

    def _take_early(self, sdp: bytes) -> None:
        """An answer in a provisional response, or the offer, which the PRACK answers."""
        if self._we_offered or self._voice is None or not sdp:
            self._take_answer(sdp)
            return
        local, agreed = answer_offer(parse(sdp), self._settings(), self._local_sdp)
        if self.session.prack(self.phone.now, bytes(local)):
            self._local_sdp = local
            self._agree(agreed, sdp)

    def _take_2xx(self, sdp: bytes) -> None:
        if self._we_offered or self._voice is None or not sdp:
            self._take_answer(sdp)
            return
        try:
            local, agreed = answer_offer(parse(sdp), self._settings(), self._local_sdp)
        except SdpError as error:
            self.session.acknowledge(self.phone.now, b"")
            self.negotiated = Negotiated(refusal=Refusal(400, str(error)))
            return
        self._local_sdp = local
        self.session.acknowledge(self.phone.now, bytes(local))
        self._agree(agreed, sdp)

    def _take_answer(self, sdp: bytes) -> None:
        if not sdp or not self._we_offered or self._local_sdp is None:
            return
        try:
            self._agree(read_answer(self._local_sdp, parse(sdp)), sdp)
        except SdpError as error:
            self.negotiated = Negotiated(refusal=Refusal(400, str(error)))

    def _agree(self, agreed: Negotiated, remote: bytes) -> None:
        self.negotiated, self.remote_sdp = agreed, parse(remote)
        if self._voice is not None and agreed.refusal is None:
            self._voice.start(agreed)

    def _take_request(self, transaction: ServerTransaction, request: Request) -> None:
        if request.method == "MESSAGE":
            self.phone.take_message(request)
        if request.method == "UPDATE" and request.sdp and self.takes_reinvites:
            self._answer_update(transaction, request)
        else:
            self.session.respond(transaction, self.phone.now, 200 if not request.sdp else 488)
        self._say(request.method, "", request)

    def _answer_update(self, transaction: ServerTransaction, request: Request) -> None:
        """Answer an offer in an UPDATE (RFC 3311)."""
        local, agreed = answer_offer(parse(request.sdp), self._settings(), self._local_sdp)
        self._local_sdp, self._we_offered = local, False
        now = self.phone.now
        self.session.respond(transaction, now, 200, body=bytes(local), content_type="application/sdp")
        self._agree(agreed, request.sdp)

    def _finish_request(self, event: RequestAnswered) -> None:
        for transaction, future in tuple(self._requests.items()):
            if transaction.request.cseq.method == event.request.method and not future.done():
                del self._requests[transaction]
                future.set_result(event.response)
                return

    def _settings(self) -> OfferSettings:
        address, port = self._voice.address if self._voice is not None else (self.phone.host, 9)
        settings = self.phone.offer_settings(address, port, self._codecs)
        return replace(settings, direction=self._direction)

    def _do(self, done: bool, what: str) -> None:
        if not done:
            raise Unexpected(self._words(f"{what} does not fit the state {self.session.state}"))
        self.phone.drain()

    def _say(self, what: int | str, reason: str, message: Request | Response | None, *, final: bool = False) -> None:
        self.story.append(Beat(self.phone.now, what, reason, message, final))

    def _next(self, what: int | str) -> Beat | None:
        while self._told < len(self.story):
            beat = self.story[self._told]
            self._told += 1
            if beat.what == what:
                return beat
            if beat.is_final and (isinstance(what, int) or beat.what != 200):
                raise Unexpected(self._words(f"expected {what}, got {beat}"))
        if self.end is not None:
            raise Unexpected(self._words(f"expected {what}, but the call is over: {self.end.reason}"))
        return None

    def _end(self, end: End) -> None:
        self.end = end
        self.close()

    def _words(self, text: str) -> str:
        return f"{self.phone.name}: {text}\n{self.phone.ladder()}"
