"""The records of one server: what makes them, where they go, and what the dialplan may say of them."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from arietta.channels.channel import Channel
from arietta.config.tree import Config
from arietta.dialplan.applications import Application, DeclaredApplication
from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import ApplicationError, FunctionError
from arietta.dialplan.functions import DeclaredFunction, Function, needed
from arietta.dialplan.interpreter import ChannelScope, Interpreter
from arietta.dialplan.run import Run
from arietta.dialplan.variables import SubstitutionError, substitute
from arietta.manager.events.records import RECORDS
from arietta.manager.events.translator import OTHERS
from arietta.records.backends import CallBackends, ChannelLogBackends, Headers
from arietta.records.calls import CallRecorder
from arietta.records.channels import ChannelLog
from arietta.records.detail import FIELDS, WRITABLE, Detail, ama_flags
from arietta.records.mappings import Value
from arietta.records.writing import RecordWriter

if TYPE_CHECKING:
    from arietta.server.server import Server

log = logging.getLogger(__name__)

YES = frozenset(("1", "yes", "true", "y", "t", "on"))

CDR = DeclaredFunction(
    "CDR",
    "CDR(name[,options])",
    f"A field of the call's record, or a variable kept with it. Fields: {', '.join(sorted(FIELDS))}; of them "
    f"{', '.join(sorted(WRITABLE))} can be set. Options: `u` numbers in place of words and dates, `f` "
    "fractions of seconds. Empty where no records are made.",
    can_set=True,
)
CDR_PROP = DeclaredFunction(
    "CDR_PROP",
    "CDR_PROP(name)",
    "Says of the channel's records: `party_a` that it is party A where it meets another, `disable` that they "
    "are not to be written.",
    can_read=False,
    can_set=True,
)
NO_CDR = DeclaredApplication("NoCDR", "NoCDR()", "Lets no record of this channel be written.")
RESET_CDR = DeclaredApplication(
    "ResetCDR",
    "ResetCDR([options])",
    "Lets the record of the call begin now. Option `v` keeps its variables.",
)
FORK_CDR = DeclaredApplication(
    "ForkCDR",
    "ForkCDR([options])",
    "Begins a further record of the call. Options: `a` its answer is now, `e` the former ones end, "
    "`r` its start and answer are now, `v` it takes over no variables.",
)
USER_EVENT = DeclaredApplication(
    "CELGenUserEvent",
    "CELGenUserEvent(name[,extra])",
    "Writes a USER_DEFINED event of that name into the log of channels.",
)
APPLICATIONS = (NO_CDR, RESET_CDR, FORK_CDR, USER_EVENT)
FUNCTIONS = (CDR, CDR_PROP)


class _MappingScope(ChannelScope):
    """A record's own values first, then what the dialplan knows without a channel."""

    __slots__ = ("value",)

    def __init__(self, plan: Interpreter, value: Value) -> None:
        super().__init__(plan, None)
        self.value = value

    def variable(self, name: str) -> str:
        found = self.value(name, None)
        return super().variable(name) if found is None else found

    def function(self, name: str, arguments: str) -> str:
        found = self.value(name, arguments)
        return super().function(name, arguments) if found is None else found


class Records:
    """Call records (CDR) and the log of channels (CEL)."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = server.channels.loop
        self.writer = RecordWriter()
        self._waiting: list[Detail] = []
        self._timer: asyncio.TimerHandle | None = None
        config = server.config
        parts = (server.bus, server.channels, server.bridges)
        self.calls = CallRecorder(*parts, config.cdr.general, self._deliver)
        self.channel_log = ChannelLog(*parts, config.cel.general, lambda entry: self.log_backends.write(entry))
        self.call_backends, self.log_backends = self._backends(config)
        server.dialplan.functions.add(self._cdr_function())
        server.dialplan.functions.add(self._cdr_prop())
        for application in self._applications():
            server.dialplan.applications.add(application)

    def _backends(self, config: Config) -> tuple[CallBackends, ChannelLogBackends]:
        where = (config.directories.log, self.writer, self._render, self._tell)
        return CallBackends(config.cdr, *where), ChannelLogBackends(config.cel, *where)

    def start(self) -> None:
        """Record what the configuration wants recorded."""
        config = self._server.config
        if config.cdr.running:
            self.calls.start()
        if config.cel.running:
            self.channel_log.start()

    def configure(self, config: Config) -> None:
        """Take new settings; calls that last go on being recorded."""
        self.submit()
        self.calls.settings = config.cdr.general
        self.channel_log.settings = config.cel.general
        (self.calls.start if config.cdr.running else self.calls.stop)()
        self.submit()
        self.call_backends, self.log_backends = self._backends(config)
        (self.channel_log.start if config.cel.running else self.channel_log.stop)()

    def stop(self) -> None:
        """End every record; with safeshutdown wait until all are written."""
        self.calls.stop()
        self.channel_log.stop()
        self.submit()
        if self.call_backends.settings.general.safeshutdown:
            self.writer.stop()
        else:
            self.writer.stop(0.1)

    # --------------------------------------------------------------------------------------------- where they go

    @property
    def waiting(self) -> int:
        """Records of calls that wait for their batch."""
        return len(self._waiting)

    def _deliver(self, detail: Detail) -> None:
        general = self.call_backends.settings.general
        if not general.batch:
            self.call_backends.write(detail)
            return
        self._waiting.append(detail)
        if len(self._waiting) >= general.size:
            self.submit()
        elif self._timer is None:
            self._timer = self._loop.call_later(general.time, self.submit)

    def submit(self) -> None:
        """Write the batch that waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        waiting, self._waiting = self._waiting, []
        for detail in waiting:
            self.call_backends.write(detail)

    def _render(self, template: str, value: Value) -> str:
        try:
            return substitute(template, _MappingScope(self._server.dialplan, value))
        except SubstitutionError as failure:
            log.warning("a record cannot be written whole: %s", failure)
            return ""

    def _tell(self, name: str, headers: Headers) -> None:
        if self._server.bus.wanted(OTHERS):
            self._server.bus.publish(RECORDS[name](headers), OTHERS)

    # ---------------------------------------------------------------------------------------------- the dialplan

    def _cdr_function(self) -> Function:
        def read(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
            name, _, options = arguments.partition(",")
            detail = self.calls.current(needed(channel, "CDR"))
            return (
                detail.field(name.strip().lower() if name.strip().lower() in FIELDS else name.strip(), options)
                if (detail is not None)
                else ""
            )

        def write(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
            channel = needed(channel, "CDR")
            name = arguments.partition(",")[0].strip()
            field = name.lower()
            if field in FIELDS and field not in WRITABLE:
                raise FunctionError("CDR", f"{name} can be read only")
            try:
                if field == "accountcode":
                    channel.set_account_code(value)
                elif field == "amaflags":
                    channel.functions["CHANNEL(amaflags)"] = ama_flags(value)
                elif field == "userfield":
                    channel.functions["CHANNEL(userfield)"] = value
                else:
                    self.calls.set_variable(channel, name, value)
            except ValueError as failure:
                raise FunctionError("CDR", str(failure)) from failure

        return CDR.done_by(read, write)

    def _cdr_prop(self) -> Function:
        def write(plan: Interpreter, channel: Channel | None, arguments: str, value: str) -> None:
            party = self.calls.party(needed(channel, "CDR_PROP"))
            name, is_on = arguments.strip().lower(), value.strip().lower() in YES
            if name not in ("party_a", "disable"):
                raise FunctionError("CDR_PROP", f"{arguments!r} is none of party_a, disable")
            if party is None:
                return
            if name == "party_a":
                party.is_a = is_on
            else:
                party.disabled = is_on

        return CDR_PROP.done_by(write=write)

    def _applications(self) -> tuple[Application, ...]:
        calls = self.calls

        async def no_cdr(channel: Channel, arguments: str, run: Run) -> None:
            party = calls.party(channel)
            if party is not None:
                party.disabled = True

        async def reset_cdr(channel: Channel, arguments: str, run: Run) -> None:
            options = _letters(arguments, "v")
            calls.reset(channel, keep_variables="v" in options)

        async def fork_cdr(channel: Channel, arguments: str, run: Run) -> None:
            options = _letters(arguments, "aerv")
            calls.fork(channel, end="e" in options, answer="a" in options, reset="r" in options, bare="v" in options)

        async def user_event(channel: Channel, arguments: str, run: Run) -> None:
            name, *more = split_arguments(arguments, 2) or [""]
            if not name:
                raise ApplicationError("names no event")
            self.channel_log.user_defined(channel, name, more[0] if more else "")

        return (
            NO_CDR.done_by(no_cdr),
            RESET_CDR.done_by(reset_cdr),
            FORK_CDR.done_by(fork_cdr),
            USER_EVENT.done_by(user_event),
        )


def _letters(arguments: str, known: str) -> str:
    options = arguments.strip()
    strange = [letter for letter in options if letter not in known]
    if strange:
        raise ApplicationError(f"option {strange[0]} is not supported, supported are {' '.join(known)}")
    return options
