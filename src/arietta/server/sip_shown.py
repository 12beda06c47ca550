"""The SIP side of a server as the console and the manager interface see it, and what they may ask of it."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from arietta.config.pjsip import PjsipSettings
from arietta.drivers.sip.driver import SipDriver
from arietta.drivers.sip.history import RecordedCall
from arietta.drivers.sip.location import ContactState
from arietta.errors import BadRequest, NotFound
from arietta.model import shown
from arietta.sip.masking import mask_message

if TYPE_CHECKING:
    from arietta.server.server import Server

ALL = "*all"
NEVER = 1e12
"""A deadline beyond it is none."""


class SipShown:
    """What is asked about and of SIP."""

    def __init__(self, server: Server) -> None:
        self._server = server

    @property
    def _driver(self) -> SipDriver:
        return self._server.sip

    @property
    def _settings(self) -> PjsipSettings:
        return self._server.config.pjsip

    def contacts(self) -> Sequence[shown.Contact]:
        """The contacts of all addresses of record."""
        endpoints = {aor: endpoint.name for endpoint in self._settings.endpoints.values() for aor in endpoint.aors}
        found = self._driver.contacts.location.contacts(tuple(self._settings.aors))
        now = self._driver.now()
        return [_contact(contact, endpoints.get(contact.aor, ""), now) for contact in found]

    def registrations(self) -> Sequence[shown.Registration]:
        """Our registrations elsewhere, those that have not begun yet too."""
        living, now = self._driver.registrations.registrations, self._driver.now()
        found = []
        for name, settings in self._settings.registrations.items():
            one = living.get(name)
            status = one.state.value if one is not None else "Unregistered"
            left = max(0, int(one.deadline - now)) if one is not None and one.deadline < NEVER else 0
            auth = ",".join(settings.outbound_auth)
            found.append(shown.Registration(name, settings.server_uri, auth, str(status), left))
        return found

    def subscriptions(self) -> Sequence[shown.Subscription]:
        """Who subscribes to what with us, the oldest first."""
        return self._driver.subscriptions.shown()

    def bans(self) -> Sequence[shown.Ban]:
        """Whom SIP does not listen to, because credentials were guessed."""
        now = self._driver.now()
        bans = self._driver.guard.bans(now)
        return [shown.Ban(ban.source, ban.failures, math.ceil(ban.until - now)) for ban in bans]

    def unban(self, source: str) -> bool:
        """Listen to a source again; False when it was not banned."""
        return self._driver.guard.unban(source)

    def counters(self) -> Mapping[str, int]:
        """What SIP took, dropped and refused since the start."""
        return self._driver.agent.counters

    # --------------------------------------------------------------------------------------------------- asking

    def qualify(self, endpoint: str) -> None:
        """Ask the contacts of an endpoint at once whether they are there; raises NotFound."""
        settings = self._settings.endpoints.get(endpoint)
        if settings is None:
            raise NotFound(f"endpoint {endpoint!r} does not exist")
        self._driver.contacts.qualify(settings)

    def register(self, name: str) -> None:
        """Register elsewhere now, by the name of the section or `*all`; raises NotFound."""
        for one in self._named(name):
            self._driver.registrations.register(one)

    def unregister(self, name: str) -> None:
        """End a registration elsewhere until it is asked for again; raises NotFound."""
        for one in self._named(name):
            self._driver.registrations.unregister(one)

    def _named(self, name: str) -> list[str]:
        known = self._settings.registrations
        if name == ALL:
            return list(known)
        if name not in known:
            raise NotFound(f"Unable to retrieve registration {name[:80]}")
        return [name]

    def send_message(
        self, destination: str, origin: str, body: str, variables: Mapping[str, str], *, addressed: str = ""
    ) -> None:
        """Send a MESSAGE, which names `addressed` if given; raises Refused for what cannot be reached."""
        self._driver.messages.send_message(destination, origin, body, variables, addressed=addressed)

    def notify(self, to: str, option: str, lines: Sequence[tuple[str, str]] = ()) -> int:
        """Send the NOTIFY of a section of pjsip_notify.conf, or these lines, to all contacts of an endpoint or a URI.

        Returns how many go out; raises Refused for what is not there or cannot be written.
        """
        known = self._server.config.notifications
        if option and option not in known:
            raise NotFound(f"pjsip_notify.conf has no section {option[:80]!r}")
        return self._driver.messages.notify(to, (*known.get(option, ()), *lines))

    def notifications(self) -> Sequence[str]:
        """The sections of pjsip_notify.conf."""
        return list(self._server.config.notifications)

    # -------------------------------------------------------------------------------------------------- ladders

    def calls(self) -> Sequence[shown.SipCall]:
        """The calls whose SIP is kept, in the order in which they began, each with its first and last message."""
        return [self._call(call, whole=False) for call in self._driver.history.calls()]

    def ladder(self, name: str, *, with_peer: bool) -> Sequence[shown.SipCall]:
        """The SIP of a channel by name or id, or of a Call-ID; `with_peer` also of the calls it was connected with.

        Raises NotFound.
        """
        history = self._driver.history
        found = history.find(name)
        if found is None:
            if not history.enabled:
                raise NotFound("no SIP of calls is kept: memory=0 in pjsip.conf type=ladder")
            raise NotFound(f"no SIP of a call {name!r} is kept: `pjsip show ladders` lists what is")
        if not with_peer:
            return [self._call(found)]
        joined = self._linkedid(found)
        return [self._call(c) for c in history.calls() if c is found or (joined and self._linkedid(c) == joined)]

    def _linkedid(self, call: RecordedCall) -> str:
        """What joins it with others: while its channel lives that may change."""
        channel = self._server.channels.get(call.channel_id) if call.channel_id else None
        return channel.linkedid if channel is not None else call.linkedid

    def _call(self, call: RecordedCall, *, whole: bool = True) -> shown.SipCall:
        since_epoch = time.time() - self._driver.now()
        kept = list(call.messages)
        return shown.SipCall(
            call.call_id.decode("utf-8", "replace"),
            [
                shown.SipMessage(
                    message.number,
                    message.time + since_epoch,
                    message.direction,
                    message.transport.protocol,
                    (message.transport.host, message.transport.port),
                    message.peer,
                    mask_message(message.data),
                )
                for message in (kept if whole else (kept[0], kept[-1]))
            ],
            call.name,
            call.channel_id,
            self._linkedid(call),
            bool(call.channel_id) and self._server.channels.get(call.channel_id) is not None,
            len(kept),
            call.left_out,
        )

    def log_media(self, what: str, words: Sequence[str]) -> str:
        """Carry out `rtp debug`, `rtcp debug` or `rtcp stats`; returns what is shown now. Raises BadRequest."""
        return self._driver.media_log.ask(what, [words[0].lower(), *words[1:]])

    def log(self, words: Sequence[str]) -> str:
        """Carry out `pjsip set logger`; returns what is logged now. Raises BadRequest, Conflict."""
        logger = self._driver.message_log
        match [words[0].lower(), *words[1:]]:
            case ["on"]:
                logger.everybody()
            case ["off"]:
                logger.off()
            case ["host", address]:
                logger.host(address)
            case ["add", address]:
                logger.host(address, another=True)
            case ["verbose", ("on" | "off") as state]:
                logger.print_messages(state == "on")
            case ["pcap", name]:
                logger.capture(self._server.config.directories.log / name)
            case _:
                raise BadRequest(f"{' '.join(words)!r} is none of on, off, host, add, verbose on|off, pcap FILE")
        return str(logger)


def _contact(contact: ContactState, endpoint: str, now: float) -> shown.Contact:
    binding = contact.binding
    known = (contact.aor, endpoint, contact.uri, contact.status, contact.roundtrip_usec)
    if binding is None:
        return shown.Contact(*known)
    left = max(0, int(binding.expires_at - now))
    return shown.Contact(
        *known,
        expires_in_s=left,
        user_agent=binding.user_agent,
        call_id=binding.call_id,
        via_address=f"{binding.source[0]}:{binding.source[1]}" if binding.source is not None else "",
        path=", ".join(binding.path),
        expires_at=int(time.time()) + left,
    )
