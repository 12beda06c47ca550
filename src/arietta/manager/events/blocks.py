"""The headers that show a channel or a bridge in an event: written once for each snapshot and prefix."""

from __future__ import annotations

from arietta.bridges.bridge import BridgeRegistry
from arietta.channels.channel import Channel
from arietta.channels.registry import ChannelRegistry
from arietta.manager.message import Headers
from arietta.model import snapshots

UNKNOWN = "<unknown>"
STATE_NUMBERS = {
    name: str(number)
    for number, name in enumerate(
        ("Down", "Rsrvd", "OffHook", "Dialing", "Ring", "Ringing", "Up", "Busy", "Dialing Offhook", "Pre-ring")
    )
}


class _Kept:
    """The block of a channel, by the prefix of its headers, as long as the channel shows the same."""

    __slots__ = ("by_prefix", "linkedid", "snapshot")

    def __init__(self, snapshot: snapshots.Channel, linkedid: str) -> None:
        self.snapshot = snapshot
        self.linkedid = linkedid
        self.by_prefix: dict[str, Headers] = {}


class Blocks:
    """Channels and bridges as headers."""

    def __init__(self, channels: ChannelRegistry, bridges: BridgeRegistry) -> None:
        self._channels = channels
        self._bridges = bridges
        self.variables: tuple[str, ...] = ()
        """Variables that every channel is shown with (manager.conf: channelvars)."""
        self._living: dict[str, Channel] = {}
        self._kept: dict[str, _Kept] = {}

    def meet_all(self) -> None:
        """Know every channel that lives: a channel that ends is shown when the registry has forgotten it."""
        self._living = {channel.id: channel for channel in self._channels}

    def meet(self, channel_id: str) -> None:
        """Know a channel that begins to live."""
        channel = self._channels.get(channel_id)
        if channel is not None:
            self._living[channel_id] = channel

    def forget(self, channel_id: str) -> None:
        """Nothing follows about a channel."""
        self._living.pop(channel_id, None)
        self._kept.pop(channel_id, None)

    def forget_blocks(self) -> None:
        """Write every block anew."""
        self._kept.clear()

    def forget_all(self) -> None:
        """Nothing is told for a while."""
        self._living.clear()
        self._kept.clear()

    def channel(self, snapshot: snapshots.Channel, prefix: str = "") -> Headers:
        """The headers of a channel; each name begins with `prefix`."""
        ident = snapshot.id
        channel = self._living.get(ident)
        linkedid = channel.linkedid if channel is not None else ident
        kept = self._kept.get(ident)
        if kept is None or kept.snapshot is not snapshot or kept.linkedid != linkedid:
            kept = _Kept(snapshot, linkedid)
            if channel is not None:
                self._kept[ident] = kept
        headers = kept.by_prefix.get(prefix)
        if headers is None:
            headers = kept.by_prefix[prefix] = self._channel(snapshot, linkedid, channel, prefix)
        return headers

    def _channel(self, shown: snapshots.Channel, linkedid: str, channel: Channel | None, prefix: str) -> Headers:
        dialplan = shown.dialplan
        headers: Headers = (
            (prefix + "Channel", shown.name),
            (prefix + "ChannelState", STATE_NUMBERS.get(shown.state, "0")),
            (prefix + "ChannelStateDesc", shown.state),
            (prefix + "CallerIDNum", shown.caller.number or UNKNOWN),
            (prefix + "CallerIDName", shown.caller.name or UNKNOWN),
            (prefix + "ConnectedLineNum", shown.connected.number or UNKNOWN),
            (prefix + "ConnectedLineName", shown.connected.name or UNKNOWN),
            (prefix + "Language", shown.language),
            (prefix + "AccountCode", shown.accountcode),
            (prefix + "Context", dialplan.context),
            (prefix + "Exten", dialplan.exten),
            (prefix + "Priority", str(dialplan.priority)),
            (prefix + "Uniqueid", shown.id),
            (prefix + "Linkedid", linkedid),
        )
        if self.variables and channel is not None:
            read = self._channels.read
            headers += tuple(
                (prefix + "ChanVariable", f"{name}={read(channel, name) or ''}") for name in self.variables
            )
        return headers

    def bridge(self, shown: snapshots.Bridge, prefix: str = "") -> Headers:
        """The headers of a bridge; internal channels in it count."""
        bridge = self._bridges.get(shown.id)
        count = len(bridge.members) if bridge is not None else len(shown.channels)
        headers: Headers = (
            (prefix + "BridgeUniqueid", shown.id),
            (prefix + "BridgeType", shown.bridge_class),
            (prefix + "BridgeTechnology", shown.technology),
            (prefix + "BridgeCreator", shown.creator or UNKNOWN),
            (prefix + "BridgeName", shown.name or UNKNOWN),
            (prefix + "BridgeNumChannels", str(count)),
            (prefix + "BridgeVideoSourceMode", shown.video_mode or "none"),
        )
        if shown.video_source_id:
            headers += ((prefix + "BridgeVideoSource", shown.video_source_id),)
        return headers
