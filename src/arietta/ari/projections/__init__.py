"""Documents made from the contract: Swagger, OpenAPI, AsyncAPI, Markdown."""

from . import asyncapi, openapi
from .swagger import ApiDocuments


def documents() -> ApiDocuments:
    """All documents that are served below `/ari`."""
    return ApiDocuments({openapi.PATH: openapi.document, asyncapi.PATH: asyncapi.document})
