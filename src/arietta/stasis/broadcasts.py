"""StasisBroadcast: a call offered to every application that matches, and given to the first that claims it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field

import msgspec

from arietta.channels.channel import Channel
from arietta.errors import Conflict, NotFound
from arietta.model import events
from arietta.model.times import wire_now
from arietta.stasis.applications import Application, Applications
from arietta.stasis.control import STATUS_VARIABLE, Controls


@dataclass(slots=True)
class Offer:
    """One call being offered."""

    channel: Channel
    offered: list[Application]
    winner: asyncio.Future[str]
    notify: bool = False
    told: set[str] = field(default_factory=set)


class Broadcasts:
    """The calls that are offered now, by channel id."""

    def __init__(self, applications: Applications, controls: Controls) -> None:
        self._applications = applications
        self._controls = controls
        self._offers: dict[str, Offer] = {}

    async def run(
        self, channel: Channel, *, timeout_ms: int, pattern: str, args: tuple[str, ...], notify: bool
    ) -> None:
        """Offer the call for `timeout_ms`; STASISSTATUS is TIMEOUT if nobody claims it. In the channel's owner."""
        matches = re.compile(pattern or "").search
        offered = [application for application in self._applications if matches(application.name)]
        offer = Offer(channel, offered, channel.registry.loop.create_future(), notify)
        self._offers[channel.id] = offer
        event = events.CallBroadcast(
            timestamp=wire_now(),
            channel=channel.snapshot(),
            caller=channel.caller.number or msgspec.UNSET,
            called=channel.exten or msgspec.UNSET,
        )
        try:
            for application in offered:
                application.send(event)
            try:
                winner = await channel.until(offer.winner, timeout_ms / 1000)
            except TimeoutError:
                channel.set_variable(STATUS_VARIABLE, "TIMEOUT")
                return
            if notify:
                claimed = events.CallClaimed(timestamp=wire_now(), channel=channel.snapshot(), winner_app=winner)
                for application in offered:
                    application.send(claimed)
            await self._controls.run(channel, winner, args)
        finally:
            del self._offers[channel.id]

    def claim(self, channel_id: str, application: str) -> None:
        """Give an offered call to an application; Conflict while another has it, NotFound otherwise."""
        offer = self._offers.get(channel_id)
        if offer is None:
            raise NotFound(f"channel {channel_id!r} is not offered to anybody")
        if offer.winner.done():
            raise Conflict(f"channel {channel_id!r} is claimed already")
        offer.winner.set_result(application)
