"""Whose codecs an offer or an answer has: by the lists alone, and as ladders on the virtual network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.config.codec_preferences import WORDS
from arietta.config.endpoint import Endpoint
from arietta.config.tree import load
from arietta.drivers.sip.codec_choice import Choice, codecs_to_answer, codecs_to_offer, codecs_to_send
from arietta.sdp import offered_codecs, parse
from arietta.server import Server
from arietta.testing import Phone, VirtualLoop
from arietta.testing.plugin import Switch

from .running import EXTENSIONS, FILES, PASSWORD, SERVER, phone_sections

OURS, THEIRS = ("ulaw", "alaw", "g722"), ("g722", "gsm", "alaw")
LISTS = st.lists(st.sampled_from("abcdef"), unique=True).map(tuple)
MakePhone = Callable[..., Awaitable[Phone]]
Start = Callable[..., Server]


@pytest.fixture
def endpoint(tmp_path: Path) -> Callable[[str], Endpoint]:
    """A function that gives an endpoint with options."""

    def read(options: str) -> Endpoint:
        (tmp_path / "pjsip.conf").write_text(f"[a]\ntype=endpoint\nallow=ulaw\n{options}\n")
        return load(tmp_path).pjsip.endpoints["a"]

    return read


@pytest.mark.parametrize(
    ("options", "answer"),
    [
        ("", "g722 alaw"),
        ("incoming_call_offer_pref=local", "alaw g722"),
        ("incoming_call_offer_pref=local_first", "alaw"),
        ("incoming_call_offer_pref=remote", "g722 alaw"),
        ("incoming_call_offer_pref=remote_first", "g722"),
        ("preferred_codec_only=yes", "g722"),
        ("codec_prefs_incoming_offer=prefer: configured", "alaw g722"),
        ("codec_prefs_incoming_offer=keep: first", "g722"),
        ("codec_prefs_incoming_offer=prefer:configured , keep : first", "alaw"),
        ("codec_prefs_incoming_offer=operation: only_preferred", "g722 gsm alaw"),
        ("codec_prefs_incoming_offer=operation: only_nonpreferred", "alaw g722"),
        ("codec_prefs_incoming_offer=operation: union", "g722 gsm alaw"),
        ("codec_prefs_outgoing_answer=prefer: configured", "alaw g722"),
        ("codec_prefs_outgoing_answer=keep: first", "g722"),
        ("codec_prefs_outgoing_answer=operation: union, prefer: configured, transcode: prevent", "alaw g722"),
        ("codec_prefs_incoming_offer=operation: only_preferred\ncodec_prefs_outgoing_answer=keep: all", "g722 alaw"),
    ],
)
def test_what_answers_an_offer(endpoint: Callable[[str], Endpoint], options: str, answer: str):
    assert codecs_to_answer(endpoint(options), OURS, THEIRS) == tuple(answer.split())


@pytest.mark.parametrize(
    ("options", "offer", "alone"),
    [
        ("", "g722 alaw ulaw", "ulaw alaw g722"),
        ("outgoing_call_offer_pref=remote_merge", "g722 alaw ulaw", "ulaw alaw g722"),
        ("outgoing_call_offer_pref=remote", "g722 alaw", "ulaw alaw g722"),
        ("outgoing_call_offer_pref=remote_first", "g722", "ulaw"),
        ("outgoing_call_offer_pref=local", "alaw g722", "ulaw alaw g722"),
        ("outgoing_call_offer_pref=local_merge", "ulaw alaw g722", "ulaw alaw g722"),
        ("outgoing_call_offer_pref=local_first", "ulaw", "ulaw"),
        ("codec_prefs_outgoing_offer=prefer: pending", "g722 gsm alaw ulaw", "ulaw alaw g722"),
        ("codec_prefs_outgoing_offer=prefer: configured", "ulaw alaw g722 gsm", "ulaw alaw g722"),
        ("codec_prefs_outgoing_offer=operation: intersect", "g722 alaw", "ulaw alaw g722"),
        ("codec_prefs_outgoing_offer=operation: only_preferred", "g722 gsm alaw", "ulaw alaw g722"),
        ("codec_prefs_outgoing_offer=operation: only_nonpreferred", "ulaw alaw g722", "ulaw alaw g722"),
        ("codec_prefs_outgoing_offer=keep: first", "g722", "ulaw"),
        ("codec_prefs_outgoing_offer=transcode: prevent", "g722 gsm alaw", "ulaw alaw g722"),
        ("codec_prefs_outgoing_offer=prefer: configured, keep: first, transcode: prevent", "", "ulaw"),
    ],
)
def test_what_is_offered(endpoint: Callable[[str], Endpoint], options: str, offer: str, alone: str):
    one = endpoint(options)
    assert codecs_to_offer(one, OURS, THEIRS) == tuple(offer.split())
    assert codecs_to_offer(one, OURS, ()) == tuple(alone.split())  # nobody called


def test_whose_caller_may_not_be_transcoded_is_offered_what_he_has(endpoint: Callable[[str], Endpoint]):
    assert codecs_to_offer(endpoint(""), OURS, THEIRS, may_transcode=False) == ("g722", "alaw")
    assert codecs_to_offer(endpoint(""), ("ulaw",), THEIRS, may_transcode=False) == ()


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ("", "g722 alaw"),
        ("codec_prefs_incoming_answer=prefer: configured", "alaw g722"),
        ("codec_prefs_incoming_answer=keep: first", "g722"),
        ("codec_prefs_incoming_answer=operation: union, prefer: configured", "alaw g722"),
        ("codec_prefs_incoming_answer=operation: only_nonpreferred", "alaw g722"),
    ],
)
def test_what_is_sent_with(endpoint: Callable[[str], Endpoint], options: str, sent: str):
    assert codecs_to_send(endpoint(options), OURS, ("g722", "alaw")) == tuple(sent.split())


@given(st.tuples(*(st.sampled_from(words) for words in WORDS.values())), LISTS, LISTS)
def test_every_choice_is_of_the_two_lists_each_once(words: tuple[str, str, str, str], pending, configured):
    found = Choice(*words).of(pending, configured)
    assert len(set(found)) == len(found) and set(found) <= {*pending, *configured}
    assert len(found) <= 1 or words[2] == "all"


# ------------------------------------------------------------------------------------------------------------ ladders


@pytest.fixture
def start(loop: VirtualLoop, switch: Switch) -> Iterator[Start]:
    """A function that starts a server whose alice and bob have these options."""
    stack = AsyncExitStack()

    def begin(alice: str = "", bob: str = "") -> Server:
        allow = "allow=!all,ulaw,alaw,g722"
        pjsip = f"[udp]\ntype=transport\nprotocol=udp\nbind={SERVER[0]}:{SERVER[1]}\n"
        pjsip += phone_sections("alice", "6001", f"{allow}\n{alice}") + phone_sections("bob", "6002", f"{allow}\n{bob}")
        extensions = EXTENSIONS + "exten => 1102,1,Dial(PJSIP/bob,20)\n same => n,Hangup(${HANGUPCAUSE})\n"
        return loop.run(stack.enter_async_context(switch(FILES | {"pjsip.conf": pjsip, "extensions.conf": extensions})))

    yield begin
    loop.run(stack.aclose())


def phones(
    loop: VirtualLoop, phone: MakePhone, *, callee: tuple[str, ...] = ("ulaw", "alaw", "g722")
) -> tuple[Phone, Phone]:
    one = loop.run(phone("10.0.0.2", 5060, username="alice", password=PASSWORD, server=SERVER))
    other = loop.run(phone("10.0.0.3", 5060, username="bob", password=PASSWORD, server=SERVER, codecs=callee))
    loop.run(other.register())
    return one, other


def offered(callee: Phone) -> tuple[str, ...]:
    """The codecs of the INVITE that came."""
    invite = next(seen.data for seen in callee.seen if seen.first_line.startswith("INVITE"))
    return offered_codecs(parse(invite.partition(b"\r\n\r\n")[2]))


async def talk(caller: Phone, callee: Phone, codecs: tuple[str, ...]) -> None:
    """A call that was answered and ended."""
    call = await caller.invite("1102", codecs=codecs)
    ringing = await callee.ringing()
    ringing.answer()
    await call.answered()
    await call.hang_up()
    await ringing.ended()


@pytest.mark.parametrize(
    ("alice", "bob", "offer"),
    [
        ("", "", ("alaw", "g722", "ulaw")),
        ("", "outgoing_call_offer_pref=local_merge", ("ulaw", "alaw", "g722")),
        ("", "outgoing_call_offer_pref=remote_first", ("alaw",)),
        ("incoming_call_offer_pref=remote_first", "outgoing_call_offer_pref=remote", ("alaw",)),
        ("codec_prefs_incoming_offer=transcode: prevent", "", ("alaw", "g722")),
    ],
)
def test_the_callee_is_offered_what_the_caller_talks(
    start: Start, loop: VirtualLoop, phone: MakePhone, alice: str, bob: str, offer: tuple[str, ...]
):
    start(alice, bob)
    caller, callee = phones(loop, phone)
    loop.run(talk(caller, callee, ("alaw", "g722")))
    assert offered(callee) == offer


def test_what_may_not_be_transcoded_and_has_nothing_in_common_is_no_call(
    start: Start, loop: VirtualLoop, phone: MakePhone
):
    server = start("codec_prefs_incoming_offer=transcode: prevent", "allow=!all,ulaw")
    caller, callee = phones(loop, phone)

    async def story() -> int:
        call = await caller.invite("1102", codecs=("alaw",))
        return (await call.ended()).status

    assert loop.run(story()) == 488 and not any("INVITE" in seen.first_line for seen in callee.seen)
    assert server.engine.stats().ports == 0


def test_an_answer_of_several_is_taken_as_it_is_wanted(start: Start, loop: VirtualLoop, phone: MakePhone):
    server = start(bob="codec_prefs_incoming_answer=prefer: configured\noutgoing_call_offer_pref=local_merge")
    caller, callee = phones(loop, phone, callee=("g722", "alaw"))

    async def story() -> str:
        call = await caller.invite("1102", codecs=("ulaw",))
        (await callee.ringing()).answer()
        await call.answered()
        [leg] = [channel.leg for channel in server.channels if "bob" in channel.name]
        agreed = leg.media.agreed  # type: ignore[attr-defined]
        assert agreed is not None
        await call.hang_up()
        return agreed.codec

    assert loop.run(story()) == "alaw"
