"""The events that answer an action, by the action: they are told to who asked, and to nobody else."""

from __future__ import annotations

ANSWERS = {
    "BridgeInfo": "BridgeInfoChannel BridgeInfoComplete",
    "CoreShowChannelMap": "CoreShowChannelMapComplete",
    "CoreShowChannels": "CoreShowChannel CoreShowChannelsComplete",
    "DeviceStateList": "DeviceStateListComplete",
    "ExtensionStateList": "ExtensionStateListComplete",
    "MWIGet": "MWIGet MWIGetComplete",
    "Originate": "OriginateResponse",
    "PJSIPShowAors": "AorList AorListComplete",
    "PJSIPShowAuths": "AuthList AuthListComplete",
    "PJSIPShowContacts": "ContactList ContactListComplete",
    "PJSIPShowEndpoint": (
        "AorDetail AuthDetail ContactStatusDetail EndpointDetail EndpointDetailComplete IdentifyDetail TransportDetail"
    ),
    "PJSIPShowEndpoints": "EndpointList EndpointListComplete",
    "PJSIPShowRegistrationsInbound": "InboundRegistrationDetail",
    "PJSIPShowRegistrationsOutbound": "OutboundRegistrationDetail",
    "PJSIPShowSubscriptionsInbound": "InboundSubscriptionDetail",
    "PresenceStateList": "PresenceStateListComplete",
    "Status": "Status StatusComplete",
}
