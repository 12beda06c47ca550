"""Features that execute an application, for who asked or for the other one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arietta.dialplan.errors import ApplicationError
from arietta.dialplan.run import Run

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.config.features import ApplicationFeature
    from arietta.dialplan.errands import Errands
    from arietta.dialplan.interpreter import Interpreter

log = logging.getLogger(__name__)

NAME, PEER = "DYNAMIC_FEATURENAME", "DYNAMIC_PEERNAME"
"""The feature that was asked for, and who the channel talks to."""
WHO = "DYNAMIC_WHO_ACTIVATED"
"""Who asked for it."""


def execute(
    plan: Interpreter, feature: ApplicationFeature, errands: Errands, listener: Channel, asked_by: Channel
) -> None:
    """Have the owner of one channel execute the application, out of the talk, while the other may hear music."""
    channel = errands.channel

    async def story() -> None:
        bridge = channel.bridge
        if bridge is not None:
            bridge.suspend(channel)
        if feature.music_class:
            listener.play_music(feature.music_class)
        try:
            await _run(plan, feature, channel)
        finally:
            if feature.music_class:
                listener.stop_music()
            if channel.bridge is not None:
                channel.bridge.resume(channel)

    for name, value in ((NAME, feature.name), (PEER, listener.name), (WHO, asked_by.name)):
        channel.set_variable(name, value)
    asked = errands.ask(story)
    if asked.done():
        log.warning("%s: feature %s is not done: nobody does errands for it", channel.name, feature.name)


async def _run(plan: Interpreter, feature: ApplicationFeature, channel: Channel) -> None:
    """In the owner of the channel: the application alone, or the subroutine it begins."""
    arguments = plan.substitute(channel, feature.arguments)
    run = Run(plan, channel)
    if feature.application.lower() == "gosub":
        await run.gosub(arguments)
    elif not await run.call(feature.application, arguments):
        raise ApplicationError(f"feature {feature.name}: there is no application {feature.application}()")
