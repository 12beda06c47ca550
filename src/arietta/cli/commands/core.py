"""core …: the server itself, its channels, and help."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Sequence

from arietta import __version__, verbose
from arietta.cli.commands.registry import UNLIMITED, Command, CommandError, Completer, Console, Handler
from arietta.cli.switch import ChannelView, HelpView, HintView, StopWhen
from arietta.cli.tables import columns, duration, fields, plural, span, yes_no

MAX_LEVEL = 100


def channel_names(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    """Names of the living channels, for completion."""
    return (view.snapshot.name for view in console.switch.channels()) if not arguments else ()


def need_channel(console: Console, name: str) -> ChannelView:
    """A living channel by name or id."""
    found = console.switch.channel(name)
    if found is None:
        raise CommandError(f"{name} is not a known channel")
    return found


def show_channels(console: Console, arguments: list[str]) -> str:
    form = (arguments[0] if arguments else "short").lower()
    views = console.switch.channels()
    now = time.time()
    if form == "concise":
        return "\n".join(_concise(view, now) for view in views)
    if form == "count":
        lines: list[str] = []
    elif form == "verbose":
        widths = (20, 20, 16, 4, 7, 12, 25, 15, 11, 10, 11, 20)
        header = ("Channel", "Context", "Extension", "Prio", "State", "Application", "Data", "CallerID", "Duration")
        lines = columns(widths, (*header, "Accountcode", "PeerAccount", "BridgeID"))
        accounts = {view.snapshot.name: view.snapshot.accountcode for view in views}
        lines += columns(widths, *(_verbose(view, now, accounts) for view in views))
    elif form == "short":
        short = (20, 20, 7, 30)
        lines = columns(short, ("Channel", "Location", "State", "Application(Data)"))
        lines += columns(short, *map(_short, views))
    else:
        raise CommandError(f"'{form}' is none of concise, verbose and count")
    lines.append(plural(len(views), "active channel"))
    lines.append(plural(len(_calls(views)), "active call"))
    lines.append(f"{plural(console.switch.calls_processed, 'call')} processed")
    return "\n".join(lines)


def _short(view: ChannelView) -> tuple[str, ...]:
    shown = view.snapshot
    place = shown.dialplan
    location = f"{place.exten}@{place.context}:{place.priority}" if place.exten else "(None)"
    running = f"{place.app_name}({place.app_data})" if place.app_name else "(None)"
    return shown.name, location, shown.state, running


def _verbose(view: ChannelView, now: float, accounts: dict[str, str]) -> tuple[str, ...]:
    shown, place = view.snapshot, view.snapshot.dialplan
    return (
        shown.name,
        place.context,
        place.exten,
        str(place.priority),
        shown.state,
        place.app_name or "(None)",
        place.app_data,
        shown.caller.number,
        duration(now - view.created_at),
        shown.accountcode,
        accounts.get(view.peer, ""),
        view.bridge_id,
    )


def _concise(view: ChannelView, now: float) -> str:
    """Fourteen cells between exclamation marks, for programs that read them by position."""
    shown, place = view.snapshot, view.snapshot.dialplan
    cells = (
        shown.name,
        place.context,
        place.exten,
        place.priority,
        shown.state,
        place.app_name or "(None)",
        place.app_data,
        shown.caller.number,
        shown.accountcode,
        "",
        3,  # AMA flags: every call is documented
        int(now - view.created_at),
        view.bridge_id or "(None)",
        shown.id,
    )
    return "!".join(str(cell) for cell in cells)


def _calls(views: Sequence[ChannelView]) -> set[str]:
    """One entry per call: channels in one bridge are one call."""
    return {view.bridge_id or view.snapshot.id for view in views}


def show_channel(console: Console, arguments: list[str]) -> str:
    view = need_channel(console, arguments[0])
    shown, place, now = view.snapshot, view.snapshot.dialplan, time.time()
    lines = [" -- General --"]
    lines += fields(
        (
            ("Name", shown.name),
            ("Type", shown.name.partition("/")[0]),
            ("UniqueID", shown.id),
            ("Protocol ID", shown.protocol_id or "(N/A)"),
            ("Caller ID", shown.caller.number or "(N/A)"),
            ("Caller ID Name", shown.caller.name or "(N/A)"),
            ("Connected Line ID", shown.connected.number or "(N/A)"),
            ("Connected Line ID Name", shown.connected.name or "(N/A)"),
            ("Account Code", shown.accountcode or "(N/A)"),
            ("Language", shown.language),
            ("State", shown.state),
            ("Codec", view.codec or "(none)"),
            ("Hangup Cause", view.hangup_cause),
            ("Elapsed Time", duration(now - view.created_at)),
            ("Answered Time", duration(now - view.answered_at) if view.answered_at else "(not answered)"),
            ("Bridge ID", view.bridge_id or "(Not bridged)"),
            ("Bridged To", view.peer or "(N/A)"),
        )
    )
    lines.append(" -- PBX --")
    lines += fields(
        (
            ("Context", place.context),
            ("Extension", place.exten),
            ("Priority", place.priority),
            ("Application", place.app_name or "(N/A)"),
            ("Data", place.app_data or "(Empty)"),
        )
    )
    lines.append(" -- Variables --")
    lines += [f"  {name}={value}" for name, value in sorted(view.variables.items())]
    return "\n".join(lines)


def show_calls(console: Console, _: list[str]) -> str:
    lines = [plural(len(_calls(console.switch.channels())), "active call")]
    lines.append(f"{plural(console.switch.calls_processed, 'call')} processed")
    return "\n".join(lines)


def show_version(_: Console, __: list[str]) -> str:
    system = platform.uname()
    return (
        f"Arietta {__version__} on {platform.python_implementation()} {platform.python_version()},"
        f" {system.system} {system.release} {system.machine}, process {os.getpid()}"
    )


def show_uptime(console: Console, arguments: list[str]) -> str:
    now = time.time()
    up, reload = now - console.switch.started_at, now - console.switch.last_reload_at
    if not arguments:
        return f"System uptime: {span(up)}\nLast reload: {span(reload)}"
    if arguments[0].lower() != "seconds":
        raise CommandError(f"'{arguments[0]}' is not seconds")
    return f"System uptime: {int(up)}\nLast reload: {int(reload)}"


def show_engine(console: Console, _: list[str]) -> str:
    engine = console.switch.engine()
    told = engine.statistics
    pairs: list[tuple[str, object]] = [("Media engine", engine.name)]
    if engine.why:
        pairs.append(("Not the native one", engine.why))
    pairs += [
        ("Threads", told.threads or "(the caller's)"),
        ("Ports", f"{told.ports} open, {told.active_ports} active"),
        ("Mixers", told.mixers),
        ("Ticks", told.ticks),
        ("Late ticks, skipped", told.late_ticks),
        ("Time per tick", f"{told.tick_ns / 1000 / told.ticks:.1f} µs" if told.ticks else "(none yet)"),
        ("Packets received", told.packets_received),
        ("Packets dropped", told.packets_dropped),
        ("Packets lost", told.packets_lost),
        ("Packets sent", told.packets_sent),
        ("Send errors", told.send_errors),
        ("Events dropped", told.events_dropped),
        ("Sound in memory", f"{told.cached_bytes / 1_000_000:.1f} MB"),
    ]
    return "\n".join(fields(pairs, indent=0))


def show_settings(console: Console, _: list[str]) -> str:
    switch = console.switch
    config, folders = switch.config, switch.config.directories
    options = config.asterisk.options

    def clock(moment: float) -> str:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))

    groups: list[tuple[str, Sequence[tuple[str, object]]]] = [
        (
            "Server",
            (
                ("Version", __version__),
                ("Entity ID", switch.asterisk_id),
                ("System name", options.systemname or "(none)"),
                ("Startup time", clock(switch.started_at)),
                ("Last reload time", clock(switch.last_reload_at)),
                ("Maximum calls", options.maxcalls or "Not set"),
                ("Verbosity", verbose.level()),
                ("Debug level", console.logs.debug_level),
                ("Default language", options.defaultlanguage),
                ("Executable includes", "Enabled" if options.execincludes else "Disabled"),
                ("Live dangerously", yes_no(options.live_dangerously)),
                *switch.settings(),
            ),
        ),
        (
            "Directories",
            (
                ("Configuration", folders.etc),
                ("Variable data", folders.var_lib),
                ("Data", folders.data),
                ("Sounds", folders.sounds),
                ("Recordings", folders.recordings),
                ("Run", folders.run),
                ("Logs", folders.log),
            ),
        ),
    ]
    lines = []
    for title, pairs in groups:
        lines += [title, "-" * len(title), *fields(pairs), ""]
    return "\n".join(lines[:-1])


def _list_help(kind: str, found: Sequence[HelpView], arguments: list[str]) -> str:
    like = like_word(arguments)
    shown = [entry for entry in found if like in entry.name.lower()]
    lines = columns((24, 60), *((entry.name, entry.synopsis) for entry in sorted(shown, key=lambda e: e.name.lower())))
    return "\n".join([*lines, f"    -= {plural(len(shown), kind)} {'matching' if like else 'registered'} =-"])


def like_word(arguments: Sequence[str]) -> str:
    """The lower-case word of `like WORD`, or an empty one."""
    if not arguments:
        return ""
    if arguments[0].lower() != "like" or len(arguments) != 2:
        raise CommandError(f"'{' '.join(arguments)}' is not like WORD")
    return arguments[1].lower()


def _explain(kind: str, found: Sequence[HelpView], name: str) -> str:
    entry = next((entry for entry in found if entry.name.lower() == name.lower()), None)
    if entry is None:
        raise CommandError(f"There is no dialplan {kind} '{name}'")
    lines = [f"  -= Info about {kind} '{entry.name}' =-", "", "[Synopsis]", entry.synopsis]
    for title, text in (("[Syntax]", entry.syntax), ("[Description]", entry.description)):
        if text:
            lines += ["", title, text]
    return "\n".join(lines)


def show_applications(console: Console, arguments: list[str]) -> str:
    return _list_help("application", console.switch.dialplan_applications(), arguments)


def show_application(console: Console, arguments: list[str]) -> str:
    return _explain("application", console.switch.dialplan_applications(), arguments[0])


def show_functions(console: Console, arguments: list[str]) -> str:
    return _list_help("function", console.switch.dialplan_functions(), arguments)


def show_function(console: Console, arguments: list[str]) -> str:
    return _explain("function", console.switch.dialplan_functions(), arguments[0].removesuffix("()"))


def _hint_lines(found: Sequence[HintView]) -> list[str]:
    return [
        f"{f'{one.exten}@{one.context}':>24} : {one.hint:<22} State:{one.state:<15} Presence:{one.presence:<15}"
        f" Watchers {one.watchers:>2}"
        for one in found
    ]


def show_hints(console: Console, _: list[str]) -> str:
    found = console.switch.hints()
    lines = ["    -= Registered Asterisk Dial Plan Hints =-", *_hint_lines(found), "-" * 16]
    return "\n".join([*lines, f"- {plural(len(found), 'hint')} registered"])


def show_hint(console: Console, arguments: list[str]) -> str:
    exten, _, context = arguments[0].partition("@")
    found = [one for one in console.switch.hints() if one.exten == exten and context in ("", one.context)]
    if not found:
        raise CommandError(f"No hint matches extension {arguments[0]}")
    return "\n".join([*_hint_lines(found), "-" * 16, f"{plural(len(found), 'hint')} matching extension {arguments[0]}"])


def show_help(console: Console, arguments: list[str]) -> str:
    found = console.commands.beginning_with(arguments)
    if not found:
        raise CommandError(f"No command begins with '{' '.join(arguments)}'")
    if len(found) == 1 and arguments:
        return f"Usage: {found[0].usage}\n       {found[0].summary}"
    width = max(len(command.usage) for command in found)
    return "\n".join(f"{command.usage:<{min(width, 48)}}  {command.summary}" for command in found)


def _level(arguments: list[str], now: int) -> int:
    """A level as a number, off, or `atleast N`, which lowers nothing."""
    least, text = 0, arguments[0]
    if len(arguments) == 2:
        if text.lower() != "atleast":
            raise CommandError(f"'{text}' is not atleast")
        least, text = now, arguments[1]
    if text.lower() == "off":
        return least
    if not (text.isascii() and text.isdigit()) or int(text[:9]) > MAX_LEVEL:
        raise CommandError(f"level {text[:20]} is outside 0..{MAX_LEVEL}; it is {now}")
    return max(least, int(text))


def set_verbose(console: Console, arguments: list[str]) -> str:
    before = verbose.level()
    console.logs.set_verbose(_level(arguments, before))
    return _changed("Console verbose", before, verbose.level())


def set_debug(console: Console, arguments: list[str]) -> str:
    before = console.logs.debug_level
    console.logs.set_debug(_level(arguments, before))
    return _changed("Core debug", before, console.logs.debug_level)


def _changed(what: str, before: int, after: int) -> str:
    return f"{what} is still {after}." if before == after else f"{what} was {before} and is now {after}."


def _ender(when: StopWhen, *, restarts: bool = False) -> Handler:
    """A command that ends the server."""
    verb = "restart" if restarts else "stop"

    def end(console: Console, _: list[str]) -> str:
        console.switch.stop(when, restarts=restarts)
        if when == "now":
            return f"The server {verb}s now."
        calls = plural(len(_calls(console.switch.channels())), "call")
        if when == "gracefully":
            return f"The server takes no new calls and {verb}s after the last one; {calls} to go."
        return f"The server takes calls and {verb}s when there are none; {calls} now."

    return end


def abort_shutdown(console: Console, _: list[str]) -> str:
    if not console.switch.abort_stop():
        raise CommandError("No shutdown waits for calls to end")
    return "The shutdown is aborted: the server goes on and takes calls."


def wait_fully_booted(_: Console, __: list[str]) -> str:
    """The control socket is served when every part answers, so whoever gets this has waited."""
    return "Asterisk has fully booted."


def _words(*words: str) -> Completer:
    return lambda _console, arguments: words if not arguments else ()


def _names(find: Callable[[Console], Sequence[HelpView]]) -> Completer:
    return lambda console, arguments: [entry.name for entry in find(console)] if not arguments else ()


_APPLICATIONS = _names(lambda console: console.switch.dialplan_applications())
_FUNCTIONS = _names(lambda console: console.switch.dialplan_functions())


def _hinted(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return [one.exten for one in console.switch.hints()] if not arguments else ()


def _help_words(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    size = len(arguments)
    return {c.words[size] for c in console.commands.beginning_with(arguments) if len(c.words) > size}


COMMANDS = (
    Command(
        ("core", "show", "channels"),
        "List the channels.",
        show_channels,
        "[concise|verbose|count]",
        most=1,
        complete=_words("concise", "verbose", "count"),
    ),
    Command(("core", "show", "channel"), "Show all about a channel.", show_channel, "NAME", 1, 1, channel_names),
    Command(("core", "show", "calls"), "Count the calls.", show_calls),
    Command(("core", "show", "version"), "Show the version.", show_version),
    Command(
        ("core", "show", "uptime"),
        "Show how long the server runs.",
        show_uptime,
        "[seconds]",
        most=1,
        complete=_words("seconds"),
    ),
    Command(("core", "show", "engine"), "Show the media engine and what it has counted.", show_engine),
    Command(("core", "show", "settings"), "Show what the server runs with.", show_settings),
    Command(
        ("core", "show", "applications"),
        "List the applications of the dialplan.",
        show_applications,
        "[like WORD]",
        most=2,
    ),
    Command(
        ("core", "show", "application"),
        "Explain an application of the dialplan.",
        show_application,
        "NAME",
        1,
        1,
        _APPLICATIONS,
    ),
    Command(
        ("core", "show", "functions"), "List the functions of the dialplan.", show_functions, "[like WORD]", most=2
    ),
    Command(
        ("core", "show", "function"), "Explain a function of the dialplan.", show_function, "NAME", 1, 1, _FUNCTIONS
    ),
    Command(("core", "show", "hints"), "List what extensions show to who watches them.", show_hints),
    Command(("core", "show", "hint"), "Show what an extension shows.", show_hint, "EXTEN[@CONTEXT]", 1, 1, _hinted),
    Command(
        ("core", "show", "help"),
        "List the commands, or explain one.",
        show_help,
        "[COMMAND]",
        most=UNLIMITED,
        complete=_help_words,
    ),
    Command(
        ("help",), "List the commands, or explain one.", show_help, "[COMMAND]", most=UNLIMITED, complete=_help_words
    ),
    Command(
        ("core", "set", "verbose"),
        "Tell calls up to a level; off tells none.",
        set_verbose,
        "[atleast] LEVEL|off",
        1,
        2,
    ),
    Command(
        ("core", "set", "debug"),
        "Tell the inside from level 1 on; off does not.",
        set_debug,
        "[atleast] LEVEL|off",
        1,
        2,
    ),
    Command(("core", "stop", "now"), "End all calls and stop.", _ender("now")),
    Command(("core", "stop", "gracefully"), "Take no new calls and stop after the last one.", _ender("gracefully")),
    Command(
        ("core", "stop", "when", "convenient"),
        "Stop when there are no calls; take new ones.",
        _ender("when convenient"),
    ),
    Command(("core", "restart", "now"), "End all calls and start anew.", _ender("now", restarts=True)),
    Command(
        ("core", "restart", "gracefully"),
        "Take no new calls and start anew after the last one.",
        _ender("gracefully", restarts=True),
    ),
    Command(
        ("core", "restart", "when", "convenient"),
        "Start anew when there are no calls; take new ones.",
        _ender("when convenient", restarts=True),
    ),
    Command(("core", "abort", "shutdown"), "Go on after all, if a stop or restart waits for calls.", abort_shutdown),
    Command(("core", "waitfullybooted"), "Wait until every part of the server answers.", wait_fully_booted),
)
