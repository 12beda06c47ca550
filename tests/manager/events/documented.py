"""The headers of each event, in the order in which Asterisk documents them; what is in brackets may be absent."""

from __future__ import annotations

CHANNEL = (
    "Channel ChannelState ChannelStateDesc CallerIDNum CallerIDName ConnectedLineNum ConnectedLineName Language "
    "AccountCode Context Exten Priority Uniqueid Linkedid [ChanVariable]"
)
BRIDGE = (
    "BridgeUniqueid BridgeType BridgeTechnology BridgeCreator BridgeName BridgeNumChannels BridgeVideoSourceMode "
    "[BridgeVideoSource]"
)
REPORT = " ".join(
    f"Report{number}{name}"
    for number in range(2)
    for name in "SourceSSRC FractionLost CumulativeLost HighestSequence SequenceNumberCycles IAJitter LSR DLSR".split()
)
SECURITY = "EventTV Severity Service EventVersion AccountID SessionID LocalAddress RemoteAddress"

SYNTAX = {
    "Newchannel": "@channel",
    "Newstate": "@channel",
    "Newexten": "@channel Extension Application AppData",
    "NewCallerid": "@channel CID-CallingPres",
    "NewConnectedLine": "@channel",
    "NewAccountCode": "@channel OldAccountCode",
    "Hangup": "@channel Cause Cause-txt [TechCause]",
    "HangupRequest": "@channel [Cause] [TechCause]",
    "SoftHangupRequest": "@channel [Cause] [TechCause]",
    "DialBegin": "[@channel] Dest@channel DialString",
    "DialState": "[@channel] Dest@channel DialStatus [Forward]",
    "DialEnd": "[@channel] Dest@channel DialStatus [Forward]",
    "VarSet": "@channel Variable Value",
    "UserEvent": "[@channel] [@bridge] UserEvent *",
    "DTMFBegin": "@channel Digit Direction",
    "DTMFEnd": "@channel Digit DurationMs Direction",
    "Hold": "@channel [MusicClass]",
    "Unhold": "@channel",
    "MusicOnHoldStart": "@channel Class",
    "MusicOnHoldStop": "@channel",
    "ChannelTalkingStart": "@channel",
    "ChannelTalkingStop": "@channel Duration",
    "LocalBridge": "LocalOne@channel LocalTwo@channel Context Exten LocalOptimization",
    "ChanSpyStart": "Spyer@channel Spyee@channel",
    "ChanSpyStop": "Spyer@channel Spyee@channel",
    "Pickup": "@channel Target@channel",
    "RTCPSent": "@channel SSRC PT To ReportCount [SentNTP] [SentRTP] [SentPackets] [SentOctets] [@report]",
    "RTCPReceived": "@channel SSRC PT From RTT ReportCount [SentNTP] [SentRTP] [SentPackets] [SentOctets] [@report]",
    "BridgeCreate": "@bridge",
    "BridgeEnter": "@bridge @channel",
    "BridgeLeave": "@bridge @channel",
    "BridgeDestroy": "@bridge",
    "BridgeMerge": "To@bridge From@bridge",
    "BridgeVideoSourceUpdate": "@bridge BridgePreviousVideoSource",
    "BlindTransfer": "Result Transferer@channel [Transferee@channel] [@bridge] IsExternal Context Extension",
    "AttendedTransfer": (
        "Result OrigTransferer@channel [Orig@bridge] SecondTransferer@channel [Second@bridge] [Transferee@channel] "
        "[TransferTarget@channel] IsExternal DestType [DestBridgeUniqueid] [DestApp] [LocalOne@channel] "
        "[LocalTwo@channel] [DestTransfererChannel]"
    ),
    "AsyncAGIStart": "@channel Env",
    "AsyncAGIExec": "@channel [CommandID] Result",
    "AsyncAGIEnd": "@channel",
    "PeerStatus": "ChannelType Peer PeerStatus [Cause] [Address] [Port] [Time]",
    "ContactStatus": "URI ContactStatus AOR EndpointName RoundtripUsec",
    "Registry": "ChannelType Username Domain Status [Cause]",
    "DeviceStateChange": "Device State",
    "ExtensionStatus": "Exten Context Hint Status StatusText",
    "PresenceStateChange": "Presentity Status Subtype Message",
    "MessageWaiting": "Mailbox Waiting New Old",
    "MixMonitorStart": "@channel",
    "MixMonitorStop": "@channel",
    "MixMonitorMute": "@channel Direction State",
    "PresenceStatus": "Exten Context Hint Status Subtype Message",
    "Load": "Module Status",
    "Unload": "Module Status",
    "HangupHandlerPush": "@channel Handler",
    "HangupHandlerPop": "@channel Handler",
    "HangupHandlerRun": "@channel Handler",
    "Reload": "Module Status",
    "FullyBooted": "Status Uptime LastReload",
    "Shutdown": "Shutdown Restart",
    "FailedACL": "@security [ACLName]",
    "InvalidAccountID": "@security",
    "SessionLimit": "@security",
    "RequestNotAllowed": "@security RequestType [RequestParams]",
    "RequestBadFormat": "@security RequestType [RequestParams]",
    "SuccessfulAuth": "@security UsingPassword",
    "InvalidPassword": "@security [Challenge] [ReceivedChallenge]",
    "ChallengeSent": "@security Challenge",
    "ChallengeResponseFailed": "@security Challenge Response ExpectedResponse",
}


def expected(name: str) -> list[tuple[str, bool]]:
    """The headers of an event in order, each with whether it must be there."""
    found: list[tuple[str, bool]] = []
    for word in SYNTAX[name].split():
        needed = not word.startswith("[")
        bare = word.strip("[]")
        prefix, at, block = bare.partition("@")
        if not at:
            found.append((bare, needed))
            continue
        for header in {"channel": CHANNEL, "bridge": BRIDGE, "security": SECURITY, "report": REPORT}[block].split():
            found.append((prefix + header.strip("[]"), needed and not header.startswith("[")))
    return found


def complaint(name: str, headers: list[str]) -> str:
    """What is wrong with the names of an event's headers; empty if nothing is."""
    left = list(headers)
    if name == "VarSet" and left[:2] == ["Channel", "Uniqueid"]:
        left[:2] = CHANNEL.removesuffix(" [ChanVariable]").split()  # a global variable is on no channel
    for header, needed in expected(name):
        if header == "*":
            return ""
        if left and left[0] == header:
            while left and left[0] == header:
                left.pop(0)
        elif needed:
            return f"{name}: {header} is not where it belongs: {left[:1] or 'the end'} is"
    return f"{name}: {left} are not documented" if left else ""
