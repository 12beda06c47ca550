"""Tools to test telephony with: virtual time, a virtual network, virtual phones, an ARI client, ladders.

| module | what it is |
|---|---|
| `loop`, `clock` | an asyncio loop on virtual time |
| `network` | datagrams and streams between virtual hosts, with delay, jitter, loss, duplication, reordering by seed |
| `phone`, `call` | a SIP phone whose calls read as ladders; on the virtual loop or on real sockets |
| `voice`, `audio` | its RTP, and how alike two sounds are |
| `ari` | a client for REST and events |
| `ladder` | what happened, drawn |
| `media` | the media engine on virtual time |
| `plugin` | pytest fixtures of all these |
"""

from .ari import AriClient, Reply
from .audio import Match, compare, read_sound, tone, write_wav
from .call import Call, End
from .clock import VirtualClock
from .ladder import Ladder
from .loop import Deadlock, VirtualLoop
from .network import Link, Network
from .phone import Phone
from .waiting import Unexpected

__all__ = [
    "AriClient",
    "Call",
    "Deadlock",
    "End",
    "Ladder",
    "Link",
    "Match",
    "Network",
    "Phone",
    "Reply",
    "Unexpected",
    "VirtualClock",
    "VirtualLoop",
    "compare",
    "read_sound",
    "tone",
    "write_wav",
]
