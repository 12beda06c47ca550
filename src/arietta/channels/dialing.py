"""Calling a channel that was requested: one attempt, its Dial events, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from arietta.channels import signals
from arietta.channels.driver import CannotRequest, DialRequest, Indication
from arietta.channels.identities import Identity, Redirection, redirect, redirection_of
from arietta.model import causes, events
from arietta.model.times import wire_now

if TYPE_CHECKING:
    from arietta.channels.channel import Channel, Story

CAUSE_NO_ANSWER = 19
ANSWER = "ANSWER"
# What the Q.850 cause of a refusal is called in DIALSTATUS; everything else is NOANSWER.
STATUS_OF_CAUSE = {17: "BUSY", 34: "CONGESTION"}


def status_of_cause(cause: int) -> str:
    """The final Dial status of a call that ended with `cause` before it was answered."""
    return STATUS_OF_CAUSE.get(cause, "NOANSWER")


@dataclass(frozen=True, slots=True)
class _Forwards:
    """Extensions that a far end wants called in its place."""

    targets: tuple[str, ...]
    context: str
    reason: str


class Attempt:
    """One channel being called: publishes its Dial events and tells `on_change` after each new status.

    `status` is "" (called), RINGING, PROGRESS, and at the end ANSWER, BUSY, CONGESTION, NOANSWER or CANCEL.
    `dialstring` stands in every event if `repeat_dialstring`, else only in the first; without `final_event` a refusal
    publishes none. When the far end forwards the
    call the attempt goes on with another channel: `peer` is then the new one, and `on_forward` is told of it. With
    `on_taken`, which is told who was called, another channel may answer in its place.
    """

    def __init__(
        self,
        peer: Channel,
        *,
        dialstring: str,
        caller: Channel | None = None,
        repeat_dialstring: bool = False,
        final_event: bool = True,
        on_change: Callable[[Attempt], None],
        on_answer: Callable[[Channel], None] | None = None,
        on_forward: Callable[[Attempt], None] | None = None,
        on_taken: Callable[[Attempt, Channel], Story] | None = None,
    ) -> None:
        self.peer = peer
        self.caller = caller
        self.status = ""
        self.over = False
        self._dialstring = dialstring
        self._repeat = repeat_dialstring
        self._final_event = final_event
        self._on_change = on_change
        self._on_answer = on_answer
        self._on_forward = on_forward
        self._on_taken = on_taken
        self._forwards: _Forwards | None = None  # what is left of them

    @property
    def answered(self) -> bool:
        """Whether the far end answered."""
        return self.status == ANSWER

    def start(self) -> None:
        """Call the peer."""
        if self.caller is not None:
            self.caller.link_with(self.peer)
        self.peer.attempt = self
        self.peer.listeners.append(self._hear)
        self.peer.on_end.append(self._ended)
        self._publish("", self._dialstring)
        self.peer.leg.call()

    def stop(self, status: str | None = None) -> None:
        """Listen no more; with `status` the attempt ends with that Dial event."""
        if self.over:
            return
        self._release()
        if status is not None:
            self.status = status
            self._publish(status, self._later_dialstring)

    @property
    def can_be_taken(self) -> bool:
        """Whether another channel may answer in place of the peer."""
        return not self.over and self._on_taken is not None

    def give_to(self, new: Channel) -> Story:
        """Let `new` answer in place of the peer, which ends; what `new` does then, in its owner."""
        assert self._on_taken is not None
        former = self.peer
        self._release()
        self.peer = new
        story = self._on_taken(self, former)
        self._reach(ANSWER)
        return story

    def forget(self) -> None:
        """Listen no more, and hold on to nobody who listened to it."""
        self.stop()
        self._on_change = _to_nobody
        self._on_answer = self._on_forward = self._on_taken = None

    @property
    def _later_dialstring(self) -> str:
        return self._dialstring if self._repeat else ""

    def _release(self) -> None:
        self.over = True
        if self.peer.attempt is self:
            self.peer.attempt = None
        if self._hear in self.peer.listeners:
            self.peer.listeners.remove(self._hear)
        if self._ended in self.peer.on_end:
            self.peer.on_end.remove(self._ended)

    def _hear(self, signal: signals.Signal) -> None:
        if self.over:
            return
        match signal:
            case signals.Ringing():
                self._reach("RINGING")
            case signals.Progressed():
                self._reach("PROGRESS")
            case signals.Answered():
                self._release()
                if self._on_answer is not None:
                    self._on_answer(self.peer)
                self._reach(ANSWER)
            case signals.Forwarded(target, reason, others):
                self._forwards = _Forwards((target, *others), self.peer.context, reason)
                self._forward()
            case signals.HungUp(cause, _):
                if self._forward():
                    return
                self._release()
                self.status = status_of_cause(cause if cause is not None else self.peer.hangup_cause)
                if self._final_event:
                    self._publish(self.status, self._later_dialstring)
                self._on_change(self)
            case _:
                pass

    def _reach(self, status: str) -> None:
        self.status = status
        self._publish(status, self._later_dialstring)
        self._on_change(self)

    def _ended(self, _peer: Channel) -> None:
        """The peer was hung up from our side before it answered."""
        if not self.over:
            self._release()
            self._on_change(self)

    def _forward(self) -> bool:
        """The far end asks for extensions instead (302): call the next in the endpoint's context (RFC 3261 8.1.3.4).

        False when there is none.
        """
        forwards, old = self._forwards, self.peer
        local = old.registry.driver("Local")
        if forwards is None or not forwards.targets or self._on_forward is None or local is None:
            return False
        target, *others = forwards.targets
        self._forwards = replace(forwards, targets=tuple(others))
        place = f"{target}@{forwards.context}"
        try:
            new = local.request(
                DialRequest(
                    resource=place,
                    originator=old,
                    caller=old.caller,
                    connected=old.connected,
                    variables=old.inherited_variables(),
                )
            )
        except CannotRequest:
            return self._forward()
        self._note_redirection(old, new, target, forwards.reason)
        self._release()
        self._publish("CANCEL", self._later_dialstring, forward=place, forwarded=new)
        self.peer = new
        self._dialstring = place
        self.over = False
        self._on_forward(self)
        self.start()
        return True

    def _note_redirection(self, old: Channel, new: Channel, target: str, reason: str) -> None:
        """Say who forwarded the call, to whoever is called now and to the caller."""
        before = redirection_of(self.caller) if self.caller is not None else None
        by = Identity(num=old.caller.number, num_valid=True, name=old.caller.name, name_valid=bool(old.caller.name))
        redirection = Redirection(
            orig=(before.orig if before.orig.num else before.from_) if before is not None else Identity(),
            from_=by,
            to=Identity(num=target, num_valid=True),
            reason=reason,
            orig_reason=(before.orig_reason if before.orig.num else before.reason) if before is not None else "unknown",
            count=(before.count if before is not None else 0) + 1,
        )
        redirect(new, redirection)
        if self.caller is not None:
            self.caller.indicate(Indication.REDIRECTING)

    def _publish(self, status: str, dialstring: str, forward: str = "", forwarded: Channel | None = None) -> None:
        teller = self.caller or self.peer
        if teller.watched:
            teller.publish(
                events.Dial(
                    timestamp=wire_now(),
                    caller=self.caller.snapshot() if self.caller else msgspec.UNSET,
                    peer=self.peer.snapshot(),
                    forward=forward,
                    forwarded=forwarded.snapshot() if forwarded else msgspec.UNSET,
                    dialstring=dialstring,
                    dialstatus=status,
                )
            )


def _to_nobody(_attempt: Attempt) -> None:
    """What a forgotten attempt calls."""


async def call_out(
    channel: Channel,
    *,
    dialstring: str,
    timeout: float | None,
    then: Callable[[Channel], Coroutine[Any, Any, None]] | None = None,
) -> bool:
    """In the owner of a requested channel: call it and wait for the answer.

    True when it was answered; False when `timeout` seconds passed (the cause is then 19). A refusal or a hangup
    raises HungUp. No final Dial event goes out at the timeout, as in Asterisk. `then` is what follows in the owner of
    an answered channel; with it somebody else may pick the call up, and does that.
    """
    answered = channel.registry.loop.create_future()

    def changed(attempt: Attempt) -> None:
        if attempt.answered and attempt.peer is channel and not answered.done():
            answered.set_result(None)

    def taken(attempt: Attempt, former: Channel) -> Story:
        assert then is not None
        former.hangup_cause = causes.ANSWERED_ELSEWHERE
        former.end_quietly()
        return partial(then, attempt.peer)

    attempt = Attempt(
        channel,
        dialstring=dialstring,
        repeat_dialstring=True,
        on_change=changed,
        on_taken=taken if then is not None else None,
    )
    attempt.start()
    try:
        await channel.until(answered, timeout)
    except TimeoutError:
        channel.hangup_cause = CAUSE_NO_ANSWER
        return False
    finally:
        attempt.stop()
    return True
