"""A typed client of the ARI: operations as methods, events as frozen values, stories of calls.

    async with Client("http://127.0.0.1:8088/ari", "asterisk", "asterisk") as ari:
        channel = await ari.channels.originate(endpoint="PJSIP/1001", app="hello-world")
        async for event in ari.events("hello-world"):
            print(event)

It works with any server of the ARI, on asyncio's loop, uvloop and the virtual loop of `arietta.testing`.
"""

from .client import Client, Events
from .errors import (
    ApiError,
    BadRequest,
    CannotConnect,
    ChannelGone,
    ClientError,
    Conflict,
    ConnectionLost,
    Forbidden,
    InvalidState,
    NotFound,
    NotSupported,
    ServerError,
    TooSlow,
    Unauthorized,
    UnexpectedAnswer,
    Unprocessable,
)
from .live import LiveChannel
from .program import program
from .streams import EventStream, Reconnected

__all__ = [
    "ApiError",
    "BadRequest",
    "CannotConnect",
    "ChannelGone",
    "Client",
    "ClientError",
    "Conflict",
    "ConnectionLost",
    "EventStream",
    "Events",
    "Forbidden",
    "InvalidState",
    "LiveChannel",
    "NotFound",
    "NotSupported",
    "Reconnected",
    "ServerError",
    "TooSlow",
    "Unauthorized",
    "UnexpectedAnswer",
    "Unprocessable",
    "program",
]
