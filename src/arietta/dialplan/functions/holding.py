"""HOLD_INTERCEPT: holds that are told, and not passed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.channels.channel import HOLD_INTERCEPT
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function, needed

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter


def _write_hold_intercept(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
    kept, action = needed(channel, HOLD_INTERCEPT).functions, arguments.strip().lower()
    if action == "set":
        kept[HOLD_INTERCEPT] = True
    elif action == "remove":
        kept.pop(HOLD_INTERCEPT, None)
    else:
        raise FunctionError(HOLD_INTERCEPT, f"{arguments[:40]!r} is none of set, remove")


FUNCTIONS = (
    Function(
        "HOLD_INTERCEPT",
        "HOLD_INTERCEPT(set|remove)",
        "Set to anything: whether holds of the channel are events alone, and whom it talks to hears no music.",
        write=_write_hold_intercept,
    ),
)
