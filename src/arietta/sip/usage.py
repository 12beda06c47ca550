"""What every use of a dialog needs: sending in it, answering in it, credentials (RFC 5057; RFC 3261 12.2, 22.2)."""

from __future__ import annotations

from .auth import DigestClient
from .dialogs import Dialog
from .layer import TransactionLayer
from .message import Headers, Request, Response
from .profile import Profile
from .transactions import Address, ClientTransaction, ServerTransaction, Transport

__all__ = ["DialogUsage"]

MAX_AUTHENTICATION_ROUNDS = 3
TARGET_REFRESHING = frozenset(("UPDATE", "REFER", "SUBSCRIBE", "NOTIFY"))
"""Methods besides INVITE whose messages carry a Contact (RFC 3261 12.2, RFC 3311, RFC 6665)."""


class DialogUsage:
    """One party's end of a dialog, whatever it is used for."""

    def __init__(
        self,
        layer: TransactionLayer,
        profile: Profile,
        transport: Transport,
        contact: str,
        *,
        local_tag: str,
        peer: Address,
        credentials: DigestClient | None = None,
        remember_source: bool = False,
    ) -> None:
        self.layer = layer
        self.profile = profile
        self.transport = transport
        self.contact = contact
        """Our Contact value, such as `<sip:arietta@192.0.2.1:5060>`."""
        self.local_tag = local_tag
        self.peer = peer
        """Where the peer's first message came from, or ours went."""
        self.credentials = credentials
        self.remember_source = remember_source
        """True sends in-dialog requests to `peer` whatever the Contact says: for peers behind NAT."""
        self.dialog: Dialog | None = None
        self.is_caller = False
        """True when our request began the dialog."""
        self._attempts: dict[ClientTransaction, str] = {}
        self._rounds = 0

    def respond(
        self,
        transaction: ServerTransaction,
        now: float,
        status: int,
        reason: str | None = None,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str = "",
    ) -> bool:
        """Answer a request of the peer in the dialog."""
        request = transaction.request
        response = request.create_response(
            status, reason, to_tag=self.local_tag, headers=headers, body=body, content_type=content_type
        )
        if status < 300 and request.method in TARGET_REFRESHING:
            response.set("Contact", self.contact)
            if request.method == "UPDATE" and self.dialog is not None and status >= 200:
                self.dialog.refresh_target(request)
        return self.layer.respond(transaction, response, now)

    def _send(self, request: Request, now: float) -> ClientTransaction:
        transaction = self.layer.send_request(request, self._destination(), self.transport, now, self)
        self._attempts[transaction] = request.method
        return transaction

    def _send_with_credentials(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> ClientTransaction | None:
        """Send a challenged request again (22.2, 8.1.3.5); None when it cannot be answered."""
        if response.status not in (401, 407) or self.credentials is None or self._rounds >= MAX_AUTHENTICATION_ROUNDS:
            return None
        answers = self.credentials.answer(transaction.request, response)
        if answers is None:
            return None
        self._rounds += 1
        return self._send_changed(transaction, answers, now)

    def _send_changed(self, transaction: ClientTransaction, fields: Headers, now: float) -> ClientTransaction:
        """Send a refused request again, with `fields` in place of those of the same names (8.1.3.5)."""
        request = transaction.request.copy()
        fields = tuple(fields)
        for name, _ in fields:
            request.remove(name)
        for name, value in fields:
            request.add(name, value)
        number = request.cseq.number + 1
        if self.dialog is not None:
            number = max(number, self.dialog.local_cseq + 1)
            self.dialog.local_cseq = number
        request.set("CSeq", f"{number} {request.method}")
        again = self.layer.send_request(request, transaction.destination, transaction.transport, now, self)
        if transaction in self._attempts:
            self._attempts[again] = self._attempts.pop(transaction)
        return again

    def _destination(self, dialog: Dialog | None = None) -> Address:
        dialog = dialog or self.dialog
        if self.remember_source or dialog is None:
            return self.peer
        if self.transport.reliable and not self.is_caller:
            return self.peer  # the connection the peer opened
        return self.profile.resolve(dialog.next_hop()) or self.peer
