"""Who a session is, and what it hears: Login, Challenge, Logoff, Events, Filter, WaitEvent, Ping, ListCommands."""

from __future__ import annotations

import asyncio
import time

from arietta.config.event_filter import read_filter
from arietta.errors import BadRequest
from arietta.manager.declared import ACTIONS, SILENT, Call, Reply, action, failure, success
from arietta.manager.message import ManagerEvent
from arietta.manager.session import MAX_FILTERS, mask_of

FAILED_LOGIN_S = 1.0
"""How long a failed login waits for its answer."""
MAX_WAIT_S = 3600


@action(
    "Login",
    "Log in, with the secret or with a key made of it.",
    ("Username", "A user of manager.conf."),
    ("[Secret]", "Its secret."),
    ("[AuthType]", "MD5 for a key in place of the secret, after Challenge."),
    ("[Key]", "MD5 of the challenge followed by the secret, in hexadecimal digits."),
    ("[Events]", "Which events to send: on, off, or kinds between commas."),
)
async def login(call: Call) -> Reply:
    session, hub = call.session, call.session.hub
    name, kind = call.get("Username"), call.get("AuthType")
    if session.is_logged_in:
        return failure("Already logged in")
    if kind and kind.lower() != "md5":
        return await _reject(call, f"Unknown AuthType {kind[:40]}", name)
    key = call.get("Key") if kind else ""
    if kind and not key:
        return await _reject(call, "Authentication failed", name)
    user = hub.check(session, name, call.get("Secret"), key)
    if user is None:
        return await _reject(call, "Authentication failed", name)
    if hub.is_taken(name):
        await asyncio.sleep(FAILED_LOGIN_S)
        session.refused = True
        return failure("Login Already In Use")
    hub.welcome(session, name, user, call.get("Events"), password=not key)
    heard = (fully_booted(call),) if session.is_bound and "system" in session.reads else ()
    return Reply((("Message", "Authentication accepted"),), heard=heard)


async def _reject(call: Call, message: str, name: str) -> Reply:
    call.session.hub.reject(call.session, name)
    call.session.refused = True
    await asyncio.sleep(FAILED_LOGIN_S)
    return failure(message)


def fully_booted(call: Call) -> ManagerEvent:
    """What each session is told that logs in."""
    system, now = call.domain.system, time.time()
    return ManagerEvent(
        "FullyBooted",
        "system,all",
        (
            ("Status", "Fully Booted"),
            ("Uptime", str(int(now - system.started_at))),
            ("LastReload", str(int(now - system.last_reload_at))),
        ),
    )


@action("Challenge", "Get a number to make the key of a login with.", ("AuthType", "MD5."))
def challenge(call: Call) -> Reply:
    kind = call.get("AuthType")
    if kind.lower() != "md5":
        raise BadRequest("Must specify AuthType" if not kind else f"AuthType {kind[:40]} is not MD5")
    return success("", ("Challenge", call.session.hub.new_challenge(call.session)))


@action("Logoff", "End the session.")
def logoff(call: Call) -> Reply:
    return Reply((("Message", "Thanks for all the fish."),), "Goodbye")


@action("Ping", "Show that both sides are there.")
def ping(call: Call) -> Reply:
    return success("", ("Ping", "Pong"), ("Timestamp", f"{time.time():.6f}"))


@action(
    "Events",
    "Say which events to send from now on.",
    ("EventMask", "on, off, kinds between commas, or the sum of their numbers."),
)
def events(call: Call) -> Reply:
    session, hub = call.session, call.session.hub
    mask = mask_of(call.need("EventMask", "Invalid event mask"))
    broken = hub.settings.general.brokeneventsaction
    if mask is None:
        return SILENT if broken else failure("Invalid event mask")
    session.wants(mask)
    hub.sort()
    if broken and mask == mask_of("all"):
        return SILENT
    return success("", ("Events", "On" if mask else "Off"))


@action(
    "Filter",
    "Add a filter for the events of this session.",
    ("[Operation]", "Add."),
    ("[MatchCriteria]", "What is matched how, as in the parentheses of eventfilter() in manager.conf."),
    ("Filter", "The regular expression, ! before it keeps events out; with MatchCriteria the text to match."),
    write="system",
)
def filter_events(call: Call) -> Reply:
    operation = call.get("Operation", "Add")
    if operation.lower() != "add":
        raise BadRequest(f"Unknown operation {operation[:40]}: Add is known")
    if len(call.session.filters) >= MAX_FILTERS:
        raise BadRequest(f"There are {MAX_FILTERS} filters, which is the limit")
    criteria = call.get("MatchCriteria") if "MatchCriteria" in call.action else None
    try:
        added = read_filter(criteria, call.get("Filter"))
    except ValueError as problem:
        raise BadRequest(f"Filter error: {problem}") from None
    call.session.filters += (added,)
    return success("Filter added successfully")


@action(
    "WaitEvent",
    "Wait for an event, and get all that have happened since the last time: for sessions over HTTP.",
    ("[Timeout]", f"Seconds to wait at most; -1 or none for {MAX_WAIT_S}."),
)
async def wait_event(call: Call) -> Reply:
    timeout = call.number("Timeout", -1, -1, MAX_WAIT_S)
    heard = await call.session.hear(MAX_WAIT_S if timeout < 0 else timeout)
    complete = ManagerEvent("WaitEventComplete", "", ())
    return Reply((("Message", "Waiting for Event completed."),), events=(complete,), heard=heard)


@action("ListCommands", "List the actions that this session may ask for.")
def list_commands(call: Call) -> Reply:
    allowed = call.session.user.writes
    known = (ACTIONS[name] for name in sorted(ACTIONS))
    return success(
        "",
        *(
            (one.name, f"{one.summary}  (Priv: {one.privilege})")
            for one in known
            if not one.write or allowed.intersection(one.write)
        ),
    )
