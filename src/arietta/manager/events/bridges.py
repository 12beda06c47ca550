"""Events of bridges, and of transfers between them."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from arietta.manager.events.blocks import Blocks
from arietta.manager.events.declared import Kind, translates
from arietta.manager.message import Headers, ManagerEvent
from arietta.model import events, snapshots

BRIDGE_CREATE = Kind("BridgeCreate", "call", "A bridge was made.")
BRIDGE_ENTER = Kind("BridgeEnter", "call", "A channel entered a bridge.", lacks="`SwapUniqueid`: none swaps")
BRIDGE_LEAVE = Kind("BridgeLeave", "call", "A channel left a bridge.")
BRIDGE_DESTROY = Kind("BridgeDestroy", "call", "A bridge ended.")
BRIDGE_MERGE = Kind("BridgeMerge", "call", "One bridge took in the channels of another.")
BRIDGE_VIDEO_SOURCE_UPDATE = Kind("BridgeVideoSourceUpdate", "call", "A bridge shows another channel's video.")
BLIND_TRANSFER = Kind("BlindTransfer", "call", "A blind transfer was asked for.")
ATTENDED_TRANSFER = Kind("AttendedTransfer", "call", "An attended transfer was asked for.")

# What the goal of an attended transfer is called here.
DESTINATIONS = {"bridge": "Bridge", "application": "App", "link": "Link", "threeway": "Threeway", "fail": "Fail"}


@translates(events.BridgeCreated)
def _created(fact: events.BridgeCreated, blocks: Blocks) -> ManagerEvent:
    return BRIDGE_CREATE(blocks.bridge(fact.bridge))


@translates(events.BridgeDestroyed)
def _destroyed(fact: events.BridgeDestroyed, blocks: Blocks) -> ManagerEvent:
    return BRIDGE_DESTROY(blocks.bridge(fact.bridge))


@translates(events.ChannelEnteredBridge)
def _entered(fact: events.ChannelEnteredBridge, blocks: Blocks) -> ManagerEvent:
    return BRIDGE_ENTER(blocks.bridge(fact.bridge) + _channel(blocks, fact.channel))


@translates(events.ChannelLeftBridge)
def _left(fact: events.ChannelLeftBridge, blocks: Blocks) -> ManagerEvent:
    return BRIDGE_LEAVE(blocks.bridge(fact.bridge) + blocks.channel(fact.channel))


@translates(events.BridgeMerged)
def _merged(fact: events.BridgeMerged, blocks: Blocks) -> ManagerEvent:
    return BRIDGE_MERGE(blocks.bridge(fact.bridge, "To") + blocks.bridge(fact.bridge_from, "From"))


@translates(events.BridgeVideoSourceChanged)
def _video_source(fact: events.BridgeVideoSourceChanged, blocks: Blocks) -> ManagerEvent:
    return BRIDGE_VIDEO_SOURCE_UPDATE(
        (*blocks.bridge(fact.bridge), ("BridgePreviousVideoSource", fact.old_video_source_id or ""))
    )


@translates(events.BridgeBlindTransfer)
def _blind(fact: events.BridgeBlindTransfer, blocks: Blocks) -> ManagerEvent:
    return BLIND_TRANSFER(
        (
            ("Result", fact.result),
            *blocks.channel(fact.channel, "Transferer"),
            *_channel(blocks, fact.transferee, "Transferee"),
            *_bridge(blocks, fact.bridge),
            ("IsExternal", "Yes" if fact.is_external else "No"),
            ("Context", fact.context),
            ("Extension", fact.exten),
        )
    )


@translates(events.BridgeAttendedTransfer)
def _attended(fact: events.BridgeAttendedTransfer, blocks: Blocks) -> ManagerEvent:
    return ATTENDED_TRANSFER(
        (
            ("Result", fact.result),
            *blocks.channel(fact.transferer_first_leg, "OrigTransferer"),
            *_bridge(blocks, fact.transferer_first_leg_bridge, "Orig"),
            *blocks.channel(fact.transferer_second_leg, "SecondTransferer"),
            *_bridge(blocks, fact.transferer_second_leg_bridge, "Second"),
            *_channel(blocks, fact.transferee, "Transferee"),
            *_channel(blocks, fact.transfer_target, "TransferTarget"),
            ("IsExternal", "Yes" if fact.is_external else "No"),
            ("DestType", DESTINATIONS.get(fact.destination_type, fact.destination_type)),
            *_goal(blocks, fact),
        )
    )


def _goal(blocks: Blocks, fact: events.BridgeAttendedTransfer) -> Headers:
    match fact.destination_type:
        case "bridge":
            return (("DestBridgeUniqueid", fact.destination_bridge or ""),)
        case "application":
            return (("DestApp", fact.destination_application or ""),)
        case "link":
            return _channel(blocks, fact.destination_link_first_leg, "LocalOne") + _channel(
                blocks, fact.destination_link_second_leg, "LocalTwo"
            )
        case "threeway":
            stays = fact.destination_threeway_channel
            meets = fact.destination_threeway_bridge
            return (
                ("DestBridgeUniqueid", meets.id if meets is not UNSET else ""),
                ("DestTransfererChannel", stays.name if stays is not UNSET else ""),
            )
        case _:
            return ()


def _channel(blocks: Blocks, shown: snapshots.Channel | UnsetType, prefix: str = "") -> Headers:
    return blocks.channel(shown, prefix) if shown is not UNSET else ()


def _bridge(blocks: Blocks, shown: snapshots.Bridge | UnsetType, prefix: str = "") -> Headers:
    return blocks.bridge(shown, prefix) if shown is not UNSET else ()
