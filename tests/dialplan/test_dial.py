"""Dial: who rings, who answers, who is told what, and who hangs up."""

import pytest

from arietta.channels import signals
from arietta.channels.channel import Channel

from .stage import Stage, leg_of

RING, ANSWER, BUSY = signals.Ringing(), signals.Answered(), signals.HungUp(17, 486)


def stage_with(step: str, **scripts: list[tuple[float, signals.Signal]]) -> Stage:
    stage = Stage(
        f"[default]\nexten => 700,1,Set(__KEEP=1)\nsame => n,{step}\nsame => n,NoOp(${{DIALSTATUS}},${{HANGUPCAUSE}})\n"
    )
    stage.phones.scripts.update(scripts)
    return stage


def after(stage: Stage) -> str | None:
    """What the step after Dial showed, if it was executed."""
    return next((step for step in stage.steps() if "NoOp" in step), None)


def ended(stage: Stage) -> dict[str, int]:
    return {event.channel.name: event.cause for event in stage.events if type(event).__name__ == "ChannelDestroyed"}


def dial_events(stage: Stage) -> list[str]:
    return [f"{event.peer.name} {event.dialstatus}".strip() for event in stage.events if type(event).__name__ == "Dial"]


def test_a_phone_answers_and_hangs_up() -> None:
    stage = stage_with("Dial(Test/a,30)", a=[(1, RING), (2, ANSWER), (12, signals.HungUp(16))])
    said = stage.run(stage.channel("700"))
    assert said == ["ringing", "stop ringing", "answer", "hangup 16"]
    assert stage.bridges.story == ["Test/caller and Test/a talk", "the bridge ends"]
    assert dial_events(stage) == ["Test/a", "Test/a RINGING", "Test/a ANSWER"]
    assert stage.variables("DIALSTATUS") == ["", "ANSWER", "ANSWER"]
    assert stage.variables("DIALEDPEERNAME") == ["", "Test/a"]
    assert after(stage) is None
    assert ended(stage) == {"Test/a": 16, "Test/caller": 16}


def test_what_the_phone_sees() -> None:
    stage = stage_with("Dial(Test/a,30)", a=[(2, ANSWER), (3, signals.HungUp(16))])
    stage.run(stage.channel("700"))
    phone = stage.phones.made[0]
    assert (phone.caller.number, phone.connected.number, phone.connected.name) == ("700", "6001", "Caller")
    assert stage.phones.wanted[0].variables == {"__KEEP": "1"}
    shown = [
        (event.dialplan_app, event.dialplan_app_data, event.channel.dialplan.exten)
        for event in stage.events
        if type(event).__name__ == "ChannelDialplan" and event.channel.name == "Test/a"
    ]
    assert shown == [("AppDial", "(Outgoing Line)", "700"), ("AppDial", "(Outgoing Line)", "")]
    assert phone.get_variable("DIALEDPEERNUMBER") == "a"


def test_who_is_told_whom_the_call_is_with_and_when() -> None:
    stage = stage_with("Dial(Test/a,30)", a=[(1, RING), (2, ANSWER), (3, signals.HungUp(16))])
    stage.run(stage.channel("700"))
    told = [
        f"{type(event).__name__} {event.channel.name} {event.channel.caller.number}-{event.channel.connected.number}"
        for event in stage.events
        if type(event).__name__ in ("ChannelCallerId", "ChannelConnectedLine")
    ]
    assert told == [
        "ChannelCallerId Test/a 700-6001",
        "ChannelConnectedLine Test/a 700-6001",
        "ChannelConnectedLine Test/caller 6001-700",
    ]


def test_with_g_the_caller_goes_on() -> None:
    stage = stage_with("Dial(Test/a,,g)", a=[(2, ANSWER), (12, signals.HungUp(16))])
    channel = stage.channel("700")
    stage.run(channel)
    assert after(stage) == "700:3 NoOp(ANSWER,0)"
    assert (channel.variables["DIALEDTIME"], channel.variables["ANSWEREDTIME"]) == ("12", "10")


def test_the_caller_hangs_up_while_they_talk() -> None:
    stage = stage_with("Dial(Test/a)", a=[(2, ANSWER)])
    channel = stage.channel("700")
    stage.later(5, channel.receive, signals.HungUp(16))
    stage.run(channel)
    assert ended(stage) == {"Test/a": 16, "Test/caller": 16}
    assert len(stage.registry) == 0


def test_the_caller_hangs_up_while_it_rings() -> None:
    stage = stage_with("Dial(Test/a)", a=[(1, RING)])
    channel = stage.channel("700")
    stage.later(5, channel.receive, signals.HungUp(16))
    stage.run(channel)
    assert dial_events(stage) == ["Test/a", "Test/a RINGING", "Test/a CANCEL"]
    assert stage.variables("DIALSTATUS")[-1] == "CANCEL"
    assert ended(stage) == {"Test/a": 16, "Test/caller": 16}


@pytest.mark.parametrize(
    ("script", "status"),
    [
        ([(1.0, BUSY)], "BUSY,17"),
        ([(1.0, signals.HungUp(34, 503))], "CONGESTION,34"),
        ([(1.0, signals.HungUp(21, 603))], "NOANSWER,21"),
        ([(1.0, RING)], "NOANSWER,19"),
    ],
)
def test_nobody_answers(script: list[tuple[float, signals.Signal]], status: str) -> None:
    stage = stage_with("Dial(Test/a,10)", a=script)
    stage.run(stage.channel("700"))
    assert after(stage) == f"700:3 NoOp({status})"
    assert len(stage.registry) == 0


def test_the_first_of_several_that_answers_is_taken() -> None:
    stage = stage_with(
        "Dial(Test/a&Test/b&Test/c)", a=[(1, BUSY)], b=[(3, ANSWER), (9, signals.HungUp(16))], c=[(1, RING)]
    )
    stage.run(stage.channel("700"))
    assert stage.bridges.story[0] == "Test/caller and Test/b talk"
    assert ended(stage)["Test/c"] == 26
    assert "Test/c CANCEL" in dial_events(stage)


def test_all_refuse() -> None:
    stage = stage_with("Dial(Test/a&Test/b)", a=[(1, BUSY)], b=[(2, signals.HungUp(21, 603))])
    stage.run(stage.channel("700"))
    assert after(stage) == "700:3 NoOp(BUSY,21)"


@pytest.mark.parametrize(
    ("step", "status"),
    [
        ("Dial(Test/nobody,5)", "CHANUNAVAIL,20"),
        ("Dial(DAHDI/1)", "CHANUNAVAIL,44"),
        ("Dial(rubbish)", "CHANUNAVAIL,44"),
        ("Dial()", "INVALIDARGS,0"),
        ("Dial(Test/a,soon)", "INVALIDARGS,0"),
        ("Dial(Test/a,,k)", "INVALIDARGS,0"),
        ("Dial(Test/a,,m(jazz)", "INVALIDARGS,0"),
    ],
)
def test_what_cannot_be_dialled(step: str, status: str) -> None:
    stage = stage_with(step, a=[])
    stage.run(stage.channel("700"))
    assert after(stage) == f"700:3 NoOp({status})"


def test_music_instead_of_ringing_and_accepted_options() -> None:
    stage = stage_with("Dial(Test/a,10,tTm(jazz))", a=[(1, RING), (2, BUSY)])
    assert stage.run(stage.channel("700"))[:2] == ["music jazz", "music None"]


def test_ringing_at_once() -> None:
    stage = stage_with("Dial(Test/a,10,r)", a=[(5, signals.Progressed()), (6, BUSY)])
    said = stage.run(stage.channel("700"))
    assert said[0] == "ringing" and "progress" not in said


def test_a_limit_ends_the_call_and_digits_are_sent() -> None:
    stage = stage_with("Dial(Test/a,,S(20)D(12))", a=[(1, ANSWER)])
    channel = stage.channel("700")
    times: list[float] = []
    channel.on_end.append(lambda _: times.append(stage.loop.time()))
    stage.run(channel)
    assert times == [21.0]
    assert "digits 1/100/100 2/100/100" in leg_of(stage.phones.made[0]).said


def test_a_phone_that_forwards(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_with("Dial(Test/a,30)", a=[(1, signals.Forwarded("55"))])
    stage.phones.scripts["55@default"] = [(1, ANSWER), (5, signals.HungUp(16))]
    stage.registry.drivers["local"] = stage.phones  # type: ignore[assignment]
    stage.run(stage.channel("700"))
    assert dial_events(stage) == ["Test/a", "Test/a CANCEL", "Test/55@default", "Test/55@default ANSWER"]
    assert stage.bridges.story[0] == "Test/caller and Test/55@default talk"
    assert set(ended(stage)) == {"Test/a", "Test/55@default", "Test/caller"}
    assert len(stage.registry) == 0


def test_the_caller_is_sent_elsewhere_while_they_talk() -> None:
    from arietta.channels.channel import Moved

    stage = stage_with("Dial(Test/a)", a=[(1, ANSWER)])
    channel: Channel = stage.channel("700")

    def redirect() -> None:
        channel.set_place("default", "700", 3)
        channel.interrupt(Moved())

    stage.later(5, redirect)
    stage.run(channel)
    assert after(stage) == "700:3 NoOp(ANSWER,0)"
    assert ended(stage)["Test/a"] == 16
