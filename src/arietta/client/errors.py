"""What goes wrong for a client of the ARI."""

from __future__ import annotations

import msgspec

from arietta.errors import AriettaError


class ClientError(AriettaError):
    """Anything the client raises."""


class CannotConnect(ClientError):
    """No connection: nobody there, no TLS, or not in time."""


class ConnectionLost(ClientError):
    """The connection ended, or no answer came in time. Whether the operation was done is not known."""


class UnexpectedAnswer(ClientError):
    """The server's answer is not HTTP, or not what the operation promises."""


class TooSlow(ClientError):
    """Events came faster than the program took them, and the limit was reached."""


class ChannelGone(ClientError):
    """The channel of a story left the application or was hung up."""

    def __init__(self, channel_id: str) -> None:
        super().__init__(f"channel {channel_id} is gone")
        self.channel_id = channel_id


class ApiError(ClientError):
    """The server refused an operation."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        """HTTP status."""
        self.message = message
        """The server's words."""


class BadRequest(ApiError):
    """400: a parameter is missing or has a value that cannot be."""


class Unauthorized(ApiError):
    """401: the user or the password is wrong."""


class Forbidden(ApiError):
    """403: the user may not, or the thing may not be touched."""


class NotFound(ApiError):
    """404: there is no such thing, or no longer."""


class Conflict(ApiError):
    """409: the thing is in use, exists already, or is not in an application."""


class InvalidState(ApiError):
    """412: the state of the channel does not allow it."""


class Unprocessable(ApiError):
    """422: what the request names cannot serve it."""


class ServerError(ApiError):
    """500: the server could not do it."""


class NotSupported(ApiError):
    """501: the server does not do this at all."""


BY_STATUS: dict[int, type[ApiError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    412: InvalidState,
    422: Unprocessable,
    500: ServerError,
    501: NotSupported,
}


class _Words(msgspec.Struct):
    """The body of a refusal."""

    message: str = ""
    error: str = ""


_words = msgspec.json.Decoder(_Words)


def api_error(status: int, reason: str, body: bytes) -> ApiError:
    """The error of an answer, with the server's words: `message` or `error` of its JSON, else the reason phrase."""
    try:
        words = _words.decode(body) if body else _Words()
    except (msgspec.DecodeError, UnicodeDecodeError):
        words = _Words()
    return BY_STATUS.get(status, ApiError)(status, words.message or words.error or reason)
