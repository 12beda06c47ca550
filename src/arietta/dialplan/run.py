"""One channel's way through the dialplan: step after step, jumps, and what happens where the steps end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, ClassVar

from arietta import verbose as console
from arietta.asterisk.absent import why_absent
from arietta.channels.channel import HungUp, Moved, Story
from arietta.channels.driver import Indication
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.digits import DigitInput
from arietta.dialplan.errors import ApplicationError, DialplanError
from arietta.dialplan.features.picking_up import pick_up
from arietta.dialplan.matcher import Step
from arietta.dialplan.variables import SubstitutionError, Template

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

log = logging.getLogger(__name__)

STEPS_BEFORE_A_PAUSE = 64
"""Steps without waiting after which the other tasks have their turn."""
FALLTHROUGH_SECONDS = 10.0
EXCEPTION = "EXCEPTION"
"""Where a channel keeps the reason, context, extension and priority of its last special extension."""
MAX_FRAMES = 200
FALLTHROUGH = {
    "BUSY": Indication.BUSY,
    "CONGESTION": Indication.CONGESTION,
    "CHANUNAVAIL": Indication.CONGESTION,
}
"""What the caller is shown at the end of an extension, by DIALSTATUS."""


class Frame:
    """One Gosub that has not returned: where to, and what its variables were before."""

    KEY: ClassVar[str] = "Gosub"
    """Where a channel keeps its list of frames."""

    __slots__ = ("context", "exten", "former", "priority")

    def __init__(self, context: str, exten: str, priority: int) -> None:
        self.context, self.exten, self.priority = context, exten, priority
        self.former: dict[str, str | None] = {}

    def keep(self, channel: Channel, name: str) -> None:
        """Remember a variable's value, for Return."""
        if name not in self.former:
            self.former[name] = channel.variables.get(name)

    def restore(self, channel: Channel) -> None:
        """Give every remembered variable its value again."""
        for name, value in self.former.items():
            if value is None:
                channel.variables.pop(name, None)
            else:
                channel.variables[name] = value


class Run:
    """The execution of steps for one channel."""

    __slots__ = ("channel", "ended_itself", "hung_up", "jumped", "plan")

    def __init__(self, plan: Interpreter, channel: Channel, *, hung_up: bool = False) -> None:
        self.plan = plan
        self.channel = channel
        self.hung_up = hung_up
        """Whether this is the extension h: what follows its last step is nothing."""
        self.jumped = False
        self.ended_itself = False
        """Whether a step (Hangup …) ended the run, and not an interruption."""

    async def execute(self) -> None:
        """Execute steps from the channel's place until they end; raises HungUp."""
        story: Story = self._steps
        while True:
            try:
                await story()
                return
            except Moved as moved:
                # Somebody sent the channel to another place, and has set it already; or it is in other hands now.
                story = moved.story or self._steps

    async def gosub(self, place: str) -> None:
        """Run ``[[context,]extension,]priority[(arguments)]`` to its Return, and be where it was; raises HungUp."""
        channel, jumped, depth = self.channel, self.jumped, len(self.frames)
        former = channel.context, channel.exten, channel.priority
        await self.call("Gosub", place)
        await self.subroutine(depth)
        channel.set_place(*former)
        self.jumped = jumped

    async def subroutine(self, depth: int) -> None:
        """Execute steps until so many Gosubs are left, or the steps end; raises HungUp and Moved."""
        await self._steps(depth)
        while len(self.frames) > depth:
            self.frames.pop().restore(self.channel)

    async def _steps(self, until_depth: int = -1) -> None:
        plan, channel = self.plan, self.channel
        since_pause = 0
        while True:
            channel.check_interruption()
            context, exten, priority = channel.context, channel.exten, channel.priority
            step = plan.dialplan.find(context, exten, priority, channel.caller.number)
            if step is None:
                if not await self._at_the_end():
                    return
                continue
            self.jumped = False
            await self._execute(step)
            if (
                not self.jumped
                and channel.priority == priority
                and channel.exten == exten
                and channel.context == context
            ):
                channel.set_place(context, exten, priority + 1)
            if len(self.channel.functions.get(Frame.KEY, ())) <= until_depth:
                return
            since_pause += 1
            if since_pause >= STEPS_BEFORE_A_PAUSE:
                since_pause = 0
                await asyncio.sleep(0)

    async def _execute(self, step: Step) -> None:
        channel = self.channel
        arguments = step.arguments
        if isinstance(arguments, Template):
            try:
                arguments = await self.plan.render_waiting(channel, arguments)
            except SubstitutionError as failure:
                raise self._fatal(step, str(failure)) from failure
        channel.set_app(step.application, arguments)
        if console.level() >= 3:
            console.verbose(
                3,
                f"Executing [{channel.exten}@{channel.context}:{channel.priority}] "
                f'{step.application}("{channel.name}", "{arguments}") in new stack',
            )
        application = self.plan.applications.get(step.key)
        if application is None:
            reason = why_absent("applications", step.key)
            raise self._fatal(step, f"there is no application {step.application}(){f': {reason}' if reason else ''}")
        try:
            await application.execute(channel, arguments, self)
        except DialplanError as failure:
            raise self._fatal(step, f"{step.application}(): {failure}") from failure
        except SubstitutionError as failure:
            raise self._fatal(step, f"{step.application}(): {failure}") from failure

    def _fatal(self, step: Step, reason: str) -> Exception:
        """Log why a step ends the call, and make the exception that does it."""
        channel = self.channel
        log.error(
            "%s: %s; the call of %s at %s@%s:%d ends",
            step.where,
            reason,
            channel.name,
            channel.exten,
            channel.context,
            channel.priority,
        )
        return self.hangup()

    async def call(self, name: str, arguments: str) -> bool:
        """Execute an application as part of another one; False if there is none of that name."""
        application = self.plan.applications.get(name.strip().lower())
        if application is None:
            return False
        await application.execute(self.channel, arguments, self)
        return True

    def hangup(self) -> Exception:
        """The exception that ends the call from inside a step."""
        self.ended_itself = True
        return HungUp()

    # -------------------------------------------------------------------------------------------------- places

    def goto(self, context: str, exten: str, priority: int) -> None:
        """Continue at a place, whether there is a step or not."""
        self.channel.set_place(context, exten, priority)
        self.jumped = True

    def goto_text(self, text: str) -> None:
        """Continue at ``[[context,]extension,]priority``; raises ApplicationError for an unknown label."""
        self.goto(*self.place_of(text))

    def place_of(self, text: str) -> tuple[str, str, int]:
        """The place that ``[[context,]extension,]priority`` means; the priority is a number, a label, +n or -n."""
        channel = self.channel
        parts = split_arguments(text, 3)
        if not parts or not parts[-1]:
            raise ApplicationError(f"{text!r} names no priority")
        context = parts[0] if len(parts) == 3 and parts[0] else channel.context
        exten = parts[-2] if len(parts) >= 2 and parts[-2] else channel.exten
        word = parts[-1]
        digits = word[1:] if word[0] in "+-" else word
        if digits.isascii() and digits.isdigit() and len(digits) <= 10:
            number = int(digits)
            if word[0] == "+":
                number = channel.priority + number
            elif word[0] == "-":
                number = channel.priority - number
            return context, exten, number
        found = self.plan.priority_of_label(context, exten, word, channel.caller.number)
        if found is None:
            raise ApplicationError(f"there is no label {word} in {exten}@{context}")
        return context, exten, found

    def exists(self, context: str, exten: str, priority: int = 1) -> bool:
        """Whether there is such a step for this channel's caller."""
        return self.plan.exists(context, exten, priority, self.channel.caller.number)

    @property
    def frames(self) -> list[Frame]:
        """The Gosubs that have not returned, the last one last."""
        frames: list[Frame] = self.channel.functions.setdefault(Frame.KEY, [])
        return frames

    def push(self, frame: Frame) -> None:
        """Enter a Gosub; raises ApplicationError beyond MAX_FRAMES."""
        if len(self.frames) >= MAX_FRAMES:
            raise ApplicationError(f"more than {MAX_FRAMES} Gosubs are nested")
        self.frames.append(frame)

    # ------------------------------------------------------------------------------------- where the steps end

    async def _at_the_end(self) -> bool:
        """There is no step at the channel's place: True if the run goes on elsewhere."""
        channel, plan = self.channel, self.plan
        context, exten, priority = channel.context, channel.exten, channel.priority
        if self.hung_up:
            return False
        if priority == 1 or not any(plan.dialplan.matching(context, exten, channel.caller.number)):
            if plan.picks_up(exten):
                raise await pick_up(self)
            return self.invalid_extension(exten)
        if not plan.dialplan.general.autofallthrough:
            return await self.wait_for_extension("", plan.timeout_of(channel, "response"))
        status = plan.variable(channel, "DIALSTATUS")
        console.verbose(2, f"Auto fallthrough, channel '{channel.name}' status is '{status or 'UNKNOWN'}'")
        indication = FALLTHROUGH.get(status)
        if indication is not None:
            channel.indicate(indication)
            await channel.sleep(FALLTHROUGH_SECONDS)
        return False

    def invalid_extension(self, exten: str) -> bool:
        """Go to extension i (or e), with INVALID_EXTEN; False if there is none, or this was it."""
        channel = self.channel
        special = self.special("i", channel.context)
        if special and exten not in ("i", "e"):
            console.verbose(2, f"Invalid extension '{exten}' in context '{channel.context}' on {channel.name}")
            channel.set_variable("INVALID_EXTEN", exten)
            self.enter_special(special, channel.context, "INVALID")
            return True
        log.warning(
            "channel %s was sent to %s@%s:%d, which does not exist, and there is no extension i",
            channel.name,
            exten,
            channel.context,
            channel.priority,
        )
        return False

    def special(self, name: str, context: str) -> str:
        """The special extension of that name, or e that stands for i, t and T; "" if there is neither."""
        return next((exten for exten in (name, "e") if self.exists(context, exten)), "")

    def enter_special(self, exten: str, context: str, reason: str) -> None:
        """Continue at a special extension; EXCEPTION() tells there from where, and why."""
        channel = self.channel
        channel.functions[EXCEPTION] = (reason, channel.context, channel.exten, channel.priority)
        self.goto(context, exten, 1)

    async def wait_for_extension(self, digits: str, first_timeout: float, context: str = "") -> bool:
        """Wait until the caller has dialled an extension, go there, or to i or t; False if there is none of them."""
        channel, dialplan = self.channel, self.plan.dialplan
        context = context or channel.context
        number = channel.caller.number
        with DigitInput(channel) as keys:
            while not digits or dialplan.match_more(context, digits, number):
                timeout = first_timeout if not digits else self.plan.timeout_of(channel, "digit")
                digit = await keys.next(timeout)
                if digit is None:
                    break
                digits += digit
                if not dialplan.can_match(context, digits, number):
                    break
        if digits and self.exists(context, digits):
            self.goto(context, digits, 1)
            return True
        if digits:
            channel.set_place(context, channel.exten, channel.priority)
            return self.invalid_extension(digits)
        special = self.special("t", context)
        if special:
            console.verbose(2, f"Timeout on {channel.name}, going to '{special}'")
            self.enter_special(special, context, "RESPONSETIMEOUT")
            return True
        return False
