"""UnicastRTP channels: audio to and from a program over plain RTP, without signalling (external media)."""

from __future__ import annotations

import socket

from arietta.channels import signals
from arietta.channels.channel import Channel
from arietta.channels.driver import DialRequest, WithoutEndpoints
from arietta.channels.registry import ChannelRegistry
from arietta.channels.snooping import PortLeg
from arietta.drivers.programs import new_channel, read_options
from arietta.errors import BadRequest, ServerFailure
from arietta.media.engine import MediaError, RtpSettings

# Payload types of the formats that have a fixed one (RFC 3551); the others get the first dynamic one.
STATIC_PAYLOAD_TYPES = {"ulaw": 0, "gsm": 3, "alaw": 8, "g722": 9}
DYNAMIC_PAYLOAD_TYPE = 118


class UnicastRtpLeg(PortLeg):
    """The leg of a channel whose far end needs no persuasion."""

    def call(self) -> None:
        if self.channel is not None:
            self.channel.receive(signals.Answered())


class UnicastRtpDriver(WithoutEndpoints):
    """Makes UnicastRTP channels: ``HOST:PORT[/c(FORMAT)]``."""

    technology = "UnicastRTP"

    def __init__(self, registry: ChannelRegistry) -> None:
        self._registry = registry

    def request(self, wanted: DialRequest) -> Channel:
        """A channel that exchanges RTP of one format; it answers as soon as it is called."""
        address, _, option_text = wanted.resource.partition("/")
        options = read_options(option_text, "c", f"UnicastRTP/{wanted.resource}")
        format = options.get("c") or (wanted.formats[0] if wanted.formats else "ulaw")
        return external_rtp(self._registry, address, format, wanted)


def external_rtp(registry: ChannelRegistry, external_host: str, format: str, wanted: DialRequest) -> Channel:
    """A channel that exchanges RTP of one format with ``host:port``; its own address is in its variables."""
    host, colon, port_text = external_host.rpartition(":")
    host = host.strip("[]")
    if not colon or not host or not port_text.isdigit() or not 0 < int(port_text) < 65536:
        raise BadRequest(f"external_host {external_host!r} is not host:port")
    channel_id = wanted.channel_id or registry.new_id()
    registry.check_free(channel_id)
    remote = (host, int(port_text))
    local_host = local_address_towards(host)
    leg = UnicastRtpLeg()
    try:
        port = registry.engine.open_rtp(bind=local_host, on_event=leg.heard)
    except MediaError as problem:
        raise ServerFailure(str(problem)) from problem
    payload_type = STATIC_PAYLOAD_TYPES.get(format, DYNAMIC_PAYLOAD_TYPE)
    try:
        port.configure(
            RtpSettings(
                remote_address=remote,
                send_codec=format,
                send_payload_type=payload_type,
                receive={payload_type: format},
            )
        )
    except MediaError as problem:
        port.close()
        raise ServerFailure(f"format {format!r}: {problem}") from problem
    leg.attach(port)
    channel = new_channel(registry, leg, wanted, channel_id, f"UnicastRTP/{host}:{port_text}-{id(leg):#x}")
    channel.set_variable("UNICASTRTP_LOCAL_ADDRESS", local_host)
    channel.set_variable("UNICASTRTP_LOCAL_PORT", str(port.local_port))
    return channel


def local_address_towards(host: str) -> str:
    """The local address from which packets to `host` leave."""
    try:
        addresses = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST)
    except OSError as problem:
        raise BadRequest(f"external_host {host!r} is not a numeric address") from problem
    family, kind, _, _, address = addresses[0]
    with socket.socket(family, kind) as probe:
        try:
            probe.connect(address)
            return str(probe.getsockname()[0])
        except OSError as problem:
            raise ServerFailure(f"there is no way to {host!r}: {problem}") from problem
