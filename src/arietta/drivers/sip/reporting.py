"""Security facts about SIP: who proved who they are, who was asked to, and who could not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arietta.channels.registry import ChannelRegistry
from arietta.config.endpoint import Endpoint
from arietta.model import facts
from arietta.sip.auth import Outcome, Verdict
from arietta.sip.message import Request
from arietta.sip.transactions import Address, RequestReceived, Transport

SERVICE = "PJSIP"


def report(
    registry: ChannelRegistry,
    received: RequestReceived,
    endpoint: Endpoint | None,
    verdict: Verdict,
    source: Address,
    challenge: Sequence[tuple[str, str]] = (),
) -> None:
    """Publish what came of a request's authentication, if anybody wants it; `challenge` are headers of the answer."""
    bus = registry.bus
    if not bus.wanted(facts.SECURITY):
        return
    request, transport = received.request, received.transaction.transport
    account = endpoint.name if endpoint is not None else verdict.username or "<unknown>"
    about = _about(request, transport, source, account)
    fact: facts.Security
    if verdict.outcome is Outcome.MALFORMED:
        fact = facts.RequestBadFormat(**about, request_type=request.method)
    elif endpoint is None:
        fact = facts.InvalidAccountId(**about)
    elif verdict.outcome is Outcome.ACCEPTED:
        fact = facts.SuccessfulAuth(**about)
    elif verdict.outcome is Outcome.REJECTED:
        fact = facts.ChallengeResponseFailed(**about, challenge=_nonce(challenge))
    else:
        fact = facts.ChallengeSent(**about, challenge=_nonce(challenge))
    bus.publish(fact, facts.SECURITY)


def report_failed_acl(
    registry: ChannelRegistry, request: Request, transport: Transport, source: Address, account: str, acl: str
) -> None:
    """Publish that an access list refused a request, if anybody wants it; `account` is "" for nobody in particular."""
    if registry.bus.wanted(facts.SECURITY):
        about = _about(request, transport, source, account or "<unknown>")
        registry.bus.publish(facts.FailedAcl(**about, acl_name=acl), facts.SECURITY)


def _about(request: Request, transport: Transport, source: Address, account: str) -> dict[str, Any]:
    return {
        "service": SERVICE,
        "account_id": account,
        "session_id": request.get("Call-ID") or "",
        "local_address": facts.security_address(transport.host, transport.port, transport.protocol),
        "remote_address": facts.security_address(source[0], source[1], transport.protocol),
    }


def _nonce(headers: Sequence[tuple[str, str]]) -> str:
    for _, value in headers:
        found = value.partition('nonce="')[2].partition('"')[0]
        if found:
            return found
    return ""
