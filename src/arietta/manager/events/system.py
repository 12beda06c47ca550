"""Events of what is around the calls: endpoints, devices, extensions, mailboxes, and the server itself."""

from __future__ import annotations

from msgspec import UNSET

from arietta.manager.events.blocks import Blocks
from arietta.manager.events.declared import Kind, translates
from arietta.manager.message import Headers, ManagerEvent
from arietta.model import events, facts

PEER_STATUS = Kind("PeerStatus", "system", "An endpoint can be reached, or cannot.")
CONTACT_STATUS = Kind("ContactStatus", "system", "What is known of the way to a contact changed.")
REGISTRY = Kind("Registry", "system", "A registration that the server makes elsewhere went well, failed or ended.")
DEVICE_STATE_CHANGE = Kind("DeviceStateChange", "call", "The state of a device changed.")
EXTENSION_STATUS = Kind("ExtensionStatus", "call", "What a hint says of an extension changed.")
PRESENCE_STATE_CHANGE = Kind("PresenceStateChange", "call", "The presence of somebody changed.")
MESSAGE_WAITING = Kind("MessageWaiting", "call", "Other numbers of messages wait in a mailbox.")
PRESENCE_STATUS = Kind("PresenceStatus", "call", "What a hint says of the presence of an extension changed.")
LOAD = Kind("Load", "system", "A part of the server was put back.")
UNLOAD = Kind("Unload", "system", "A part of the server was taken out.")
RELOAD = Kind("Reload", "system", "A part of the configuration, or all of it, was read again.")
FULLY_BOOTED = Kind("FullyBooted", "system", "Every part of the server runs; also told to each client that logs in.")
SHUTDOWN = Kind("Shutdown", "system", "The server ends.")

SUCCEEDED, FAILED = "0", "3"
"""The Status of a Reload."""


@translates(events.PeerStatusChange)
def _peer(fact: events.PeerStatusChange, _blocks: Blocks) -> ManagerEvent:
    endpoint, peer = fact.endpoint, fact.peer
    headers: Headers = (
        ("ChannelType", endpoint.technology),
        ("Peer", f"{endpoint.technology}/{endpoint.resource}"),
        ("PeerStatus", peer.peer_status),
    )
    further = (("Cause", peer.cause), ("Address", peer.address), ("Port", peer.port), ("Time", peer.time))
    return PEER_STATUS((*headers, *((name, value) for name, value in further if value is not UNSET)))


@translates(events.ContactStatusChange)
def _contact(fact: events.ContactStatusChange, _blocks: Blocks) -> ManagerEvent:
    contact = fact.contact_info
    return CONTACT_STATUS(
        (
            ("URI", contact.uri),
            ("ContactStatus", contact.contact_status),
            ("AOR", contact.aor),
            ("EndpointName", fact.endpoint.resource),
            ("RoundtripUsec", contact.roundtrip_usec or "0"),
        )
    )


@translates(facts.ContactRefreshed)
def _refreshed(fact: facts.ContactRefreshed, _blocks: Blocks) -> ManagerEvent:
    return CONTACT_STATUS(
        (
            ("URI", fact.uri),
            ("ContactStatus", "Updated"),
            ("AOR", fact.aor),
            ("EndpointName", fact.endpoint),
            ("RoundtripUsec", str(fact.roundtrip_usec)),
        )
    )


@translates(facts.RegistrationChanged)
def _registration(fact: facts.RegistrationChanged, _blocks: Blocks) -> ManagerEvent:
    headers: Headers = (
        ("ChannelType", "PJSIP"),
        ("Username", fact.client_uri),
        ("Domain", fact.server_uri),
        ("Status", fact.status),
    )
    return REGISTRY((*headers, ("Cause", fact.cause)) if fact.cause else headers)


@translates(events.DeviceStateChanged)
def _device(fact: events.DeviceStateChanged, _blocks: Blocks) -> ManagerEvent:
    return DEVICE_STATE_CHANGE((("Device", fact.device_state.name), ("State", fact.device_state.state)))


@translates(facts.ExtensionStateChanged)
def _extension(fact: facts.ExtensionStateChanged, _blocks: Blocks) -> ManagerEvent:
    return EXTENSION_STATUS(
        (
            ("Exten", fact.exten),
            ("Context", fact.context),
            ("Hint", fact.hint),
            ("Status", str(fact.status)),
            ("StatusText", fact.status_text),
        )
    )


@translates(facts.PresenceStateChanged)
def _presence(fact: facts.PresenceStateChanged, _blocks: Blocks) -> ManagerEvent:
    return PRESENCE_STATE_CHANGE(
        (
            ("Presentity", fact.provider),
            ("Status", fact.state),
            ("Subtype", fact.subtype),
            ("Message", fact.message),
        )
    )


@translates(facts.ExtensionPresenceChanged)
def _extension_presence(fact: facts.ExtensionPresenceChanged, _blocks: Blocks) -> ManagerEvent:
    return PRESENCE_STATUS(
        (
            ("Exten", fact.exten),
            ("Context", fact.context),
            ("Hint", fact.hint),
            ("Status", fact.state),
            ("Subtype", fact.subtype),
            ("Message", fact.message),
        )
    )


@translates(facts.MailboxChanged)
def _mailbox(fact: facts.MailboxChanged, _blocks: Blocks) -> ManagerEvent:
    return MESSAGE_WAITING(
        (
            ("Mailbox", fact.mailbox),
            ("Waiting", "1" if fact.new_messages else "0"),
            ("New", str(fact.new_messages)),
            ("Old", str(fact.old_messages)),
        )
    )


@translates(facts.ModuleChanged)
def _module(fact: facts.ModuleChanged, _blocks: Blocks) -> ManagerEvent:
    kind = LOAD if fact.loaded else UNLOAD
    return kind((("Module", fact.module), ("Status", "Success")))


@translates(facts.Reloaded)
def _reloaded(fact: facts.Reloaded, _blocks: Blocks) -> ManagerEvent:
    return RELOAD((("Module", fact.module), ("Status", SUCCEEDED if fact.succeeded else FAILED)))


@translates(facts.FullyBooted)
def fully_booted(fact: facts.FullyBooted, _blocks: Blocks | None = None) -> ManagerEvent:
    """The event of a server that has started; a client that logs in gets it too."""
    return FULLY_BOOTED(
        (
            ("Status", "Fully Booted"),
            ("Uptime", str(fact.uptime_s)),
            ("LastReload", str(fact.last_reload_s)),
        )
    )


@translates(facts.ShuttingDown)
def _shutdown(fact: facts.ShuttingDown, _blocks: Blocks) -> ManagerEvent:
    return SHUTDOWN(
        (
            ("Shutdown", "Cleanly" if fact.clean else "Uncleanly"),
            ("Restart", "True" if fact.restart else "False"),
        )
    )
