"""Keys with which a caller leaves a Dial before anybody has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.channels import signals
from arietta.config.features import DISCONNECT
from arietta.dialplan.features.offered import keys_of

if TYPE_CHECKING:
    from arietta.dialplan.applications.dial.dialling import Dialling


class Leaving:
    """Watches the caller's keys for option d and option H; used with ``with``."""

    def __init__(self, dialling: Dialling) -> None:
        self._dialling = dialling
        self._pressed = ""
        self.place: tuple[str, str, int] | None = None
        """Where the caller leaves for."""
        run, channel = dialling.run, dialling.channel
        self._context = run.plan.variable(channel, "EXITCONTEXT") or channel.context
        self._disconnect = keys_of(run.plan, channel, DISCONNECT) if DISCONNECT in dialling.options.caller_may else ""

    def __enter__(self) -> Leaving:
        if self._disconnect or self._dialling.options.leaves_by_digit:
            self._dialling.channel.listeners.append(self._hear)
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._hear in self._dialling.channel.listeners:
            self._dialling.channel.listeners.remove(self._hear)

    def _hear(self, signal: signals.Signal) -> None:
        if not isinstance(signal, signals.DigitEnded):
            return
        dialling = self._dialling
        self._pressed = (self._pressed + signal.digit)[-12:]
        if dialling.options.leaves_by_digit and dialling.run.exists(self._context, signal.digit):
            self.place = (self._context, signal.digit, 1)
            dialling.leave()
        elif self._disconnect and self._pressed.endswith(self._disconnect):
            dialling.leave()
