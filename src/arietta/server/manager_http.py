"""The manager interface over HTTP: /rawman, /manager and /mxml, and with digest authentication /arawman and so on."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable
from urllib.parse import parse_qsl

from arietta.http import Handler, Request, Response, html_page
from arietta.http.mounts import HtmlRefusals, method_not_allowed, not_found
from arietta.manager.declared import failure
from arietta.manager.hub import Hub
from arietta.manager.message import MAX_ACTION_BYTES, MAX_HEADERS, Action, Headers, one_line
from arietta.manager.session import Session
from arietta.manager.web import COOKIE, WebSession, WebSessions, as_html, as_text, as_xml, blocks_of

Writer = Callable[[Iterable[Headers]], bytes]

FORMS: dict[str, tuple[str, Writer]] = {
    "/rawman": ("text/plain", as_text),
    "/manager": ("text/html", as_html),
    "/mxml": ("text/xml", as_xml),
}
REALM = "asterisk"
MAX_NONCES = 1000
NONCE_LASTS_S = 3600.0
_FIELD = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


def manager_mounts(hub: Hub, web: WebSessions) -> dict[str, Handler]:
    """The paths and what answers them."""
    nonces = Nonces(hub.clock)
    mounts: dict[str, Handler] = {}
    for path, (content_type, writer) in FORMS.items():
        mounts[path] = ManagerPage(hub, web, content_type, writer)
        mounts[f"/a{path[1:]}"] = DigestPage(hub, web, content_type, writer, nonces)
    return mounts


class ManagerPage(HtmlRefusals):
    """One form of the interface, with sessions by cookie."""

    def __init__(self, hub: Hub, web: WebSessions, content_type: str, writer: Writer) -> None:
        self.hub = hub
        self.web = web
        self._content_type = f"{content_type}; charset=utf-8"
        self._writer = writer

    async def handle(self, request: Request) -> Response:
        """Answer one action."""
        action = _action(request)
        if isinstance(action, Response):
            return action
        session = self.web.find(_cookie(request)) or self.web.open(request.peer.host, request.peer.port)
        if session is None:
            return html_page(403, "There are too many sessions, or too many logins failed.")
        if session.session.host != request.peer.host:
            return html_page(403, "This session belongs to another address.")
        return await self.answer(session, action)

    async def answer(self, session: WebSession, action: Action) -> Response:
        """Carry the action out, and say where the session is found again."""
        if action.headers:
            reply = await self.web.perform(session, action)
        else:
            reply = failure("Missing action in request")
            if not session.session.is_logged_in:
                self.web.end(session)
        blocks = blocks_of(reply, action.action_id)
        age = 0 if session.session.ended else self.hub.settings.general.httptimeout
        cookie = f'{COOKIE}="{session.key}"; Version=1; Max-Age={age}; HttpOnly; SameSite=Strict'
        return Response(200, self._writer(blocks), self._content_type, (("Set-Cookie", cookie),))


class Nonces:
    """The challenges of digest authentication that are good still, with the highest count each was used with."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._made: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def make(self) -> str:
        """A new one; the oldest goes when there are too many."""
        nonce = secrets.token_hex(16)
        self._made[nonce] = (self._clock() + NONCE_LASTS_S, 0)
        if len(self._made) > MAX_NONCES:
            self._made.popitem(last=False)
        return nonce

    def take(self, nonce: str, count: int) -> bool:
        """Whether a nonce is good for a use with this count; it is for none after that with a lower or equal one."""
        found = self._made.get(nonce)
        if found is None or found[0] <= self._clock() or count <= found[1]:
            return False
        self._made[nonce] = (found[0], count)
        return True


class DigestPage(ManagerPage):
    """One form of the interface, where each request proves who asks (RFC 7616 with MD5); no Login is needed."""

    def __init__(self, hub: Hub, web: WebSessions, content_type: str, writer: Writer, nonces: Nonces) -> None:
        super().__init__(hub, web, content_type, writer)
        self._nonces = nonces

    async def handle(self, request: Request) -> Response:
        """Answer one action."""
        action = _action(request)
        if isinstance(action, Response):
            return action
        if not self.hub.logins.admits(request.peer.host, self.hub.clock()):
            return html_page(403, "Too many logins failed.")
        fields = _digest_fields(request)
        name, nonce = fields.get("username", ""), fields.get("nonce", "")
        if not self._is_right(request, fields):
            if fields:
                self.hub.reject(self._stranger(request), name)
            return self._challenge(stale=False)
        if not self._nonces.take(nonce, _count(fields)):
            return self._challenge(stale=True)
        key = f"digest {nonce} {name}"
        session = self.web.find(key)
        if session is None:
            user = self.hub.settings.users[name]
            session = self.web.open(request.peer.host, request.peer.port, key)
            if session is None:
                return html_page(403, "There are too many sessions.")
            if self.hub.is_taken(name) or not self.hub.permits(user, request.peer.host):
                self.web.end(session)
                return html_page(403, f"User {name} may not log in from here, or now.")
            self.hub.welcome(session.session, name, user, "", password=False)
        return await self.answer(session, action)

    def _is_right(self, request: Request, fields: dict[str, str]) -> bool:
        user = self.hub.settings.users.get(fields.get("username", ""))
        if user is None or not user.secret or fields.get("uri") != request.target:
            return False
        if fields.get("qop") != "auth" or fields.get("realm") != REALM:
            return False

        def md5(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        first = md5(f"{user.name}:{REALM}:{user.secret}")
        second = md5(f"{request.method}:{fields['uri']}")
        middle = f"{fields.get('nonce')}:{fields.get('nc')}:{fields.get('cnonce')}:auth"
        expected = md5(f"{first}:{middle}:{second}")
        return hmac.compare_digest(expected.encode(), fields.get("response", "").lower().encode())

    def _challenge(self, *, stale: bool) -> Response:
        challenge = f'Digest algorithm=MD5, realm="{REALM}", nonce="{self._nonces.make()}", qop="auth"'
        if stale:
            challenge += ", stale=true"
        return html_page(401, "Authentication required", (("WWW-Authenticate", challenge),))

    def _stranger(self, request: Request) -> Session:
        return Session(self.hub, request.peer.host, request.peer.port, "HTTP")


def _action(request: Request) -> Action | Response:
    """The action in the query or in a form; a refusal for what is none."""
    if request.rest:
        return not_found()
    if request.method not in ("GET", "POST"):
        return method_not_allowed("GET,POST")
    size = len(request.query_string) + len(request.body)
    if size > MAX_ACTION_BYTES:
        return html_page(413, f"The action has {size} bytes, {MAX_ACTION_BYTES} at most.")
    form = request.body.decode("utf-8", "replace") if request.method == "POST" else ""
    try:
        pairs = [
            pair
            for text in (request.query_string, form)
            for pair in parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_HEADERS)
        ]
    except ValueError:
        return html_page(400, f"The action has more than {MAX_HEADERS} fields.")
    return Action(tuple((one_line(name), one_line(value)) for name, value in pairs))


def _cookie(request: Request) -> str:
    for part in (request.headers.get("cookie") or "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value.strip('"')
    return ""


def _digest_fields(request: Request) -> dict[str, str]:
    scheme, _, rest = (request.headers.get("authorization") or "").partition(" ")
    if scheme.lower() != "digest":
        return {}
    return {found[1].lower(): found[2] if found[2] is not None else found[3] for found in _FIELD.finditer(rest)}


def _count(fields: dict[str, str]) -> int:
    try:
        return int(fields.get("nc", ""), 16)
    except ValueError:
        return 0
