"""ari … and http …: the REST interface and the server that carries it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.tables import columns, fields, plural, yes_no


def show_status(console: Console, _: list[str]) -> str:
    ari = console.switch.config.ari
    pairs = (
        ("Enabled", yes_no(ari.general.enabled)),
        ("Output format", "pretty" if ari.general.pretty else "compact"),
        ("Auth realm", ari.general.auth_realm),
        ("Allowed Origins", ",".join(ari.general.allowed_origins)),
        ("User count", len(ari.users)),
    )
    return "\n".join(["ARI Status:", *(f"{name}: {value}".rstrip() for name, value in pairs)])


def show_users(console: Console, _: list[str]) -> str:
    users = console.switch.config.ari.users
    lines = columns((4, 40), ("r/o?", "Username"), ("----", "--------"))
    return "\n".join([*lines, *columns((4, 40), *((yes_no(user.read_only), name) for name, user in users.items()))])


def show_user(console: Console, arguments: list[str]) -> str:
    name = arguments[0]
    user = console.switch.config.ari.users.get(name)
    if user is None:
        raise CommandError(f"User '{name}' not found")
    return f"Username: {name}\nRead only?: {yes_no(user.read_only)}"


def show_apps(console: Console, _: list[str]) -> str:
    views = console.switch.applications()
    lines = ["Application Name", "=" * 25, *(view.snapshot.name for view in views)]
    return "\n".join([*lines, "", plural(len(views), "application")])


def show_app(console: Console, arguments: list[str]) -> str:
    name = arguments[0]
    view = next((view for view in console.switch.applications() if view.snapshot.name == name), None)
    if view is None:
        raise CommandError(f"Application '{name}' does not exist")
    shown = view.snapshot
    lines = fields((("Name", shown.name), ("Listening", yes_no(view.active))), 12)
    subscriptions = (
        ("Channels", shown.channel_ids),
        ("Bridges", shown.bridge_ids),
        ("Endpoints", shown.endpoint_ids),
        ("Devices", shown.device_names),
    )
    for title, idents in subscriptions:
        lines += [f"  {title} ({len(idents)}):", *(f"    {ident}" for ident in idents)]
    return "\n".join(lines)


def http_show_status(console: Console, _: list[str]) -> str:
    settings = console.switch.config.http
    lines = ["HTTP Server Status:", f"Prefix: {settings.prefix}".rstrip(), f"Server: {settings.servername}"]
    addresses = console.switch.http_addresses()
    if not addresses:
        lines.append("Server Disabled")
    for address, tls in addresses:
        lines.append(f"{'HTTPS Server' if tls else 'Server'} Enabled and Bound to {address}")
    lines += ["", "Enabled URI's:"]
    lines += [f"{path} => {what}" for path, what in console.switch.http_uris()] or ["None."]
    lines += ["", "Enabled Redirects:"]
    redirects = [" ".join(redirect.split(None, 1)).replace(" ", " => ", 1) for redirect in settings.redirect]
    return "\n".join([*lines, *([f"  {redirect}" for redirect in redirects] or ["  None."])])


def _user_names(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return console.switch.config.ari.users if not arguments else ()


def _app_names(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return [view.snapshot.name for view in console.switch.applications()] if not arguments else ()


COMMANDS = (
    Command(("ari", "show", "status"), "Show the settings of the REST interface.", show_status),
    Command(("ari", "show", "users"), "List the users of the REST interface.", show_users),
    Command(("ari", "show", "user"), "Show one user of the REST interface.", show_user, "NAME", 1, 1, _user_names),
    Command(("ari", "show", "apps"), "List the Stasis applications.", show_apps),
    Command(("ari", "show", "app"), "Show what an application is subscribed to.", show_app, "NAME", 1, 1, _app_names),
    Command(("http", "show", "status"), "Show where the HTTP server listens and what it serves.", http_show_status),
)
