"""SIP in a server: the driver, with what it reads of the other parts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from arietta.config.tree import Config
from arietta.drivers.sip.driver import SipDriver
from arietta.drivers.sip.paths import PathRules
from arietta.server.sip_sockets import socket_ports
from arietta.server.texts import TextQueue
from arietta.stasis.transfers import Transfers

if TYPE_CHECKING:
    from arietta.server.server import Server


def sip_of(server: Server, config: Config, transfers: Transfers) -> SipDriver:
    """The SIP driver; it listens once it is started."""
    driver = SipDriver(
        server.channels,
        config.pjsip,
        product=server.version,
        folder=config.directory,
        path_rules=_path_rules(config),
        instance=str(uuid5(NAMESPACE_URL, f"eid:{server.asterisk_id}")),
    )
    driver.resolver.configure(config.resolver, config.directory)
    driver.transports.socket_ports = socket_ports(config)
    driver.contacts.keep_in(server.store)
    driver.subscriptions.hints = server.dialplan.hints
    driver.subscriptions.mailboxes = server.mailboxes
    driver.transfers = transfers
    server.dialplan.messages = driver.messages
    driver.take_text = TextQueue(server.channels, server.dialplan).take
    return driver


def _path_rules(config: Config) -> PathRules:
    rtp = config.rtp
    lists = (rtp.ice_access, *(config.acls[name].access for name in rtp.ice_acl))
    stun = (rtp.stun_access, *(config.acls[name].access for name in rtp.stun_acl))
    return PathRules(rtp.icesupport, rtp.dtls_mtu, candidates=lists, stun_server=rtp.stunaddr, stun=stun)
