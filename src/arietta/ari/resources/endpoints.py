"""Endpoints, and texts to them."""

from collections.abc import Sequence
from typing import Annotated, Any

from arietta.model.snapshots import Endpoint
from arietta.model.wire import Encoded

from ..contract import Body, Path, Query, operation
from ..domain import Endpoints as Domain
from ..domain import Soon
from ..failures import ENDPOINT_NOT_FOUND, INVALID_PARAMETERS
from ..variables import read_texts

Technology = Annotated[str, Path("tech", "Technology of the endpoint.")]
Resource = Annotated[str, Path("resource", "Name of the endpoint within its technology.")]
Sender = Annotated[str, Query("from", "Address the request comes from.")]
To = Annotated[str, Query("to", "Address it goes to, with its technology: `pjsip:6001`.")]
Text = Annotated[str | None, Query("body", "The text.")]
ReferTo = Annotated[str, Query("refer_to", "Address or endpoint that is to be called.")]
ToSelf = Annotated[bool, Query("to_self", "Whether an endpoint that is to be called is told its own address here.")]
Variables = Annotated[dict[str, Any] | None, Body("variables", "Headers to send, by their names.")]


class Endpoints:
    """Endpoint resources"""

    NAME = "endpoints"

    def __init__(self, endpoints: Domain) -> None:
        self._endpoints = endpoints

    @operation("GET", "/endpoints", nickname="list", since=("12.0.0",))
    def list(self) -> Sequence[Endpoint | Encoded] | Encoded:
        """List all endpoints."""
        return self._endpoints.list()

    @operation(
        "PUT",
        "/endpoints/sendMessage",
        nickname="sendMessage",
        since=("13.0.0",),
        failures=(INVALID_PARAMETERS, ENDPOINT_NOT_FOUND),
        success=202,
    )
    def send_message(self, *, to: To, sender: Sender, body: Text = None, variables: Variables = None) -> Soon[None]:
        """Send a text to an address."""
        return self._endpoints.send_message(to, sender, body or "", read_texts(variables))

    @operation(
        "POST",
        "/endpoints/refer",
        nickname="refer",
        since=("18.20.0", "20.5.0"),
        failures=(INVALID_PARAMETERS, ENDPOINT_NOT_FOUND),
        success=202,
    )
    def refer(
        self,
        *,
        to: To,
        sender: Sender,
        refer_to: ReferTo,
        to_self: ToSelf = False,
        variables: Variables = None,
    ) -> Soon[None]:
        """Ask an address to call somebody."""
        return self._endpoints.refer(to, sender, refer_to, to_self, read_texts(variables))

    @operation("GET", "/endpoints/{tech}", nickname="listByTech", since=("12.0.0",), failures=(ENDPOINT_NOT_FOUND,))
    def list_by_technology(self, *, technology: Technology) -> Sequence[Endpoint | Encoded] | Encoded:
        """List the endpoints of a technology."""
        return self._endpoints.list_technology(technology)

    @operation(
        "GET",
        "/endpoints/{tech}/{resource}",
        nickname="get",
        since=("12.0.0",),
        failures=(INVALID_PARAMETERS, ENDPOINT_NOT_FOUND),
    )
    def get(self, *, technology: Technology, resource: Resource) -> Endpoint | Encoded:
        """Details of an endpoint."""
        return self._endpoints.get(technology, resource)

    @operation(
        "PUT",
        "/endpoints/{tech}/{resource}/sendMessage",
        nickname="sendMessageToEndpoint",
        since=("13.0.0",),
        failures=(INVALID_PARAMETERS, ENDPOINT_NOT_FOUND),
        success=202,
    )
    def send_message_to_endpoint(
        self,
        *,
        technology: Technology,
        resource: Resource,
        sender: Sender,
        body: Text = None,
        variables: Variables = None,
    ) -> Soon[None]:
        """Send a text to an endpoint."""
        to = f"{technology.lower()}:{resource}"
        texts = read_texts(variables)
        self._endpoints.get(technology, resource)
        return self._endpoints.send_message(to, sender, body or "", texts)

    @operation(
        "POST",
        "/endpoints/{tech}/{resource}/refer",
        nickname="referToEndpoint",
        since=("18.20.0", "20.5.0"),
        failures=(INVALID_PARAMETERS, ENDPOINT_NOT_FOUND),
        success=202,
    )
    def refer_to_endpoint(
        self,
        *,
        technology: Technology,
        resource: Resource,
        sender: Sender,
        refer_to: ReferTo,
        to_self: ToSelf = False,
        variables: Variables = None,
    ) -> Soon[None]:
        """Ask an endpoint to call somebody."""
        to = f"{technology.lower()}:{resource}"
        texts = read_texts(variables)
        self._endpoints.get(technology, resource)
        return self._endpoints.refer(to, sender, refer_to, to_self, texts)
