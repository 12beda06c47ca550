"""A STUN server is asked how we are seen: repetitions, answers, silence, forgeries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arietta import stun
from arietta.stun import parse_stun, write_stun, xor_mapped_address
from arietta.webrtc.reflexive import AGAIN_S, ReflexiveAddress

SEEN = ("192.0.2.7", 40000)


def asked(asking: ReflexiveAddress, now: float) -> list[bytes]:
    asking.handle_timeout(now)
    return asking.outputs()


def answer(request: bytes, kind: int = stun.BINDING_SUCCESS, address: tuple[str, int] = SEEN) -> bytes:
    transaction = parse_stun(request).transaction
    return write_stun(kind, transaction, (xor_mapped_address(address, transaction),))


def test_an_answer_is_kept_and_asked_for_again_after_a_minute() -> None:
    asking = ReflexiveAddress()
    (request,) = asked(asking, 10.0)
    assert parse_stun(request).kind == stun.BINDING_REQUEST
    assert asking.address is None
    asking.receive(answer(request), 10.1)
    assert (asking.address, asking.next_timeout()) == (SEEN, 10.1 + AGAIN_S)
    assert asked(asking, 10.2) == []
    (again,) = asked(asking, 10.1 + AGAIN_S)
    assert parse_stun(again).transaction != parse_stun(request).transaction
    asking.receive(answer(request, address=("192.0.2.8", 1)), 71.0)  # of a transaction that is over
    assert asking.address == SEEN


def test_silence_is_asked_into_seven_times_and_means_no_address() -> None:
    asking = ReflexiveAddress()
    asking.receive(answer(asked(asking, 0.0)[0]), 0.0)
    now, times = AGAIN_S, []
    while len(times) < 20:
        sent = asked(asking, now)
        if not sent:
            break
        times.append(now - AGAIN_S)
        due = asking.next_timeout()
        assert due is not None
        now = due
    assert times == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert asking.address is None
    assert asking.next_timeout() == now + AGAIN_S


def test_an_error_means_no_address() -> None:
    asking = ReflexiveAddress()
    (request,) = asked(asking, 0.0)
    asking.receive(answer(request, stun.BINDING_ERROR), 0.1)
    assert (asking.address, asking.next_timeout()) == (None, 0.1 + AGAIN_S)


def test_what_nobody_asked_for_is_passed_over() -> None:
    asking = ReflexiveAddress()
    (request,) = asked(asking, 0.0)
    other = write_stun(stun.BINDING_SUCCESS, bytes(12), (xor_mapped_address(SEEN, bytes(12)),))
    for data in (b"", b"\0" * 40, other, request, answer(request, stun.BINDING_INDICATION)):
        asking.receive(data, 0.1)
    assert asking.address is None
    asking.receive(answer(request), 0.2)
    assert asking.address == SEEN


@given(st.binary(max_size=60), st.sampled_from([stun.BINDING_SUCCESS, stun.BINDING_ERROR]))
def test_any_answer_is_survived(value: bytes, kind: int) -> None:
    asking = ReflexiveAddress()
    (request,) = asked(asking, 0.0)
    transaction = parse_stun(request).transaction
    asking.receive(write_stun(kind, transaction, ((stun.XOR_MAPPED_ADDRESS, value),)), 0.1)
    assert asking.next_timeout() == 0.1 + AGAIN_S
