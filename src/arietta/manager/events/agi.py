"""Events of AGI(agi:async): calls that clients of the manager interface steer by commands."""

from __future__ import annotations

from arietta.manager.events.blocks import Blocks
from arietta.manager.events.declared import Kind, translates
from arietta.manager.message import Headers, ManagerEvent
from arietta.model import facts

ASYNC_AGI_START = Kind("AsyncAGIStart", "agi", "A channel waits for commands of clients.")
ASYNC_AGI_EXEC = Kind("AsyncAGIExec", "agi", "A command of a client was carried out.")
ASYNC_AGI_END = Kind("AsyncAGIEnd", "agi", "A channel takes no more commands of clients.")


@translates(facts.AsyncAgiStarted)
def _started(fact: facts.AsyncAgiStarted, blocks: Blocks) -> ManagerEvent:
    return ASYNC_AGI_START((*blocks.channel(fact.channel), ("Env", fact.environment)))


@translates(facts.AsyncAgiAnswered)
def _answered(fact: facts.AsyncAgiAnswered, blocks: Blocks) -> ManagerEvent:
    mark: Headers = (("CommandID", fact.command_id),) if fact.command_id else ()
    return ASYNC_AGI_EXEC((*blocks.channel(fact.channel), *mark, ("Result", fact.reply)))


@translates(facts.AsyncAgiEnded)
def _ended(fact: facts.AsyncAgiEnded, blocks: Blocks) -> ManagerEvent:
    return ASYNC_AGI_END(blocks.channel(fact.channel))
