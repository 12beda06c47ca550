"""Stasis applications, and what they listen to."""

from collections.abc import Sequence
from typing import Annotated, Any

from arietta.errors import BadRequest
from arietta.model.snapshots import Application
from arietta.model.wire import Encoded

from ..contract import Body, Path, Query, operation
from ..domain import Applications as Domain
from ..failures import (
    APPLICATION_NOT_FOUND,
    BODY_INVALID,
    EVENT_SOURCE_INVALID,
    EVENT_SOURCE_NOT_FOUND,
    SUBSCRIPTION_CONFLICT,
    UNSUPPORTED,
)

ApplicationName = Annotated[str, Path("applicationName", "Name of the application.")]
EventSources = Annotated[
    list[str],
    Query("eventSource", "Sources of events: channel:ID, bridge:ID, endpoint:TECH[/RESOURCE], deviceState:NAME."),
]
SCHEMES = ("channel", "bridge", "endpoint", "deviceState")


class Applications:
    """Stasis application resources"""

    NAME = "applications"

    def __init__(self, applications: Domain) -> None:
        self._applications = applications

    @operation("GET", "/applications", nickname="list", since=("13.0.0",))
    def list(self) -> Sequence[Application | Encoded] | Encoded:
        """List all applications."""
        return self._applications.list()

    @operation(
        "GET",
        "/applications/{applicationName}",
        nickname="get",
        since=("13.0.0",),
        failures=(APPLICATION_NOT_FOUND,),
    )
    def get(self, *, application_name: ApplicationName) -> Application | Encoded:
        """Get details of an application."""
        return self._applications.get(application_name)

    @operation(
        "POST",
        "/applications/{applicationName}/subscription",
        nickname="subscribe",
        since=("13.0.0",),
        failures=(EVENT_SOURCE_INVALID, APPLICATION_NOT_FOUND, EVENT_SOURCE_NOT_FOUND),
    )
    def subscribe(
        self,
        *,
        application_name: ApplicationName,
        event_source: EventSources,
    ) -> Application | Encoded:
        """Subscribe an application to event sources.

        Sources are taken one after the other; the first bad one ends it, and those before it stay.
        """
        self._applications.require(application_name)
        for source in event_source:
            scheme, resource = read_source(source)
            self._applications.subscribe(application_name, scheme, resource)
        return self._applications.get(application_name)

    @operation(
        "DELETE",
        "/applications/{applicationName}/subscription",
        nickname="unsubscribe",
        since=("13.0.0",),
        failures=(
            EVENT_SOURCE_INVALID,
            APPLICATION_NOT_FOUND,
            SUBSCRIPTION_CONFLICT,
            EVENT_SOURCE_NOT_FOUND,
        ),
        undocumented=(UNSUPPORTED,),
    )
    def unsubscribe(
        self,
        *,
        application_name: ApplicationName,
        event_source: EventSources,
    ) -> Application | Encoded:
        """Unsubscribe an application from event sources."""
        self._applications.require(application_name)
        for source in event_source:
            scheme, resource = read_source(source)
            self._applications.unsubscribe(application_name, scheme, resource)
        return self._applications.get(application_name)

    @operation(
        "PUT",
        "/applications/{applicationName}/eventFilter",
        nickname="filter",
        since=("13.26.0", "16.3.0"),
        failures=(BODY_INVALID, APPLICATION_NOT_FOUND),
    )
    def filter(
        self,
        *,
        application_name: ApplicationName,
        filter: Annotated[
            dict[str, Any] | None,
            Body("filter", "Lists `allowed` and `disallowed` of {type: EVENT}.", whole=True, kind="object"),
        ],
    ) -> Application | Encoded:
        """Filter the events an application gets.

        Only the lists that are named are replaced; an empty object clears both. What is disallowed is
        kept back even if it is allowed; an empty list of allowed events allows all.
        """
        self._applications.require(application_name)
        given = filter or {}
        allowed, disallowed = _event_types(given, "allowed"), _event_types(given, "disallowed")
        if not given:
            allowed, disallowed = [], []
        self._applications.set_event_filter(application_name, allowed, disallowed)
        return self._applications.get(application_name)


def read_source(source: str) -> tuple[str, str]:
    """Scheme and resource of an event source; a 400 for one without a known scheme."""
    scheme, colon, resource = source.partition(":")
    if not colon or scheme not in SCHEMES:
        raise BadRequest(f"Invalid event source: {source or 'none'}")
    return scheme, resource


def _event_types(given: dict[str, Any], name: str) -> list[dict[str, Any]] | None:
    """One list of the filter; None if it is not named."""
    if name not in given:
        return None
    types = given[name]
    if not isinstance(types, list):
        raise BadRequest(f"Member {name} of the filter is not a list")
    for element in types:
        if not isinstance(element, dict) or not isinstance(element.get("type"), str):
            raise BadRequest(f"Member {name} of the filter holds an element without a type")
    return types
