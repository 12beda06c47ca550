"""What is done to a channel: Hangup, Redirect, transfers, variables, digits, audio, its timeout."""

from __future__ import annotations

from arietta.channels import signals
from arietta.channels.channel import Channel, State
from arietta.errors import BadRequest, Conflict, NotFound
from arietta.manager.declared import Call, Reply, action, item, listing, regex, success
from arietta.manager.domain import Place
from arietta.media.engine import DigitOut

MAX_CAUSE = 127
MAX_TIMEOUT_S = 86400 * 365
DIGITS = frozenset("0123456789*#ABCDabcd")
MIN_DIGIT_MS, DEFAULT_DIGIT_MS, MAX_DIGIT_MS = 80, 100, 10_000
GAP_MS = 100


# ------------------------------------------------------------------------------------------------------------ the end


@action(
    "Hangup",
    "End a channel, or all whose names match.",
    ("Channel", "Name or id of the channel, or /REGULAR EXPRESSION/ for names."),
    ("[Cause]", "Why, as a Q.850 number."),
    write="system,call",
)
def hangup(call: Call) -> Reply:
    wanted = call.need("Channel", "No channel specified")
    cause = call.number("Cause", 0, 0, MAX_CAUSE) or None
    if len(wanted) > 1 and wanted[0] == wanted[-1] == "/":
        return _hang_up_matching(call, wanted[1:-1], cause)
    _hang_up(call.channel(), cause)
    return success("Channel Hungup")


def _hang_up_matching(call: Call, pattern: str, cause: int | None) -> Reply:
    expression = regex(pattern)
    ended = []
    for channel in call.domain.channels:
        if not channel.internal and expression.found_in(channel.name):
            _hang_up(channel, cause)
            ended.append(item("ChannelHungup", ("Channel", channel.name)))
    return listing("Channels hung up will follow", ended, "ChannelsHungupListComplete")


def _hang_up(channel: Channel, cause: int | None) -> None:
    channel.request_hangup() if cause is None else channel.request_hangup(cause)


@action(
    "AbsoluteTimeout",
    "End a channel after a time.",
    ("Channel", "Name or id of the channel."),
    ("Timeout", "Seconds; 0 takes the limit away."),
    write="system,call",
)
def absolute_timeout(call: Call) -> Reply:
    channel = call.channel()
    call.need("Timeout", "No timeout specified")
    call.domain.dialplan.set_absolute_timeout(channel, float(call.number("Timeout", 0, 0, MAX_TIMEOUT_S)))
    return success("Timeout Set")


# ------------------------------------------------------------------------------------------------------------- moving


@action(
    "Redirect",
    "Send a channel, or two at once, to a place in the dialplan.",
    ("Channel", "Name or id of the channel."),
    ("[ExtraChannel]", "The second one."),
    ("Exten", "Extension to go on at."),
    ("[ExtraExten]", "That of the second channel, the same without it."),
    ("Context", "Context to go on in."),
    ("[ExtraContext]", "That of the second channel, the same without it."),
    ("Priority", "Priority or label to go on at."),
    ("[ExtraPriority]", "That of the second channel, the same without it."),
    write="call",
)
def redirect(call: Call) -> Reply:
    channel = _existing(call, "Channel", "Channel not specified")
    place = _place(call, "", None)
    moves = call.domain.need_moves
    if not call.get("ExtraChannel"):
        moves.redirect(channel, place.context, place.exten, place.priority)
        return success("Redirect successful")
    other = _existing(call, "ExtraChannel", "")
    moves.redirect_both(channel, place, other, _place(call, "Extra", place))
    return success("Dual Redirect successful")


def _existing(call: Call, header: str, missing: str) -> Channel:
    name = call.need(header, missing)
    found = call.domain.channels.find(name)
    if found is None:
        raise NotFound(f"Channel does not exist: {name}")
    return found


def _place(call: Call, prefix: str, otherwise: Place | None) -> Place:
    words = {}
    for header in ("Context", "Exten", "Priority"):
        value = call.get(prefix + header)
        if not value and otherwise is None:
            raise BadRequest(f"{prefix}{header} not specified")
        words[header] = value
    if otherwise is None:
        context, exten, priority = words["Context"], words["Exten"], words["Priority"]
        return Place(context, exten, _priority(priority))
    priority = words["Priority"]
    return Place(
        words["Context"] or otherwise.context,
        words["Exten"] or otherwise.exten,
        _priority(priority) if priority else otherwise.priority,
    )


def _priority(text: str) -> int | str:
    if not (text.isascii() and text.isdigit()):
        return text
    if not 1 <= int(text[:10]) <= 1_000_000_000 or len(text) > 10:
        raise BadRequest(f"Invalid priority {text[:20]}")
    return int(text)


@action(
    "Bridge",
    "Take two channels out of what they do and let them talk.",
    ("Channel1", "Name or id of one."),
    ("Channel2", "Name or id of the other."),
    ("[Tone]", "Who hears a beep first: no, Channel1, Channel2, or Both."),
    write="call",
)
def bridge(call: Call) -> Reply:
    one = _existing(call, "Channel1", "Must specify channel names")
    other = _existing(call, "Channel2", "Must specify channel names")
    word = call.get("Tone", "no").lower()
    tones = {"no": (), "channel1": (one,), "channel2": (other,), "both": (one, other), "yes": (other,)}
    if word not in tones:
        raise BadRequest(f"Tone {word[:40]!r} is none of no, Channel1, Channel2 and Both")
    call.domain.need_moves.bridge(one, other, tone=tones[word])
    return success("Channels have been bridged")


@action(
    "BlindTransfer",
    "Send those that talk to a channel to an extension.",
    ("Channel", "Name or id of the channel that transfers."),
    ("Context", "Context of the extension."),
    ("[Exten]", "The extension; s without it."),
    write="call",
)
def blind_transfer(call: Call) -> Reply:
    channel = _existing(call, "Channel", "No channel specified")
    context = call.get("Context") or channel.context
    call.domain.need_moves.blind_transfer(channel, context, call.get("Exten") or "s")
    return success("Transfer succeeded")


@action(
    "Atxfer",
    "Let a channel call an extension, to hand over those that it talks to.",
    ("Channel", "Name or id of the channel that transfers."),
    ("Exten", "Extension to call."),
    ("[Context]", "Its context; the channel's own without it."),
    write="call",
)
def attended_transfer(call: Call) -> Reply:
    channel = _existing(call, "Channel", "No channel specified")
    exten = call.need("Exten", "No extension specified")
    call.domain.need_moves.attended_transfer(channel, call.get("Context") or channel.context, exten)
    return success("Atxfer successfully queued")


@action(
    "CancelAtxfer",
    "Give up an attended transfer: the channel is back with those it talked to.",
    ("Channel", "Name or id of the channel that transfers."),
    write="call",
)
def cancel_attended_transfer(call: Call) -> Reply:
    call.domain.need_moves.cancel_attended_transfer(_existing(call, "Channel", "No channel specified"))
    return success("CancelAtxfer successfully queued")


# ---------------------------------------------------------------------------------------------------------- variables


@action(
    "Setvar",
    "Set a variable, or write a function, of a channel or global.",
    ("[Channel]", "Name or id of the channel; a global variable without it."),
    ("Variable", "The variable, or FUNCTION(arguments)."),
    ("[Value]", "Its new value."),
    write="call",
)
def set_variable(call: Call) -> Reply:
    name = call.need("Variable", "No variable specified")
    channel = call.channel() if call.get("Channel") else None
    call.domain.dialplan.write(channel, name, call.get("Value"))
    return success("Variable Set")


@action(
    "Getvar",
    "Read a variable or function of a channel, or a global one.",
    ("[Channel]", "Name or id of the channel; a global variable without it."),
    ("Variable", "The variable, or FUNCTION(arguments)."),
    write="call,reporting",
)
def get_variable(call: Call) -> Reply:
    name = call.need("Variable", "No variable specified")
    channel = call.channel() if call.get("Channel") else None
    value = call.domain.dialplan.read(channel, name)
    return success("", ("Variable", name), ("Value", value or ""))


# ------------------------------------------------------------------------------------------------- digits and audio


@action(
    "PlayDTMF",
    "Send a digit on a channel, or let it come in there.",
    ("Channel", "Name or id of the channel."),
    ("Digit", "The digit."),
    ("[Duration]", f"Milliseconds, {DEFAULT_DIGIT_MS} without it."),
    ("[Receive]", "true to let it come in on the channel."),
    write="call",
)
def play_dtmf(call: Call) -> Reply:
    channel = call.channel(missing="Channel not specified")
    digit = call.need("Digit", "No digit specified")
    if digit not in DIGITS:
        raise BadRequest(f"Digit {digit[:20]!r} is none of 0-9, A-D, # and *")
    duration = max(call.number("Duration", DEFAULT_DIGIT_MS, 0, MAX_DIGIT_MS), MIN_DIGIT_MS)
    if call.flag("Receive"):
        channel.receive(signals.DigitBegan(digit.upper()))
        channel.receive(signals.DigitEnded(digit.upper(), duration, in_media=False))
    else:
        channel.leg.send_digits([DigitOut(digit.upper(), duration, GAP_MS)])
    return success("DTMF successfully queued")


@action(
    "MuteAudio",
    "Mute a channel.",
    ("Channel", "Name or id of the channel."),
    ("Direction", "in: what comes from it; out: what goes to it; all: both."),
    ("State", "on or off."),
    write="system",
)
def mute_audio(call: Call) -> Reply:
    channel = call.channel(missing="Channel not specified")
    direction, state = call.need("Direction").lower(), call.need("State").lower()
    if direction not in ("in", "out", "all"):
        raise BadRequest(f"Invalid direction specified: {direction[:20]!r} is none of in, out and all")
    if state not in ("on", "off"):
        raise BadRequest(f"Invalid state specified: {state[:20]!r} is neither on nor off")
    if channel.port is None or channel.state is not State.UP:
        raise Conflict(f"Channel {channel.name} has no audio yet")
    muted = state == "on"
    channel.port.mute(
        incoming=muted if direction in ("in", "all") else None,
        outgoing=muted if direction in ("out", "all") else None,
    )
    return success("")
