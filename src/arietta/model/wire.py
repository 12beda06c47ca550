"""Marks on model fields that say how the wire calls their type."""

from typing import Annotated, Any

from msgspec import Meta, Raw

Date = Annotated[str, Meta(extra={"dataType": "Date"})]
"""A time as `2026-11-22T00:04:17.123+0000` (see `times.wire_time`)."""

Long = Annotated[int, Meta(extra={"dataType": "long"})]
"""A whole number that may exceed 32 bits."""

Object = dict[str, Any]
"""A JSON object whose members the contract does not name."""

Encoded = Raw
"""JSON that is ready to be sent; it may stand for a model, or be an element of a list."""
