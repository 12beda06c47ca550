"""What a channel does at its end, what is done before a call goes out, and how calls ended."""

from __future__ import annotations

import pytest

from arietta.channels import signals
from arietta.dialplan.errors import DialplanError

from .stage import Stage

PLAN = """
[default]
exten => 100,1,Set(CHANNEL(hangup_handler_push)=after,s,1(one,two))
same => n,Set(CHANNEL(hangup_handler_push)=again)
same => n,Wait(60)
same => n,Hangup(17)
same => 50(again),NoOp(first)
same => n,Wait(1)
same => n,Return()
exten => 200,1,Set(CHANNEL(hangup_handler_push)=after,s,1(x))
same => n,Set(CHANNEL(hangup_handler_push)=after,s,1(y))
same => n,Set(CHANNEL(hangup_handler_pop)=after,s,1(z))
same => n,Hangup()
exten => 300,1,Set(CHANNEL(hangup_handler_push)=after,s,1(x))
same => n,Set(CHANNEL(hangup_handler_wipe)=)
same => n,Hangup()
exten => 400,1,Dial(Test/a&Test/b,20,b(before^s^1(red^blue))B(before^s^1(caller)))
same => n,NoOp(${HANGUPCAUSE_KEYS()},${HANGUPCAUSE(Test/a,ast)},${HANGUPCAUSE(Test/b,tech)})
exten => 500,1,Dial(Test/a,20,b(nowhere^s^1))
same => n,NoOp(${DIALSTATUS})
exten => h,1,NoOp(h)
[after]
exten => s,1,NoOp(${ARG1} ${ARG2} ${CHANNEL(checkhangup)})
same => n,Return()
[before]
exten => s,1,Set(SEEN=${ARG1} ${ARG2})
same => n,Wait(1)
same => n,Return()
"""


def noops(stage: Stage) -> list[str]:
    return [step.partition("NoOp(")[2][:-1] for step in stage.steps() if "NoOp(" in step]


def test_handlers_run_after_h_the_last_one_first() -> None:
    stage = Stage(PLAN)
    channel = stage.channel("100")
    stage.later(5, channel.receive, signals.HungUp(16))
    said = stage.run(channel)
    assert noops(stage) == ["h", "first", "one two 1"]
    assert said[-1] == "hangup 16" and len(stage.registry) == 0


@pytest.mark.parametrize(("exten", "shown"), [("200", ["h", "z  0", "x  0"]), ("300", ["h"])])
def test_handlers_are_taken_away(exten: str, shown: list[str]) -> None:
    stage = Stage(PLAN)
    stage.run(stage.channel(exten))
    assert noops(stage) == shown


def test_a_subroutine_runs_on_each_side_before_the_call() -> None:
    stage = Stage(PLAN)
    stage.phones.scripts.update(a=[(1, signals.HungUp(17, 486))], b=[(2, signals.HungUp(21, 603))])
    channel = stage.channel("400")
    stage.run(channel)
    assert [peer.get_variable("SEEN") for peer in stage.phones.made] == ["red blue", "red blue"]
    assert channel.get_variable("SEEN") == "caller"
    assert noops(stage)[0] == "Test/a,Test/b,17,SIP 603"
    assert len(stage.registry) == 0


def test_who_cannot_be_prepared_is_not_called() -> None:
    stage = Stage(PLAN)
    stage.phones.scripts.update(a=[(1, signals.Answered())])
    stage.run(stage.channel("500"))
    assert noops(stage)[0] == "NOANSWER"
    assert len(stage.registry) == 0


def test_the_caller_hangs_up_while_a_handler_prepares() -> None:
    stage = Stage(PLAN)
    stage.phones.scripts.update(a=[], b=[])
    channel = stage.channel("400")
    stage.later(1.5, channel.receive, signals.HungUp(16))
    stage.run(channel)
    assert len(stage.registry) == 0


def test_handlers_are_bounded_and_must_exist() -> None:
    stage = Stage(PLAN)
    channel = stage.channel()
    for _ in range(100):
        stage.plan.write(channel, "CHANNEL(hangup_handler_push)", "after,s,1")
    for value in ("after,s,1", "", "nowhere,s,label"):
        with pytest.raises(DialplanError):
            stage.plan.write(channel, "CHANNEL(hangup_handler_push)", value)
    stage.loop.close()
