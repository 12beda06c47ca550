"""The failures every part shares: whose fault it is decides what happens.

`ProtocolError`s (a peer broke SIP, SDP, RTP or HTTP) live with their protocols: those are sans-IO and import nothing.
"""

from __future__ import annotations


class AriettaError(Exception):
    """Anything Arietta raises on purpose."""


class Refused(AriettaError):
    """A client asked for what cannot be; answered with `status` and the message.

    Each subclass is one declared failure of the ARI; the message names the thing and its value.
    """

    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequest(Refused):
    """A parameter is missing, contradicts another, or has a value outside its limits."""

    status = 400


class Forbidden(Refused):
    """The thing exists, but this way to it is closed."""

    status = 403


class NotFound(Refused):
    """There is no such object."""

    status = 404


class Conflict(Refused):
    """The object is in use, exists already, or is not in an application."""

    status = 409


class InvalidState(Refused):
    """The object's state does not allow the operation."""

    status = 412


class Unprocessable(Refused):
    """The request is well formed but names something that cannot serve it."""

    status = 422


class ServerFailure(Refused):
    """The operation could not be carried out and the client is not to blame."""

    status = 500


class AllocationFailed(Refused):
    """No channel or playback could be made; the body is ``{"error": "Allocation failed"}`` as in Asterisk."""

    status = 500

    def __init__(self, message: str = "Allocation failed") -> None:
        super().__init__(message)


class NotSupported(Refused):
    """A documented combination that the server does not carry."""

    status = 501
