"""The dialplan at work: the tree in force, global variables, functions and applications, and runs of channels."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from arietta import verbose as console
from arietta.channels.channel import FLAG_DIALPLAN_ENDED, Channel, HungUp, Moved
from arietta.config.amd import AmdSettings
from arietta.config.features import FeatureSettings
from arietta.dialplan.agi.carriers import Queue as AgiQueue
from arietta.dialplan.applications import Applications
from arietta.dialplan.applications.standard import standard_applications
from arietta.dialplan.builtins import BUILTINS, GLOBAL_BUILTINS
from arietta.dialplan.errors import DialplanError, FunctionError
from arietta.dialplan.features.offered import keys_of
from arietta.dialplan.functions import Functions
from arietta.dialplan.functions.groups import Groups
from arietta.dialplan.functions.locks import Locks
from arietta.dialplan.functions.standard import standard_functions
from arietta.dialplan.hints import ExtensionStates
from arietta.dialplan.matcher import Dialplan
from arietta.dialplan.ports import (
    Database,
    DeviceStates,
    DriverDevices,
    Folders,
    MediaOutput,
    Messages,
    NoBridges,
    NoDatabase,
    NoMedia,
    NoMessages,
    NoPresence,
    NoTransfers,
    PresenceStates,
    Transferring,
    TwoPartyBridges,
    Web,
    no_web,
)
from arietta.dialplan.run import Frame, Run
from arietta.dialplan.variables import MAX_DEPTH, SubstitutionError, Template, compile_template, split_reference
from arietta.model import events
from arietta.model.times import wire_now

if TYPE_CHECKING:
    from arietta.channels.registry import ChannelRegistry

log = logging.getLogger(__name__)

DEFAULT_TIMEOUTS = {"digit": 5.0, "response": 10.0}
"""Seconds, for channels that set no TIMEOUT() of their own."""
MAX_HANGUP_INTERRUPTIONS = 100


class Interpreter:
    """Executes the dialplan for every channel that has no other owner's story; a `channels.driver.DialplanRunner`."""

    def __init__(
        self,
        dialplan: Dialplan,
        registry: ChannelRegistry,
        *,
        functions: Functions | None = None,
        applications: Applications | None = None,
        media: MediaOutput | None = None,
        bridges: TwoPartyBridges | None = None,
        devices: DeviceStates | None = None,
        presences: PresenceStates | None = None,
        database: Database | None = None,
        web: Web = no_web,
        folders: Folders | None = None,
        entity_id: str = "",
        system_name: str = "",
        version: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.dialplan = dialplan
        self.registry = registry
        self.functions = functions or standard_functions()
        self.applications = applications or standard_applications()
        self.media = media or NoMedia()
        self.bridges = bridges or NoBridges()
        self.features = FeatureSettings()
        self.transferring: Transferring = NoTransfers()
        self.devices = devices or DriverDevices(self._driver_state)
        self.presences = presences or NoPresence()
        self.database = NoDatabase() if database is None else database
        self.groups = Groups()
        self.locks = Locks()
        self.folders = folders or Folders()
        self.async_agi: dict[str, AgiQueue] = {}
        """The conversations of AGI(agi:async), by the ids of their channels."""
        self.messages: Messages = NoMessages()
        self.waiting_for_signals: dict[str, list[asyncio.Future[str]]] = {}
        """What WaitForSignal waits for, by the names of the signals."""
        self.has_module: Callable[[str], bool] = lambda name: False
        """Whether a part of the server is there, by the name of Asterisk's module."""
        self.amd = AmdSettings()
        """What AMD takes for a machine where its arguments do not say."""
        self.web = web
        self.web_options: dict[str, Any] = {}
        """What CURLOPT said without a channel."""
        self.entity_id: str = entity_id
        self.system_name: str = system_name
        self.version: str = version
        self.live_dangerously = False
        """Whether others than the dialplan may use functions that are dangerous, and the dialplan run programs."""
        self.now: Callable[[], float] = clock
        self.globals: dict[str, str] = dict(dialplan.globals)
        self._substituting = 0
        self.hints = ExtensionStates(self)

    def replace(self, dialplan: Dialplan) -> None:
        """Put a new dialplan into force; runs go on in it with their next step.

        Global variables that the new file does not set stay as they are, unless it says clearglobalvars.
        """
        if dialplan.general.clearglobalvars:
            self.globals.clear()
        self.globals.update(dialplan.globals)
        self.amend(dialplan)

    def amend(self, dialplan: Dialplan) -> None:
        """Put a dialplan that was changed at run time into force; global variables stay as they are."""
        self.dialplan = dialplan
        self.hints.replace(dialplan)

    # ---------------------------------------------------------------------------------------- channels' side of it

    async def run(self, channel: Channel) -> None:
        """Execute steps from the channel's place until they end, then the extension h; HungUp never escapes."""
        run = Run(self, channel)
        try:
            await run.execute()
        except HungUp:
            console.verbose(
                2,
                f"Spawn extension ({channel.context}, {channel.exten}, {channel.priority}) "
                f"exited non-zero on '{channel.name}'",
            )
        channel.announce_soft_hangup(FLAG_DIALPLAN_ENDED)
        await self.run_hangup_extension(channel)

    async def run_hangup_extension(self, channel: Channel) -> None:
        """Run the extension h of the channel's context, if there is one, although the channel is hung up."""
        if self.dialplan.find(channel.context, "h", 1, channel.caller.number) is None:
            return
        channel.absorb_hangup()
        channel.set_place(channel.context, "h", 1)
        run = Run(self, channel, hung_up=True)
        for _ in range(MAX_HANGUP_INTERRUPTIONS):
            try:
                await run.execute()
                return
            except HungUp:
                # A step of h was interrupted by the far end's own hangup: the steps after it still have their turn.
                channel.absorb_hangup()
                if run.ended_itself:
                    return
                channel.set_place(channel.context, channel.exten, channel.priority + 1)

    def exists(self, context: str, exten: str, priority: int, caller_number: str = "") -> bool:
        """Whether there is such a step."""
        return self.dialplan.find(context, exten, priority, caller_number) is not None

    def may_match(self, context: str, exten: str, caller_number: str = "") -> bool:
        """Whether an extension could match after more characters."""
        return self.dialplan.match_more(context, exten, caller_number)

    def accepts(self, context: str, exten: str, caller_number: str = "") -> bool:
        """Whether a call can begin with an extension: there is one, or it picks up another call."""
        return self.exists(context, exten, 1, caller_number) or self.picks_up(exten)

    def picks_up(self, exten: str) -> bool:
        """Whether who dials this, where it is no extension, wants a call of its groups."""
        return bool(exten) and exten == self.features.general.pickupexten

    def feature_keys(self, channel: Channel, feature: str) -> str:
        """The keys that ask for a feature of features.conf; "" if there are none."""
        return keys_of(self, channel, feature)

    def priority_of_label(self, context: str, exten: str, label: str, caller_number: str = "") -> int | None:
        """The priority a label stands at, or None."""
        return self.dialplan.priority_of_label(context, exten, label, caller_number)

    def place_exists(self, context: str, exten: str, priority: str, caller_number: str = "") -> bool:
        """Whether there is a step at a priority that is a number or a label."""
        if priority.isascii() and priority.isdigit() and len(priority) <= 10:
            return self.exists(context, exten, int(priority), caller_number)
        return self.priority_of_label(context, exten, priority, caller_number) is not None

    def read(self, channel: Channel | None, name: str) -> str | None:
        """A variable or function by its name without ``${}``; None if unset.

        For those outside of the dialplan: raises UnknownFunction, or FunctionError for a function that cannot be read
        like that, or by them.
        """
        if "(" in name:
            self._check_danger(split_reference(name)[0], writing=False)
        return self.value(channel, name)

    def write(self, channel: Channel | None, name: str, value: str) -> None:
        """Set a variable or write a function; globals where `channel` is None.

        For those outside of the dialplan: raises UnknownFunction, or FunctionError for a function that cannot be
        written like that, or by them.
        """
        if name.endswith(")") and "(" in name:
            self._check_danger(name.partition("(")[0].strip(), writing=True)
        self.assign(channel, name, value)

    def _check_danger(self, name: str, *, writing: bool) -> None:
        """Refuse others what lets them out of the dialplan, unless asterisk.conf says live_dangerously."""
        function = self.functions.get(name)
        if function is None or self.live_dangerously:
            return
        if function.danger.writing if writing else function.danger.reading:
            raise FunctionError(function.name, "is for the dialplan alone, unless asterisk.conf says live_dangerously")

    def value(self, channel: Channel | None, name: str) -> str | None:
        """`read` for the dialplan itself."""
        if "(" not in name:
            return self.lookup(channel, name)
        bare, arguments, _, _ = split_reference(name)
        return self.functions.read(self, channel, bare, arguments or "")

    def assign(self, channel: Channel | None, name: str, value: str) -> None:
        """`write` for the dialplan itself."""
        if name.endswith(")") and "(" in name:
            bare, _, rest = name.partition("(")
            self.functions.write(self, channel, bare.strip(), rest[:-1], value)
        else:
            self.set_plain(channel, name, value)

    # ------------------------------------------------------------------------------------------------- variables

    def lookup(self, channel: Channel | None, name: str) -> str | None:
        """A variable: built-in ones first, then the channel's, then global ones; None if it is not set."""
        if channel is not None:
            builtin = BUILTINS.get(name)
            if builtin is not None:
                return builtin.read(self, channel)
            value = channel.get_variable(name)
            if value is not None:
                return value
        known = GLOBAL_BUILTINS.get(name)
        if known is not None:
            return known[1](self)
        return self.globals.get(name)

    def variable(self, channel: Channel | None, name: str) -> str:
        """A variable, "" if it is not set."""
        return self.lookup(channel, name) or ""

    def set_plain(self, channel: Channel | None, name: str, value: str) -> None:
        """Set a variable of the channel, or a global one."""
        if channel is None:
            self.set_global(name, value)
        else:
            channel.set_variable(name, value)

    def set_global(self, name: str, value: str) -> None:
        """Set a global variable; ChannelVarset without a channel goes to whoever hears of all channels."""
        self.globals[name] = value
        bus = self.registry.bus
        if bus.wanted(EVERY_CHANNEL):
            bus.publish(events.ChannelVarset(timestamp=wire_now(), variable=name, value=value), EVERY_CHANNEL)

    def set_local(self, channel: Channel, name: str, value: str) -> None:
        """Set a variable that has its former value again after Return; outside of Gosub an ordinary one."""
        frames: list[Frame] = channel.functions.get(Frame.KEY, [])
        if frames:
            frames[-1].keep(channel, name)
        channel.set_variable(name, value)

    def substitute(self, channel: Channel | None, text: str) -> str:
        """Substitute variables, functions and expressions; raises SubstitutionError."""
        template = compile_template(text)
        return template if isinstance(template, str) else self.render(channel, template)

    def render(self, channel: Channel | None, template: Template) -> str:
        """Substitute in a text that is compiled already; raises SubstitutionError."""
        if self._substituting >= MAX_DEPTH:
            raise SubstitutionError(f"substitution of {template.text[:80]!r} is nested deeper than {MAX_DEPTH}")
        self._substituting += 1
        try:
            return template.render(ChannelScope(self, channel))
        finally:
            self._substituting -= 1

    async def render_waiting(self, channel: Channel, template: Template) -> str:
        """`render` in the owner of the channel, where functions may take their time."""
        if self.functions.slow.isdisjoint(template.functions):
            return self.render(channel, template)
        return await template.render_waiting(ChannelScope(self, channel))

    # -------------------------------------------------------------------------------------------------- timeouts

    def timeout_of(self, channel: Channel, what: str) -> float:
        """TIMEOUT(digit) or TIMEOUT(response) of a channel, in seconds."""
        return float(channel.functions.get(f"TIMEOUT({what})", DEFAULT_TIMEOUTS[what]))

    def absolute_timeout_left(self, channel: Channel) -> float:
        """Seconds until the call ends by TIMEOUT(absolute); 0 without one."""
        timer = channel.functions.get("TIMEOUT(absolute)")
        return max(0.0, timer.when() - self.registry.loop.time()) if timer is not None else 0.0

    def set_absolute_timeout(self, channel: Channel, duration: float) -> None:
        """End the call after so many seconds, in extension T if there is one; 0 takes the limit away."""
        before = channel.functions.pop("TIMEOUT(absolute)", None)
        if before is not None:
            before.cancel()
        else:
            channel.on_end.append(_cancel_absolute_timeout)
        if duration > 0:
            timer = self.registry.loop.call_later(duration, self._time_is_up, channel)
            channel.functions["TIMEOUT(absolute)"] = timer

    def _time_is_up(self, channel: Channel) -> None:
        channel.functions.pop("TIMEOUT(absolute)", None)
        run = Run(self, channel)
        special = run.special("T", channel.context)
        if special:
            run.enter_special(special, channel.context, "ABSOLUTETIMEOUT")
            channel.interrupt(Moved())
        else:
            channel.request_hangup()

    def _driver_state(self, technology: str, resource: str) -> str | None:
        driver = self.registry.driver(technology)
        return driver.device_state(resource) if driver is not None else None


EVERY_CHANNEL = ("channel:",)


def _cancel_absolute_timeout(channel: Channel) -> None:
    timer = channel.functions.pop("TIMEOUT(absolute)", None)
    if timer is not None:
        timer.cancel()


class ChannelScope:
    """Where the names in a channel's texts get their values; what goes wrong is logged and is ""."""

    __slots__ = ("channel", "plan")

    def __init__(self, plan: Interpreter, channel: Channel | None) -> None:
        self.plan = plan
        self.channel = channel

    def variable(self, name: str) -> str:
        return self.plan.lookup(self.channel, name) or ""

    def function(self, name: str, arguments: str) -> str:
        try:
            return self.plan.functions.read(self.plan, self.channel, name, arguments)
        except DialplanError as failure:
            log.warning("%s: %s", self._who(), failure)
            return ""

    async def wait(self, name: str, arguments: str) -> str:
        """The value of a function that may take its time."""
        function = self.plan.functions.get(name)
        if function is None or function.wait is None or self.channel is None:
            return self.function(name, arguments)
        waiting = self.plan.registry.loop.create_task(function.wait(self.plan, self.channel, arguments))
        try:
            return await self.channel.until(waiting)
        except DialplanError as failure:
            log.warning("%s: %s", self._who(), failure)
            return ""

    def _who(self) -> str:
        channel = self.channel
        if channel is None:
            return "no channel"
        return f"{channel.name} at {channel.exten}@{channel.context}:{channel.priority}"
