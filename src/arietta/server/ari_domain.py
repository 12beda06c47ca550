"""What the operations of ARI work on, made of the parts of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from arietta.ari.behaviour.applications import Applications, Endpoints
from arietta.ari.behaviour.bridges import Bridges
from arietta.ari.behaviour.channels import Channels
from arietta.ari.behaviour.media import Playbacks, Recordings, Sounds
from arietta.ari.behaviour.system import System
from arietta.ari.domain import Domain
from arietta.model import snapshots

if TYPE_CHECKING:
    from arietta.server.server import Server

BRIDGE_MODULES = {
    "bridge_holding.so": "holding_bridge",
    "bridge_native_rtp.so": "native_rtp",
    "bridge_simple.so": "simple_bridge",
    "bridge_softmix.so": "softmix",
}
SIP_MODULES = frozenset(("chan_pjsip.so", "res_pjsip.so", "res_pjsip_session.so", "res_rtp_asterisk.so"))
SOCKET_MODULES = frozenset(("res_ari.so", "res_http_websocket.so"))


def domain_of(server: Server) -> Domain:
    """All that the operations need."""
    channels, bridges, controls = server.channels, server.bridges, server.controls
    playbacks, recordings = server.playbacks, server.recordings
    return Domain(
        applications=Applications(server.applications, channels, bridges, server.broadcasts),
        bridges=Bridges(bridges, channels, controls, playbacks, recordings),
        channels=Channels(channels, controls, server.originating, playbacks, recordings),
        device_states=server.device_states,
        endpoints=Endpoints(channels),
        mailboxes=server.mailboxes,
        playbacks=Playbacks(playbacks),
        recordings=Recordings(recordings),
        sounds=Sounds(server.sounds),
        system=System(
            entity_id=server.asterisk_id,
            version=server.version,
            dialplan=server.dialplan,
            config=lambda: _config_info(server),
            last_reload_at=lambda: server.last_reload_at,
            started_at=server.started_at,
            modules=server.modules,
            logs=server.logs,
            objects=server.objects,
        ),
    )


def _config_info(server: Server) -> snapshots.ConfigInfo:
    options = server.config.asterisk.options
    return snapshots.ConfigInfo(
        name=options.systemname,
        default_language=options.defaultlanguage,
        max_channels=options.maxcalls or msgspec.UNSET,
        max_open_files=options.maxfiles or msgspec.UNSET,
        max_load=options.maxload or msgspec.UNSET,
        setid=snapshots.SetId(user=options.runuser, group=options.rungroup),
    )


def use_count(server: Server, module: str) -> int:
    """How many users a fixed part has."""
    if module in SIP_MODULES:
        return sum(channel.technology == server.sip.technology for channel in server.channels)
    if module in BRIDGE_MODULES:
        return sum(bridge.technology == BRIDGE_MODULES[module] for bridge in server.bridges)
    if module == "res_stasis.so":
        return sum(1 for _ in server.applications)
    return len(server.ari.sockets) if module in SOCKET_MODULES else 0
