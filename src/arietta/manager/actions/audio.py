"""Calls that are recorded, and sounds that are moved: MixMonitor, ControlPlayback."""

from __future__ import annotations

from arietta.dialplan.applications import mixmonitor
from arietta.dialplan.playing import MOVES, move
from arietta.errors import BadRequest, Conflict
from arietta.manager.declared import Call, Reply, action, success


@action(
    "MixMonitor",
    "Record a call while it goes on.",
    ("Channel", "Name or id of the channel."),
    ("[File]", "File below the folder of recordings; its suffix is its format."),
    ("[Options]", "Letters, as for the application MixMonitor; p does not beep here."),
    ("[Command]", "Command that is run at the end, with live_dangerously in asterisk.conf only."),
    write="system",
)
def mix_monitor(call: Call) -> Reply:
    channel = call.channel()
    if "," in call.get("File"):
        raise BadRequest("File has a comma")
    arguments = ",".join((call.get("File"), call.get("Options"), call.get("Command"))).rstrip(",")
    monitor, _ = mixmonitor.start(call.domain.dialplan, channel, arguments, inside=True)
    return success("", ("MixMonitorID", monitor.id))


@action(
    "StopMixMonitor",
    "End the recording of a call.",
    ("Channel", "Name or id of the channel."),
    ("[MixMonitorID]", "Which one; all of them without it."),
    write="system,call",
)
def stop_mix_monitor(call: Call) -> Reply:
    if not mixmonitor.stop(call.channel(), call.get("MixMonitorID")):
        raise Conflict("Could not stop monitoring channel")
    return success()


@action(
    "MixMonitorMute",
    "Record silence in place of a call, or the call again.",
    ("Channel", "Name or id of the channel."),
    ("Direction", "both."),
    ("State", "1 for silence, 0 for the call."),
    ("[MixMonitorID]", "Which one; all of them without it."),
    write="system,call",
    lacks="one direction alone",
)
def mix_monitor_mute(call: Call) -> Reply:
    channel = call.channel()
    direction, state = call.need("Direction").lower(), call.need("State")
    if direction != "both":
        raise BadRequest(f"Direction {direction[:20]!r} is not supported, both is")
    if state not in ("0", "1"):
        raise BadRequest(f"State {state[:20]!r} is neither 0 nor 1")
    wanted = call.get("MixMonitorID")
    found = [one for one in mixmonitor.monitors_of(channel).values() if wanted in ("", one.id)]
    if not found:
        raise Conflict("Cannot set mute flag")
    for monitor in found:
        monitor.mute(state == "1")
    return success()


@action(
    "ControlPlayback",
    "Move in what ControlPlayback or CONTROL STREAM FILE plays.",
    ("Channel", "Name or id of the channel."),
    ("Control", "stop, forward, reverse, pause or restart."),
    write="call",
)
def control_playback(call: Call) -> Reply:
    channel, control = call.channel(), call.need("Control", "Playback control operation not specified").lower()
    if control not in MOVES:
        raise BadRequest(f"Control {control[:20]!r} is none of {', '.join(MOVES)}")
    if not move(channel, control):
        raise Conflict("The channel plays nothing that can be moved")
    return success()
