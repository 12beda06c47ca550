"""Manager sessions over HTTP: found by their cookie, ended by silence; answers as text, HTML or XML.

What is kept is bounded by the hub's limits of sessions. Events wait in a session until WaitEvent asks for them.
"""

from __future__ import annotations

import asyncio
import html
import re
import secrets
from collections.abc import Iterable

from arietta.manager.declared import Reply
from arietta.manager.hub import Hub
from arietta.manager.message import Action, Headers, ManagerEvent, encode_lines
from arietta.manager.session import Session

COOKIE = "mansession_id"
LONGEST_WAIT_S = 3600.0

_ODD_IN_ATTRIBUTES = re.compile(r"[^a-z0-9_.-]")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class WebSession:
    """A session with its key and its end."""

    def __init__(self, session: Session, key: str) -> None:
        self.session = session
        self.key = key
        self.expires_at = 0.0
        self.users = 0
        """Requests that are being answered."""


class WebSessions:
    """The sessions over HTTP."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._by_key: dict[str, WebSession] = {}
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._by_key)

    def find(self, key: str) -> WebSession | None:
        """A session that lives."""
        found = self._by_key.get(key)
        if found is not None and found.session.ended:
            del self._by_key[key]
            return None
        return found

    def open(self, host: str, port: int, key: str = "") -> WebSession | None:
        """A new session under a key nobody can guess; None when there are too many, or the host is banned."""
        if self._hub.refuses(host):
            return None
        made = WebSession(self._hub.open(host, port, "HTTP"), key or secrets.token_hex(16))
        self._by_key[made.key] = made
        self._prolong(made)
        return made

    async def perform(self, one: WebSession, action: Action) -> Reply:
        """Carry out an action; a session of nobody ends after it, unless a challenge was asked for."""
        one.users += 1
        try:
            reply = one.session.perform(action)
            if not isinstance(reply, Reply):
                reply = await reply
        finally:
            one.users -= 1
            self._prolong(one)
        session = one.session
        if reply.response == "Goodbye" or session.refused or not (session.is_logged_in or session.challenge):
            self.end(one)
        return reply

    def end(self, one: WebSession) -> None:
        """End a session."""
        self._by_key.pop(one.key, None)
        one.session.end()

    def stop(self) -> None:
        """End all of them."""
        for one in tuple(self._by_key.values()):
            self.end(one)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _prolong(self, one: WebSession) -> None:
        one.expires_at = self._hub.clock() + self._hub.settings.general.httptimeout
        if self._timer is None:
            self._arm()

    def _arm(self) -> None:
        loop = self._hub.domain.channels.loop
        self._timer = loop.call_later(max(1.0, self._hub.settings.general.httptimeout / 4), self._sweep)

    def _sweep(self) -> None:
        self._timer = None
        now = self._hub.clock()
        for one in tuple(self._by_key.values()):
            if one.session.ended or (not one.users and one.expires_at <= now):
                self.end(one)
        if self._by_key:
            self._arm()


def blocks_of(reply: Reply, action_id: str) -> list[Headers]:
    """A reply and its events, each as its headers."""
    mark: Headers = (("ActionID", action_id),) if action_id else ()
    blocks: list[Headers] = [(("Response", reply.response), *mark, *reply.headers)]
    blocks += [_event(event, ()) for event in reply.heard]
    blocks += [_event(event, mark) for event in reply.events]
    return blocks


def _event(event: ManagerEvent, mark: Headers) -> Headers:
    privilege: Headers = (("Privilege", event.privilege),) if event.privilege else ()
    return (("Event", event.name), *privilege, *mark, *event.headers)


def as_text(blocks: Iterable[Headers]) -> bytes:
    """As over a connection."""
    return b"".join(map(encode_lines, blocks))


def as_xml(blocks: Iterable[Headers]) -> bytes:
    """One element for each response and event, with an attribute for each header."""
    parts = ["<ajax-response>\n"]
    for block in blocks:
        attributes = "".join(f" {name}='{_escaped(value)}'" for name, value in _attributes(block))
        parts.append(f"<response type='object' id='unknown'><generic{attributes} /></response>\n")
    parts.append("</ajax-response>\n")
    return "".join(parts).encode("utf-8", "replace")


def _attributes(block: Headers) -> list[tuple[str, str]]:
    """Names of attributes are lower case; one that is there already gets a number."""
    found: dict[str, str] = {}
    for header, value in block:
        name = _ODD_IN_ATTRIBUTES.sub("_", header.lower()) or "_"
        if not (name[0].isalpha() or name[0] == "_"):
            name = f"_{name}"
        key, number = name, 0
        while key in found:
            number += 1
            key = f"{name}-{number}"
        found[key] = value
    return list(found.items())


def _escaped(value: str) -> str:
    return html.escape(_NO_XML.sub(" ", value), quote=True)


def as_html(blocks: Iterable[Headers]) -> bytes:
    """A page with a table, and a form for one more action."""
    rows = []
    for block in blocks:
        rows.append("<tr><td colspan='2'><hr></td></tr>\n")
        rows += [f"<tr><td>{_escaped(name)}</td><td>{_escaped(value)}</td></tr>\n" for name, value in block]
    return (
        "<!DOCTYPE html>\n<html><head><meta charset='utf-8'><title>Manager</title></head><body>\n"
        "<h1>Manager</h1>\n<form method='post'>Action: <input name='action'> Command or user name: "
        "<input name='command'> <input name='username'> Secret: <input name='secret' type='password'>"
        " <input type='submit' value='Send'></form>\n<table>\n" + "".join(rows) + "</table></body></html>\n"
    ).encode("utf-8", "replace")
