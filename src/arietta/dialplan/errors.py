"""What goes wrong when a dialplan is executed, and for whom."""

from __future__ import annotations

from arietta.errors import AriettaError


class DialplanError(AriettaError):
    """Something the dialplan, or a client through it, asked for and cannot have."""


class UnknownFunction(DialplanError):
    """There is no function of that name."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"there is no function {name}()")


class FunctionError(DialplanError):
    """A function that cannot be read or written like that."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"function {name}(): {reason}")


class ApplicationError(DialplanError):
    """A step whose application cannot do what its arguments say; it ends the call."""
