"""Features: what those who talk ask for with their keys."""

from __future__ import annotations

import asyncio
import random

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Phone, VirtualLoop, tone
from arietta.testing.call import Call

from .conftest import FILES

EXTENSIONS = """
exten => 1110,1,Dial(PJSIP/bob,20,tTHxX)
 same => n,Set(GLOBAL(HOW)=after)
exten => 1120,1,Set(DYNAMIC_FEATURES=count#shout)
 same => n,Dial(PJSIP/bob,20)
exten => 1130,1,Set(FEATUREMAP(blindxfer)=*7)
 same => n,Set(FEATURE(transferdigittimeout)=1)
 same => n,Dial(PJSIP/bob,20,T)
exten => 1140,1,Set(TRANSFER_CONTEXT=elsewhere)
 same => n,Dial(PJSIP/bob,20,T)
exten => 1170,1,Dial(PJSIP/alice,60)
exten => 1180,1,Set(FEATURE(atxferdropcall)=yes)
 same => n,Set(FEATURE(inherit)=yes)
 same => n,Dial(PJSIP/bob,20,t)
exten => 1150,1,Bridge(PJSIP/alice,tTH)
 same => n,Hangup()
exten => 1160,1,Bridge(PJSIP/alice,L(3000:2000))
 same => n,Set(GLOBAL(HOW)=${BRIDGERESULT})
 same => n,Hangup()

[elsewhere]
exten => 7,1,Answer()
 same => n,Echo()
"""
FEATURES = """
[general]
xfersound =
xferfailsound =
transferdigittimeout = 2
atxferloopdelay = 1
atxfernoanswertimeout = 20
atxfercallbackretries = 2
featuredigittimeout = 1000
[featuremap]
blindxfer => #1
atxfer => *2
disconnect => **
automixmon => *3
[applicationmap]
count => #9,self,Set(GLOBAL(COUNT)=${DYNAMIC_FEATURENAME} ${CHANNEL(name):0:11})
shout => #8,peer,Set(GLOBAL(COUNT)=${DYNAMIC_FEATURENAME} ${CHANNEL(name):0:9})
"""


KEYS = ("#1", "*2", "*1", "*3", "*4", "**", "#9", "#8", "1170", "1200", "9")


@pytest.fixture
def files() -> dict[str, str]:
    return FILES | {
        "extensions.conf": FILES["extensions.conf"] + EXTENSIONS,
        "features.conf": FEATURES,
        "pjsip.conf": FILES["pjsip.conf"].replace(
            "[bob]\ntype=endpoint", "[bob]\ntype=endpoint\none_touch_recording=yes"
        ),
    }


async def dialled(alice: Phone, bob: Phone, number: str = "1110") -> tuple[Call, Call]:
    """Alice and Bob talk, by Dial."""
    call = await alice.invite(number)
    far = await bob.ringing()
    far.answer()
    await call.expect(200)
    await asyncio.sleep(0.5)
    return call, far


async def talk(one: Call, other: Call) -> None:
    """One hears what the other says."""
    words = tone(440, 400)
    one.send_audio(words)
    await other.hears(words)


async def press(call: Call, keys: str) -> None:
    await call.send_digits(keys)
    await asyncio.sleep(0.2)


def test_keys_that_mean_nothing_go_on_to_the_other(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        await press(call, "5")
        await far.hears_digits("5")
        await press(call, "*5#4")
        await far.hears_digits("5*5#4")
        await press(far, "*")
        await asyncio.sleep(1.5)  # featuredigittimeout: no code goes on with it
        await call.hears_digits("*")
        await talk(call, far)
        await call.hang_up()
        await far.ended()

    loop.run(story())


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_blind_transfer(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, app: AriClient, who: str
) -> None:
    async def story() -> None:
        await app.connect("all", subscribe_all=True)
        call, far = await dialled(alice, bob)
        mine, other = (call, far) if who == "alice" else (far, call)
        await press(mine, "#1")
        await asyncio.sleep(1)
        await press(mine, "1200")
        told = await app.event("BridgeBlindTransfer")
        assert (told["exten"], told["context"], told["is_external"]) == ("1200", "default", False)
        assert told["result"] == "Success"
        await mine.ended()
        await asyncio.sleep(1)
        await talk(other, other)
        kept = next(iter(server.channels)).variables["BLINDTRANSFER"]
        assert kept.startswith(f"PJSIP/{who}-")
        await other.hang_up()

    loop.run(story())


def test_a_goal_that_does_not_exist_leaves_them_talking(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone
) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        await press(call, "#1")
        await press(call, "9")
        await asyncio.sleep(10)
        await talk(call, far)
        await press(call, "5")
        await far.hears_digits("5")
        await call.hang_up()
        await far.ended()

    loop.run(story())


def test_the_other_hangs_up_while_a_goal_is_dialled(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone
) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        await press(call, "#1")
        await press(call, "1")
        await far.hang_up()
        await call.ended()

    loop.run(story())


def test_who_transfers_hangs_up_while_a_goal_is_dialled(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone
) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        await press(far, "#1")
        await press(far, "1")
        await far.hang_up()
        await call.ended()

    loop.run(story())


def test_an_attended_transfer_that_keys_complete(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, app: AriClient
) -> None:
    async def story() -> None:
        await app.connect("all", subscribe_all=True)
        call, far = await dialled(alice, bob)
        await press(call, "*2")
        await press(call, "1200")
        await asyncio.sleep(1)
        await talk(call, call)
        await press(call, "*2")
        told = await app.event("BridgeAttendedTransfer")
        assert told["result"] == "Success"
        await call.ended()
        await asyncio.sleep(1)
        await talk(far, far)
        await far.hang_up()

    loop.run(story())


def test_an_attended_transfer_that_keys_give_up(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        await press(call, "*2")
        await press(call, "1200")
        await asyncio.sleep(1)
        await press(call, "*1")
        await asyncio.sleep(0.5)
        await talk(call, far)
        await press(call, "5")
        await far.hears_digits("5")
        await press(far, "6")
        await call.hears_digits("6")
        await press(far, "#1")  # and the next one
        await press(far, "1200")
        await far.ended()
        await asyncio.sleep(1)
        await talk(call, call)
        await call.hang_up()

    loop.run(story())


def test_keys_swap_who_is_talked_to_and_unite_all(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        await press(call, "*2")
        await press(call, "1300")
        await asyncio.sleep(1)
        await press(call, "*4")
        await asyncio.sleep(0.5)
        await talk(call, far)
        await press(call, "*4")
        await asyncio.sleep(0.5)
        await press(call, "*3")
        await asyncio.sleep(0.5)
        await talk(call, far)
        bridge = next(iter(server.bridges))
        assert len(bridge.members) == 3
        await call.hang_up()
        await far.hang_up()

    loop.run(story())


def test_keys_end_the_call(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        await press(far, "**")
        await call.hears_digits("**")  # only the caller may
        await press(call, "**")
        await call.ended()
        await far.ended()

    loop.run(story())


def test_keys_record_the_call(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        await press(far, "*3")
        await talk(call, far)
        await press(call, "*3")
        file = next(iter(server.channels)).variables["TOUCH_MIXMONITOR_OUTPUT"]
        assert file.startswith("auto-") and file.endswith(".wav")
        written = server.dialplan.folders.monitor / file
        await asyncio.sleep(1)
        assert written.stat().st_size > 4000
        await call.hang_up()
        await far.ended()

    loop.run(story())


def test_a_button_of_the_phone_records_the_call(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob)
        await call.send_request("INFO", headers=(("Record", "on"),), expect=403)  # her endpoint may not
        await far.send_request("INFO", headers=(("Record", "on"),))
        await asyncio.sleep(0.2)
        file = next(iter(server.channels)).variables["TOUCH_MIXMONITOR_OUTPUT"]
        await far.send_request("INFO", headers=(("Record", "off"),))
        await far.send_request("INFO", headers=(("Record", "perhaps"),), expect=403)
        await asyncio.sleep(1)
        assert (server.dialplan.folders.monitor / file).exists()
        await call.hang_up()
        await far.ended()

    loop.run(story())


def test_keys_execute_applications_for_oneself_and_the_other(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone
) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob, "1120")
        await press(call, "#9")
        assert server.dialplan.globals["COUNT"] == "count PJSIP/alice"
        await press(call, "#8")
        assert server.dialplan.globals["COUNT"] == "shout PJSIP/bob"
        await talk(call, far)
        await press(far, "#9")
        await call.hears_digits("#9")  # it is not the other's
        await call.hang_up()
        await far.ended()

    loop.run(story())


def test_a_channel_has_keys_and_times_of_its_own(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob, "1130")
        await press(call, "*7")
        await press(call, "1200")
        await call.ended()
        await asyncio.sleep(1)
        await talk(far, far)
        await far.hang_up()

    loop.run(story())


def test_transfers_dial_in_another_context(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        call, far = await dialled(alice, bob, "1140")
        await press(call, "#1")
        await press(call, "7")
        await call.ended()
        await asyncio.sleep(1)
        await talk(far, far)
        await far.hang_up()

    loop.run(story())


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_blind_transfer_out_of_what_bridge_made(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, who: str
) -> None:
    async def story() -> None:
        one = await alice.invite("1300")
        await one.expect(200)
        other = await bob.invite("1150")
        await other.expect(200)
        await asyncio.sleep(1)
        await talk(one, other)
        mine, kept = (one, other) if who == "alice" else (other, one)
        await press(mine, "#1")
        await press(mine, "1200")
        await mine.ended()
        await asyncio.sleep(1)
        await talk(kept, kept)
        await kept.hang_up()

    loop.run(story())


def test_keys_end_what_bridge_made_and_the_other_goes_on(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone
) -> None:
    async def story() -> None:
        one = await alice.invite("1300")
        await one.expect(200)
        other = await bob.invite("1150")
        await other.expect(200)
        await asyncio.sleep(1)
        await press(other, "**")
        await other.ended()
        await one.ended()  # there is no step behind its Wait

    loop.run(story())


def test_a_limit_of_bridge(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone) -> None:
    async def story() -> None:
        one = await alice.invite("1300")
        await one.expect(200)
        other = await bob.invite("1160")
        await other.expect(200)
        await other.ended(within=5)
        assert server.dialplan.globals["HOW"] == "SUCCESS"
        await one.ended()

    loop.run(story())


async def left_alone(carrier: Phone, bob: Phone, alice: Phone, number: str = "1110") -> tuple[Call, Call]:
    """Bob hangs up while Alice, to whom he transfers a caller, rings: the caller's call, and hers."""
    call, far = await dialled(carrier, bob, number)
    await press(far, "*2")
    await press(far, "1170")
    goal = await alice.ringing()
    goal.ring()
    await asyncio.sleep(1)
    await far.hang_up()
    await asyncio.sleep(0.5)
    return call, goal


def test_a_goal_that_answers_after_the_transferer_has_gone(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone
) -> None:
    async def story() -> None:
        call, goal = await left_alone(carrier, bob, alice)
        goal.answer()
        await asyncio.sleep(1)
        await talk(call, goal)
        await call.hang_up()
        await goal.ended()

    loop.run(story())


def test_the_transferer_is_called_back(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone
) -> None:
    async def story() -> None:
        call, goal = await left_alone(carrier, bob, alice)
        goal.reject(486)
        back = await bob.ringing()
        back.answer()
        await asyncio.sleep(1)
        await talk(call, back)
        await back.hang_up()
        await call.ended()

    loop.run(story())


def test_the_goal_is_called_again_when_the_transferer_does_not_answer(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone
) -> None:
    async def story() -> None:
        call, goal = await left_alone(carrier, bob, alice)
        goal.reject(486)
        (await bob.ringing()).reject(486)
        again = await alice.ringing()
        again.answer()
        await asyncio.sleep(1)
        await talk(call, again)
        await again.hang_up()
        await call.ended()

    loop.run(story())


def test_nobody_answers_those_that_wait(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone
) -> None:
    async def story() -> None:
        call, goal = await left_alone(carrier, bob, alice)
        goal.reject(486)
        (await bob.ringing()).reject(486)
        (await alice.ringing()).reject(486)
        (await bob.ringing()).reject(486)
        await call.ended()

    loop.run(story())


def test_all_is_over_where_the_rules_say_so(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone
) -> None:
    async def story() -> None:
        call, goal = await left_alone(carrier, bob, alice, "1180")
        goal.reject(486)
        await call.ended(within=12)  # the busy tone of the goal has its ten seconds

    loop.run(story())


def test_those_that_wait_hang_up(server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone) -> None:
    async def story() -> None:
        call, goal = await left_alone(carrier, bob, alice)
        await call.hang_up()
        await goal.ended()

    loop.run(story())


@pytest.mark.parametrize("keys", ["", "#1 1200", "*2 1200 *2", "*2 1200 *1", "*2 1300 *4 *3", "**"])
def test_features_leave_nothing_to_the_collector(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, keys: str
) -> None:
    from .test_garbage import check

    async def story() -> None:
        call, far = await dialled(alice, bob)
        for pressed in keys.split():
            await press(call, pressed)
            await asyncio.sleep(1)
        for one in (call, far):
            if one.end is None:
                await one.hang_up()
        await asyncio.sleep(1)

    check(loop, story)


def is_talking(call: Call) -> bool:
    return call.end is None and call.negotiated is not None


@pytest.mark.parametrize("seed", range(6))
def test_any_keys_in_any_order_leave_nothing_behind(
    server: Server, loop: VirtualLoop, alice: Phone, bob: Phone, carrier: Phone, seed: int
) -> None:
    chance = random.Random(seed)

    async def story() -> None:
        await dialled(carrier, bob, chance.choice(("1110", "1120", "1140")))
        for phone in (alice, bob):
            phone.on_invite = lambda call: chance.choice((call.answer, call.ring, call.reject))()
        for _ in range(12):
            living = [call for phone in (alice, bob, carrier) for call in phone.calls if is_talking(call)]
            if not living:
                break
            call = chance.choice(living)
            if chance.random() < 0.1:
                await call.hang_up()
            else:
                await call.send_digits(chance.choice(KEYS))
            await asyncio.sleep(chance.choice((0.05, 0.5, 1.5, 4.0)))
        for phone in (alice, bob, carrier):
            phone.on_invite = lambda call: call.reject(480)
        for phone in (carrier, alice, bob):
            for call in phone.calls:
                if call.end is None:
                    await call.hang_up()
        await asyncio.sleep(120)

    loop.run(story())
