"""Local channels: two halves in one process, the second of which runs the dialplan.

``Local/exten@context[/options]``: what one half sends, the other receives. The options ``n`` and ``m`` say what is
always so: the halves are never optimised away, and hold is passed on to whoever is behind. ``j`` asks for a jitter
buffer: there is no jitter between halves, which share a clock. ``b`` is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from arietta.channels import signals, texts
from arietta.channels.accounts import account_codes
from arietta.channels.channel import Channel, State
from arietta.channels.driver import CannotRequest, DialRequest, Indication, WithoutEndpoints
from arietta.channels.identities import redirect, redirection_of
from arietta.channels.registry import MAX_ID_LENGTH, ChannelRegistry
from arietta.channels.texts import Text
from arietta.errors import BadRequest, Conflict
from arietta.media.engine import DigitOut, MediaEvent, Port
from arietta.model import facts

CAUSE_NO_ROUTE = 3
KNOWN_OPTIONS = frozenset("njm")


class LocalLeg:
    """One half of a Local channel."""

    protocol_id = ""

    def __init__(self, port: Port, dialstring: str) -> None:
        self._port: Port | None = port
        self._dialstring = dialstring
        self.channel: Channel | None = None
        self.other: LocalLeg | None = None
        self._called = False
        self._passing_on = False

    @property
    def port(self) -> Port | None:
        return self._port

    def heard(self, event: MediaEvent) -> None:
        """Take an event of the port."""
        signal = signals.of_media(event)
        if self.channel is not None and signal is not None:
            self.channel.receive(signal)

    def call(self) -> None:
        """Let the other half run the dialplan."""
        near, far = self.channel, self._far_channel()
        if self._called or near is None or far is None or far.task is not None:
            return  # an owner that is there already has another story than the dialplan's
        self._called = True
        # The newest first, and none is seen in the far half's channelvars before all are there, as in Asterisk.
        for name, value in reversed(near.variables.items()):
            far.variables[name] = value
            far.announce_variable(name, value)
        far.changed()
        far.set_parties(caller=near.connected, connected=near.caller)
        self._share_redirection(near, far)
        near.tell(facts.LocalBridged, far.snapshot(), far.context, far.exten)
        dialplan = near.registry.dialplan
        if dialplan is None or not dialplan.exists(far.context, far.exten, 1, far.caller.number):
            far.hangup_cause = CAUSE_NO_ROUTE
            far.finish()
            return
        far.own(dialplan.run(far))

    def answer(self) -> None:
        self._tell(signals.Answered())

    def indicate(self, indication: Indication, data: str = "") -> None:
        match indication:
            case Indication.RINGING:
                self._tell(signals.Ringing())
            case Indication.PROGRESS:
                self._tell(signals.Progressed())
            case Indication.HOLD if self._far_is_bridged():
                self._pass_on(signals.Held(data or None))
            case Indication.UNHOLD if self._far_is_bridged():
                self._pass_on(signals.Unheld())
            case Indication.CONNECTED_LINE:
                self._name()
            case Indication.REDIRECTING:
                self._redirect()
            case _:
                pass  # a Local half has nothing to show it with

    def send_digits(self, digits: Sequence[DigitOut], on_end: Callable[[], None] | None = None) -> None:
        if self._port is not None:
            self._port.send_digits(digits, on_end)
        elif on_end is not None:
            on_end()

    def send_text(self, text: Text) -> bool:
        far = self._far_channel()
        if far is None or self._passing_on:
            return False  # gone, or what was sent comes back through the bridges both halves are in
        self._passing_on = True
        try:
            texts.take(far, text)
        finally:
            self._passing_on = False
        return True

    def redirect(self, target: str) -> None:
        raise Conflict(f"a Local channel cannot be redirected to {target!r}")

    def hangup(self, cause: int) -> int | None:
        channel, self.channel = self.channel, None
        if self._port is not None:
            self._port.close()
            self._port = None
        far = self._far_channel()
        self.other = None  # so that two halves that have ended hold on to each other no more
        if channel is not None and far is not None:
            far.receive(signals.HungUp(cause))
        return None

    def read(self, item: str) -> str | None:
        return self._dialstring if item == "dialstring" else None

    def _far_channel(self) -> Channel | None:
        return self.other.channel if self.other is not None else None

    def _far_is_bridged(self) -> bool:
        far = self._far_channel()
        return far is not None and far.bridge is not None

    def _name(self) -> None:
        """Whom this half talks to is who calls the other one; no event tells of that, but of what comes of it."""
        near, far = self.channel, self._far_channel()
        if self._called_either and near is not None and far is not None and near.connected != far.caller:
            far.caller = near.connected
            far.changed()
            others = [other for other in _beside(far) if not other.internal]
            if len(others) == 1:
                others[0].set_connected(far.caller)

    def _redirect(self) -> None:
        near, far = self.channel, self._far_channel()
        if near is not None and far is not None and self._share_redirection(near, far):
            for other in _beside(far):
                other.indicate(Indication.REDIRECTING)

    @property
    def _called_either(self) -> bool:
        """Whether the halves are connected: before, what is said of one is told to the other by the call."""
        return self._called or (self.other is not None and self.other._called)

    def _share_redirection(self, near: Channel, far: Channel) -> bool:
        """Have the call at the other half be redirected as it is here; whether it is."""
        redirection = redirection_of(near)
        if redirection is not None:
            redirect(far, redirection)
        return redirection is not None

    def _pass_on(self, signal: signals.Signal) -> None:
        """Tell the far half, unless it is what was told that comes back through the bridges both halves are in."""
        if not self._passing_on:
            self._passing_on = True
            try:
                self._tell(signal)
            finally:
                self._passing_on = False

    def _tell(self, signal: signals.Signal) -> None:
        far = self._far_channel()
        if far is not None:
            far.receive(signal)


def _beside(half: Channel) -> list[Channel]:
    """Who shares a bridge with a half."""
    return [other for other in half.bridge.channels if other is not half] if half.bridge is not None else []


class LocalDriver(WithoutEndpoints):
    """Makes Local channels."""

    technology = "Local"

    def __init__(self, registry: ChannelRegistry) -> None:
        self._registry = registry

    def request(self, wanted: DialRequest) -> Channel:
        """Both halves; the first is returned, the second waits for `call` in state Ring."""
        registry = self._registry
        place, _, options = wanted.resource.partition("/")
        exten, _, context = place.partition("@")
        context = context or "default"
        if not exten:
            raise CannotRequest(f"Local/{wanted.resource} names no extension")
        unknown = sorted(set(options) - KNOWN_OPTIONS)
        if unknown:
            raise CannotRequest(f"Local/{wanted.resource} has options that are not supported: {''.join(unknown)!r}")
        first_id = wanted.channel_id or registry.new_id()
        second_id = wanted.other_channel_id or (f"{first_id};2" if wanted.channel_id else registry.new_id())
        if len(second_id) > MAX_ID_LENGTH:
            raise BadRequest(f"otherChannelId has {len(second_id)} characters, {MAX_ID_LENGTH} at most")
        if first_id == second_id:
            raise Conflict(f"channelId and otherChannelId are both {first_id!r}")
        registry.check_free(first_id)
        registry.check_free(second_id)
        name = f"Local/{exten}@{context}-{registry.next_number('Local')}"

        legs: list[LocalLeg] = []
        ports = registry.engine.open_pipe(lambda event: legs[0].heard(event), lambda event: legs[1].heard(event))
        legs.extend(LocalLeg(port, wanted.resource) for port in ports)
        legs[0].other, legs[1].other = legs[1], legs[0]
        originator = wanted.originator
        language = wanted.language or (originator.language if originator else registry.default_language)
        accountcode, peeraccount = account_codes(wanted)
        # The far half stands for who calls: its account code is the near half's peer's, and the other way round.
        accounts = ((accountcode, peeraccount), (peeraccount or accountcode, accountcode))
        halves = [
            Channel(
                registry,
                leg,
                channel_id=channel_id,
                name=f"{name};{number}",
                state=state,
                context=context,
                exten=exten,
                caller=wanted.caller if number == 1 else None,
                connected=wanted.connected if number == 1 else None,
                language=language,
                accountcode=accounts[number - 1][0],
                peeraccount=accounts[number - 1][1],
                linked_to=originator,
            )
            for number, leg, channel_id, state in (
                (1, legs[0], first_id, State.DOWN),
                (2, legs[1], second_id, State.RING),
            )
        ]
        for leg, half in zip(legs, halves, strict=True):
            leg.channel = half
        halves[0].half, halves[1].half = halves[1], halves[0]
        halves[0].link_with(halves[1])
        halves[0].variables.update(wanted.variables)
        if originator is not None and (redirection := redirection_of(originator)) is not None:
            redirect(halves[0], redirection)
        for half in halves:
            if wanted.on_channel is not None:
                wanted.on_channel(half)
            registry.add(half)
        return halves[0]

    def device_state(self, resource: str) -> str | None:
        """A Local device is what the dialplan can reach: NOT_INUSE while nobody talks to it, else INUSE."""
        exten, _, context = resource.partition("/")[0].partition("@")
        dialplan = self._registry.dialplan
        if dialplan is None or not dialplan.exists(context or "default", exten, 1):
            return "INVALID"
        start = f"Local/{exten}@{context or 'default'}-"
        return "INUSE" if any(c.name.startswith(start) for c in self._registry) else "NOT_INUSE"
