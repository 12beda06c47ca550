"""Bridges: their lists, and what is done to them."""

from __future__ import annotations

from arietta.bridges.bridge import Bridge
from arietta.errors import Conflict, NotFound
from arietta.manager.actions.showing import blocks_of
from arietta.manager.declared import Call, Reply, action, item, listing, success
from arietta.manager.message import ManagerEvent

TECHNOLOGIES = (
    ("holding_bridge", "Holding", 50),
    ("native_rtp", "Native", 90),
    ("simple_bridge", "1-to-1 mixing", 90),
    ("softmix", "Multimix", 10),
)
"""What carries the audio of bridges: name, kind, preference."""


def _bridge(call: Call) -> Bridge:
    ident = call.need("BridgeUniqueid", "BridgeUniqueid must be specified")
    found = call.domain.bridges.get(ident)
    if found is None:
        raise NotFound(f"Bridge not found: {ident}")
    return found


@action(
    "BridgeList",
    "List the bridges that live.",
    ("[BridgeType]", "Only those of a type, such as basic or stasis."),
    write="system,call",
)
def bridge_list(call: Call) -> Reply:
    kind, blocks = call.get("BridgeType"), blocks_of(call)
    items = [
        ManagerEvent("BridgeListItem", "call,all", blocks.bridge(bridge.snapshot()))
        for bridge in call.domain.bridges
        if not kind or bridge.bridge_class == kind
    ]
    return listing("Bridge listing will follow", items, "BridgeListComplete")


@action(
    "BridgeInfo",
    "Show a bridge with its channels.",
    ("BridgeUniqueid", "Id of the bridge."),
    write="system,call",
)
def bridge_info(call: Call) -> Reply:
    bridge, blocks = _bridge(call), blocks_of(call)
    items = [
        ManagerEvent("BridgeInfoChannel", "call,all", blocks.channel(channel.snapshot())) for channel in bridge.channels
    ]
    return listing(
        "Bridge channel listing will follow", items, "BridgeInfoComplete", ending=blocks.bridge(bridge.snapshot())
    )


@action(
    "BridgeKick",
    "Let a channel leave a bridge; a channel that is there because of a call ends.",
    ("[BridgeUniqueid]", "Id of the bridge; the one the channel is in without it."),
    ("Channel", "Name or id of the channel."),
    write="system,call",
)
def bridge_kick(call: Call) -> Reply:
    channel = call.channel(missing="Channel must be specified")
    bridge = _bridge(call) if call.get("BridgeUniqueid") else channel.bridge
    if bridge is None or channel.bridge is not bridge:
        raise Conflict(f"Channel {channel.name} is not in the bridge")
    if bridge.bridge_class == "stasis":
        bridge.leave(channel, "removed")
    else:
        channel.request_hangup()
    return success("Channel has been kicked")


@action(
    "BridgeDestroy",
    "End a bridge; its channels go on with what they would do then.",
    ("BridgeUniqueid", "Id of the bridge."),
    write="system,call",
)
def bridge_destroy(call: Call) -> Reply:
    bridge = _bridge(call)
    channels = bridge.channels
    bridge.destroy()
    if bridge.bridge_class != "stasis":
        for channel in channels:
            channel.request_hangup()
    return success("Bridge has been destroyed")


@action("BridgeTechnologyList", "List what can carry the audio of bridges.", write="system,call")
def bridge_technology_list(call: Call) -> Reply:
    items = [
        item(
            "BridgeTechnologyListItem",
            ("BridgeTechnology", name),
            ("BridgeType", kind),
            ("BridgePriority", priority),
            ("BridgeSuspended", "No"),
        )
        for name, kind, priority in TECHNOLOGIES
    ]
    return listing("Bridge technology listing will follow", items, "BridgeTechnologyListComplete")
