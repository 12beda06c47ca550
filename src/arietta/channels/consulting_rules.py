"""How an attended transfer of the server goes: how long its goal rings, which keys steer it, what is heard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConsultingRules:
    """The rules of one attended transfer; a key that is "" does nothing."""

    no_answer_seconds: float = 15.0
    """How long the goal may ring."""
    abort_keys: str = "*1"
    """Back to those that wait."""
    complete_keys: str = "*2"
    """The transferer leaves, those that wait talk to the goal."""
    three_way_keys: str = "*3"
    """All of them talk."""
    swap_keys: str = "*4"
    """The transferer talks to the other side."""
    key_seconds: float = 1.0
    """Longest time between two keys."""
    drops_call: bool = False
    """Whether all is over when the goal does not answer and the transferer has hung up; else that one is called."""
    loop_delay_seconds: float = 10.0
    """The pause before the goal is called again, if the transferer does not answer either."""
    callback_retries: int = 2
    """How often the transferer is called back."""
    complete_sound: str = ""
    """What the goal hears when the transfer is complete,"""
    fail_sound: str = ""
    """and the transferer when it comes back."""
