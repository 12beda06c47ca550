"""Every function of the dialplan that needs no other part of the server: the one list that names their files."""

from __future__ import annotations

from arietta.dialplan.functions import (
    Functions,
    channels,
    codes,
    database,
    endings,
    features,
    files,
    groups,
    lists,
    locks,
    logic,
    machine,
    messages,
    outside,
    parties,
    recordings,
    saying,
    sharing,
    sound,
    states,
    strings,
    system,
    tones,
)

PARTS = (
    channels,
    codes,
    database,
    endings,
    features,
    files,
    groups,
    lists,
    locks,
    logic,
    machine,
    messages,
    outside,
    parties,
    recordings,
    saying,
    sharing,
    sound,
    states,
    strings,
    system,
    tones,
)


def standard_functions() -> Functions:
    """Those of every part."""
    return Functions(function for part in PARTS for function in part.FUNCTIONS)
