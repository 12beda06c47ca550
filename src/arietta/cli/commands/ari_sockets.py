"""ari … websocket, ari set debug and ari mkpasswd: the event sockets of applications, and hashes of passwords."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Sequence

from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.tables import columns, plural, yes_no
from arietta.http.crypt3 import make_crypt

ALL = "all"


def _sessions(console: Console) -> dict[str, tuple[str, str]]:
    """Sockets that clients have opened: their address and applications, by what names them."""
    return {f"{id(one):x}": (one.peer, ",".join(one.names)) for one in console.switch.ari.sockets}


def show_sessions(console: Console, _: list[str]) -> str:
    rows = [(name, peer, names) for name, (peer, names) in sorted(_sessions(console).items())]
    lines = columns((16, 28, 50), ("Session", "Remote", "Applications"), *rows)
    return "\n".join([*lines, f"{plural(len(rows), 'session')} of clients"])


def shut_down_session(console: Console, arguments: list[str]) -> str:
    for socket in tuple(console.switch.ari.sockets):
        if f"{id(socket):x}" == arguments[0]:
            socket.close("Closed from the console")
            return f"Session {arguments[0]} is closed."
    raise CommandError(f"There is no session {arguments[0]}")


def shut_down_sessions(console: Console, _: list[str]) -> str:
    sockets = tuple(console.switch.ari.sockets)
    for socket in sockets:
        socket.close("Closed from the console")
    return f"{plural(len(sockets), 'session')} closed."


def show_outbound(console: Console, _: list[str]) -> str:
    configured = console.switch.config.ari.outbound_websockets
    up = {socket.plan.name for socket in console.switch.outbound if socket.is_up}
    rows = [
        (name, one.websocket_client_id, ",".join(one.apps), yes_no(name in up))
        for name, one in sorted(configured.items())
    ]
    lines = columns((24, 24, 40, 4), ("Name", "Client", "Applications", "Up"), *rows)
    return "\n".join([*lines, plural(len(rows), "outbound websocket")])


def show_clients(console: Console, _: list[str]) -> str:
    clients = console.switch.config.websocket_clients
    rows = [(name, one.uri, one.connection_type) for name, one in sorted(clients.items())]
    return "\n".join([*columns((24, 50, 16), ("Name", "URI", "Type"), *rows), plural(len(rows), "websocket client")])


def set_debug(console: Console, arguments: list[str]) -> str:
    name, state = arguments[0], arguments[1].lower()
    if state not in ("on", "off"):
        raise CommandError(f"'{arguments[1]}' is neither on nor off")
    shown = console.switch.ari.shown
    if state == "on":
        if name != ALL and all(view.snapshot.name != name for view in console.switch.applications()):
            raise CommandError(f"Application '{name}' does not exist")
        shown.add(name)
    elif name == ALL:
        shown.clear()
    else:
        shown.discard(name)
    told = ", ".join(sorted(shown)) or "no application"
    return f"Events and requests over sockets are told of {told}."


async def make_password(_: Console, arguments: list[str]) -> str:
    salt = secrets.token_hex(8)
    try:
        hashed = await asyncio.to_thread(make_crypt, arguments[0], f"$6${salt}$")
    except ValueError as problem:
        raise CommandError(str(problem)) from None
    return f"; Copy these two lines into ari.conf\npassword_format = crypt\npassword = {hashed}"


def _names(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else list(_sessions(console))


def _apps(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    if len(arguments) == 1:
        return ("on", "off")
    return (ALL, *(view.snapshot.name for view in console.switch.applications())) if not arguments else ()


COMMANDS = (
    Command(("ari", "show", "sessions"), "List the event sockets that clients have opened.", show_sessions),
    Command(("ari", "show", "websocket", "sessions"), "The same.", show_sessions),
    Command(
        ("ari", "shutdown", "websocket", "session"), "Close an event socket.", shut_down_session, "SESSION", 1, 1,
        _names,
    ),
    Command(("ari", "shutdown", "websocket", "sessions"), "Close all event sockets.", shut_down_sessions),
    Command(("ari", "show", "outbound-websockets"), "List the event sockets that we open.", show_outbound),
    Command(("websocket_client", "show", "clients"), "List the servers of websocket_client.conf.", show_clients),
    Command(
        ("ari", "set", "debug"), "Tell events and requests over the sockets of applications.", set_debug,
        "APP|all on|off", 2, 2, _apps,
    ),
    Command(("ari", "mkpasswd"), "Hash a password for ari.conf.", make_password, "PASSWORD", 1, 1),
)  # fmt: skip
