"""A manager connection, sans-IO: bytes of a client in, its session's bytes and work that takes its time out.

Actions are carried out one after the other: while one takes its time, those behind it wait, and `congested` asks the
skin to read no more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable

from arietta.manager.declared import Reply, failure
from arietta.manager.hub import Hub
from arietta.manager.message import BANNER, Action, ActionReader, Malformed
from arietta.manager.session import Session
from arietta.model import facts

MAX_WAITING_ACTIONS = 100
"""Beyond these no more is read from the client."""


class Connection:
    """One connection with its session."""

    def __init__(self, hub: Hub, session: Session, now: float) -> None:
        self.session = session
        self._hub = hub
        self._reader = ActionReader()
        self._actions: deque[Action] = deque()
        self._working: Action | None = None
        self._work: Awaitable[Reply] | None = None
        self._must_log_in_at = now + hub.settings.general.authtimeout
        self.closing = False
        """Whether the connection is to be closed when everything is sent."""
        session.put(BANNER)

    @property
    def congested(self) -> bool:
        """Whether enough actions wait for now."""
        return len(self._actions) > MAX_WAITING_ACTIONS

    def receive(self, data: bytes) -> None:
        """Take bytes of the client."""
        if self.closing:
            return
        for action in self._reader.receive(data):
            if isinstance(action, Malformed):
                self._hub.tell_security(facts.RequestBadFormat, self.session, request_type=action.reason)
                self.session.answer("", failure(action.reason))
            else:
                self._actions.append(action)
        self._advance()

    def work(self) -> Awaitable[Reply] | None:
        """What is to be awaited, once; tell its result to `finish`."""
        work, self._work = self._work, None
        return work

    def finish(self, reply: Reply) -> None:
        """Take the reply of an action that took its time."""
        action, self._working = self._working, None
        assert action is not None
        self._answer(action, reply)
        self._advance()

    def next_timeout(self) -> float | None:
        """When `handle_timeout` is due."""
        return None if self.session.is_logged_in or self.closing else self._must_log_in_at

    def handle_timeout(self, now: float) -> None:
        """Let go who has not logged in."""
        if not self.session.is_logged_in and now >= self._must_log_in_at:
            self._close()

    def _advance(self) -> None:
        while self._actions and self._working is None and not self.closing:
            action = self._actions.popleft()
            result = self.session.perform(action)
            if isinstance(result, Reply):
                self._answer(action, result)
            else:
                self._working, self._work = action, result

    def _answer(self, action: Action, reply: Reply) -> None:
        self.session.answer(action.action_id, reply)
        if reply.response == "Goodbye" or self.session.refused:
            self._close()

    def _close(self) -> None:
        self.closing = True
        self._actions.clear()
