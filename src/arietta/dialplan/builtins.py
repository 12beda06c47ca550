"""The variables that every channel has without anybody setting them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter


class Builtin(msgspec.Struct, frozen=True):
    """One built-in variable."""

    name: str
    summary: str
    read: Callable[[Interpreter, Channel], str]


def _hint(plan: Interpreter, channel: Channel) -> str:
    return plan.dialplan.hint(channel.context, channel.exten) or ""


def _clock(form: str) -> Callable[[Interpreter, Channel], str]:
    return lambda plan, channel: time.strftime(form, time.localtime(plan.now()))


BUILTINS = {
    builtin.name: builtin
    for builtin in (
        Builtin("ACCOUNTCODE", "The channel's account code.", lambda plan, channel: channel.accountcode),
        Builtin(
            "CALLINGPRES",
            "The caller's presentation, as a number.",
            lambda plan, channel: str(channel.caller.presentation),
        ),
        Builtin("CHANNEL", "The channel's name.", lambda plan, channel: channel.name),
        Builtin("CONTEXT", "The context of the present step.", lambda plan, channel: channel.context),
        Builtin("DATETIME", "The time, as DDMMYYYY-HH:MM:SS.", _clock("%d%m%Y-%H:%M:%S")),
        Builtin("EXTEN", "The extension of the present step.", lambda plan, channel: channel.exten),
        Builtin(
            "HANGUPCAUSE",
            "Why the last call ended, as a Q.850 number.",
            lambda plan, channel: str(channel.hangup_cause),
        ),
        Builtin("HINT", "The hint of the present extension.", _hint),
        Builtin("PRIORITY", "The priority of the present step.", lambda plan, channel: str(channel.priority)),
        Builtin("TIMESTAMP", "The time, as YYYYMMDD-HHMMSS.", _clock("%Y%m%d-%H%M%S")),
        Builtin("UNIQUEID", "The channel's id.", lambda plan, channel: channel.id),
    )
}
"""Built-in variables of a channel; what is set under the same name is not seen."""

GLOBAL_BUILTINS: dict[str, tuple[str, Callable[[Interpreter], str]]] = {
    "ENTITYID": ("The server's entity id.", lambda plan: plan.entity_id),
    "EPOCH": ("Seconds since 1970.", lambda plan: str(int(plan.now()))),
    "SYSTEMNAME": ("The server's name.", lambda plan: plan.system_name),
}
"""Built-in variables that need no channel."""

SET_BY_STEPS = {
    "AGISTATUS": "SUCCESS, FAILURE, NOTFOUND or HANGUP, after AGI.",
    "ANSWEREDTIME": "Seconds that the call of the last Dial lasted.",
    "ARGC": "How many arguments Gosub gave.",
    "ARG1": "The first argument of Gosub, and so on.",
    "DIALEDPEERNAME": "The channel that Dial connected.",
    "DIALEDPEERNUMBER": "The destination that Dial connected.",
    "DIALEDTIME": "Seconds from the beginning of Dial to its end.",
    "RINGTIME": "Seconds from the beginning of Dial until somebody rang; each such time has another one in `…_MS`.",
    "PROGRESSTIME": "Seconds from the beginning of Dial until early media came.",
    "FORWARDERNAME": "The channel whose far end asked Dial to call elsewhere.",
    "DIALSTATUS": "How Dial ended: ANSWER, BUSY, NOANSWER, CANCEL, CONGESTION, CHANUNAVAIL or INVALIDARGS.",
    "DB_RESULT": "What the last function on AstDB found.",
    "GOSUB_RETVAL": "What Return gave back.",
    "INVALID_EXTEN": "The extension that did not exist, in the extension i.",
    "SYSTEMSTATUS": "SUCCESS, APPERROR or FAILURE, after System.",
    "PLAYBACKSTATUS": "SUCCESS or FAILED, after Playback.",
    "READSTATUS": "OK, TIMEOUT or HANGUP, after Read.",
    "TRYSTATUS": "SUCCESS, FAILED or NOAPP, after TryExec.",
}
"""Variables that applications and the step loop set."""
