"""pickupexten of features.conf: what is dialled to answer a call that rings in one's group."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arietta.channels.driver import Indication
from arietta.dialplan.applications.sounds import hear_names
from arietta.model import causes

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.run import Run

log = logging.getLogger(__name__)


async def pick_up(run: Run) -> Exception:
    """In the owner: answer the oldest call of the channel's groups, and live in its place; what ends the call then."""
    channel, settings = run.channel, run.plan.features.general
    story = run.plan.transferring.pick_up(channel, lambda one: channel.pickup_groups.meets(one.call_groups))
    if story is None:
        log.info("%s: no call rings in its groups", channel.name)
        await _say_failure(channel, settings.pickupfailsound, run)
        channel.hangup_cause = causes.UNALLOCATED
        return run.hangup()
    channel.answer()
    if settings.pickupsound:
        run.plan.media.play(channel, f"sound:{settings.pickupsound}", _ignore)
    await story()
    return run.hangup()


async def _say_failure(channel: Channel, sound: str, run: Run) -> None:
    if not sound:
        return
    channel.indicate(Indication.PROGRESS)
    await hear_names(channel, "pickupfailsound", (sound,), run)


def _ignore(failure: str | None) -> None:
    if failure is not None:
        log.warning("pickupsound: %s", failure)
