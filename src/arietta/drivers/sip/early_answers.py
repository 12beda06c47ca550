"""Which of several answers to one INVITE count: a first one, and what forks and changing phones say after it."""

from __future__ import annotations

from arietta.config.endpoint import Endpoint
from arietta.config.pjsip import PjsipSystem


class EarlyAnswers:
    """The answers to one INVITE of ours (RFC 3261 13.2.1, 13.2.2.4)."""

    def __init__(self, endpoint: Endpoint, system: PjsipSystem) -> None:
        self._follows_forks = endpoint.follow_early_media_fork and system.follow_early_media_fork
        self._takes_changes = endpoint.accept_multiple_sdp_answers and system.accept_multiple_sdp_answers
        self._tag = ""
        self._body = b""

    def counts(self, tag: str, body: bytes, *, is_final: bool) -> bool:
        """Whether a description is to be followed; `tag` is that of To.

        The 2xx of another dialog than that of the early media always is: it is the one that was answered.
        """
        if not self._body:
            return bool(body)
        if tag == self._tag:
            return body != self._body and self._takes_changes
        return bool(body) and (is_final or self._follows_forks)

    def followed(self, tag: str, body: bytes) -> None:
        """A description was taken: media goes where it says."""
        self._tag, self._body = tag, body
