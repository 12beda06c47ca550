"""The event socket as an AsyncAPI 3.0 document."""

from typing import Any

import arietta
from arietta.model import events

from .schemas import REFERENCE, component_schemas

PATH = "/asyncapi.json"


def document() -> dict[str, Any]:
    """The whole document; `servers` is for whoever serves it."""
    names = [*events.CLASSES, "RESTRequest"]
    sent = [{"$ref": f"#/channels/events/messages/{name}"} for name in events.CLASSES]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Events of the Asterisk REST Interface of Arietta",
            "version": arietta.__version__,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {},
        "channels": {
            "events": {
                "address": "/events",
                "description": "One WebSocket for the events of some applications.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
                "bindings": {
                    "ws": {
                        "query": {
                            "type": "object",
                            "required": ["app"],
                            "properties": {
                                "app": {"type": "string", "description": "Applications, separated by commas."},
                                "subscribeAll": {
                                    "type": "boolean",
                                    "description": "Whether they hear of everything there is.",
                                },
                                "api_key": {"type": "string", "description": "USER:PASSWORD"},
                            },
                        }
                    }
                },
            }
        },
        "operations": {
            "sendEvents": {
                "action": "send",
                "channel": {"$ref": "#/channels/events"},
                "summary": "The server tells what happened.",
                "messages": sent,
            },
            "receiveRequests": {
                "action": "receive",
                "channel": {"$ref": "#/channels/events"},
                "summary": "A client asks for an operation; the answer is a RESTResponse.",
                "messages": [{"$ref": "#/channels/events/messages/RESTRequest"}],
                "reply": {
                    "channel": {"$ref": "#/channels/events"},
                    "messages": [{"$ref": "#/channels/events/messages/RESTResponse"}],
                },
            },
        },
        "components": {
            "schemas": component_schemas(),
            "messages": {
                name: {"name": name, "summary": _summary(name), "payload": {"$ref": REFERENCE + name}} for name in names
            },
        },
    }


def _summary(name: str) -> str:
    kind: Any = events.CLASSES.get(name, events.RESTRequest)
    return (kind.__doc__ or "").strip().partition("\n")[0]
