"""The way through the dialplan: steps, jumps, subroutines, special extensions, and how a call ends."""

import asyncio
import logging

import pytest

from arietta.channels import signals
from arietta.channels.channel import Channel, Moved
from arietta.config.conf import parse_conf
from arietta.dialplan.applications import Application
from arietta.dialplan.reader import read_dialplan

from .stage import Stage, leg_of, walk

HEAD = "[default]\n"


def test_the_first_example_of_every_tutorial(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "arietta.verbose"):
        steps, stage = walk(HEAD + "exten => 1000,1,NoOp()\nsame => n,Answer()\nsame => n,Hangup()\n", "1000")
    assert steps == ["1000:1 NoOp()", "1000:2 Answer()", "1000:3 Hangup()"]
    lines = [record.getMessage().strip() for record in caplog.records]
    assert lines[-1] == "== Spawn extension (default, 1000, 3) exited non-zero on 'Test/caller'"
    assert lines[0] == '-- Executing [1000@default:1] NoOp("Test/caller", "") in new stack'
    assert [type(event).__name__ for event in stage.events][-2:] == ["ChannelHangupRequest", "ChannelDestroyed"]
    assert stage.events[-1].cause == 16
    assert (stage.events[-2].cause, stage.events[-2].soft) == (16, True)


def test_arguments_are_substituted_where_they_are_shown() -> None:
    steps, _ = walk(HEAD + "exten => _X.,1,Set(A=${EXTEN:1})\nsame => n,NoOp($[${A} + 1],${CALLERID(num)})\n", "942")
    assert steps == ["942:1 Set(A=42)", "942:2 NoOp(43,6001)"]


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("3", ["s:1", "s:3"]),
        ("end", ["s:1", "s:3"]),
        ("+2", ["s:1", "s:3"]),
        ("other,1", ["s:1", "other:1"]),
        ("other,last", ["s:1", "other:2"]),
        ("far,x,1", ["s:1", "x:1"]),
    ],
)
def test_goto(target: str, path: list[str]) -> None:
    text = (
        f"exten => s,1,Goto({target})\nsame => n,NoOp()\nsame => n(end),Hangup()\n"
        "exten => other,1,Hangup()\nsame => n(last),Hangup()\n[far]\nexten => x,1,Hangup()\n"
    )
    steps, _ = walk(HEAD + text)
    assert [step.partition(" ")[0] for step in steps] == path


@pytest.mark.parametrize(
    ("step", "executed"),
    [
        ("GotoIf($[1 = 1]?yes:no)", "yes"),
        ("GotoIf($[1 = 2]?yes:no)", "no"),
        ("GotoIf(0?yes)", "next"),
        ("GotoIf(?yes:no)", "no"),
        ("GotoIf(1?:no)", "next"),
        ("GotoIfTime(*,*,*,*?yes)", "yes"),
        ("GotoIfTime(*,*,*,jan&feb&mar&apr&may&jun&jul&aug&sep&oct&nov&dec?yes:no)", "yes"),
        ("ExecIf(1?Goto(yes):Goto(no))", "yes"),
        ("ExecIf(0?Goto(yes):Goto(no))", "no"),
        ("ExecIf(0?Goto(yes))", "next"),
        ("ExecIfTime(*,*,*,*?Goto(yes))", "yes"),
        ("Exec(Goto(no))", "no"),
        ("TryExec(Goto(nolabel))", "next"),
    ],
)
def test_branches(step: str, executed: str) -> None:
    text = (
        f"exten => s,1,{step}\nsame => n,Set(AT=next)\nsame => n,Hangup()\n"
        "same => n(yes),Set(AT=yes)\nsame => n,Hangup()\nsame => n(no),Set(AT=no)\n"
    )
    _, stage = walk(HEAD + text)
    assert stage.variables("AT") == [executed]


def test_subroutines_have_arguments_and_give_them_back() -> None:
    text = (
        "exten => s,1,Set(X=outer)\nsame => n,Gosub(sub,1(one,two words))\n"
        "same => n,NoOp(${ARG1}|${GOSUB_RETVAL}|${X})\n"
        "exten => sub,1,Set(LOCAL(X)=inner)\nsame => n,NoOp(${ARG1}|${ARG2}|${ARGC}|${X})\n"
        "same => n,Gosub(deep,1(three))\nsame => n,NoOp(${ARG1}|${ARG2})\nsame => n,Return(result)\n"
        "exten => deep,1,NoOp(${ARG1}|${ARG2})\nsame => n,Return()\n"
    )
    steps, _ = walk(HEAD + text)
    assert [step for step in steps if "NoOp" in step] == [
        "sub:2 NoOp(one|two words|2|inner)",
        "deep:1 NoOp(three|)",
        "sub:4 NoOp(one|two words)",
        "s:3 NoOp(|result|outer)",
    ]


def test_stack_pop_and_gosub_if() -> None:
    text = (
        "exten => s,1,GosubIf(0?a,1:b,1(x))\nsame => n,NoOp(never)\n"
        "exten => b,1,StackPop()\nsame => n,Return()\nsame => n,NoOp(never)\n"
    )
    steps, _ = walk(HEAD + text)
    assert steps == ["s:1 GosubIf(0?a,1:b,1(x))", "b:1 StackPop()", "b:2 Return()"]


def test_endless_recursion_ends_the_call(caplog: pytest.LogCaptureFixture) -> None:
    walk(HEAD + "exten => s,1,Gosub(s,1)\n")
    assert "more than 200 Gosubs are nested" in caplog.text


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("NoSuchApp(x)", "extensions.conf line 3: there is no application NoSuchApp(); the call of Test/caller"),
        ("Goto(nolabel)", "extensions.conf line 3: Goto(): there is no label nolabel in s@default"),
        ("Goto()", "names no priority"),
        ("Gosub(nowhere,1)", "there is no nowhere@default:1 to go to"),
        ("Return()", "Return without Gosub"),
        ("GotoIf(x)", "has no ?"),
        ("GotoIfTime(9,*,*,*?s)", "is not HH:MM"),
        ("Exec(NoSuchApp(x))", "there is no application NoSuchApp()"),
        ("Log(loud,x)", "level 'loud' is none of"),
        ("Playback()", "Playback names no file"),
        ("UserEvent()", "names no event"),
        ("Set(A=${EVAL(${LOOP})})", "nested deeper than 30"),
    ],
)
def test_what_a_step_cannot_do_ends_the_call_with_its_place(
    step: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    loop = "exten => s,1,Set(LOOP=\\${EVAL(\\${LOOP})})\n"
    _, stage = walk(f"{HEAD}{loop}same => n,{step}\nsame => n,Set(AT=after)\n")
    assert message in caplog.text
    assert stage.variables("AT") == []
    assert type(stage.events[-1]).__name__ == "ChannelDestroyed"


def test_set_goes_on_after_what_cannot_be_written(caplog: pytest.LogCaptureFixture) -> None:
    text = (
        "exten => s,1,Set(CHANNEL(nonsense)=1)\nsame => n,Set(nothing)\n"
        "same => n,MSet(A=1,B=(2,3))\nsame => n,Set(C= x )\n"
    )
    _, stage = walk(HEAD + text)
    assert "item 'nonsense' cannot be written" in caplog.text
    assert "Set(nothing) has no =" in caplog.text
    assert (stage.variables("A"), stage.variables("B"), stage.variables("C")) == (["1"], ["(2,3)"], ["x"])


def test_an_invalid_extension_goes_to_i() -> None:
    steps, _ = walk(HEAD + "exten => s,1,Goto(77,1)\nexten => i,1,NoOp(${INVALID_EXTEN})\n")
    assert steps == ["s:1 Goto(77,1)", "i:1 NoOp(77)"]


def test_e_stands_for_a_missing_i_and_t() -> None:
    steps, _ = walk(HEAD + "exten => s,1,Goto(77,1)\nexten => e,1,NoOp(${INVALID_EXTEN})\n")
    assert steps == ["s:1 Goto(77,1)", "e:1 NoOp(77)"]
    steps, _ = walk(HEAD + "exten => s,1,WaitExten(1)\nexten => e,1,NoOp()\n")
    assert steps == ["s:1 WaitExten(1)", "e:1 NoOp()"]


def test_without_i_an_invalid_extension_ends_the_call(caplog: pytest.LogCaptureFixture) -> None:
    steps, _ = walk(HEAD + "exten => s,1,Goto(77,1)\n")
    assert steps == ["s:1 Goto(77,1)"]
    assert "was sent to 77@default:1, which does not exist" in caplog.text


@pytest.mark.parametrize(
    ("status", "shown"),
    [("BUSY", ["busy"]), ("CONGESTION", ["congestion"]), ("CHANUNAVAIL", ["congestion"]), ("NOANSWER", [])],
)
def test_at_the_end_of_an_extension_the_caller_learns_how_dial_went(status: str, shown: list[str]) -> None:
    stage = Stage(HEAD + f"exten => s,1,Set(DIALSTATUS={status})\n")
    said = stage.run(stage.channel())
    assert said == [*shown, "hangup 0"]


def test_the_extension_h_runs_after_a_hangup_and_can_wait() -> None:
    text = (
        "exten => s,1,Wait(10)\nsame => n,Set(AT=never)\n"
        "exten => h,1,Set(AT=h)\nsame => n,Wait(2)\nsame => n,Set(AT=later)\n"
    )
    stage = Stage(HEAD + text)
    channel = stage.channel()
    stage.later(1, channel.receive, signals.HungUp(16))
    stage.run(channel)
    assert stage.variables("AT") == ["h", "later"]
    assert stage.steps()[-1] == "h:3 Set(AT=later)"


def test_the_extension_h_runs_after_the_last_step_too() -> None:
    steps, _ = walk(
        HEAD + "exten => s,1,NoOp()\nexten => h,1,NoOp(${HANGUPCAUSE})\nsame => n,Hangup()\nsame => n,NoOp()\n"
    )
    assert steps == ["s:1 NoOp()", "h:1 NoOp(0)", "h:2 Hangup()"]


def test_somebody_sends_the_channel_elsewhere() -> None:
    stage = Stage(HEAD + "exten => s,1,Wait(100)\nexten => x,1,Set(AT=x)\nsame => n,Hangup(21)\n")
    channel = stage.channel()

    def redirect() -> None:
        channel.set_place("default", "x", 1)
        channel.interrupt(Moved())

    stage.later(3, redirect)
    said = stage.run(channel)
    assert stage.steps() == ["s:1 Wait(100)", "x:1 Set(AT=x)", "x:2 Hangup(21)"]
    assert said == ["hangup 21"]


def test_an_application_that_set_the_place_itself_goes_on_there() -> None:
    stage = Stage(HEAD + "exten => s,1,Leave()\nsame => n,NoOp(two)\nsame => n,NoOp(three)\n")

    async def leave(channel: Channel, arguments: str, run: object) -> None:
        channel.set_place("default", "s", 3)

    stage.plan.applications.add(Application("Leave", "Leave()", "Leaves.", leave))
    stage.run(stage.channel())
    assert stage.steps() == ["s:1 Leave()", "s:3 NoOp(three)"]


def test_the_names_of_applications_have_no_case() -> None:
    steps, stage = walk(HEAD + "exten => s,1,set(A=1)\nsame => n,HANGUP()\n")
    assert stage.variables("A") == ["1"]
    assert steps == ["s:1 set(A=1)", "s:2 HANGUP()"]


def test_an_endless_loop_leaves_time_for_others_and_for_a_hangup() -> None:
    stage = Stage(HEAD + "exten => s,1,NoOp()\nsame => n,Goto(1)\n")
    channel = stage.channel()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while not channel.ended:
            turns += 1
            if turns == 50:
                channel.request_hangup()
            await asyncio.sleep(0)

    async def story() -> None:
        channel.own(stage.plan.run(channel))
        await others()

    stage.do(story())
    assert turns >= 50
    assert channel.ended


def test_a_new_dialplan_counts_from_the_next_step_on() -> None:
    stage = Stage("[globals]\nOLD=1\n" + HEAD + "exten => s,1,Wait(5)\nsame => n,NoOp(old)\n")
    new = read_dialplan(
        parse_conf("[globals]\nNEW=2\n" + HEAD + "exten => s,1,Wait(5)\nexten => s,2,NoOp(${OLD}${NEW})\n")
    )
    stage.later(1, stage.plan.replace, new)
    stage.run(stage.channel())
    assert stage.steps() == ["s:1 Wait(5)", "s:2 NoOp(12)"]


def test_clearglobalvars_forgets() -> None:
    stage = Stage("[globals]\nOLD=1\n")
    stage.loop.close()
    stage.plan.replace(read_dialplan(parse_conf("[general]\nclearglobalvars=yes\n[globals]\nNEW=2\n")))
    assert stage.plan.globals == {"NEW": "2"}


@pytest.mark.parametrize(("more", "end"), [("exten => T,1,Set(AT=T)\n", ["T"]), ("", [])])
def test_the_absolute_timeout(more: str, end: list[str]) -> None:
    text = "exten => s,1,Set(TIMEOUT(absolute)=30)\nsame => n,Wait(100)\nsame => n,Set(AT=never)\n"
    stage = Stage(HEAD + text + more)
    channel = stage.channel()
    stage.run(channel)
    assert stage.variables("AT") == end
    assert channel.ended


def test_a_call_that_ends_takes_its_absolute_timeout_along() -> None:
    stage = Stage(
        HEAD + "exten => s,1,Set(TIMEOUT(absolute)=30)\nsame => n,Set(TIMEOUT(absolute)=40)\nsame => n,Hangup()\n"
    )
    channel = stage.channel()
    stage.run(channel)
    assert channel.functions.get("TIMEOUT(absolute)") is None
    assert [type(event).__name__ for event in stage.events].count("ChannelHangupRequest") == 1


@pytest.mark.parametrize(
    ("digits", "path"),
    [
        ("12", ["s:1", "12:1"]),
        ("3", ["s:1", "i:1"]),
        ("", ["s:1", "t:1"]),
        ("123", ["s:1", "12:1"]),
        ("2", ["s:1", "2:1"]),
    ],
)
def test_without_autofallthrough_the_caller_may_dial_on(digits: str, path: list[str]) -> None:
    text = (
        "[general]\nautofallthrough=no\n[default]\nexten => s,1,NoOp()\nexten => 12,1,Hangup()\nexten => 2,1,Hangup()\n"
        "exten => 21,1,Hangup()\nexten => i,1,Hangup()\nexten => t,1,Hangup()\n"
    )
    stage = Stage(text)
    channel = stage.channel()
    stage.press(channel, digits)
    stage.run(channel)
    assert [step.partition(" ")[0] for step in stage.steps()] == path


def test_a_failing_application_ends_this_call_with_127(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(HEAD + "exten => s,1,Broken()\n")

    async def broken(channel: Channel, arguments: str, run: object) -> None:
        raise RuntimeError("our fault")

    stage.plan.applications.add(Application("Broken", "Broken()", "Fails.", broken))
    channel = stage.channel()
    stage.run(channel)
    assert leg_of(channel).said == ["hangup 127"]
    assert "our fault" in caplog.text
