"""UnicastRTP channels: audio to and from a program over plain RTP, without signalling (external media)."""

from __future__ import annotations

import socket

from arietta.channels import signals
from arietta.channels.channel import Channel, State
from arietta.channels.registry import ChannelRegistry
from arietta.channels.snooping import PortLeg
from arietta.errors import BadRequest, Conflict, ServerFailure
from arietta.media.engine import MediaError, RtpSettings

# Payload types of the formats that have a fixed one (RFC 3551); the others get the first dynamic one.
STATIC_PAYLOAD_TYPES = {"ulaw": 0, "gsm": 3, "alaw": 8, "g722": 9}
DYNAMIC_PAYLOAD_TYPE = 118


class UnicastRtpLeg(PortLeg):
    """The leg of a channel whose far end needs no persuasion."""

    def call(self) -> None:
        if self.channel is not None:
            self.channel.receive(signals.Answered())


def external_rtp(registry: ChannelRegistry, external_host: str, format: str, *, channel_id: str | None) -> Channel:
    """A channel that exchanges RTP of one format with ``host:port``; its own address is in its variables.

    It answers as soon as it is called.
    """
    host, colon, port_text = external_host.rpartition(":")
    host = host.strip("[]")
    if not colon or not host or not port_text.isdigit() or not 0 < int(port_text) < 65536:
        raise BadRequest(f"external_host {external_host!r} is not host:port")
    if channel_id and registry.get(channel_id) is not None:
        raise Conflict(f"channel id {channel_id!r} is in use")
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
    channel = Channel(
        registry,
        leg,
        channel_id=channel_id or registry.new_id(),
        name=f"UnicastRTP/{host}:{port_text}-{id(leg):#x}",
        state=State.DOWN,
        language=registry.default_language,
    )
    leg.channel = channel
    registry.add(channel)
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
