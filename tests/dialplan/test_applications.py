"""What applications do to a call: answering, sounds, digits, waiting, events."""

import logging

import pytest

from arietta.channels import signals
from arietta.channels.channel import State

from .stage import Stage, leg_of, walk


def said(text: str, digits: str = "", start: float = 0.1) -> tuple[list[str], Stage]:
    """What the leg is told in a dialplan of these steps, with keys pressed meanwhile."""
    stage = Stage("[default]\nexten => s,1,NoOp()\n" + "".join(f"same => n,{line}\n" for line in text.splitlines()))
    channel = stage.channel()
    stage.press(channel, digits, start)
    return stage.run(channel), stage


def test_answer_waits_for_audio_at_most_half_a_second() -> None:
    stage = Stage("[default]\nexten => s,1,Answer()\nsame => n,Answer()\nsame => n,Hangup()\n")
    channel = stage.channel()
    times: list[float] = []
    channel.on_end.append(lambda _: times.append(stage.loop.time()))
    assert stage.run(channel) == ["answer", "hangup 16"]
    assert times == [0.5]


def test_answer_with_a_delay() -> None:
    stage = Stage("[default]\nexten => s,1,Answer(2000)\nsame => n,Hangup()\n")
    channel = stage.channel()
    times: list[float] = []
    channel.on_end.append(lambda _: times.append(stage.loop.time()))
    stage.run(channel)
    assert times == [2.0]


@pytest.mark.parametrize(
    ("step", "cause"),
    [("Hangup()", 16), ("Hangup(17)", 17), ("Hangup(BUSY)", 17), ("Hangup(no_answer)", 19), ("Hangup(rubbish)", 16)],
)
def test_hangup(step: str, cause: int) -> None:
    assert said(step)[0] == [f"hangup {cause}"]


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("Ringing()", ["ringing", "hangup 0"]),
        ("Progress()", ["progress", "hangup 0"]),
        ("Proceeding()", ["proceeding", "hangup 0"]),
        ("Busy(3)", ["busy", "hangup 17"]),
        ("Congestion(3)", ["congestion", "hangup 34"]),
        ("Incomplete()", ["hangup 28"]),
        ("Transfer(PJSIP/2000)", ["redirect PJSIP/2000", "hangup 0"]),
        ("PlayTones(dial)\nStopPlayTones()", ["tones dial", "tones None", "hangup 0"]),
        ("StartMusicOnHold(jazz)\nStopMusicOnHold()", ["music jazz", "music None", "hangup 0"]),
        ("MusicOnHold(,3)", ["music default", "music None", "hangup 0"]),
        ("SendDTMF(12#,100,90)", ["digits 1/90/100 2/90/100 #/90/100", "hangup 0"]),
        ("SendDTMF(1w2)", ["digits 1/100/750 2/100/250", "hangup 0"]),
        ("SendDTMF()", ["hangup 0"]),
        ("SayDigits(123)", ["answer", "play digits/1 digits/2 digits/3", "hangup 0"]),
        ("SayNumber(7)", ["answer", "play digits/7", "hangup 0"]),
        ("SayAlpha(ab)", ["answer", "play letters/a letters/b", "hangup 0"]),
        ("SayPhonetic(b1)", ["answer", "play phonetic/b_p digits/1", "hangup 0"]),
        ("SayAlphaCase(a,aB)", ["answer", "play lowercase letters/a uppercase letters/b", "hangup 0"]),
        ("SayAlphaCase(u,aB)", ["answer", "play letters/a uppercase letters/b", "hangup 0"]),
        ("SayAlphaCase(x,aB)", ["hangup 0"]),
        ("SayCountedNoun(1,call)", ["answer", "play digits/1 call", "hangup 0"]),
        ("SayCountedNoun(2,call)", ["answer", "play digits/2 calls", "hangup 0"]),
        ("SayCountedAdj(2,big)", ["answer", "play big", "hangup 0"]),
        ("SayMoney(12.5)", ["answer", "play digits/12 digits/dollars digits/and digits/50 digits/cents", "hangup 0"]),
        ("SayMoney($3)", ["answer", "play digits/3 digits/dollars", "hangup 0"]),
        ("SayMoney(.07)", ["answer", "play digits/7 digits/cents", "hangup 0"]),
        ("SayMoney(free)", ["hangup 0"]),
        ("SayOrdinal(42)", ["answer", "play digits/40 digits/h-2", "hangup 0"]),
        ("SayOrdinal(100)", ["hangup 0"]),
        ("SayUnixTime(0,UTC,Bd)", ["answer", "play digits/mon-0 digits/h-1", "hangup 0"]),
        ("SayUnixTime(0,Nowhere/City)", ["hangup 0"]),
        ("SayUnixTime(x)", ["hangup 0"]),
        ("Milliwatt(q)", ["hangup 0"]),
        ("Playback(hello,say)", ["hangup 0"]),
        ("Background(hello,z)", ["hangup 0"]),
        ("WaitExten(1,m(jazz))", ["music jazz", "music None", "hangup 0"]),
        ("WaitExten(1,d)", ["tones dial", "tones None", "hangup 0"]),
        ("WaitExten(1,x)", ["hangup 0"]),
    ],
)
def test_what_the_far_end_is_told(step: str, told: list[str]) -> None:
    assert said(step)[0] == told


def test_busy_without_a_time_waits_for_the_hangup() -> None:
    stage = Stage("[default]\nexten => s,1,Busy()\n")
    channel = stage.channel()
    stage.later(50, channel.receive, signals.HungUp(16))
    assert stage.run(channel) == ["busy", "hangup 16"]


@pytest.mark.parametrize(
    ("step", "told", "status"),
    [
        ("Playback(hello&world)", ["answer", "sound:hello", "sound:world"], "SUCCESS"),
        ("Playback(hello,noanswer)", ["sound:hello"], "SUCCESS"),
        ("Playback(hello,skip)", [], "SUCCESS"),
        ("Playback(nothing&hello)", ["answer", "sound:nothing", "sound:hello"], "FAILED"),
    ],
)
def test_playback(step: str, told: list[str], status: str) -> None:
    heard, stage = said(step)
    assert heard == [*told, "hangup 0"]
    assert stage.variables("PLAYBACKSTATUS") == ["", status]


def test_playback_stops_with_the_call() -> None:
    stage = Stage("[default]\nexten => s,1,Playback(hello)\nsame => n,Playback(more)\n")
    channel = stage.channel()
    stage.later(0.5, channel.receive, signals.HungUp(16))
    assert stage.run(channel) == ["answer", "sound:hello", "stop", "hangup 16"]


def test_echo_until_the_hash() -> None:
    assert said("Echo()", "12#")[0] == ["answer", "echo on", "echo off", "hangup 0"]


def test_background_and_the_extension_that_the_caller_dials() -> None:
    text = (
        "[default]\nexten => s,1,Background(menu&more)\nsame => n,WaitExten(5)\n"
        "exten => 12,1,Set(AT=12)\nsame => n,Hangup()\nexten => t,1,Set(AT=t)\n"
    )
    stage = Stage(text)
    channel = stage.channel()
    stage.press(channel, "12", start=0.3)
    assert stage.run(channel) == ["answer", "sound:menu", "stop", "hangup 16"]
    assert stage.variables("AT") == ["12"]

    stage = Stage(text)
    channel = stage.channel()
    stage.press(channel, "12", start=2.5)
    stage.run(channel)
    assert stage.variables("AT") == ["12"]

    _, stage = walk(text)
    assert stage.variables("AT") == ["t"]


@pytest.mark.parametrize(
    ("step", "digits", "value", "status"),
    [
        ("Read(PIN,enter,4)", "1234", "1234", "OK"),
        ("Read(PIN,enter)", "12#", "12", "OK"),
        ("Read(PIN,,3,,,2)", "", "", "TIMEOUT"),
        ("Read(PIN,,3,,2,2)", "9", "9", "OK"),
    ],
)
def test_read(step: str, digits: str, value: str, status: str) -> None:
    _, stage = said(step, digits)
    assert (stage.variables("PIN"), stage.variables("READSTATUS")) == ([value], [status])


def test_incomplete_waits_for_more_digits_when_answered() -> None:
    stage = Stage("[default]\nexten => _1X,1,Answer()\nsame => n,Incomplete()\nexten => 123,1,Set(AT=123)\n")
    channel = stage.channel("12")
    stage.press(channel, "3", start=1)
    stage.run(channel)
    assert stage.variables("AT") == ["123"]


def test_a_user_event() -> None:
    _, stage = walk("[default]\nexten => s,1,UserEvent(conf-plan,alpha: 1,beta: two words)\n")
    event = next(event for event in stage.events if type(event).__name__ == "ChannelUserevent")
    assert event.eventname == "conf-plan"
    assert event.userevent == {"alpha": "1", "beta": "two words", "eventname": "conf-plan"}


def test_lines_for_the_console_and_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        walk("[default]\nexten => s,1,Verbose(2,hello there)\nsame => n,Verbose(plain)\nsame => n,Log(NOTICE,noted)\n")
    lines = [record.getMessage().strip() for record in caplog.records]
    assert "== hello there" in lines
    assert "plain" in lines
    assert "Test/caller at s@default:3: noted" in lines


def test_wait_takes_fractions_and_warns_about_rubbish(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage("[default]\nexten => s,1,Wait(0.25)\nsame => n,Wait(soon)\nsame => n,Hangup()\n")
    channel = stage.channel()
    times: list[float] = []
    channel.on_end.append(lambda _: times.append(stage.loop.time()))
    stage.run(channel)
    assert times == [0.25]
    assert "Wait(soon) is not a number of seconds" in caplog.text


@pytest.mark.parametrize(
    "step", ["Background(x,z)", "Read(X,,,z)", "WaitExten(1,z)", "SendDTMF(1,,,PJSIP/none)", "Read()", "PlayTones()"]
)
def test_what_is_not_supported_ends_the_call_by_name(step: str, caplog: pytest.LogCaptureFixture) -> None:
    _, stage = said(f"{step}\nSet(AT=after)")
    assert f"{step.partition('(')[0]}(): " in caplog.text
    assert stage.variables("AT") == []


def test_digits_may_be_sent_on_another_channel() -> None:
    stage = Stage("[default]\nexten => s,1,SendDTMF(5,,,other)\n")
    caller, other = stage.channel(), stage.channel()
    other.name = "other"
    stage.run(caller)
    assert leg_of(other).said == ["digits 5/100/250"]
    assert caller.state is State.RING


def asked(step: str, digits: str) -> tuple[list[str], Stage]:
    """What the far end was told, and the stage, after a step during which the caller pressed keys."""
    stage = Stage(f"[default]\nexten => s,1,{step}\nexten => s,2,NoOp()\nexten => 5,1,Set(WENT=5)\n")
    channel = stage.channel()
    stage.press(channel, digits, 0.5, 0.2)
    return stage.run(channel), stage


def test_keys_that_are_no_extension_are_not_heeded_with_m() -> None:
    told, stage = asked("Background(hello&world,m)", "4")
    assert "sound:world" in told
    assert stage.variables("WENT") == []
    assert asked("Background(hello&world,m)", "45")[1].variables("WENT") == ["5"]


def test_no_key_ends_a_background_with_p() -> None:
    told, stage = asked("Background(hello&world,p)", "5")
    assert "sound:world" in told
    assert stage.variables("WENT") == []


@pytest.mark.parametrize(
    ("step", "digits", "value", "status"),
    [
        ("Read(X,hello,,t(*))", "1#2*", "1#2", "OK"),
        ("Read(X,hello,3,t)", "1#2", "1#2", "OK"),
        ("Read(X,hello,,e)", "#", "#", "OK"),
        ("Read(X,hello)", "#", "", "OK"),
        ("Read(X,dial,2,i)", "12", "12", "OK"),
        ("Read(X,hello,,s)", "12", "", "SKIPPED"),
        ("Read(X,,,,2,1)", "", "", "TIMEOUT"),
    ],
)
def test_read_ends_as_its_options_say(step: str, digits: str, value: str, status: str) -> None:
    stage = asked(step, digits)[1]
    assert stage.variables("X")[-1:] == [value]
    assert stage.variables("READSTATUS") == [status]


def test_a_key_ends_what_is_said_where_that_is_wished() -> None:
    stage = Stage(
        "[default]\nexten => s,1,Set(SAY_DTMF_INTERRUPT=true)\n same => n,SayDigits(123)\nexten => 5,1,Set(WENT=5)\n"
    )
    channel = stage.channel()
    stage.press(channel, "5", 0.5)
    stage.run(channel)
    assert stage.variables("WENT") == ["5"]
    assert asked("SayDigits(123)", "5")[1].variables("WENT") == []


def test_keys_move_in_a_file() -> None:
    told, stage = asked("ControlPlayback(hello&world&again,500,6,4,0,8)", "64880")
    assert told == ["answer", "play hello world again", "skip 500", "skip -500", "pause", "resume", "hangup 0"]
    assert stage.variables("CPLAYBACKSTATUS") == ["USERSTOPPED"]
    assert asked("ControlPlayback(hello,500,6,4,0,8)", "0")[1].variables("CPLAYBACKSTOPKEY") == ["0"]
    assert asked("ControlPlayback(nothing)", "")[1].variables("CPLAYBACKSTATUS") == ["ERROR"]


def test_what_an_application_of_the_interface_does_names_its_example(caplog: pytest.LogCaptureFixture) -> None:
    said("Queue(help)")
    assert "there is no application Queue(): an application of the REST interface does that" in caplog.text
    assert "examples/call_queue.py" in caplog.text
