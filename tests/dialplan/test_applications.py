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
        ("SayDigits(123)", ["answer", "digits:123", "hangup 0"]),
        ("SayNumber(7)", ["answer", "number:7", "hangup 0"]),
        ("SayAlpha(ab)", ["answer", "characters:ab", "hangup 0"]),
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
    "step", ["Background(x,m)", "Read(X,,,i)", "WaitExten(1,m)", "SendDTMF(1,,,PJSIP/none)", "Read()", "PlayTones()"]
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
