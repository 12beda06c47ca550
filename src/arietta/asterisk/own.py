"""Names that are here and not in Asterisk; whatever else is here has a name that Asterisk has."""

from __future__ import annotations

COMMANDS = frozenset((
    "core show engine",
    "pjsip show bans",
    "pjsip show counters",
    "pjsip show ladder",
    "pjsip show ladders",
    "pjsip unban",
))  # fmt: skip

SECTIONS = frozenset(("pjsip.conf type=guard", "pjsip.conf type=ladder"))
"""Sections of files."""

OPTIONS = {
    "ari.conf [general]": frozenset(("api_version",)),
    "asterisk.conf [options]": frozenset(("phreaknet",)),
    "manager.conf [general]": frozenset(
        ("sessionlimit", "queue_bytes", "auth_failures", "auth_failure_period", "ban_time")
    ),
    "rtp.conf [general]": frozenset(("media_engine", "media_threads", "mix_loudest")),
}
"""Options by section."""
