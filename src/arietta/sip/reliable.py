"""Provisional responses that are acknowledged, both roles (RFC 3262).

A session owns one `ReliableSender` while it answers an INVITE and one `ReliableReceiver` while it waits for answers.
"""

from __future__ import annotations

import random
from math import inf
from typing import Literal

import msgspec

from .errors import ProtocolError
from .headers import parse_cseq
from .message import Request, Response

__all__ = ["RAck", "Reliability", "ReliableReceiver", "ReliableSender", "is_reliable", "parse_rack", "wants_reliable"]

Reliability = Literal["no", "yes", "required", "peer_supported"]
"""`yes`: when the peer requires it. `peer_supported`: when it can. `required`: always, and not without."""

MAX_WAITING = 8
"""Responses that wait for the PRACK of the one before."""
MAX_FORKS = 32
"""Early dialogs whose numbers are remembered."""


class RAck(msgspec.Struct, frozen=True):
    """The RAck header field: which response a PRACK acknowledges (7.2)."""

    number: int
    cseq: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.cseq} {self.method}"


def parse_rack(value: str) -> RAck:
    """Read RAck; ProtocolError 400 when it is malformed."""
    number, _, rest = value.strip().partition(" ")
    if not (number.isascii() and number.isdigit() and len(number) <= 10):
        raise ProtocolError(400, f"RAck {value[:48]!r} is malformed")
    cseq = parse_cseq(rest.strip())
    return RAck(int(number), cseq.number, cseq.method)


def is_reliable(response: Response) -> bool:
    """Whether a provisional response asks for a PRACK."""
    return 100 < response.status < 200 and any(tag.lower() == "100rel" for tag in response.values("Require"))


def wants_reliable(mode: Reliability, request: Request) -> bool:
    """Whether provisional responses to an INVITE are sent reliably; ProtocolError 421 when they must and cannot be."""
    if mode == "no":
        return False
    requires = any(tag.lower() == "100rel" for tag in request.values("Require"))
    supports = requires or any(tag.lower() == "100rel" for tag in request.values("Supported"))
    if mode == "required" and not supports:
        raise ProtocolError(421, "reliable provisional responses are required", headers=(("Require", "100rel"),))
    return requires or (supports and mode != "yes")


class ReliableSender:
    """Our provisional responses to one INVITE: one at a time is on its way, the others wait (3)."""

    __slots__ = ("_interval", "_number", "_t1", "_waiting", "again_at", "cseq", "outstanding", "until")

    def __init__(self, cseq: int, t1: float) -> None:
        self.cseq = cseq
        self.outstanding: Response | None = None
        """The response that has no PRACK."""
        self.again_at = self.until = inf
        self._number = random.randrange(1, 2**31 - 1)
        self._waiting: list[Response] = []
        self._interval = self._t1 = t1

    @property
    def deadline(self) -> float:
        """When `wake` is wanted."""
        return min(self.again_at, self.until)

    @property
    def owes_answer(self) -> bool:
        """True while a session description has no PRACK: no 2xx may go before it (3)."""
        responses = (self.outstanding, *self._waiting)
        return any(response is not None and response.body for response in responses)

    def put(self, response: Response, now: float) -> Response | None:
        """Take a response to be sent; what is to go now, None when it has to wait."""
        if self.outstanding is None:
            return self._begin(response, now)
        if len(self._waiting) < MAX_WAITING:
            self._waiting.append(response)
        return None

    def take_prack(self, request: Request, now: float) -> Response | None:
        """Take a PRACK; what is to go next. ProtocolError 481 when it acknowledges nothing of ours (3)."""
        rack = parse_rack(request.get("RAck") or "")
        if self.outstanding is None or rack != RAck(self._number, self.cseq, "INVITE"):
            raise ProtocolError(481, f"RAck {rack} acknowledges nothing")
        self.outstanding = None
        self.again_at = self.until = inf
        return self._begin(self._waiting.pop(0), now) if self._waiting else None

    def wake(self, now: float) -> Literal["again", "given up", ""]:
        """What is due at `now`: the response again, twice as late each time, or the end after 64*T1."""
        if self.until <= now:
            return "given up"
        if self.again_at > now:
            return ""
        self._interval *= 2
        self.again_at = now + self._interval
        return "again"

    def stop(self) -> None:
        """The INVITE has its final response: nothing is sent again; the last PRACK may still come (3)."""
        self._waiting.clear()
        self.again_at = self.until = inf

    def _begin(self, response: Response, now: float) -> Response:
        self._number += 1
        response = response.copy()
        response.set("Require", "100rel")
        response.set("RSeq", str(self._number))
        self.outstanding = response
        self._interval = self._t1
        self.again_at, self.until = now + self._t1, now + 64 * self._t1
        return response


class ReliableReceiver:
    """The peer's provisional responses to one INVITE of ours, in each of its early dialogs (4)."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def take(self, response: Response) -> RAck | None:
        """What acknowledges a reliable response; None when it came before, or comes out of order and is dropped."""
        text = (response.get("RSeq") or "").strip()
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else 0
        last = self._last.get(response.to_tag)
        if not number or (last is not None and number != last + 1):
            return None
        if last is None and len(self._last) >= MAX_FORKS:
            return None
        self._last[response.to_tag] = number
        return RAck(number, response.cseq.number, response.cseq.method)
