"""One way for media, from the descriptions to the keys."""

from __future__ import annotations

import pytest

from arietta import stun
from arietta.sdp import Candidate, DtlsTerms, IceSide
from arietta.stun import is_stun, parse_stun
from arietta.webrtc import Keyed, MediaPath, PathFailed, Reached, SendPacket
from arietta.webrtc.dtls import Association, Identity
from arietta.webrtc.path import CONNECT_WITHIN_S, DATAGRAMS_A_SECOND, MOST_SOURCES

from .peer import Address, Handshaker, check, new_identity, terms_of

US, PEER, MALLORY = new_identity("us"), new_identity("peer"), new_identity("mallory")
OURS, THEIRS = IceSide("ours", "o" * 24, is_lite=True), IceSide("them", "t" * 24)
SIGNALLED, PLACE, ELSEWHERE, STRANGER = (
    ("192.0.2.7", 9),
    ("192.0.2.7", 50000),
    ("192.0.2.8", 50000),
    ("203.0.113.9", 6),
)


WE_BEGIN, WE_WAIT = terms_of(PEER, is_client=True), terms_of(PEER, is_client=False)


class Stage:
    """A path, and what came out of it."""

    def __init__(self, path: MediaPath | None = None) -> None:
        self.path = path or MediaPath(US)
        self.now = 100.0
        self.sent: list[SendPacket] = []
        self.told: list[Reached | Keyed | PathFailed] = []

    def agree(
        self,
        *,
        ice: tuple[IceSide, IceSide] | None = (OURS, THEIRS),
        dtls: DtlsTerms | None = WE_BEGIN,
        is_symmetric: bool = False,
    ) -> None:
        self.path.agree(self.now, SIGNALLED, ice=ice, dtls=dtls, is_symmetric=is_symmetric)
        self.collect()

    def receive(self, *datagrams: bytes, source: Address = PLACE) -> None:
        for data in datagrams:
            self.path.receive(data, source, self.now)
        self.collect()

    def collect(self) -> None:
        for output in self.path.outputs():
            if isinstance(output, SendPacket):
                self.sent.append(output)
            else:
                self.told.append(output)

    def dtls_sent(self) -> list[bytes]:
        """The datagrams of DTLS that were sent since the last time."""
        sent = [one.data for one in self.sent if not is_stun(one.data)]
        self.sent.clear()
        return sent

    def shake(self, peer: Handshaker, *, source: Address = PLACE) -> None:
        flight = peer.take()
        for _ in range(6):
            self.receive(*flight, source=source)
            flight = peer.take(*self.dtls_sent())

    def reached(self) -> list[Address]:
        return [one.address for one in self.told if isinstance(one, Reached)]

    def keyed(self) -> list[Keyed]:
        return [one for one in self.told if isinstance(one, Keyed)]


def peer_that(*, begins: bool, identity: Identity = PEER) -> Handshaker:
    return Handshaker(Association(identity, terms_of(US, is_client=begins)))


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_check_nominates_and_the_handshake_begins_there(stage: Stage) -> None:
    stage.agree()
    assert (stage.sent, stage.told) == ([], [])
    stage.receive(check(THEIRS, OURS, nominates=False))
    assert stage.told == [] and stage.dtls_sent() == []
    stage.receive(check(THEIRS, OURS))
    assert stage.reached() == [PLACE]
    assert {one.target for one in stage.sent} == {PLACE}
    peer = peer_that(begins=False)
    stage.receive(*peer.take(*stage.dtls_sent()))
    stage.receive(*peer.take(*stage.dtls_sent()))
    (keyed,) = stage.keyed()
    assert keyed.keys.local == peer.keys[0].remote
    assert stage.path.next_timeout(stage.now) is None


def test_the_peer_begins_from_wherever_it_has_proved_to_be(stage: Stage) -> None:
    stage.agree(dtls=WE_WAIT)
    peer = peer_that(begins=True)
    hello = peer.take()
    stage.receive(*hello)
    assert stage.sent == []
    stage.receive(check(THEIRS, OURS, nominates=False))
    stage.receive(*hello)
    stage.shake(peer)
    assert len(stage.keyed()) == 1 and stage.reached() == []
    assert stage.path.next_timeout(stage.now) == stage.now + CONNECT_WITHIN_S
    stage.receive(check(THEIRS, OURS))
    assert stage.reached() == [PLACE]
    assert stage.path.next_timeout(stage.now) is None


def test_strangers_get_no_handshake(stage: Stage) -> None:
    stage.agree(dtls=WE_WAIT)
    stage.receive(check(THEIRS, OURS))
    stage.sent.clear()
    stage.receive(*peer_that(begins=True, identity=MALLORY).take(), source=STRANGER)
    assert stage.sent == []
    stage.shake(peer_that(begins=True))
    assert len(stage.keyed()) == 1


def test_media_follows_who_nominates_another_pair(stage: Stage) -> None:
    stage.agree(dtls=None)
    stage.receive(check(THEIRS, OURS))
    stage.receive(check(THEIRS, OURS), source=ELSEWHERE)
    stage.receive(check(THEIRS, OURS, nominates=False), source=PLACE)
    assert stage.reached() == [PLACE, ELSEWHERE]


def test_a_restart_moves_once_the_new_pair_is_nominated(stage: Stage) -> None:
    stage.agree()
    stage.receive(check(THEIRS, OURS))
    peer = peer_that(begins=False)
    stage.receive(*peer.take(*stage.dtls_sent()))
    stage.receive(*peer.take(*stage.dtls_sent()))
    again, theirs = IceSide("next", "n" * 24, is_lite=True), IceSide("then", "h" * 24)
    stage.agree(ice=(again, theirs))
    assert stage.path.next_timeout(stage.now) is None  # the keys stay, and the old pair goes on
    stage.receive(check(THEIRS, OURS))
    assert stage.reached() == [PLACE]
    stage.receive(check(theirs, again), source=ELSEWHERE)
    assert stage.reached() == [PLACE, ELSEWHERE]
    assert len(stage.keyed()) == 1


def test_another_certificate_is_another_handshake(stage: Stage) -> None:
    stage.agree(dtls=WE_WAIT)
    stage.receive(check(THEIRS, OURS))
    stage.shake(peer_that(begins=True))
    stage.agree(dtls=terms_of(MALLORY, is_client=False))
    stage.shake(peer_that(begins=True, identity=MALLORY))
    assert len(stage.keyed()) == 2 and stage.keyed()[0] != stage.keyed()[1]


def test_the_wrong_certificate_ends_it(stage: Stage) -> None:
    stage.agree(dtls=WE_WAIT)
    stage.receive(check(THEIRS, OURS))
    stage.shake(peer_that(begins=True, identity=MALLORY))
    assert stage.keyed() == []
    assert isinstance(stage.told[-1], PathFailed) and "fingerprint" in stage.told[-1].reason
    stage.sent.clear()
    stage.receive(check(THEIRS, OURS))
    assert stage.sent == [] and stage.path.next_timeout(stage.now) is None


@pytest.mark.parametrize("checked", [False, True])
def test_it_waits_for_half_a_minute(stage: Stage, checked: bool) -> None:
    stage.agree(dtls=WE_WAIT)
    if checked:
        stage.receive(check(THEIRS, OURS))
    assert stage.path.next_timeout(stage.now) == stage.now + CONNECT_WITHIN_S
    stage.now += CONNECT_WITHIN_S - 1
    stage.path.handle_timeout(stage.now)
    stage.now += 1
    stage.path.handle_timeout(stage.now)
    stage.collect()
    assert isinstance(stage.told[-1], PathFailed)
    assert stage.told[-1].reason == (
        "no keys were agreed by DTLS within 30 s" if checked else "no ICE check has nominated a pair within 30 s"
    )


def test_checks_are_answered_as_soon_as_we_have_offered() -> None:
    stage = Stage(MediaPath(None))
    stage.path.offer(OURS)
    stage.receive(check(THEIRS, OURS))
    assert [parse_stun(one.data).kind for one in stage.sent] == [stun.BINDING_SUCCESS]
    assert stage.told == []


def test_without_ice_the_description_says_where(stage: Stage) -> None:
    stage.agree(ice=None)
    assert stage.reached() == [SIGNALLED]
    assert {one.target for one in stage.sent} == {SIGNALLED}
    stage.receive(*peer_that(begins=False).take(*stage.dtls_sent()), source=STRANGER)
    assert stage.sent == []


def test_without_ice_a_peer_behind_nat_may_be_elsewhere(stage: Stage) -> None:
    stage.agree(ice=None, dtls=WE_WAIT, is_symmetric=True)
    stage.shake(peer_that(begins=True), source=ELSEWHERE)
    assert stage.reached() == [SIGNALLED, ELSEWHERE]
    assert len(stage.keyed()) == 1
    stage.receive(b"\x16" + bytes(12), source=STRANGER)
    assert stage.reached() == [SIGNALLED, ELSEWHERE]


def test_two_lite_agents_do_not_check(stage: Stage) -> None:
    lite = IceSide("them", "t" * 24, True, (Candidate(*PLACE, 1),))
    stage.agree(ice=(OURS, lite))
    assert stage.reached() == [PLACE]


def test_what_comes_too_thick_is_dropped(stage: Stage) -> None:
    stage.agree()
    for _ in range(3 * DATAGRAMS_A_SECOND):
        stage.receive(check(THEIRS, OURS, nominates=False))
    assert len(stage.sent) == DATAGRAMS_A_SECOND
    stage.now += 0.1
    for _ in range(DATAGRAMS_A_SECOND):
        stage.receive(check(THEIRS, OURS, nominates=False))
    assert len(stage.sent) == pytest.approx(1.1 * DATAGRAMS_A_SECOND, abs=2)


def test_places_are_forgotten_when_they_are_many(stage: Stage) -> None:
    stage.agree()
    for n in range(3 * MOST_SOURCES):
        stage.receive(check(THEIRS, OURS, nominates=False), source=("192.0.2.7", 1000 + n))
    assert len(stage.path._sources) == MOST_SOURCES
