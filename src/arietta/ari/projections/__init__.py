"""Documents made from the contract: Swagger, OpenAPI, AsyncAPI, Markdown."""

from . import asyncapi, openapi
from .swagger import LISTED_VERSION, ApiDocuments


def documents(api_version: str = LISTED_VERSION) -> ApiDocuments:
    """All documents that are served below `/ari`; `api_version` is what their list claims."""
    return ApiDocuments({openapi.PATH: openapi.document, asyncapi.PATH: asyncapi.document}, api_version)
