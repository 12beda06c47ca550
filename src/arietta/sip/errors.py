"""What a SIP peer can do wrong, with the status that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .message import Message

__all__ = ["ProtocolError"]


class ProtocolError(Exception):
    """The peer broke SIP: answer it with `status` when it sent a request, count it, go on."""

    def __init__(
        self,
        status: int,
        text: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        message: Message | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        """The SIP status code that answers it: 400, 413, 416, 420, 481, 483, 505 and so on."""
        self.text = text
        """What was wrong: the thing, the value, the limit."""
        self.headers = tuple(headers)
        """Header fields the answer must carry, such as Unsupported with 420."""
        self.message = message
        """As much of the message as could be read, for addressing the answer; None when nothing could."""
