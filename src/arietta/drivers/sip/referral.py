"""A REFER that was accepted: the subscription to its outcome (RFC 3515 2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.channels.channel import Channel
from arietta.channels.driver import TransferTarget
from arietta.channels.following import Following
from arietta.sip.errors import ProtocolError
from arietta.sip.invite import InviteSession
from arietta.sip.message import reason_phrase
from arietta.sip.uri import parse_name_addr

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver

SUBSCRIPTION_SECONDS = 60
REFERRED_BY = "SIPREFERREDBYHDR"
"""The variable of a transferred channel with the Referred-By of who transferred it (RFC 3892)."""


def referred_by(channel: Channel) -> tuple[tuple[str, str], ...]:
    """The header field that says who sent a channel to whom it calls now; none if nobody did, or it is no address."""
    value = channel.get_variable(REFERRED_BY)
    if not value:
        return ()
    try:
        return (("Referred-By", str(parse_name_addr(value))),)
    except ProtocolError:
        return ()


class Referral:
    """One REFER that was accepted, until its last NOTIFY. Whoever asked must `stop` it when the call is over."""

    def __init__(self, driver: SipDriver, session: InviteSession, number: int, *, silent: bool) -> None:
        self.is_going_on = True
        """Whether its outcome is open; one that nobody reports is given up with the subscription."""
        self.wanted: TransferTarget | None = None
        """Where to, of a transfer that an application carries out,"""
        self.second: Channel | None = None
        """and the channel of the call that it replaces."""
        self._driver = driver
        self._session = session
        # RFC 3515 2.4.6: the second REFER of a dialog and those after it are told apart by their CSeq.
        self._event = f"refer;id={number}" if number else "refer"
        self._silent = silent  # RFC 4488: the phone asked not to be notified
        self._status = 100
        self._ends_at = driver.now() + SUBSCRIPTION_SECONDS
        self._timer = driver.loop.call_at(self._ends_at, self._expire)
        self._following: Following | None = None

    def follow(self) -> Following:
        """What notifies of a channel, once that is followed."""
        self._following = Following(self.notify)
        return self._following

    def notify(self, status: int) -> None:
        """Tell the phone the status of the transfer; one from 200 on is the last."""
        self._status = status
        left_s = max(1, round(self._ends_at - self._driver.now()))
        if status >= 200:
            self.stop()
        self._send(f"active;expires={left_s}" if status < 200 else "terminated;reason=noresource")

    def stop(self) -> None:
        """Nobody is to be notified any more."""
        self.is_going_on = False
        self._timer.cancel()
        following, self._following = self._following, None
        if following is not None:
            following.stop()

    def _expire(self) -> None:
        self.stop()
        self._send("terminated;reason=timeout")

    def _send(self, state: str) -> None:
        if self._silent:
            return
        self._session.request(
            self._driver.now(),
            "NOTIFY",
            f"SIP/2.0 {self._status} {reason_phrase(self._status)}\r\n".encode(),
            headers=(("Event", self._event), ("Subscription-State", state)),
            content_type="message/sipfrag;version=2.0",
        )
        self._driver.drain()
