"""The actions, by topic: each is declared once, with its headers and who may ask for it."""

from __future__ import annotations

from arietta.manager.actions import (
    agi,
    audio,
    bridges,
    calls,
    config_changes,
    configuration,
    database,
    dialplan,
    endpoints,
    login,
    mailboxes,
    messages,
    originate,
    showing,
    states,
    system,
)

MODULES = (
    agi, audio, bridges, calls, config_changes, configuration, database, dialplan, endpoints, login, mailboxes,
    messages, originate, showing, states, system,
)  # fmt: skip
"""Being imported they have declared their actions."""
