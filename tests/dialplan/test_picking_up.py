"""pickupexten: it is looked at where there is no such extension, and only then."""

from __future__ import annotations

from arietta.channels.channel import Channel

from .stage import Stage, leg_of


def dialled(text: str, sound: str = "") -> tuple[Stage, Channel]:
    """A channel that dialled *8."""
    stage = Stage(text)
    general = stage.plan.features.general
    if sound:
        stage.plan.features = type(stage.plan.features)(general=type(general)(pickupfailsound=sound))
    channel = stage.channel("*8")
    stage.run(channel)
    return stage, channel


def test_an_extension_of_the_context_comes_first() -> None:
    stage, _ = dialled("[default]\nexten => _*X,1,NoOp(own)\n")
    assert stage.steps() == ["*8:1 NoOp(own)"]


def test_without_a_call_it_does_not_exist() -> None:
    stage, channel = dialled("[default]\nexten => i,1,NoOp(invalid)\n")
    assert (stage.steps(), channel.hangup_cause) == ([], 1)


def test_who_cannot_pick_up_hears_that() -> None:
    _, channel = dialled("[default]\n", "beeperr")
    assert leg_of(channel).said == ["progress", "sound:beeperr", "hangup 1"]


def test_a_call_can_begin_with_it() -> None:
    stage = Stage("[default]\nexten => 1,1,NoOp()\n")
    accepted = [stage.plan.accepts("default", exten) for exten in ("1", "2", "*8", "")]
    stage.loop.close()
    assert accepted == [True, False, True, False]
