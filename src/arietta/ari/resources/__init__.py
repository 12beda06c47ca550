"""The operations, one file per resource."""

from ..domain import Domain
from .applications import Applications
from .asterisk import Asterisk
from .bridges import Bridges
from .channels import Channels
from .device_states import DeviceStates
from .endpoints import Endpoints
from .events import Events
from .mailboxes import Mailboxes
from .playbacks import Playbacks
from .recordings import Recordings
from .sounds import Sounds

RESOURCES: tuple[type, ...] = (
    Applications,
    Asterisk,
    Bridges,
    Channels,
    DeviceStates,
    Endpoints,
    Events,
    Mailboxes,
    Playbacks,
    Recordings,
    Sounds,
)
"""Every resource class, by name."""


def build(domain: Domain) -> list[object]:
    """All resources, standing on a domain."""
    return [
        Applications(domain.applications),
        Asterisk(domain.system),
        Bridges(domain.bridges),
        Channels(domain.channels),
        DeviceStates(domain.device_states),
        Endpoints(domain.endpoints),
        Events(domain.applications),
        Mailboxes(domain.mailboxes),
        Playbacks(domain.playbacks),
        Recordings(domain.recordings),
        Sounds(domain.sounds),
    ]
