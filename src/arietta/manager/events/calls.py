"""Events of channels: their lives, their parties, their digits, and the calls between them."""

from __future__ import annotations

import json
from typing import Any

from msgspec import UNSET

from arietta.channels.announcing import PRESENTATIONS
from arietta.manager.events.blocks import Blocks
from arietta.manager.events.declared import Kind, translates
from arietta.manager.message import Headers, ManagerEvent
from arietta.model import events, facts

NEWCHANNEL = Kind("Newchannel", "call", "A channel was made.")
NEWSTATE = Kind("Newstate", "call", "The state of a channel changed.")
NEWEXTEN = Kind("Newexten", "dialplan", "A channel reached another step of the dialplan.")
NEW_CALLERID = Kind("NewCallerid", "call", "The caller id of a channel changed.")
NEW_CONNECTED_LINE = Kind("NewConnectedLine", "call", "The party a channel talks to changed.")
NEW_ACCOUNT_CODE = Kind("NewAccountCode", "call", "The account code of a channel changed.")
HANGUP = Kind("Hangup", "call", "A channel ended.")
HANGUP_REQUEST = Kind("HangupRequest", "call", "The far end of a channel asked for its end.")
SOFT_HANGUP_REQUEST = Kind("SoftHangupRequest", "call", "This side asked for the end of a channel.")
DIAL_BEGIN = Kind("DialBegin", "call", "A channel is being called.")
DIAL_STATE = Kind("DialState", "call", "A channel that is called rings, or sends sound before it answers.")
DIAL_END = Kind("DialEnd", "call", "The call of a channel is over: answered, or why not.")
VAR_SET = Kind(
    "VarSet",
    "dialplan",
    "A variable of a channel was set; a global one has `none` for its channel. "
    "Control characters and backslashes in the value are written as in C.",
)
USER_EVENT = Kind("UserEvent", "user", "The dialplan or a program said something of its own.")
DTMF_BEGIN = Kind("DTMFBegin", "dtmf", "A digit began.")
DTMF_END = Kind("DTMFEnd", "dtmf", "A digit ended.")
HOLD = Kind("Hold", "call", "The far end put a channel on hold.")
UNHOLD = Kind("Unhold", "call", "The far end took a channel back from hold.")
MUSIC_ON_HOLD_START = Kind("MusicOnHoldStart", "call", "Music began on a channel.")
MUSIC_ON_HOLD_STOP = Kind("MusicOnHoldStop", "call", "Music ended on a channel.")
TALKING_START = Kind("ChannelTalkingStart", "call", "Somebody began to speak on a channel with TALK_DETECT.")
TALKING_STOP = Kind("ChannelTalkingStop", "call", "Somebody stopped speaking on a channel with TALK_DETECT.")
HANGUP_HANDLER_PUSH = Kind("HangupHandlerPush", "dialplan", "A channel is to run one more subroutine at its end.")
HANGUP_HANDLER_POP = Kind("HangupHandlerPop", "dialplan", "A channel is not to run a subroutine at its end any more.")
HANGUP_HANDLER_RUN = Kind("HangupHandlerRun", "dialplan", "A channel that ends begins to run a subroutine.")
MIX_MONITOR_START = Kind("MixMonitorStart", "call", "A call began to be recorded while it goes on.")
MIX_MONITOR_STOP = Kind("MixMonitorStop", "call", "A recording was ended before its call.")
MIX_MONITOR_MUTE = Kind("MixMonitorMute", "call", "Silence is recorded in place of a call, or the call again.")
LOCAL_BRIDGE = Kind("LocalBridge", "call", "A Local channel was called; its halves are never optimised away.")
CHAN_SPY_START = Kind("ChanSpyStart", "call", "A channel began to listen to another.")
CHAN_SPY_STOP = Kind("ChanSpyStop", "call", "A channel does not listen to another any more.")
PICKUP = Kind("Pickup", "call", "A channel answered the call of another.")

# A value is one line of text, from which what was set can be told.
_ESCAPES = str.maketrans({"\\": "\\\\", **{c: f"\\{e}" for c, e in zip("\a\b\f\n\r\t\v", "abfnrtv", strict=True)}})
PROGRESSING = frozenset({"RINGING", "PROCEEDING", "PROGRESS"})


@translates(events.ChannelCreated)
def _created(fact: events.ChannelCreated, blocks: Blocks) -> ManagerEvent:
    blocks.meet(fact.channel.id)
    return NEWCHANNEL(blocks.channel(fact.channel))


@translates(events.ChannelStateChange)
def _state(fact: events.ChannelStateChange, blocks: Blocks) -> ManagerEvent:
    return NEWSTATE(blocks.channel(fact.channel))


@translates(events.ChannelDialplan)
def _step(fact: events.ChannelDialplan, blocks: Blocks) -> ManagerEvent:
    return NEWEXTEN(
        (
            *blocks.channel(fact.channel),
            ("Extension", fact.channel.dialplan.exten),
            ("Application", fact.dialplan_app),
            ("AppData", fact.dialplan_app_data),
        )
    )


@translates(events.ChannelCallerId)
def _caller(fact: events.ChannelCallerId, blocks: Blocks) -> ManagerEvent:
    code = fact.caller_presentation
    shown = f"{code} ({PRESENTATIONS.get(code, fact.caller_presentation_txt)})"
    return NEW_CALLERID((*blocks.channel(fact.channel), ("CID-CallingPres", shown)))


@translates(events.ChannelConnectedLine)
def _connected(fact: events.ChannelConnectedLine, blocks: Blocks) -> ManagerEvent:
    return NEW_CONNECTED_LINE(blocks.channel(fact.channel))


@translates(facts.AccountCodeChanged)
def _account(fact: facts.AccountCodeChanged, blocks: Blocks) -> ManagerEvent:
    return NEW_ACCOUNT_CODE((*blocks.channel(fact.channel), ("OldAccountCode", fact.former)))


@translates(events.ChannelDestroyed)
def _destroyed(fact: events.ChannelDestroyed, blocks: Blocks) -> ManagerEvent:
    headers: Headers = (
        *blocks.channel(fact.channel),
        ("Cause", str(fact.cause)),
        ("Cause-txt", fact.cause_txt),
        *_tech_cause(fact),
    )
    blocks.forget(fact.channel.id)
    return HANGUP(headers)


@translates(events.ChannelHangupRequest)
def _hangup_request(fact: events.ChannelHangupRequest, blocks: Blocks) -> ManagerEvent:
    headers = blocks.channel(fact.channel)
    if fact.cause is not UNSET:
        headers += (("Cause", str(fact.cause)),)
    kind = SOFT_HANGUP_REQUEST if fact.soft is True else HANGUP_REQUEST
    return kind((*headers, *_tech_cause(fact)))


def _tech_cause(fact: events.ChannelDestroyed | events.ChannelHangupRequest) -> Headers:
    return (("TechCause", str(fact.tech_cause)),) if fact.tech_cause is not UNSET else ()


@translates(events.Dial)
def _dial(fact: events.Dial, blocks: Blocks) -> ManagerEvent:
    headers = blocks.channel(fact.peer, "Dest")
    if fact.caller is not UNSET:
        headers = blocks.channel(fact.caller) + headers
    if not fact.dialstatus:
        return DIAL_BEGIN((*headers, ("DialString", fact.dialstring or "")))
    headers += (("DialStatus", fact.dialstatus),)
    if fact.forward:
        headers += (("Forward", fact.forward),)
    return (DIAL_STATE if fact.dialstatus in PROGRESSING else DIAL_END)(headers)


@translates(events.ChannelVarset)
def _variable(fact: events.ChannelVarset, blocks: Blocks) -> ManagerEvent:
    if fact.channel is UNSET:
        shown: Headers = (("Channel", "none"), ("Uniqueid", "none"))
    else:
        shown = blocks.channel(fact.channel)
    return VAR_SET((*shown, ("Variable", fact.variable), ("Value", fact.value.translate(_ESCAPES))))


@translates(events.ChannelUserevent)
def _user_event(fact: events.ChannelUserevent, blocks: Blocks) -> ManagerEvent:
    headers: Headers = ()
    if fact.channel is not UNSET:
        headers += blocks.channel(fact.channel)
    if fact.bridge is not UNSET:
        headers += blocks.bridge(fact.bridge)
    body = tuple(
        (name.replace(":", ""), _as_text(value)) for name, value in fact.userevent.items() if name != "eventname"
    )
    return USER_EVENT((*headers, ("UserEvent", fact.eventname), *body))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@translates(facts.DigitBegan)
def _digit_began(fact: facts.DigitBegan, blocks: Blocks) -> ManagerEvent:
    direction = "Sent" if fact.sent else "Received"
    return DTMF_BEGIN((*blocks.channel(fact.channel), ("Digit", fact.digit), ("Direction", direction)))


@translates(events.ChannelDtmfReceived, facts.DigitSent)
def _digit_ended(fact: events.ChannelDtmfReceived | facts.DigitSent, blocks: Blocks) -> ManagerEvent:
    return DTMF_END(
        (
            *blocks.channel(fact.channel),
            ("Digit", fact.digit),
            ("DurationMs", str(fact.duration_ms)),
            ("Direction", "Sent" if isinstance(fact, facts.DigitSent) else "Received"),
        )
    )


@translates(events.ChannelHold)
def _held(fact: events.ChannelHold, blocks: Blocks) -> ManagerEvent:
    headers = blocks.channel(fact.channel)
    if fact.musicclass is not UNSET:
        headers += (("MusicClass", fact.musicclass),)
    return HOLD(headers)


@translates(events.ChannelUnhold)
def _unheld(fact: events.ChannelUnhold, blocks: Blocks) -> ManagerEvent:
    return UNHOLD(blocks.channel(fact.channel))


@translates(facts.MusicStarted)
def _music_started(fact: facts.MusicStarted, blocks: Blocks) -> ManagerEvent:
    return MUSIC_ON_HOLD_START((*blocks.channel(fact.channel), ("Class", fact.music_class)))


@translates(facts.MusicStopped)
def _music_stopped(fact: facts.MusicStopped, blocks: Blocks) -> ManagerEvent:
    return MUSIC_ON_HOLD_STOP(blocks.channel(fact.channel))


@translates(events.ChannelTalkingStarted)
def _talking(fact: events.ChannelTalkingStarted, blocks: Blocks) -> ManagerEvent:
    return TALKING_START(blocks.channel(fact.channel))


@translates(events.ChannelTalkingFinished)
def _silent(fact: events.ChannelTalkingFinished, blocks: Blocks) -> ManagerEvent:
    return TALKING_STOP((*blocks.channel(fact.channel), ("Duration", str(fact.duration))))


@translates(facts.HangupHandlerPushed)
def _handler_pushed(fact: facts.HangupHandlerPushed, blocks: Blocks) -> ManagerEvent:
    return HANGUP_HANDLER_PUSH((*blocks.channel(fact.channel), ("Handler", fact.handler)))


@translates(facts.HangupHandlerPopped)
def _handler_popped(fact: facts.HangupHandlerPopped, blocks: Blocks) -> ManagerEvent:
    return HANGUP_HANDLER_POP((*blocks.channel(fact.channel), ("Handler", fact.handler)))


@translates(facts.HangupHandlerRun)
def _handler_run(fact: facts.HangupHandlerRun, blocks: Blocks) -> ManagerEvent:
    return HANGUP_HANDLER_RUN((*blocks.channel(fact.channel), ("Handler", fact.handler)))


@translates(facts.MixMonitorStarted)
def _recorded(fact: facts.MixMonitorStarted, blocks: Blocks) -> ManagerEvent:
    return MIX_MONITOR_START(blocks.channel(fact.channel))


@translates(facts.MixMonitorStopped)
def _recorded_no_more(fact: facts.MixMonitorStopped, blocks: Blocks) -> ManagerEvent:
    return MIX_MONITOR_STOP(blocks.channel(fact.channel))


@translates(facts.MixMonitorMuted)
def _recorded_silent(fact: facts.MixMonitorMuted, blocks: Blocks) -> ManagerEvent:
    return MIX_MONITOR_MUTE((*blocks.channel(fact.channel), ("Direction", "both"), ("State", str(int(fact.on)))))


@translates(facts.LocalBridged)
def _local(fact: facts.LocalBridged, blocks: Blocks) -> ManagerEvent:
    return LOCAL_BRIDGE(
        (
            *blocks.channel(fact.one, "LocalOne"),
            *blocks.channel(fact.two, "LocalTwo"),
            ("Context", fact.context),
            ("Exten", fact.exten),
            ("LocalOptimization", "No"),
        )
    )


@translates(facts.SpyingStarted)
def _spying(fact: facts.SpyingStarted, blocks: Blocks) -> ManagerEvent:
    return CHAN_SPY_START(blocks.channel(fact.spyer, "Spyer") + blocks.channel(fact.spyee, "Spyee"))


@translates(facts.SpyingStopped)
def _not_spying(fact: facts.SpyingStopped, blocks: Blocks) -> ManagerEvent:
    return CHAN_SPY_STOP(blocks.channel(fact.spyer, "Spyer") + blocks.channel(fact.spyee, "Spyee"))


@translates(facts.PickedUp)
def _picked_up(fact: facts.PickedUp, blocks: Blocks) -> ManagerEvent:
    return PICKUP(blocks.channel(fact.channel) + blocks.channel(fact.target, "Target"))
