"""PJSIP channels as they are made of what their endpoint says."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from arietta.channels.channel import Channel, State
from arietta.channels.driver import Party
from arietta.channels.groups import Groups
from arietta.config.endpoint import Endpoint

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver
    from arietta.drivers.sip.leg import SipLeg


def create_channel(
    driver: SipDriver,
    leg: SipLeg,
    endpoint: Endpoint,
    state: State,
    channel_id: str,
    *,
    caller: Party | None,
    connected: Party | None = None,
    exten: str = "s",
    language: str = "",
    accounts: tuple[str, str] | None = None,
    linked_to: Channel | None = None,
    on_channel: Callable[[Channel], None] | None = None,
) -> Channel:
    """The channel of a leg, known to the registry; `accounts` are the accountcode and that of its peer."""
    registry = driver.registry
    accountcode, peeraccount = accounts if accounts is not None else (endpoint.accountcode, "")
    channel = Channel(
        registry,
        leg,
        channel_id=channel_id,
        name=f"PJSIP/{endpoint.name}-{registry.next_number('PJSIP')}",
        state=state,
        context=endpoint.context,
        exten=exten,
        caller=caller,
        connected=connected,
        language=endpoint.language or language or registry.default_language,
        accountcode=accountcode,
        peeraccount=peeraccount,
        endpoint=f"PJSIP/{endpoint.name}",
        linked_to=linked_to,
    )
    leg.channel = channel
    channel.tenant_id = endpoint.tenantid
    if endpoint.call_group or endpoint.named_call_group:
        channel.call_groups = Groups(frozenset(endpoint.call_group), frozenset(endpoint.named_call_group))
    if endpoint.pickup_group or endpoint.named_pickup_group:
        channel.pickup_groups = Groups(frozenset(endpoint.pickup_group), frozenset(endpoint.named_pickup_group))
    channel.tone_zone = endpoint.tone_zone
    channel.music_class = endpoint.moh_suggest if "moh_suggest" in endpoint.set_at else ""
    if on_channel is not None:
        on_channel(channel)
    registry.add(channel)
    driver.devices.begun(endpoint, channel)
    return channel


def set_variables(channel: Channel, endpoint: Endpoint) -> None:
    """Set what `set_var` names; functions are written."""
    dialplan = channel.registry.dialplan
    for name, value in endpoint.set_var:
        if dialplan is not None:
            dialplan.write(channel, name, value)
