"""Events as lines of a ladder, and their channels compared with the living ones."""

from __future__ import annotations

from arietta.channels.channel import Channel
from arietta.manager.message import ManagerEvent
from arietta.server import Server

NUMBERS = {"Down": "0", "Ring": "4", "Ringing": "5", "Up": "6", "Busy": "7"}


def block_of(channel: Channel) -> dict[str, str]:
    """What an event has to say of a channel now, from what ARI shows of it."""
    shown = channel.snapshot()
    return {
        "Channel": shown.name,
        "ChannelState": NUMBERS[shown.state],
        "ChannelStateDesc": shown.state,
        "CallerIDNum": shown.caller.number or "<unknown>",
        "CallerIDName": shown.caller.name or "<unknown>",
        "ConnectedLineNum": shown.connected.number or "<unknown>",
        "ConnectedLineName": shown.connected.name or "<unknown>",
        "Language": shown.language,
        "AccountCode": shown.accountcode,
        "Context": shown.dialplan.context,
        "Exten": shown.dialplan.exten,
        "Priority": str(shown.dialplan.priority),
        "Uniqueid": shown.id,
        "Linkedid": channel.linkedid,
    }


def wrong_blocks(event: ManagerEvent, server: Server) -> list[str]:
    """Where an event shows a channel otherwise than it is."""
    found = []
    headers = dict(event.headers)
    for name, value in event.headers:
        if not name.endswith("Uniqueid") or name.endswith("BridgeUniqueid"):
            continue
        prefix = name.removesuffix("Uniqueid")
        channel = server.channels.get(value)
        if channel is None:
            continue  # a Hangup comes when the channel is gone
        for key, wanted in block_of(channel).items():
            if headers[prefix + key] != wanted:
                found.append(f"{event.name}: {prefix}{key} is {headers[prefix + key]!r}, and should be {wanted!r}")
    return found


def short(name: str) -> str:
    """A channel's name without its serial number: ``alice``, ``Local;1``."""
    technology, _, rest = name.partition("/")
    if technology == "Local":
        return f"{rest.partition('-')[0]};{name[-1]}"
    return rest.partition("-")[0] if technology == "PJSIP" else technology


def ladder_of(event: ManagerEvent) -> str:
    """The line of an event."""
    headers = dict(event.headers)
    words = [event.name]
    words += [
        short(value)
        for name, value in event.headers
        if name.endswith("Channel") and name not in ("DestTransfererChannel",) and value
    ]
    for detail in DETAILS.get(event.name, ()):
        if headers.get(detail):
            words.append(headers[detail])
    return " ".join(words)


DETAILS = {
    "Newchannel": ("ChannelStateDesc",),
    "Newstate": ("ChannelStateDesc",),
    "Newexten": ("Extension", "Priority", "Application"),
    "NewCallerid": ("CallerIDNum",),
    "NewConnectedLine": ("ConnectedLineNum",),
    "NewAccountCode": ("OldAccountCode", "AccountCode"),
    "Hangup": ("Cause", "Cause-txt"),
    "HangupRequest": ("Cause",),
    "SoftHangupRequest": ("Cause",),
    "DialBegin": ("DialString",),
    "DialState": ("DialStatus",),
    "DialEnd": ("DialStatus", "Forward"),
    "VarSet": ("Variable", "Value"),
    "UserEvent": ("UserEvent",),
    "DTMFBegin": ("Digit", "Direction"),
    "DTMFEnd": ("Digit", "DurationMs", "Direction"),
    "Hold": ("MusicClass",),
    "MusicOnHoldStart": ("Class",),
    "ChannelTalkingStop": ("Duration",),
    "LocalBridge": ("Exten", "Context", "LocalOptimization"),
    "BridgeCreate": ("BridgeType", "BridgeTechnology"),
    "BridgeEnter": ("BridgeTechnology", "BridgeNumChannels"),
    "BridgeLeave": ("BridgeTechnology", "BridgeNumChannels"),
    "BridgeDestroy": ("BridgeNumChannels",),
    "BlindTransfer": ("Result", "Extension", "Context", "IsExternal"),
    "AttendedTransfer": ("Result", "DestType", "DestApp", "IsExternal"),
    "PeerStatus": ("Peer", "PeerStatus"),
    "ContactStatus": ("AOR", "ContactStatus"),
    "Registry": ("Status", "Cause"),
    "DeviceStateChange": ("Device", "State"),
    "MessageWaiting": ("Mailbox", "Waiting", "New", "Old"),
    "Reload": ("Module", "Status"),
    "Load": ("Module",),
    "Unload": ("Module",),
    "PresenceStatus": ("Exten", "Context", "Status", "Message"),
    "HangupHandlerPush": ("Handler",),
    "HangupHandlerPop": ("Handler",),
    "HangupHandlerRun": ("Handler",),
    "MixMonitorMute": ("Direction", "State"),
    "FullyBooted": ("Status",),
    "Shutdown": ("Shutdown", "Restart"),
    "ChallengeSent": ("AccountID",),
    "ChallengeResponseFailed": ("AccountID",),
    "InvalidAccountID": ("AccountID",),
    "SuccessfulAuth": ("AccountID",),
}
