"""Phones that watch others: busy lamps and presence from hints, message lamps from mailboxes."""

from __future__ import annotations

import asyncio
from xml.etree import ElementTree

import pytest

from arietta.drivers.sip import subscriptions
from arietta.server import Server
from arietta.sip.message import Request, Response, parse
from arietta.testing import AriClient, Phone, VirtualLoop

from .conftest import EXTENSIONS, FILES, PJSIP

HINTS = """
exten => 6002,hint,PJSIP/bob
exten => 6003,hint,PJSIP/bob&Custom:lamp,CustomPresence:bob
exten => _62XX,hint,Custom:x${EXTEN:2}
exten => 1400,1,Set(DEVICE_STATE(Custom:lamp)=BUSY)
 same => n,Set(PRESENCE_STATE(CustomPresence:bob)=dnd,,"Not <now> & here")
 same => n,Hangup()
exten => 1401,1,Set(DEVICE_STATE(Custom:x99)=INUSE)
 same => n,Set(GLOBAL(SEEN)=${EXTENSION_STATE(6299@default)} ${HINT(6299@default)})
 same => n,Hangup()
"""
PIDF = "{urn:ietf:params:xml:ns:pidf}"
DIALOG = "{urn:ietf:params:xml:ns:dialog-info}"


@pytest.fixture
def files() -> dict[str, str]:
    pjsip = PJSIP.replace(
        'callerid="Alice"',
        'mailboxes=alice@default,all@default\nvoicemail_extension=*97\nsub_min_expiry=60\ncallerid="Alice"',
    )
    pjsip = pjsip.replace("[bob]\ntype=aor", "[bob]\ntype=aor\nmailboxes=bob@default")
    pjsip = pjsip.replace("[carrier]\ntype=endpoint", "[carrier]\ntype=endpoint\nincoming_mwi_mailbox=trunk@default")
    return {**FILES, "extensions.conf": EXTENSIONS + HINTS, "pjsip.conf": pjsip}


class Watcher:
    """One subscription of a phone."""

    def __init__(self, phone: Phone, target: str, event: str, accept: str = "", expires: int = 600) -> None:
        self.phone, self.target, self.event, self.accept, self.expires = phone, target, event, accept, expires
        self.answer: Response | None = None

    async def begin(self, expect: int = 200) -> Response:
        request = self.phone._create("SUBSCRIBE", self.phone._target(self.target), self.phone._target(self.target))
        self._dress(request, self.expires)
        self.phone.agent.listen(
            request.call_id, request.from_tag, lambda received, now: self._take(received.transaction, now)
        )
        self.answer = await self.phone.request(request, expect=expect)
        return self.answer

    def _take(self, transaction: object, now: float) -> None:
        self.phone.agent.respond(transaction, now, 200)  # type: ignore[arg-type]

    def _dress(self, request: Request, expires: int) -> None:
        request.set("Event", self.event)
        request.set("Expires", str(expires))
        request.set("Contact", f"<{self.phone.uri}>")
        if self.accept:
            request.set("Accept", self.accept)

    async def again(self, expires: int, expect: int = 200) -> Response:
        assert self.answer is not None
        request = self.phone._create("SUBSCRIBE", self.phone._target(self.target), self.phone._target(self.target))
        request.headers["From"] = self.answer.headers["From"]
        request.headers["To"] = self.answer.headers["To"]
        request.headers["Call-ID"] = self.answer.headers["Call-ID"]
        self.cseq = getattr(self, "cseq", self.answer.cseq.number) + 5
        request.set("CSeq", f"{self.cseq} SUBSCRIBE")
        self._dress(request, expires)
        return await self.phone.request(request, expect=expect)

    async def notified(self, within: float = 2.0) -> Request:
        seen = await self.phone.sees("NOTIFY", within)
        message = parse(seen.data)
        assert isinstance(message, Request)
        return message


def quiet(loop: VirtualLoop, phone: Phone, seconds: float = 3.0) -> int:
    """NOTIFYs that come in a time."""
    before = sum(seen.first_line.startswith("NOTIFY") for seen in phone.seen)
    loop.advance(seconds)
    return sum(seen.first_line.startswith("NOTIFY") for seen in phone.seen) - before


def pidf_of(request: Request) -> tuple[str, str]:
    """Basic state and note."""
    root = ElementTree.fromstring(request.body)
    return root.findtext(f"{PIDF}tuple/{PIDF}status/{PIDF}basic") or "", root.findtext(f"{PIDF}note") or ""


def dialog_of(request: Request) -> tuple[str, str]:
    """Version and state."""
    root = ElementTree.fromstring(request.body)
    return root.attrib["version"], root.findtext(f"{DIALOG}dialog/{DIALOG}state") or ""


async def test_a_busy_lamp_follows_a_call(alice: Phone, bob: Phone, server: Server, app: AriClient) -> None:
    await alice.sees("NOTIFY")  # of her mailboxes
    lamp = Watcher(alice, "6002", "dialog", "application/dialog-info+xml")
    assert (await lamp.begin()).get("Expires") == "600"
    first = await lamp.notified()
    assert first.get("Subscription-State") == "active;expires=600"
    assert first.content_type == "application/dialog-info+xml"
    assert dialog_of(first) == ("0", "terminated")
    made = (await app.post("/channels", endpoint="PJSIP/bob", app="hello-world")).json
    call = await bob.ringing()
    call.ring()
    assert dialog_of(await lamp.notified()) == ("1", "early")
    call.answer()
    assert dialog_of(await lamp.notified()) == ("2", "confirmed")
    await app.event("StasisStart", channel_id=made["id"])
    await call.hang_up()
    assert dialog_of(await lamp.notified()) == ("3", "terminated")
    await lamp.again(0)
    last = await lamp.notified()
    assert (last.get("Subscription-State") or "").startswith("terminated")
    await asyncio.sleep(1)
    assert len(server.sip.subscriptions) == 0


async def test_presence_of_devices_and_of_people(alice: Phone, bob: Phone, server: Server, carrier: Phone) -> None:
    await alice.sees("NOTIFY")
    seen = Watcher(alice, "6003", "presence")
    await seen.begin()
    assert pidf_of(await seen.notified()) == ("open", "Ready")
    call = await carrier.invite("1400")
    await call.ended()
    notes = [pidf_of(await seen.notified())]
    if notes[-1][1] != "Not <now> & here":
        notes.append(pidf_of(await seen.notified()))
    assert notes[-1] == ("open", "Not <now> & here")
    state = server.dialplan.hints.get("default", "6003")
    assert state is not None
    assert (state.text, state.presence, state.watchers) == ("InUse", "dnd", 1)


async def test_hints_of_patterns_and_their_functions(carrier: Phone, server: Server) -> None:
    await (await carrier.invite("1401")).ended()
    assert server.dialplan.globals["SEEN"] == "INUSE Custom:x99"
    assert [state.exten for state in server.dialplan.hints.all()] == ["6002", "6003"]


@pytest.mark.parametrize(
    ("target", "event", "accept", "expires", "status", "header"),
    [
        ("6002", "conference", "", 600, 489, ("Allow-Events", "presence, dialog, message-summary, refer")),
        ("6999", "presence", "", 600, 404, None),
        ("6002", "presence", "text/plain", 600, 406, None),
        ("6002", "presence", "", 30, 423, ("Min-Expires", "60")),
        ("nobody", "message-summary", "", 600, 404, None),
    ],
)
async def test_what_is_refused(
    alice: Phone, target: str, event: str, accept: str, expires: int, status: int, header: tuple[str, str] | None
) -> None:
    answer = await Watcher(alice, target, event, accept, expires).begin(status)
    if header is not None:
        assert answer.get(header[0]) == header[1]


async def test_an_unknown_dialog_is_refused(alice: Phone) -> None:
    lamp = Watcher(alice, "6002", "dialog")
    await lamp.begin()
    assert lamp.answer is not None
    lamp.answer.headers["To"] = [lamp.answer.headers["To"][0] + "x"]
    await lamp.again(600, 481)


def test_a_subscription_runs_out_unless_it_is_refreshed(alice: Phone, server: Server, loop: VirtualLoop) -> None:
    loop.run(alice.sees("NOTIFY"))
    lamp = Watcher(alice, "6002", "dialog")
    loop.run(lamp.begin())
    loop.run(lamp.notified())
    loop.advance(400)
    assert loop.run(lamp.again(600)).get("Expires") == "600"
    assert loop.run(lamp.notified()).get("Subscription-State") == "active;expires=600"
    loop.advance(590)
    assert len(server.sip.subscriptions) == 1
    loop.advance(20)
    assert loop.run(lamp.notified()).get("Subscription-State") == "terminated;reason=timeout"
    assert len(server.sip.subscriptions) == 0


def test_a_phone_that_forgot_ends_it(alice: Phone, server: Server, loop: VirtualLoop) -> None:
    lamp = Watcher(alice, "6002", "dialog")
    lamp._take = lambda transaction, now: alice.agent.respond(transaction, now, 481)  # type: ignore[method-assign, arg-type, assignment, return-value]
    loop.run(lamp.begin())
    loop.advance(40)
    assert len(server.sip.subscriptions) == 0


def test_a_phone_that_is_gone_ends_it(alice: Phone, server: Server, loop: VirtualLoop) -> None:
    loop.run(Watcher(alice, "6002", "dialog").begin())
    loop.advance(1)
    loop.run(alice.close())
    server.device_states.set_custom("Custom:lamp", "INUSE")
    server.sip.subscriptions.configure(server.config.pjsip)
    server.sip.contacts.location.contacts(("bob",))
    for one in list(server.sip.subscriptions._all):
        assert one.subscription is not None
        one.subscription.changed(loop.time())
    server.sip.drain()
    loop.advance(40)
    assert len(server.sip.subscriptions) == 0


def test_a_reload_without_the_hint_ends_it(
    alice: Phone, server: Server, loop: VirtualLoop, files: dict[str, str]
) -> None:
    loop.run(alice.sees("NOTIFY"))
    lamp, other = Watcher(alice, "6002", "dialog"), Watcher(alice, "6003", "dialog")
    for watcher in (lamp, other):
        loop.run(watcher.begin())
        loop.run(watcher.notified())
    text = (server.config.directory / "extensions.conf").read_text()
    (server.config.directory / "extensions.conf").write_text(text.replace("exten => 6002,hint,PJSIP/bob\n", ""))
    server.reload(("pbx_config.so",))
    assert loop.run(lamp.notified()).get("Subscription-State") == "terminated;reason=noresource"
    loop.advance(1)
    assert [one.resource for one in server.sip.subscriptions.shown()] == ["6003"]


def test_a_reload_that_forbids_it_ends_it(alice: Phone, server: Server, loop: VirtualLoop) -> None:
    loop.run(alice.sees("NOTIFY"))
    lamp = Watcher(alice, "6002", "dialog")
    loop.run(lamp.begin())
    loop.run(lamp.notified())
    conf = server.config.directory / "pjsip.conf"
    conf.write_text(conf.read_text().replace("sub_min_expiry=60", "allow_subscribe=no"))
    server.reload(("res_pjsip.so",))
    assert loop.run(lamp.notified()).get("Subscription-State") == "terminated;reason=rejected"
    loop.advance(1)
    assert server.sip.subscriptions.shown() == []
    loop.run(Watcher(alice, "6002", "dialog").begin(403))


def test_the_stop_tells_every_subscriber(alice: Phone, server: Server, loop: VirtualLoop) -> None:
    loop.run(alice.sees("NOTIFY"))
    lamp = Watcher(alice, "6002", "dialog")
    loop.run(lamp.begin())
    loop.run(lamp.notified())
    loop.run(server.stop(0))
    assert loop.run(lamp.notified()).get("Subscription-State") == "terminated;reason=deactivated"


def test_there_is_a_limit(alice: Phone, server: Server, loop: VirtualLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "MAX_PER_ENDPOINT", 1)
    loop.run(Watcher(alice, "6002", "dialog").begin())
    assert loop.run(Watcher(alice, "6003", "dialog").begin(503)).get("Retry-After") == "60"
    assert server.sip.agent.counters["refused.subscriptions"] == 1


async def test_changes_while_a_notify_is_under_way_are_one(alice: Phone, server: Server, loop: VirtualLoop) -> None:
    await alice.sees("NOTIFY")
    lamp = Watcher(alice, "6003", "presence")
    await lamp.begin()
    await lamp.notified()
    await asyncio.sleep(1)
    for state in ("INUSE", "RINGING", "BUSY", "NOT_INUSE", "RINGING"):
        server.device_states.set_custom("Custom:lamp", state)
    first = pidf_of(await lamp.notified())
    second = pidf_of(await lamp.notified())
    assert (first[1], second[1]) == ("On the phone", "Ringing")
    before = len(alice.seen)
    await asyncio.sleep(3)
    assert not any(seen.first_line.startswith("NOTIFY") for seen in list(alice.seen)[before:])


async def test_message_lamps_of_phones_that_did_not_ask(alice: Phone, app: AriClient) -> None:
    first = parse((await alice.sees("NOTIFY")).data)
    assert first.body == b"Messages-Waiting: no\r\nMessage-Account: sip:*97@10.0.0.1\r\nVoice-Message: 0/0 (0/0)\r\n"
    await app.request("PUT", "/mailboxes/alice@default", query={"oldMessages": 1, "newMessages": 2}, expect=204)
    told = parse((await alice.sees("NOTIFY")).data)
    assert b"Messages-Waiting: yes" in told.body
    assert b"Voice-Message: 2/1" in told.body
    assert told.get("Event") == "message-summary"
    await app.request("DELETE", "/mailboxes/alice@default", expect=204)
    assert b"Messages-Waiting: no" in parse((await alice.sees("NOTIFY")).data).body


async def test_message_lamps_of_phones_that_ask(bob: Phone, app: AriClient) -> None:
    lamp = Watcher(bob, "bob", "message-summary", "application/simple-message-summary")
    await lamp.begin()
    assert b"Voice-Message: 0/0" in (await lamp.notified()).body
    await app.request("PUT", "/mailboxes/bob@default", query={"oldMessages": 0, "newMessages": 7}, expect=204)
    assert b"Voice-Message: 7/0" in (await lamp.notified()).body


async def test_a_trunk_tells_how_many_messages_wait(carrier: Phone, app: AriClient) -> None:
    request = carrier._create("NOTIFY", carrier._target("me"), carrier._target("me"))
    request.set("Event", "message-summary")
    request.set("Subscription-State", "active")
    request.set("Content-Type", "application/simple-message-summary")
    request.body = b"Messages-Waiting: yes\r\nVoice-Message: 4/2 (0/0)\r\n"
    await carrier.request(request)
    shown = (await app.get("/mailboxes/trunk@default")).json
    assert (shown["new_messages"], shown["old_messages"]) == (4, 2)


def test_a_stranger_is_challenged(server: Server, loop: VirtualLoop, alice: Phone) -> None:
    lamp = Watcher(alice, "6002", "dialog")
    alice._credentials = None
    answer = loop.run(lamp.begin(401))
    assert "WWW-Authenticate" in answer.headers


async def test_applications_hear_of_devices(bob: Phone, app: AriClient) -> None:
    await app.post("/applications/hello-world/subscription", eventSource="deviceState:PJSIP/bob")
    await app.post("/channels", endpoint="PJSIP/bob", app="hello-world")
    call = await bob.ringing()
    call.ring()
    states = []
    while not states or states[-1] != "RINGING":
        states.append((await app.event("DeviceStateChanged"))["device_state"]["state"])
    call.reject(486)
    assert (await app.event("DeviceStateChanged"))["device_state"]["state"] == "NOT_INUSE"
