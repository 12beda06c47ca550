"""Subscriptions as their notifier has them, as ladders on a virtual clock; what SUBSCRIBE and message summaries say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.sip.errors import ProtocolError
from arietta.sip.event_bodies import MOST_MESSAGES, Waiting, read_message_summary, write_message_summary
from arietta.sip.message import Request
from arietta.sip.subscription import (
    LONGEST_S,
    EventField,
    Subscription,
    choose_type,
    expiry_of,
    read_event,
)
from arietta.sip.transactions import RequestReceived

from . import grammar
from .net import Network, Party

OFFERED = ("application/pidf+xml", "application/dialog-info+xml")


class Notifier(Party):
    """Accepts every SUBSCRIBE for as long as it asks; `state` is what it tells."""

    def __init__(self, network: Network) -> None:
        super().__init__(network, "192.0.2.1")
        self.state = b"one"
        self.subscription: Subscription | None = None
        self.ended: list[str] = []
        self.on[RequestReceived] = self._take

    def _take(self, received: RequestReceived) -> None:
        request = received.request
        if self.subscription is not None:
            try:
                self.subscription.check(request)
                self.subscription.refresh(received.transaction, request, expiry_of(request, 600, 0), self.now)
            except ProtocolError as problem:
                self.agent.refuse(received.transaction, problem, self.now)
            return
        self.subscription = self.agent.accept_subscribe(
            received,
            self.contact,
            expiry_of(request, 600, 0),
            self.now,
            event=read_event(request),
            body=lambda: (self.state, "text/plain"),
            on_ended=lambda _, why: self.ended.append(why),
        )
        self.agent.listen(request.call_id, self.subscription.local_tag, lambda again, _: self._take(again))

    def change(self, state: bytes) -> None:
        """Another state is to be told."""
        assert self.subscription is not None
        self.state = state
        self.subscription.changed(self.now)
        self.drain()


class Subscriber(Party):
    """Asks, and answers each NOTIFY with `status`, or not at all (0)."""

    def __init__(self, network: Network) -> None:
        super().__init__(network, "192.0.2.2")
        self.status = 200
        self.told_states: list[tuple[str, bytes]] = []
        self.dialog_to = ""
        self.agent.listen("lamp", "w", lambda received, _: self._take(received))

    def _take(self, received: RequestReceived) -> None:
        request = received.request
        self.told_states.append((request.get("Subscription-State") or "", request.body))
        self.dialog_to = request.headers["From"][0]
        if self.status:
            self.agent.respond(received.transaction, self.now, self.status)

    def subscribe(self, other: Party, expires: int, cseq: int = 1, event: str = "presence") -> None:
        """Outside of the dialog first, inside once a NOTIFY has told its tag."""
        request = subscribe({"Event": [event], "Expires": [str(expires)]})
        request.headers |= {
            "From": [f"<sip:watcher@{self.address[0]}>;tag=w"],
            "To": [self.dialog_to or f"<sip:6002@{other.address[0]}>"],
            "Call-ID": ["lamp"],
            "CSeq": [f"{cseq} SUBSCRIBE"],
            "Contact": [self.contact],
        }
        self.agent.send_request(request, other.address, self.transport, self.now, None)
        self.drain()


def subscribe(headers: dict[str, list[str]]) -> Request:
    return Request("SUBSCRIBE", "sip:6002@192.0.2.1", {"Via": [], "Max-Forwards": ["70"], **headers})


@pytest.fixture
def network() -> Network:
    return Network(latency=0.001)


@pytest.fixture
def parties(network: Network) -> tuple[Notifier, Subscriber]:
    notifier, subscriber = Notifier(network), Subscriber(network)
    subscriber.subscribe(notifier, 600)
    network.advance(1)
    assert network.ladder == ["SUBSCRIBE", "200 SUBSCRIBE", "NOTIFY", "200 NOTIFY"]
    network.ladder.clear()
    return notifier, subscriber


def test_each_change_is_told_until_it_runs_out(network: Network, parties: tuple[Notifier, Subscriber]) -> None:
    notifier, subscriber = parties
    notifier.change(b"two")
    network.advance(1)
    network.advance(600)
    assert subscriber.told_states == [
        ("active;expires=600", b"one"),
        ("active;expires=599", b"two"),
        ("terminated;reason=timeout", b"two"),
    ]
    assert notifier.ended == ["timeout"]
    notifier.change(b"three")
    network.advance(100)
    assert len(subscriber.told_states) == 3


def test_changes_meanwhile_are_told_as_one(network: Network, parties: tuple[Notifier, Subscriber]) -> None:
    notifier, subscriber = parties
    for state in (b"two", b"three", b"four"):
        notifier.change(state)
    network.advance(1)
    assert [body for _, body in subscriber.told_states] == [b"one", b"two", b"four"]


def test_it_is_refreshed_and_taken_back(network: Network, parties: tuple[Notifier, Subscriber]) -> None:
    notifier, subscriber = parties
    network.advance(500)
    subscriber.subscribe(notifier, 600, cseq=2)
    network.advance(500)
    assert notifier.ended == []
    subscriber.subscribe(notifier, 0, cseq=3)
    network.advance(1)
    assert subscriber.told_states[-1] == ("terminated;reason=timeout", b"one")
    assert notifier.ended == ["unsubscribed"]


def test_another_event_in_its_dialog_is_refused(network: Network, parties: tuple[Notifier, Subscriber]) -> None:
    notifier, subscriber = parties
    subscriber.subscribe(notifier, 600, cseq=2, event="presence;id=7")
    network.advance(1)
    assert network.ladder == ["SUBSCRIBE", "481 SUBSCRIBE"]
    assert notifier.ended == []


@pytest.mark.parametrize(("status", "why"), [(481, "refused"), (603, "refused"), (0, "unreachable")])
def test_whoever_does_not_want_it_is_told_no_more(
    network: Network, parties: tuple[Notifier, Subscriber], status: int, why: str
) -> None:
    notifier, subscriber = parties
    subscriber.status = status
    notifier.change(b"two")
    network.advance(40)
    assert notifier.ended == [why]
    network.ladder.clear()
    network.advance(700)
    assert network.ladder == []


def test_the_end_is_said_after_what_is_under_way(network: Network, parties: tuple[Notifier, Subscriber]) -> None:
    notifier, subscriber = parties
    notifier.change(b"two")
    assert notifier.subscription is not None
    notifier.subscription.end(network.now, "noresource")
    notifier.subscription.end(network.now, "rejected")
    network.advance(1)
    assert [state for state, _ in subscriber.told_states[1:]] == ["active;expires=599", "terminated;reason=noresource"]
    assert notifier.ended == ["noresource"]


def test_a_lossy_network_loses_no_last_state() -> None:
    for seed in range(20):
        network = Network(seed=seed, loss=0.3)
        notifier, subscriber = Notifier(network), Subscriber(network)
        subscriber.subscribe(notifier, 3600)
        network.advance(32)
        for state in (b"two", b"three"):
            if notifier.subscription is not None:
                notifier.change(state)
            network.advance(32)
        if notifier.subscription is not None and not notifier.ended:
            assert subscriber.told_states[-1][1] == b"three"


# ------------------------------------------------------------------------------------------------ what is read


@given(package=grammar.tokens, ident=st.none() | grammar.tokens)
def test_an_event_is_read_as_it_is_written(package: str, ident: str | None) -> None:
    event = EventField(package.lower(), ident or "")
    assert read_event(subscribe({"Event": [str(event)]})) == event


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=60))
def test_any_event_is_read_or_refused(text: str) -> None:
    try:
        event = read_event(subscribe({"Event": [text]}))
    except ProtocolError as problem:
        assert 400 <= problem.status < 500
    else:
        assert event.package == event.package.strip().lower() != ""


@given(
    st.lists(grammar.tokens.map(lambda token: f"application/{token}") | st.sampled_from([*OFFERED, "*/*", "text/*"]))
)
def test_what_is_chosen_was_offered_and_is_accepted(accept: list[str]) -> None:
    request = subscribe({"Accept": [", ".join(accept)]} if accept else {})
    wanted = {one.lower() for one in accept}
    possible = [one for one in OFFERED if not accept or wanted & {one, "*/*"}]
    try:
        chosen = choose_type(request, OFFERED)
    except ProtocolError as problem:
        assert problem.status == 406
        assert not possible
    else:
        assert chosen in (possible or OFFERED)


@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=60))
def test_any_accept_chooses_or_is_refused(text: str) -> None:
    try:
        assert choose_type(subscribe({"Accept": [text]}), OFFERED) in OFFERED
    except ProtocolError as problem:
        assert problem.status in (400, 406)


@pytest.mark.parametrize(
    ("asked", "granted"), [(None, 3600), ("0", 0), ("60", 60), ("999999999", LONGEST_S), ("4294967295", LONGEST_S)]
)
def test_how_long_is_granted(asked: str | None, granted: int) -> None:
    assert expiry_of(subscribe({} if asked is None else {"Expires": [asked]}), 3600, 60) == granted


@pytest.mark.parametrize(("asked", "status"), [("59", 423), ("-1", 400), ("", 400), ("soon", 400)])
def test_what_is_not_granted(asked: str, status: int) -> None:
    with pytest.raises(ProtocolError) as refused:
        expiry_of(subscribe({"Expires": [asked]}), 3600, 60)
    assert refused.value.status == status


def test_an_hour_is_not_too_brief() -> None:
    assert expiry_of(subscribe({"Expires": ["3600"]}), 3600, 7200) == 7200


@given(new=st.integers(0, MOST_MESSAGES), old=st.integers(0, MOST_MESSAGES), account=grammar.texts)
def test_a_summary_is_read_as_it_is_written(new: int, old: int, account: str) -> None:
    assert read_message_summary(write_message_summary(Waiting(new, old), account)) == Waiting(new, old)


@given(
    st.binary(max_size=200)
    | st.lists(
        st.sampled_from(
            [b"Messages-Waiting: yes", b"Messages-waiting:NO", b"Voice-Message: 2/8 (0/2)", b"Voice-Message"]
        )
        | st.binary(max_size=20)
    ).map(b"\r\n".join)
)
def test_any_summary_is_read_or_refused(body: bytes) -> None:
    try:
        waiting = read_message_summary(body)
    except ProtocolError as problem:
        assert problem.status == 400
    else:
        assert 0 <= waiting.new <= MOST_MESSAGES
        assert 0 <= waiting.old <= MOST_MESSAGES


@pytest.mark.parametrize(
    ("body", "waiting"),
    [
        (b"Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n", Waiting(2, 8)),
        (b"messages-waiting:YES\nVOICE-MESSAGE:1/0\n", Waiting(1, 0)),
        (b"Messages-Waiting: yes\r\n", Waiting(1)),
        (b"Messages-Waiting: no\r\nVoice-Message: many\r\n", Waiting(0)),
        (b"Messages-Waiting: no\r\nVoice-Message: 9999999999/1\r\n", Waiting(MOST_MESSAGES, 1)),
    ],
)
def test_summaries_of_other_servers(body: bytes, waiting: Waiting) -> None:
    assert read_message_summary(body) == waiting
