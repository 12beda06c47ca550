"""The table of manager events in Markdown, made of their declarations, with those of Asterisk that are not told."""

from __future__ import annotations

from arietta.manager.events import KINDS

BEGIN = "<!-- made by python -m arietta.manager.events.reference -->"
END = "<!-- end of what is made -->"

# Asterisk's events that nothing here gives rise to, by the reason.
NOT_TOLD = {
    "no such application or feature is there: an ARI program does it": (
        "AgentCalled AgentComplete AgentConnect AgentDump AgentLogin AgentLogoff AgentRingNoAnswer ConfbridgeEnd "
        "ConfbridgeJoin ConfbridgeLeave ConfbridgeMute ConfbridgeRecord ConfbridgeStart ConfbridgeStopRecord "
        "ConfbridgeTalking ConfbridgeUnmute MiniVoiceMail ParkedCall ParkedCallGiveUp ParkedCallSwap ParkedCallTimeOut "
        "QueueCallerAbandon QueueCallerJoin QueueCallerLeave QueueMemberAdded QueueMemberPause QueueMemberPenalty "
        "QueueMemberRemoved QueueMemberRinginuse QueueMemberStatus UnParkedCall"
    ),
    "no such hardware or protocol is there": (
        "Alarm AlarmClear AOC-D AOC-E AOC-S DAHDIChannel DNDState FAXSession FAXStatus Flash MCID ReceiveFAX SendFAX "
        "SIPQualifyPeerDone SpanAlarm SpanAlarmClear Wink"
    ),
    "it never happens: nothing locks, channels keep their names, and halves of Local channels stay": (
        "DeadlockStart LocalOptimizationBegin LocalOptimizationEnd Rename"
    ),
    "what raises it is not there, or is told as one of the security events above": (
        "AuthMethodNotAllowed InvalidTransport LoadAverageLimit MemoryLimit RequestNotSupported UnexpectedAddress"
    ),
    "not yet": "LogChannel SessionTimeout",
}


def table() -> str:
    """Every event that is told, and every one that is not."""
    lines = ["| event | class | when | state |", "|---|---|---|---|"]
    for name in sorted(KINDS, key=str.lower):
        kind = KINDS[name]
        state = f"partial, without {kind.lacks}" if kind.lacks else "complete"
        lines.append(f"| {name} | {kind.class_} | {kind.told} | {state} |")
    lines += ["", "| not told | reason |", "|---|---|"]
    lines += [f"| {', '.join(names.split())} | {reason} |" for reason, names in NOT_TOLD.items()]
    return "\n".join(lines) + "\n"


def renew(page: str) -> str:
    """The page with the table as it is now between its two marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin
    assert end
    return f"{before}{BEGIN}\n{table()}{END}{after}"


if __name__ == "__main__":
    print(table(), end="")
