"""A virtual SIP phone, for tests and demonstrations: on a virtual loop, or on a real one with real sockets.

    phone = await Phone.open("10.0.0.2", username="6001", password="secret", server=("10.0.0.1", 5060))
    await phone.register()
    call = await phone.invite("1000")
    await call.expect(180)
    await call.answered()
    await call.hears(read_sound("hello-world.wav"), at_least=0.9)
    await call.hang_up()

The other way round: `call = await phone.ringing()`, then `call.ring()`, `call.answer()`, `await call.answered()`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, Self

from arietta.sdp import SRTP_SUITES, OfferSettings, SessionDescription, make_offer
from arietta.sip.agent import AgentOutput, UserAgent
from arietta.sip.auth import Credentials, DigestClient
from arietta.sip.dialogs import literal_address
from arietta.sip.message import Headers, Request, Response
from arietta.sip.profile import Profile
from arietta.sip.transactions import (
    Address,
    RequestReceived,
    ResponseReceived,
    Send,
    TimedOut,
    Transport,
    TransportFailed,
)
from arietta.sip.uri import parse_uri, quote

from .call import WITHIN, Call
from .ladder import Ladder, describe
from .voice import Voice
from .waiting import News, Unexpected
from .wires import Wires, format_host

__all__ = ["Call", "Phone", "Seen", "Unexpected"]

ALLOW = ("INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "REFER", "NOTIFY", "MESSAGE")
MAX_SEEN = 10_000
MAX_INBOX = 1000
MAX_AUTHENTICATION_ROUNDS = 3

Encryption = Literal["no", "sdes", "optimistic"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One SIP message as it passed the phone's socket."""

    time: float
    was_sent: bool
    peer: Address
    data: bytes

    @property
    def first_line(self) -> str:
        """The request line or status line."""
        return describe(self.data)[0]


class Phone:
    """One phone: a socket, perhaps an account, any number of calls. Made by `open`, ended by `close`."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        name: str,
        username: str,
        credentials: DigestClient | None,
        codecs: tuple[str, ...],
        encryption: Encryption,
        server: Address | None,
        talks: bool,
        seed: int | None,
        tls: ssl.SSLContext | None = None,
        profile: Profile | None = None,
    ) -> None:
        self.loop = loop
        self.name = name
        self.username = username
        self.codecs = codecs
        self.encryption = encryption
        self.server = server
        """Where requests go whose target is no full URI."""
        self.on_invite: Callable[[Call], None] | None = None
        """Called with each incoming call, such as `Call.answer`; else `ringing` gives them."""
        self.calls: list[Call] = []
        """Every call, the oldest first."""
        self.inbox: deque[Request] = deque(maxlen=MAX_INBOX)
        """MESSAGEs that came and were not taken by `next_message`."""
        self.seen: deque[Seen] = deque(maxlen=MAX_SEEN)
        """Every SIP message sent and received, repetitions included."""
        self.watchers: list[Callable[[Seen], None]] = []
        """Called for each of them."""
        self._random = Random(seed)
        token = (lambda: f"{self._random.getrandbits(64):016x}") if seed is not None else None
        profile = profile or Profile(allow=ALLOW, product="Arietta virtual phone")
        self.agent = UserAgent(profile, token=token) if token else UserAgent(profile)
        self._credentials = credentials
        self._talks = talks
        self.news = News()
        """Told whenever something happened."""
        self._wires = Wires(self._received, self._failed, tls)
        self._transport = Transport("UDP", "", 0)
        self._timer: asyncio.TimerHandle | None = None
        self._ringing: deque[Call] = deque()
        self._ladders: list[Ladder] = []
        self._withheld: dict[str, list[Send]] = {}
        self._looked = 0
        self._count = 0
        self._cseq = 0
        self._draining = False
        self._closed = False
        self._openings: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        username: str = "",
        password: str = "",
        name: str = "",
        transport: str = "udp",
        server: Address | None = None,
        codecs: tuple[str, ...] = ("ulaw", "alaw"),
        encryption: Encryption = "no",
        talks: bool = True,
        seed: int | None = None,
        tls: ssl.SSLContext | None = None,
        profile: Profile | None = None,
    ) -> Phone:
        """Switch a phone on; raises OSError.

        `transport` is udp, tcp, tls, ws or wss; ws and wss are connected to `server`, which is then a web server's
        address. `tls` says what is trusted; with a context for servers the phone waits for connections instead.
        `talks`: send silence in calls when there is nothing else. `seed` makes tags, branches and RTP numbers the same
        in every run. `encryption`: `sdes` demands SRTP, `optimistic` takes it where the far end has it too; it needs
        the engine in C. `profile`: the methods and extensions it knows, such as session timers.
        """
        credentials = DigestClient(Credentials(username, password)) if username else None
        phone = cls(
            asyncio.get_running_loop(),
            name=name or username or host,
            username=username or "phone",
            credentials=credentials,
            codecs=codecs,
            encryption=encryption,
            server=server,
            talks=talks,
            seed=seed,
            tls=tls,
            profile=profile,
        )
        phone._transport = await phone._wires.open(transport.upper(), host, port)
        return phone

    async def close(self) -> None:
        """Switch it off, without a word to anybody."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for task in self._openings:
            task.cancel()
        await asyncio.gather(*self._openings, return_exceptions=True)
        for call in self.calls:
            call.close()
        await self._wires.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    # -- who it is -------------------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        """Its own address."""
        return self._transport.host

    @property
    def port(self) -> int:
        """Its own SIP port."""
        return self._transport.port

    @property
    def now(self) -> float:
        """The loop's time."""
        return self.loop.time()

    @property
    def uri(self) -> str:
        """The URI that reaches it directly."""
        return f"sip:{self.username}@{self._transport.sent_by}{self._suffix}"

    @property
    def _suffix(self) -> str:
        protocol = self._transport.protocol.lower()
        return "" if protocol == "udp" else ";transport=ws" if protocol == "wss" else f";transport={protocol}"

    @property
    def address_of_record(self) -> str:
        """The URI others call it by: at its server, or else its own."""
        if self.server is None:
            return f"sip:{self.username}@{format_host(self.host)}"
        host, port = self.server
        return f"sip:{self.username}@{format_host(host)}" + (f":{port}" if port != 5060 else "")

    # -- outside of calls --------------------------------------------------------------------------------------------

    async def register(
        self,
        registrar: str = "",
        *,
        expires: int = 3600,
        contact: str = "",
        headers: Headers = (),
        expect: int = 200,
        within: float = WITHIN,
    ) -> Response:
        """Register at `registrar` (`sip:10.0.0.1:5060`), which becomes the phone's server; `expires=0` ends it."""
        if registrar:
            self.server = await self._resolve(registrar)
        host, port = self._server()
        request = self._create("REGISTER", f"sip:{format_host(host)}:{port}", self.address_of_record, headers)
        request.set("Contact", contact or f"<{self.uri}>")
        request.set("Expires", str(expires))
        return await self._ask(request, (host, port), expect, within)

    async def unregister(self) -> Response:
        """Take the registration back."""
        return await self.register(expires=0)

    async def options(self, target: str = "", *, expect: int = 200, within: float = WITHIN) -> Response:
        """Send OPTIONS."""
        uri = self._target(target)
        return await self._ask(self._create("OPTIONS", uri, uri), await self._resolve(uri), expect, within)

    async def message(
        self, target: str, text: str, *, headers: Headers = (), expect: int = 200, within: float = WITHIN
    ) -> Response:
        """Send a text outside of a call (RFC 3428)."""
        uri = self._target(target)
        request = self._create("MESSAGE", uri, uri, headers)
        request.set("Content-Type", "text/plain")
        request.body = text.encode()
        return await self._ask(request, await self._resolve(uri), expect, within)

    async def next_message(self, within: float = WITHIN) -> Request:
        """Wait for a MESSAGE."""
        look = self.inbox.popleft
        return await self.news.find(lambda: look() if self.inbox else None, within, lambda: self._words("no MESSAGE"))

    async def request(self, request: Request, *, expect: int = 200, within: float = WITHIN) -> Response:
        """Send any request outside of a dialog to where its URI points; answers challenges."""
        return await self._ask(request, await self._resolve(request.uri_text), expect, within)

    def send_raw(self, data: bytes, destination: Address | None = None) -> None:
        """Send bytes from the phone's socket, past everything it knows of SIP."""
        self._put(Send(data, destination or self._server(), self._transport))

    def write(self, data: bytes) -> None:
        """Put bytes on the phone's connections, whether they are SIP or not."""
        self._wires.write(data)

    def lose_connections(self) -> None:
        """Reset every connection."""
        self._wires.hang_up()

    async def sees(self, begins: str, within: float = WITHIN) -> Seen:
        """Wait for a message whose first line begins so, after those already seen this way; repetitions count."""

        def look() -> Seen | None:
            first = self._count - len(self.seen)
            for index in range(max(0, self._looked - first), len(self.seen)):
                seen = self.seen[index]
                self._looked = first + index + 1
                if not seen.was_sent and seen.first_line.startswith(begins):
                    return seen
            return None

        return await self.news.find(look, within, lambda: self._words(f"no message {begins!r}"))

    # -- calls -------------------------------------------------------------------------------------------------------

    async def invite(
        self,
        target: str,
        *,
        sdp: bytes | None = None,
        headers: Headers = (),
        codecs: tuple[str, ...] | None = None,
        display: str = "",
        contact: str = "",
        ack: bool = True,
    ) -> Call:
        """Call an extension of the server, or a URI.

        `sdp` in place of our own offer: bytes as they stand, b"" to let the far end offer. `contact` in place of the
        phone's URI. `ack=False`: the ACK to its 200 is withheld (see `Call.bye_before_ack`).
        """
        uri = self._target(target)
        destination = await self._resolve(uri)
        caller = f"<{self.address_of_record}>"
        voice: Voice | None = None
        offered: SessionDescription | None = None
        if not sdp:
            voice = await self._open_voice()
        if voice is not None and sdp is None:
            offered = make_offer(self.offer_settings(*voice.address, codecs or self.codecs))
            sdp = bytes(offered)
        call_id = f"{self._random.getrandbits(64):016x}@{format_host(self.host)}"
        if not ack:
            self._withheld[call_id] = []
        session = self.agent.invite(
            uri,
            destination,
            self._transport,
            contact or f"<{self.uri}>",
            self.now,
            from_=f"{quote(display)} {caller}" if display else caller,
            sdp=sdp or b"",
            headers=headers,
            credentials=self._credentials,
            call_id=call_id,
        )
        call = self._adopt(Call(self, session, voice, codecs=codecs or self.codecs, offered=offered))
        if voice is not None:
            self._draw_voice(call, voice)
        self.drain()
        return call

    async def ringing(self, within: float = WITHIN) -> Call:
        """Wait for a call that comes in (nothing was said to it yet but 100)."""
        look = self._ringing.popleft
        return await self.news.find(lambda: look() if self._ringing else None, within, lambda: self._words("no call"))

    def offer_settings(self, address: str, port: int, codecs: tuple[str, ...]) -> OfferSettings:
        """Its side of a negotiation; for calls."""
        suites = tuple(SRTP_SUITES) if self.encryption != "no" else ()
        optional = self.encryption == "optimistic"
        return OfferSettings(address, port, codecs, name=self.name, crypto_suites=suites, crypto_optional=optional)

    def release_acks(self, call_id: str) -> None:
        """Send the ACKs withheld in a call, and withhold no more."""
        for send in self._withheld.pop(call_id, ()):
            self._put(send)

    def ladder(self) -> str:
        """What passed the phone's socket, drawn."""
        ladder = Ladder([self.name])
        for seen in self.seen:
            record_seen(ladder, self.name, seen)
        return ladder.render()

    def draw_on(self, ladder: Ladder) -> None:
        """Draw the phone's SIP, and the RTP of calls that begin from now on."""
        ladder.add_party(self.name, f"{format_host(self.host)}:{self.port}")
        self._ladders.append(ladder)
        self.watchers.append(lambda seen: record_seen(ladder, self.name, seen))

    # -- the skin ----------------------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Send and tell what there is, then set the timer anew; after everything that was asked of the agent."""
        if self._draining or self._closed:
            return
        self._draining = True
        try:
            while outputs := self.agent.outputs():
                for output in outputs:
                    if isinstance(output, Send):
                        if not self._withhold(output):
                            self._put(output)
                    else:
                        self._take(output)
        finally:
            self._draining = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.agent.next_timeout()
        if deadline is not None:
            self._timer = self.loop.call_at(deadline, self._on_timer)

    def take_message(self, request: Request) -> None:
        """Keep a MESSAGE; for calls."""
        self.inbox.append(request)
        self.news.tell()

    def _received(self, data: bytes, source: Address) -> None:
        self._see(False, source, data)
        self.agent.receive(data, source, self._transport, self.now)
        self.drain()
        self.news.tell()

    def _failed(self, send: Send) -> None:
        self.agent.transport_failed(send, self.now)
        self.drain()

    def _on_timer(self) -> None:
        self._timer = None
        self.agent.handle_timeout(self.now)
        self.drain()
        self.news.tell()

    def _put(self, send: Send) -> None:
        self._see(True, send.destination, send.data)
        self._wires.send(send)

    def _see(self, was_sent: bool, peer: Address, data: bytes) -> None:
        seen = Seen(self.now, was_sent, peer, data)
        self.seen.append(seen)
        self._count += 1
        for watcher in self.watchers:
            watcher(seen)
        self.news.tell()

    def _withhold(self, send: Send) -> bool:
        if send.transaction is not None or not self._withheld or not send.data.startswith(b"ACK "):
            return False
        for call_id, held in self._withheld.items():
            if f"Call-ID: {call_id}\r\n".encode() in send.data:
                held[:] = [send]
                return True
        return False

    def _take(self, output: AgentOutput) -> None:
        if isinstance(output, RequestReceived):
            self._take_request(output)
        elif isinstance(output, ResponseReceived | TimedOut | TransportFailed):
            future = output.transaction.user
            if isinstance(future, asyncio.Future) and not future.done():
                if not isinstance(output, ResponseReceived):
                    future.set_result(None)
                elif output.response.status >= 200:
                    future.set_result(output.response)
        elif not isinstance(output, Send) and isinstance(output.session.user, Call):
            output.session.user.take(output)

    def _take_request(self, received: RequestReceived) -> None:
        transaction, request = received.transaction, received.request
        if request.method == "INVITE":
            session = self.agent.accept_invite(received, f"<{self.uri}>", self.now, credentials=self._credentials)
            if session is not None:
                task = self.loop.create_task(self._open_incoming(self._adopt(Call(self, session, None))))
                self._openings.add(task)
                task.add_done_callback(self._openings.discard)
        elif request.method == "MESSAGE":
            self.agent.respond(transaction, self.now, 200)
            self.take_message(request)
        elif request.method in ("OPTIONS", "NOTIFY"):
            self.agent.respond(transaction, self.now, 200, headers=[("Allow", ", ".join(ALLOW))])
        else:
            self.agent.respond(transaction, self.now, 405, headers=[("Allow", ", ".join(ALLOW))])

    async def _open_incoming(self, call: Call) -> None:
        voice = await self._open_voice()
        call.give_voice(voice)
        self._draw_voice(call, voice)
        if self.on_invite is not None:
            if call.end is None:
                self.on_invite(call)
        else:
            self._ringing.append(call)
            self.news.tell()

    async def _open_voice(self) -> Voice:
        return await Voice.open(self.host, self._random, talks=self._talks)

    def _draw_voice(self, call: Call, voice: Voice) -> None:
        if not self._ladders:
            return

        def draw(was_sent: bool) -> None:
            host, port = call.session.peer
            ends = (self.name, f"{format_host(host)}:{port}")
            label = f"RTP {call.negotiated.codec}" if call.negotiated is not None else "RTP"
            for ladder in self._ladders:
                ladder.rtp(self.now, *(ends if was_sent else ends[::-1]), label)

        voice.on_packet = draw

    def _adopt(self, call: Call) -> Call:
        call.session.user = call
        self.calls.append(call)
        return call

    async def _ask(self, request: Request, destination: Address, expect: int, within: float) -> Response:
        for attempt in range(1, MAX_AUTHENTICATION_ROUNDS + 1):
            future: asyncio.Future[Response | None] = self.loop.create_future()
            self.agent.send_request(request, destination, self._transport, self.now, future)
            self.drain()
            try:
                async with asyncio.timeout(within):
                    response = await future
            except TimeoutError:
                response = None
            if response is None:
                raise Unexpected(self._words(f"no answer to {request.method}"))
            if response.status == expect:
                return response
            again = self._with_credentials(request, response)
            if again is None or attempt == MAX_AUTHENTICATION_ROUNDS:
                raise Unexpected(self._words(f"expected {expect} to {request.method}, got {response.start_line()}"))
            request = again
        raise AssertionError("the last round returns or raises")

    def _with_credentials(self, request: Request, response: Response) -> Request | None:
        if response.status not in (401, 407) or self._credentials is None:
            return None
        answers = self._credentials.answer(request, response)
        if answers is None:
            return None
        again = request.copy()
        for name, _ in answers:
            again.remove(name)
        for name, value in answers:
            again.add(name, value)
        again.set("CSeq", f"{request.cseq.number + 1} {request.method}")
        return again

    def _create(self, method: str, uri: str, to: str, headers: Headers = ()) -> Request:
        self._cseq += 1
        request = Request(method, uri)
        request.set("Via", "")
        request.set("From", f"<{self.address_of_record}>;tag={self._random.getrandbits(64):016x}")
        request.set("To", f"<{to}>")
        request.set("Call-ID", f"{self._random.getrandbits(64):016x}@{format_host(self.host)}")
        request.set("CSeq", f"{self._cseq} {method}")
        request.set("Max-Forwards", "70")
        for name, value in headers:
            request.add(name, value)
        return request

    def _server(self) -> Address:
        if self.server is None:
            raise ValueError(f"phone {self.name!r} knows no server: give `server`, register, or use a full URI")
        return self.server

    def _target(self, target: str) -> str:
        if target.startswith(("sip:", "sips:", "tel:")):
            return target
        host, port = self._server()
        user = f"{target}@" if target else ""
        return f"sip:{user}{format_host(host)}:{port}{self._suffix}"

    async def _resolve(self, uri_text: str) -> Address:
        uri = parse_uri(uri_text)
        if not uri.host:
            return self._server()
        literal = literal_address(uri)
        if literal is not None:
            return literal
        found = await self.loop.getaddrinfo(uri.host, uri.port or 5060)
        return str(found[0][4][0]), int(found[0][4][1])

    def _words(self, text: str) -> str:
        return f"{self.name}: {text}\n{self.ladder()}"


def record_seen(ladder: Ladder, name: str, seen: Seen) -> None:
    """Draw one message of a phone."""
    peer = f"{format_host(seen.peer[0])}:{seen.peer[1]}"
    first_line, method = describe(seen.data)
    ladder.sip(seen.time, name if seen.was_sent else peer, peer if seen.was_sent else name, first_line, method)
