"""Every application of the dialplan that needs no other part of the server: the one list that names their files."""

from __future__ import annotations

from arietta.dialplan.agi import application as agi
from arietta.dialplan.applications import (
    Applications,
    amd,
    asking,
    background,
    branches,
    calls,
    control,
    data,
    devices,
    dial,
    disa,
    listening,
    loops,
    mixmonitor,
    morse,
    originate,
    privacy,
    recording,
    saying,
    signalling,
    sounds,
    spying,
    system,
    texts,
    transferring,
    waiting,
)

PARTS = (
    agi,
    amd,
    asking,
    background,
    branches,
    calls,
    control,
    data,
    devices,
    dial,
    disa,
    listening,
    loops,
    mixmonitor,
    morse,
    originate,
    privacy,
    recording,
    saying,
    signalling,
    sounds,
    spying,
    system,
    texts,
    transferring,
    waiting,
)


def standard_applications() -> Applications:
    """Those of every part."""
    return Applications(application for part in PARTS for application in part.APPLICATIONS)
