"""What Asterisk's own API documents get wrong; clients read them so, so they stay wrong here."""

PARAMETERS_WITHOUT: dict[tuple[str, str], tuple[str, ...]] = {
    ("endpoints", "tech"): ("required", "allowMultiple"),
    ("endpoints", "resource"): ("required", "allowMultiple"),
    ("sounds", "lang"): ("allowMultiple",),
    ("sounds", "format"): ("allowMultiple",),
}
"""Members that are left out of a parameter, by resource and name."""

PROPERTIES_WITHOUT_REQUIRED = frozenset(
    {
        ("BridgeAttendedTransfer", "destination_application"),
        ("BridgeAttendedTransfer", "destination_bridge"),
        ("BridgeAttendedTransfer", "destination_link_first_leg"),
        ("BridgeAttendedTransfer", "destination_link_second_leg"),
        ("BridgeAttendedTransfer", "destination_threeway_bridge"),
        ("BridgeAttendedTransfer", "destination_threeway_channel"),
        ("BridgeAttendedTransfer", "transferer_first_leg_bridge"),
        ("BridgeAttendedTransfer", "transferer_second_leg_bridge"),
        ("BridgeBlindTransfer", "bridge"),
        ("Channel", "caller_rdnis"),
        ("ChannelDestroyed", "tech_cause"),
        ("ChannelEnteredBridge", "channel"),
        ("ChannelHangupRequest", "cause"),
        ("ChannelHangupRequest", "soft"),
        ("ChannelHangupRequest", "tech_cause"),
        ("Playback", "language"),
    }
)
"""Properties that say nothing of whether they are required."""

VALUES = {("Playback", "state"): ("queued", "playing", "continuing", "done", "failed")}
"""Values that are listed, where more are sent: a paused playback is `paused`."""

SWAGGER_VERSIONS = {"events": "1.2"}
"""Files that claim another version than 1.1 of the format all of them have."""

UNDOCUMENTED_PROPERTIES = frozenset(
    ("RTPstat", name)
    for name in (
        "txmes",
        "rxmes",
        "remote_maxmes",
        "remote_minmes",
        "remote_normdevmes",
        "remote_stdevmes",
        "local_maxmes",
        "local_minmes",
        "local_normdevmes",
        "local_stdevmes",
    )
)
"""Properties that are sent and not documented."""
