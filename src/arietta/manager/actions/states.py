"""States of extensions, devices and people."""

from __future__ import annotations

from arietta.manager.declared import Call, Reply, action, item, listing, success
from arietta.stasis.presence import PREFIX


@action(
    "ExtensionState",
    "Show the state of an extension.",
    ("Exten", "The extension."),
    ("[Context]", "Its context; default without it."),
    write="call,reporting",
)
def extension_state(call: Call) -> Reply:
    exten, context = call.need("Exten", "Extension not specified"), call.get("Context") or "default"
    found = call.domain.dialplan.hints.get(context, exten)
    return success(
        "Extension Status",
        ("Exten", exten),
        ("Context", context),
        ("Hint", found.hint if found is not None else ""),
        ("Status", str(found.status) if found is not None else "-1"),
        ("StatusText", found.text if found is not None else "Unknown"),
    )


@action("ExtensionStateList", "List the states of all extensions that have one.", write="call,reporting")
def extension_state_list(call: Call) -> Reply:
    items = [
        item(
            "ExtensionStatus",
            ("Exten", one.exten),
            ("Context", one.context),
            ("Hint", one.hint),
            ("Status", one.status),
            ("StatusText", one.text),
        )
        for one in call.domain.dialplan.hints.all()
    ]
    return listing("Extension Statuses will follow", items, "ExtensionStateListComplete")


@action("DeviceStateList", "List the states of all devices.", write="call,reporting")
def device_state_list(call: Call) -> Reply:
    domain = call.domain
    devices = {shown.name: shown.state for shown in (*domain.devices.list(), *domain.devices.custom())}
    for driver in domain.channels.drivers.values():
        for endpoint in driver.endpoints():
            name = f"{endpoint.technology}/{endpoint.resource}"
            devices[name] = domain.devices.get(name).state
    items = [item("DeviceStateChange", ("Device", name), ("State", state)) for name, state in sorted(devices.items())]
    return listing("Device State Changes will follow", items, "DeviceStateListComplete")


@action(
    "PresenceState",
    "Show the presence of somebody.",
    ("Provider", "Who, such as CustomPresence:lamp."),
    write="call,reporting",
)
def presence_state(call: Call) -> Reply:
    presence = call.domain.presences.get(call.need("Provider", "No provider specified"))
    more = (("Subtype", presence.subtype), ("PresenceMessage", presence.message))
    return success("Presence State", ("State", presence.state), *((name, text) for name, text in more if text))


@action("PresenceStateList", "List the presence of everybody.", write="call,reporting")
def presence_state_list(call: Call) -> Reply:
    items = [
        item(
            "PresenceStateChange",
            ("Presentity", f"CustomPresence:{name.removeprefix(PREFIX)}"),
            ("Status", presence.state),
            *((("Subtype", presence.subtype),) if presence.subtype else ()),
            *((("Message", presence.message),) if presence.message else ()),
        )
        for name, presence in call.domain.presences.items()
    ]
    return listing("Presence State Changes will follow", items, "PresenceStateListComplete")
