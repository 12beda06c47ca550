"""What ARI hears of a channel: each change as its event. Nothing is built while nobody listens."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from arietta.channels import signals
from arietta.model import causes, events, snapshots
from arietta.model.times import wire_now

if TYPE_CHECKING:
    from arietta.channels.channel import Channel

PRESENTATIONS = {
    0: "Presentation Allowed, Not Screened",
    1: "Presentation Allowed, Passed Screen",
    2: "Presentation Allowed, Failed Screen",
    3: "Presentation Allowed, Network Number",
    32: "Presentation Prohibited, Not Screened",
    33: "Presentation Prohibited, Passed Screen",
    34: "Presentation Prohibited, Failed Screen",
    35: "Presentation Prohibited, Network Number",
    67: "Number Unavailable",
}


def created(channel: Channel) -> None:
    """ChannelCreated."""
    if channel.watched:
        channel.publish(events.ChannelCreated(timestamp=wire_now(), channel=channel.snapshot()))


def state(channel: Channel) -> None:
    """ChannelStateChange."""
    if channel.watched:
        channel.publish(events.ChannelStateChange(timestamp=wire_now(), channel=channel.snapshot()))


def application(channel: Channel) -> None:
    """ChannelDialplan."""
    if channel.watched:
        channel.publish(
            events.ChannelDialplan(
                timestamp=wire_now(),
                dialplan_app=channel.app_name,
                dialplan_app_data=channel.app_data,
                channel=channel.snapshot(),
            )
        )


def caller(channel: Channel) -> None:
    """ChannelCallerId."""
    if channel.watched:
        presentation = channel.caller.presentation
        channel.publish(
            events.ChannelCallerId(
                timestamp=wire_now(),
                caller_presentation=presentation,
                caller_presentation_txt=PRESENTATIONS.get(presentation, PRESENTATIONS[0]),
                channel=channel.snapshot(),
            )
        )


def connected(channel: Channel) -> None:
    """ChannelConnectedLine."""
    if channel.watched:
        channel.publish(events.ChannelConnectedLine(timestamp=wire_now(), channel=channel.snapshot()))


def variable(channel: Channel, name: str, value: str) -> None:
    """ChannelVarset."""
    if channel.watched:
        channel.publish(
            events.ChannelVarset(timestamp=wire_now(), variable=name, value=value, channel=channel.snapshot())
        )


def hangup_request(channel: Channel, cause: int | None, *, soft: bool) -> None:
    """ChannelHangupRequest; a soft one is from this side, and its cause a flag."""
    if channel.watched:
        channel.publish(
            events.ChannelHangupRequest(
                timestamp=wire_now(),
                cause=_or_unset(cause),
                soft=True if soft else msgspec.UNSET,
                tech_cause=_or_unset(channel.tech_cause),
                channel=channel.snapshot(),
            )
        )


def destroyed(channel: Channel) -> None:
    """ChannelDestroyed."""
    if channel.watched:
        channel.publish(
            events.ChannelDestroyed(
                timestamp=wire_now(),
                cause=channel.hangup_cause,
                cause_txt=causes.text(channel.hangup_cause),
                tech_cause=_or_unset(channel.tech_cause),
                channel=channel.snapshot(),
            )
        )


def heard(channel: Channel, signal: signals.Signal) -> None:
    """The event of a signal from the far end that changes nothing about the channel; of others there is none."""
    build = _OF_SIGNALS.get(type(signal))
    if build is not None and channel.watched:
        channel.publish(build(signal, channel.snapshot()))


def _digit(signal: signals.DigitEnded, channel: snapshots.Channel) -> events.Event:
    return events.ChannelDtmfReceived(
        timestamp=wire_now(), digit=signal.digit, duration_ms=signal.duration_ms, channel=channel
    )


def _held(signal: signals.Held, channel: snapshots.Channel) -> events.Event:
    music_class = signal.music_class or msgspec.UNSET
    return events.ChannelHold(timestamp=wire_now(), channel=channel, musicclass=music_class)


def _unheld(_signal: signals.Unheld, channel: snapshots.Channel) -> events.Event:
    return events.ChannelUnhold(timestamp=wire_now(), channel=channel)


def _talk_started(_signal: signals.TalkStarted, channel: snapshots.Channel) -> events.Event:
    return events.ChannelTalkingStarted(timestamp=wire_now(), channel=channel)


def _talk_stopped(signal: signals.TalkStopped, channel: snapshots.Channel) -> events.Event:
    return events.ChannelTalkingFinished(timestamp=wire_now(), channel=channel, duration=signal.duration_ms)


def _tone(_signal: signals.ToneDetected, channel: snapshots.Channel) -> events.Event:
    return events.ChannelToneDetected(timestamp=wire_now(), channel=channel)


_OF_SIGNALS: dict[type[signals.Signal], Callable[[Any, snapshots.Channel], events.Event]] = {
    signals.DigitEnded: _digit,
    signals.Held: _held,
    signals.Unheld: _unheld,
    signals.TalkStarted: _talk_started,
    signals.TalkStopped: _talk_stopped,
    signals.ToneDetected: _tone,
}


def _or_unset(number: int | None) -> int | msgspec.UnsetType:
    return msgspec.UNSET if number is None else number
