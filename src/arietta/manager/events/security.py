"""Security events: who proved, or could not prove, who they are. No password, hash or expected answer is ever told."""

from __future__ import annotations

from arietta.manager.events.blocks import Blocks
from arietta.manager.events.declared import Kind, translates
from arietta.manager.message import Headers, ManagerEvent
from arietta.model import facts
from arietta.model.times import wire_now

NO_HASHES = "what was given, or would have been right"

FAILED_ACL = Kind("FailedACL", "security", "An address that an account may not come from.")
INVALID_ACCOUNT_ID = Kind("InvalidAccountID", "security", "An account that does not exist.")
SESSION_LIMIT = Kind("SessionLimit", "security", "One session more than there may be.")
REQUEST_NOT_ALLOWED = Kind("RequestNotAllowed", "security", "A request that an account may not make.")
REQUEST_BAD_FORMAT = Kind("RequestBadFormat", "security", "A request that cannot be read.")
SUCCESSFUL_AUTH = Kind("SuccessfulAuth", "security", "An account proved itself.")
INVALID_PASSWORD = Kind("InvalidPassword", "security", "A wrong password.", lacks=f"`ReceivedHash`: {NO_HASHES}")
CHALLENGE_SENT = Kind("ChallengeSent", "security", "A challenge was sent.")
CHALLENGE_RESPONSE_FAILED = Kind(
    "ChallengeResponseFailed",
    "security",
    "A wrong response to a challenge.",
    lacks=f"`ExpectedResponse` is empty: {NO_HASHES}",
)

INFORMATIONAL, ERROR = "Informational", "Error"


def _start(fact: facts.Security, severity: str, version: int = 1) -> Headers:
    return (
        ("EventTV", wire_now()),
        ("Severity", severity),
        ("Service", fact.service),
        ("EventVersion", str(version)),
        ("AccountID", fact.account_id),
        ("SessionID", fact.session_id),
        ("LocalAddress", fact.local_address),
        ("RemoteAddress", fact.remote_address),
    )


@translates(facts.FailedAcl)
def _failed_acl(fact: facts.FailedAcl, _blocks: Blocks) -> ManagerEvent:
    return FAILED_ACL((*_start(fact, ERROR), *((("ACLName", fact.acl_name),) if fact.acl_name else ())))


@translates(facts.InvalidAccountId)
def _invalid_account(fact: facts.InvalidAccountId, _blocks: Blocks) -> ManagerEvent:
    return INVALID_ACCOUNT_ID(_start(fact, ERROR))


@translates(facts.SessionLimit)
def _session_limit(fact: facts.SessionLimit, _blocks: Blocks) -> ManagerEvent:
    return SESSION_LIMIT(_start(fact, ERROR))


@translates(facts.RequestNotAllowed)
def _not_allowed(fact: facts.RequestNotAllowed, _blocks: Blocks) -> ManagerEvent:
    return REQUEST_NOT_ALLOWED((*_start(fact, ERROR), *_request(fact)))


@translates(facts.RequestBadFormat)
def _bad_format(fact: facts.RequestBadFormat, _blocks: Blocks) -> ManagerEvent:
    return REQUEST_BAD_FORMAT((*_start(fact, ERROR), *_request(fact)))


def _request(fact: facts.RequestNotAllowed | facts.RequestBadFormat) -> Headers:
    headers: Headers = (("RequestType", fact.request_type),)
    return (*headers, ("RequestParams", fact.request_params)) if fact.request_params else headers


@translates(facts.SuccessfulAuth)
def _successful(fact: facts.SuccessfulAuth, _blocks: Blocks) -> ManagerEvent:
    return SUCCESSFUL_AUTH((*_start(fact, INFORMATIONAL), ("UsingPassword", "1" if fact.using_password else "0")))


@translates(facts.InvalidPassword)
def _invalid_password(fact: facts.InvalidPassword, _blocks: Blocks) -> ManagerEvent:
    headers = _start(fact, ERROR, version=2)
    if fact.challenge:
        headers += (("Challenge", fact.challenge),)
    if fact.received_challenge:
        headers += (("ReceivedChallenge", fact.received_challenge),)
    return INVALID_PASSWORD(headers)


@translates(facts.ChallengeSent)
def _challenge(fact: facts.ChallengeSent, _blocks: Blocks) -> ManagerEvent:
    return CHALLENGE_SENT((*_start(fact, INFORMATIONAL), ("Challenge", fact.challenge)))


@translates(facts.ChallengeResponseFailed)
def _response_failed(fact: facts.ChallengeResponseFailed, _blocks: Blocks) -> ManagerEvent:
    return CHALLENGE_RESPONSE_FAILED(
        (
            *_start(fact, ERROR),
            ("Challenge", fact.challenge),
            ("Response", fact.response),
            ("ExpectedResponse", ""),
        )
    )
