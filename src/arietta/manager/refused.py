"""Actions of Asterisk that are not here, each with the reason: what a client that asks for one is told."""

from __future__ import annotations

PARKING = "calls are parked by an application of the REST interface, see examples/hold.py"
QUEUES = "queues are an application of the REST interface, see examples/call_queue.py"
CONFERENCES = "conferences are an application of the REST interface, see examples/conference.py"
VOICEMAIL = (
    "voicemail is an application of the REST interface, see examples/voicemail_record.py; mailboxes that it counts are"
    " shown by MWIGet"
)
HARDWARE = "there are no telephony cards"
PROTOCOL = "SIP is spoken as PJSIP alone"
RECORDING = "recordings of calls are begun by MixMonitor and ended by StopMixMonitor"
FAX = "there is no fax"
CACHE = "objects are read from files and the store, there is no cache of them"
TECHNOLOGY = "the media engine chooses what carries a bridge"

GROUPS = {
    PARKING: "Park ParkedCalls Parkinglots",
    QUEUES: (
        "AgentLogoff Agents QueueAdd QueueChangePriorityCaller QueueLog QueueMemberRingInUse QueuePause QueuePenalty "
        "QueueReload QueueRemove QueueReset QueueRule Queues QueueStatus QueueSummary QueueWithdrawCaller"
    ),
    CONFERENCES: (
        "ConfbridgeKick ConfbridgeList ConfbridgeListRooms ConfbridgeLock ConfbridgeMute ConfbridgeSetSingleVideoSrc "
        "ConfbridgeStartRecord ConfbridgeStopRecord ConfbridgeUnlock ConfbridgeUnmute MeetmeList MeetmeListRooms "
        "MeetmeMute MeetmeUnmute"
    ),
    VOICEMAIL: (
        "VoicemailBoxSummary VoicemailForward VoicemailMove VoicemailRefresh VoicemailRemove VoicemailUsersList "
        "VoicemailUserStatus"
    ),
    HARDWARE: (
        "AOCMessage DAHDIDialOffhook DAHDIDNDoff DAHDIDNDon DAHDIHangup DAHDIRestart DAHDIShowChannels "
        "DAHDIShowStatus DAHDITransfer PRIDebugFileSet PRIDebugFileUnset PRIDebugSet PRIShowSpans PlayMF SendFlash"
    ),
    PROTOCOL: (
        "IAXnetstats IAXpeerlist IAXpeers IAXregistry JabberSend SIPnotify SIPpeers SIPpeerstatus SIPqualifypeer "
        "SIPshowpeer SIPshowregistry SKINNYdevices SKINNYlines SKINNYshowdevice SKINNYshowline"
    ),
    RECORDING: "ChangeMonitor Monitor PauseMonitor StopMonitor UnpauseMonitor",
    FAX: "FAXSession FAXSessions FAXStats",
    CACHE: (
        "SorceryMemoryCacheExpire SorceryMemoryCacheExpireObject SorceryMemoryCachePopulate SorceryMemoryCacheStale "
        "SorceryMemoryCacheStaleObject"
    ),
    TECHNOLOGY: "BridgeTechnologySuspend BridgeTechnologyUnsuspend",
    "the halves of a Local channel stay": "LocalOptimizeAway",
}
"""Names by the reason that they share."""

REFUSED = {name: reason for reason, names in GROUPS.items() for name in names.split()}
"""Why each is not here, by its name."""
_BY_KEY = {name.lower(): (name, reason) for name, reason in REFUSED.items()}


def why_not(name: str) -> str:
    """What a client is told that asks for an action that is not here; empty for one that nobody knows."""
    known = _BY_KEY.get(name.lower())
    return f"{known[0]} is not supported, {known[1]}" if known is not None else ""
