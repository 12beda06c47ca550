"""Channels in lists: Status, CoreShowChannels, CoreShowChannelMap."""

from __future__ import annotations

import time
from collections.abc import Iterator

from arietta.channels.channel import Channel
from arietta.errors import AriettaError
from arietta.manager.declared import Call, Reply, action, item, listing
from arietta.manager.events.blocks import Blocks
from arietta.manager.message import Headers, ManagerEvent


def blocks_of(call: Call) -> Blocks:
    """What writes the headers of the channels and bridges that live now."""
    blocks = Blocks(call.domain.channels, call.domain.bridges)
    blocks.variables = call.session.hub.settings.general.channelvars
    blocks.meet_all()
    return blocks


def living(call: Call) -> list[Channel]:
    """The channels that clients see."""
    return [channel for channel in call.domain.channels if not channel.internal]


@action(
    "CoreShowChannels",
    "List the channels that live.",
    write="system,reporting",
)
def core_show_channels(call: Call) -> Reply:
    blocks, now = blocks_of(call), time.time()
    items = [
        ManagerEvent(
            "CoreShowChannel",
            "",
            (
                *blocks.channel(channel.snapshot()),
                ("BridgeId", channel.bridge.id if channel.bridge is not None else ""),
                ("Application", channel.app_name),
                ("ApplicationData", channel.app_data),
                ("Duration", _clock(int(now - channel.created_at))),
            ),
        )
        for channel in living(call)
    ]
    return listing("Channels will follow", items, "CoreShowChannelsComplete")


@action(
    "CoreShowChannelMap",
    "List the channels that a channel is connected with, over bridges and Local channels.",
    ("Channel", "Name or id of the channel."),
    write="system,reporting",
)
def core_show_channel_map(call: Call) -> Reply:
    start = call.channel(missing="Channel not specified")
    found, waiting = {start.id: start}, [start]
    while waiting:
        for other in _connected_with(waiting.pop()):
            if other.id not in found:
                found[other.id] = other
                waiting.append(other)
    items = [item("CoreShowChannelMap", ("ConnectedChannel", one.name)) for one in found.values() if one is not start]
    return listing("Channel map will follow", items, "CoreShowChannelMapComplete")


def _connected_with(channel: Channel) -> Iterator[Channel]:
    if channel.bridge is not None:
        yield from channel.bridge.channels
    half = channel.name[-2:]
    if half in (";1", ";2"):
        other = channel.registry.find(channel.name[:-1] + ("2" if half == ";1" else "1"))
        if other is not None:
            yield other


@action(
    "Status",
    "Show one channel, or all, with their variables if that is wanted.",
    ("[Channel]", "Name or id of the channel; all without it."),
    ("[Variables]", "Variables and functions to show, between commas."),
    ("[AllVariables]", "true to show every variable that is set."),
    write="system,call,reporting",
)
def status(call: Call) -> Reply:
    channels = [call.channel()] if call.get("Channel") else living(call)
    wanted = [name.strip() for name in call.get("Variables").split(",") if name.strip()]
    blocks = blocks_of(call)
    items = [
        ManagerEvent("Status", "call,all", (*_status(blocks, channel), *_variables(call, channel, wanted)))
        for channel in channels
    ]
    return listing("Channel status will follow", items, "StatusComplete", ending=(("Items", str(len(items))),))


def _status(blocks: Blocks, channel: Channel) -> Headers:
    codec = channel.leg.read("audionativeformat") or "none"
    timer = channel.functions.get("TIMEOUT(absolute)")
    left = max(0, int(timer.when() - channel.registry.loop.time())) if timer is not None else 0
    return (
        *blocks.channel(channel.snapshot()),
        ("Type", channel.technology),
        ("DNID", channel.dialed_number),
        ("EffectiveConnectedLineNum", channel.connected.number or "<unknown>"),
        ("EffectiveConnectedLineName", channel.connected.name or "<unknown>"),
        ("TimeToHangup", str(left)),
        ("BridgeID", channel.bridge.id if channel.bridge is not None else ""),
        ("Application", channel.app_name),
        ("Data", channel.app_data),
        ("Nativeformats", f"({codec})"),
        ("Readformat", codec),
        ("Readtrans", ""),
        ("Writeformat", codec),
        ("Writetrans", ""),
        ("Callgroup", str(channel.call_groups.mask)),
        ("Pickupgroup", str(channel.pickup_groups.mask)),
        ("Seconds", str(int(time.time() - channel.answered_at) if channel.answered_at else 0)),
    )


def _variables(call: Call, channel: Channel, wanted: list[str]) -> Iterator[tuple[str, str]]:
    if call.flag("AllVariables"):
        for name, value in channel.variables.items():
            yield "Variable", f"{name.lstrip('_')}={value}"
    for name in wanted:
        try:
            yield "Variable", f"{name}={call.domain.dialplan.read(channel, name) or ''}"
        except AriettaError:
            yield "Variable", f"{name}="


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
