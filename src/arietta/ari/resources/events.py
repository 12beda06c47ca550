"""The event socket, events of a program's own, and calls that are offered to several applications."""

from typing import Annotated, Any

from arietta.errors import BadRequest

from ..contract import Body, Path, Query, operation
from ..domain import Applications as Domain
from ..domain import Soon
from ..failures import (
    ALREADY_CLAIMED,
    APPLICATION_NOT_FOUND,
    CHANNEL_OR_APPLICATION_NOT_FOUND,
    EVENT_SOURCE_INVALID,
    EVENT_SOURCE_NOT_FOUND,
    MISSING_PARAMETER,
)

SOURCE_SCHEMES = ("channel", "bridge", "endpoint")


class Upgrade:
    """The change to the WebSocket protocol, which carries messages from then on."""


class Events:
    """WebSocket resource"""

    NAME = "events"

    def __init__(self, applications: Domain) -> None:
        self._applications = applications

    @operation("GET", "/events", nickname="eventWebsocket", since=("12.0.0",), upgrade="websocket")
    def event_websocket(
        self,
        *,
        app: Annotated[list[str], Query("app", "Applications to open on the socket.")],
        subscribe_all: Annotated[
            bool | None, Query("subscribeAll", "Whether they hear of everything there is.")
        ] = None,
    ) -> Upgrade:
        """Open a WebSocket for events.

        The socket is opened by the server's HTTP layer; this declares what it is asked for.
        """
        return Upgrade()

    @operation(
        "POST",
        "/events/user/{eventName}",
        nickname="userEvent",
        since=("12.3.0",),
        failures=(EVENT_SOURCE_INVALID, APPLICATION_NOT_FOUND, EVENT_SOURCE_NOT_FOUND),
    )
    def user_event(
        self,
        *,
        event_name: Annotated[str, Path("eventName", "Name of the event.")],
        application: Annotated[str, Query("application", "Application that gets it.")],
        source: Annotated[
            list[str] | None,
            Query("source", "What it is about: channel:ID, bridge:ID, endpoint:TECH/RESOURCE."),
        ] = None,
        variables: Annotated[dict[str, Any] | None, Body("variables", "Facts to go with it, by their names.")] = None,
    ) -> None:
        """Send an event of your own to an application, and to whoever listens to its sources."""
        if variables is not None and not isinstance(variables, dict):
            raise BadRequest("Parameter variables is not an object")
        sources = [_read_source(piece) for piece in source or ()]
        self._applications.user_event(application, event_name, sources, variables)

    @operation(
        "POST",
        "/events/claim",
        nickname="claimChannel",
        since=("20.17.0", "22.7.0", "23.1.0"),
        failures=(CHANNEL_OR_APPLICATION_NOT_FOUND, ALREADY_CLAIMED),
        undocumented=(MISSING_PARAMETER,),
    )
    def claim_channel(
        self,
        *,
        channel_id: Annotated[str, Query("channelId", "Channel that is offered.")],
        application: Annotated[str, Query("application", "Application that takes it.")],
    ) -> Soon[None]:
        """Claim a call that is offered to several applications."""
        return self._applications.claim(channel_id, application)


def _read_source(source: str) -> tuple[str, str]:
    scheme, colon, resource = source.partition(":")
    if not colon or scheme not in SOURCE_SCHEMES:
        raise BadRequest(f"Invalid event source: {source or 'none'}")
    return scheme, resource
