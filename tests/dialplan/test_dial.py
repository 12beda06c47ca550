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


def test_a_phone_that_forwards_to_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, until one answers; those that are no extension are passed over."""
    stage = stage_with(
        "Dial(Test/a,30)", a=[(1, signals.Forwarded("55", others=("56", "57"))), (1, signals.HungUp(23))]
    )
    stage.phones.scripts["55@default"] = [(2, signals.HungUp(17))]
    stage.phones.scripts["56@default"] = [(1, signals.Ringing()), (2, signals.HungUp(19))]
    stage.phones.scripts["57@default"] = [(1, ANSWER), (5, signals.HungUp(16))]
    stage.registry.drivers["local"] = stage.phones  # type: ignore[assignment]
    stage.run(stage.channel("700"))
    assert stage.bridges.story[0] == "Test/caller and Test/57@default talk"
    assert dial_events(stage) == [
        "Test/a", "Test/a CANCEL", "Test/55@default", "Test/55@default CANCEL", "Test/56@default",
        "Test/56@default RINGING", "Test/56@default CANCEL", "Test/57@default", "Test/57@default ANSWER",
    ]  # fmt: skip
    assert len(stage.registry) == 0


def test_forwards_that_all_fail_end_as_the_last_does(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_with("Dial(Test/a,30)", a=[(1, signals.Forwarded("55", others=("56",)))])
    stage.phones.scripts["55@default"] = [(1, signals.HungUp(17))]
    stage.phones.scripts["56@default"] = [(1, signals.HungUp(34))]
    stage.registry.drivers["local"] = stage.phones  # type: ignore[assignment]
    stage.run(stage.channel("700"))
    assert dial_events(stage)[-1] == "Test/56@default CONGESTION" and len(stage.registry) == 0


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


# ------------------------------------------------------------------------------------------- what its letters do


def play(step: str, more: str = "", **scripts: list[tuple[float, signals.Signal]]) -> Stage:
    """A stage where extension 700 executes one step, goes on with NoOp, and has other contexts besides."""
    stage = Stage(
        f"[default]\nexten => 700,1,{step}\nsame => n,NoOp(${{DIALSTATUS}})\nexten => 5,1,NoOp(five)\n{more}\n"
    )
    stage.phones.scripts.update(scripts)
    return stage


SUBROUTINE = "[sub]\nexten => s,1,NoOp(${CHANNEL(name)} ${ARG1})\nsame => n,Set(GOSUB_RESULT=%s)\nsame => n,Return()\n"
TALKS = [(2.0, ANSWER), (12.0, signals.HungUp(16))]


def test_announcements_before_they_talk() -> None:
    stage = play("Dial(Test/a,,A(hello:wait))", a=TALKS)
    caller = stage.channel("700")
    stage.run(caller)
    assert leg_of(caller).said == ["sound:wait", "answer", "hangup 16"]
    assert "sound:hello" in leg_of(stage.phones.made[0]).said
    assert stage.bridges.story[0] == "Test/caller and Test/a talk"


def test_a_answers_before_the_announcement() -> None:
    stage = play("Dial(Test/a,,aA(hello))", a=TALKS)
    assert stage.run(stage.channel("700"))[0] == "answer"


def test_who_is_called_hangs_up_during_its_announcement() -> None:
    stage = play("Dial(Test/a,,gA(hello))", a=[(2, ANSWER), (2.5, signals.HungUp(16))])
    stage.run(stage.channel("700"))
    assert stage.bridges.story == []
    assert after(stage) == "700:2 NoOp(ANSWER)"
    assert len(stage.registry) == 0


@pytest.mark.parametrize(
    ("result", "talks", "status"),
    [
        ("", True, None),
        ("BUSY", False, "BUSY"),
        ("CONGESTION", False, "CONGESTION"),
        ("CONTINUE", False, "ANSWER"),
        ("ABORT", False, None),
        ("rubbish", False, "ANSWER"),
    ],
)
def test_a_subroutine_with_who_answered_decides(result: str, talks: bool, status: str | None) -> None:
    stage = play("Dial(Test/a,,U(sub^one))", SUBROUTINE % result, a=TALKS)
    stage.run(stage.channel("700"))
    assert "s:1 NoOp(Test/a one)" in stage.steps()
    assert bool(stage.bridges.story) is talks
    said = next((step for step in stage.steps() if step.startswith("700:2")), None)
    assert said == (f"700:2 NoOp({status})" if status else None)
    assert len(stage.registry) == 0


def test_a_subroutine_with_who_answered_sends_the_caller_elsewhere() -> None:
    stage = play("Dial(Test/a,,U(sub))", SUBROUTINE % "GOTO:default^5^1", a=TALKS)
    stage.run(stage.channel("700"))
    assert "5:1 NoOp(five)" in stage.steps()


def test_who_answered_hangs_up_in_its_subroutine() -> None:
    waits = "[sub]\nexten => s,1,Wait(30)\nsame => n,Return()\n"
    stage = play("Dial(Test/a,,gU(sub))", waits, a=[(2, ANSWER), (5, signals.HungUp(16))])
    stage.run(stage.channel("700"))
    assert after(stage) == "700:2 NoOp(ANSWER)"
    assert len(stage.registry) == 0


@pytest.mark.parametrize("letters", ["A(hello)", "U(sub)", "aA(hello)U(sub)"])
def test_the_caller_hangs_up_before_they_talk(letters: str) -> None:
    waits = "[sub]\nexten => s,1,Wait(30)\nsame => n,Return()\n"
    stage = play(f"Dial(Test/a,,{letters})", waits, a=[(2, ANSWER)])
    channel = stage.channel("700")
    stage.later(2.5, channel.receive, signals.HungUp(16))
    stage.run(channel)
    assert ended(stage) == {"Test/a": 16, "Test/caller": 16}
    assert stage.bridges.story == []
    assert len(stage.registry) == 0


def test_who_gives_up_tells_that_it_was_answered_elsewhere() -> None:
    stage = play("Dial(Test/a,,c)", a=[(1, RING)])
    channel = stage.channel("700")
    stage.later(5, channel.receive, signals.HungUp(16))
    stage.run(channel)
    assert ended(stage)["Test/a"] == 26


@pytest.mark.parametrize(("letter", "cause"), [("Q(NO_ANSWER)", 19), ("Q(16)", 16), ("Q(NONE)", 0), ("", 26)])
def test_the_cause_of_those_that_did_not_answer(letter: str, cause: int) -> None:
    stage = play(f"Dial(Test/a&Test/b,,{letter})", a=TALKS, b=[(1, RING)])
    stage.run(stage.channel("700"))
    assert ended(stage)["Test/b"] == cause


def test_a_digit_leaves_for_an_extension() -> None:
    stage = play("Dial(Test/a,,d)", a=[(1, RING)])
    channel = stage.channel("700")
    stage.press(channel, "95", start=3)
    stage.run(channel)
    assert stage.steps()[-1] == "5:1 NoOp(five)"
    assert stage.variables("DIALSTATUS")[-1] == "CANCEL"


def test_a_digit_leaves_for_an_extension_of_another_context() -> None:
    stage = play("Dial(Test/a,,d)", "[out]\nexten => 9,1,NoOp(nine)\n", a=[(1, RING)])
    channel = stage.channel("700")
    channel.set_variable("EXITCONTEXT", "out")
    stage.press(channel, "59", start=3)
    stage.run(channel)
    assert stage.steps()[-1] == "9:1 NoOp(nine)"


def test_the_caller_gives_up_with_keys() -> None:
    stage = play("Dial(Test/a,,H)", a=[(1, RING)])
    channel = stage.channel("700")
    stage.press(channel, "1*", start=3)
    stage.run(channel)
    assert after(stage) == "700:2 NoOp(CANCEL)"


@pytest.mark.parametrize(("letters", "who"), [("h", 1), ("H", 0)])
def test_keys_end_the_talk_for_those_who_may(letters: str, who: int) -> None:
    stage = play(f"Dial(Test/a,,{letters})", a=[(1, ANSWER)])
    channel = stage.channel("700")
    stage.later(5, lambda: stage.press((channel, *stage.phones.made)[who], "*", start=0))
    stage.run(channel)
    assert len(stage.registry) == 0
    assert stage.bridges.story[-1] == "the bridge ends"


def test_keys_end_no_talk_for_those_who_may_not() -> None:
    stage = play("Dial(Test/a,,h)", a=[(1, ANSWER), (20, signals.HungUp(16))])
    channel = stage.channel("700")
    stage.press(channel, "*", start=5)
    stage.run(channel)
    assert channel.variables["ANSWEREDTIME"] == "19"


def test_digits_for_both_and_pauses() -> None:
    stage = play("Dial(Test/a,,D(w1w2:3))", a=TALKS)
    caller = stage.channel("700")
    stage.run(caller)
    assert "digits 1/100/600 2/100/100" in leg_of(stage.phones.made[0]).said
    assert "digits 3/100/100" in leg_of(caller).said


def test_digits_at_progress() -> None:
    stage = play("Dial(Test/a,,D(::7))", a=[(1, signals.Progressed()), *TALKS])
    stage.run(stage.channel("700"))
    assert leg_of(stage.phones.made[0]).said[1] == "digits 7/100/100"


def test_the_extension_h_of_who_was_called() -> None:
    stage = play("Dial(Test/a,,e)", "[default]\nexten => h,1,NoOp(${CHANNEL(name)})\n", a=TALKS)
    stage.run(stage.channel("700"))
    assert {"h:1 NoOp(Test/a)", "h:1 NoOp(Test/caller)"} <= set(stage.steps())


def test_what_is_said_before_the_time_is_over() -> None:
    stage = play("Dial(Test/a,,gL(100000:70000:60000))", a=[(1, ANSWER)])
    caller = stage.channel("700")
    said = stage.run(caller)
    assert said[:4] == ["answer", "sound:vm-youhave", "number:1", "sound:queue-minutes"]
    assert said[4:8] == ["number:10", "sound:queue-seconds", "sound:vm-youhave", "number:10"]
    assert caller.variables["ANSWEREDTIME"] == "100"
    assert after(stage) == "700:2 NoOp(ANSWER)"


def test_files_for_the_limit_and_who_hears_them() -> None:
    stage = play("Dial(Test/a,,L(10000:4000))", a=[(1, ANSWER)])
    caller = stage.channel("700")
    for name, value in (("WARNING_FILE", "soon"), ("TIMEOUT_FILE", "over"), ("PLAYAUDIO_CALLEE", "yes")):
        caller.set_variable(f"LIMIT_{name}", value)
    assert stage.run(caller) == ["answer", "hangup 16"]
    said = leg_of(stage.phones.made[0]).said
    assert [uri for uri in said if uri.startswith("sound")] == ["sound:soon", "sound:over"]
    assert caller.variables["ANSWEREDTIME"] == "11"


@pytest.mark.parametrize(
    ("letters", "caller", "connected"),
    [
        ("", "700", "6001/0"),
        ("o", "6001", "6001/0"),
        ("o(99)", "99", "6001/0"),
        ("u(prohib)", "700", "6001/35"),
        ("u(allowed_passed_screen)", "700", "6001/1"),
    ],
)
def test_whom_the_called_see(letters: str, caller: str, connected: str) -> None:
    stage = play(f"Dial(Test/a,,{letters})", a=TALKS)
    stage.run(stage.channel("700"))
    phone = stage.phones.made[0]
    assert (phone.caller.number, f"{phone.connected.number}/{phone.connected.presentation}") == (caller, connected)


def test_who_is_called_says_nothing_of_itself_to_who_ignores_it() -> None:
    stage = play("Dial(Test/a,,I)", a=TALKS)
    channel = stage.channel("700")
    stage.run(channel)
    assert channel.connected.number == ""


def test_ringing_and_tones() -> None:
    stage = play("Dial(Test/a,,R)", a=[(1, signals.Progressed()), *TALKS])
    assert stage.run(stage.channel("700"))[:2] == ["ringing", "progress"]
    stage = play("Dial(Test/a,,r(dial))", a=[(1, RING), *TALKS])
    assert stage.run(stage.channel("700"))[:4] == ["progress", "tones dial", "tones None", "answer"]


@pytest.mark.parametrize(
    "letters",
    [
        "k",
        "p",
        "P(x)",
        "E",
        "j",
        "O",
        "s",
        "n",
        "q",
        "D(x)",
        "D(1:2:3:4)",
        "Q(what)",
        "u(what)",
        "L(x)",
        "S(x)",
        "U",
    ],
)
def test_letters_that_are_refused_place_no_call(letters: str) -> None:
    stage = play(f"Dial(Test/a,,{letters})", a=TALKS)
    stage.run(stage.channel("700"))
    assert after(stage) == "700:2 NoOp(INVALIDARGS)"
    assert not stage.phones.made


def forwarding(letters: str, seconds: str = "") -> Stage:
    """A phone that asks to call extension 9 in its place, where another one answers after ten seconds."""
    stage = play(f"Dial(Test/a,{seconds},{letters})")
    stage.registry.drivers["local"] = stage.registry.drivers["test"]
    stage.phones.scripts["a"] = [(1, signals.Forwarded("9")), (1, signals.HungUp(16, 302))]
    stage.phones.scripts["9@default"] = [(10, ANSWER), (20, signals.HungUp(16))]
    return stage


@pytest.mark.parametrize(("letters", "shown"), [("", "6001"), ("f", "700"), ("f(99)", "99"), ("f(99)u(prohib)", "99")])
def test_whom_a_forwarded_call_shows(letters: str, shown: str) -> None:
    stage = forwarding(letters)
    stage.run(stage.channel("700"))
    assert [phone.connected.number for phone in stage.phones.made] == ["6001", shown]
    assert stage.bridges.story[0] == "Test/caller and Test/9@default talk"


def test_who_forwarded_a_call() -> None:
    stage = forwarding("")
    channel = stage.channel("700")
    stage.run(channel)
    assert channel.variables["FORWARDERNAME"] == "Test/a"


def test_i_ignores_who_asks_to_call_elsewhere() -> None:
    stage = forwarding("i")
    stage.run(stage.channel("700"))
    assert [phone.name for phone in stage.phones.made] == ["Test/a"]
    assert after(stage) == "700:2 NoOp(NOANSWER)"


@pytest.mark.parametrize(("letters", "status"), [("g", "NOANSWER"), ("gz", "ANSWER")])
def test_z_forgets_the_timeout_when_a_call_is_forwarded(letters: str, status: str) -> None:
    stage = forwarding(letters, "5")
    stage.run(stage.channel("700"))
    assert after(stage) == f"700:2 NoOp({status})"


def test_the_called_learn_the_tag_of_the_caller() -> None:
    stage = play("Dial(Test/a,,s(vip))", a=TALKS)
    stage.run(stage.channel("700"))
    assert stage.phones.made[0].connected.tag == "vip"


def test_how_long_each_part_took() -> None:
    stage = play("Dial(Test/a)", a=[(1.25, RING), (1.5, signals.Progressed()), (2.5, ANSWER), (12, signals.HungUp(16))])
    channel = stage.channel("700")
    stage.run(channel)
    names = ("RINGTIME", "PROGRESSTIME", "ANSWEREDTIME", "DIALEDTIME")
    assert [channel.variables[name] for name in names] == ["1", "1", "9", "12"]
    assert [channel.variables[f"{name}_MS"] for name in names] == ["1250", "1500", "9500", "12000"]


@pytest.mark.parametrize(("name", "after"), [("OUTBOUND_GROUP", "trunk@out"), ("OUTBOUND_GROUP_ONCE", None)])
def test_called_channels_are_in_a_group(name: str, after: str | None) -> None:
    stage = play("Dial(Test/a&Test/b)", a=TALKS, b=[(1, RING)])
    channel = stage.channel("700")
    channel.set_variable(name, "trunk@out")
    counted: list[int] = []
    stage.later(1.5, lambda: counted.append(stage.plan.groups.count("out", "trunk")))
    stage.run(channel)
    assert counted == [2]
    assert channel.get_variable(name) == after
