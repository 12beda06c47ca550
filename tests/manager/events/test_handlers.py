"""Events of hangup handlers, of recordings, of modules, and of the presence behind hints."""

from __future__ import annotations

import pytest

from arietta.dialplan.applications import mixmonitor
from arietta.server import Server
from arietta.stasis.presence import Presence
from arietta.testing import Phone
from journeys.conftest import EXTENSIONS, FILES

from .conftest import Watch

HANDLERS = """
exten => 1700,1,Set(CHANNEL(hangup_handler_push)=bye,s,1)
 same => n,Set(CHANNEL(hangup_handler_push)=bye,s,1(two))
 same => n,Set(CHANNEL(hangup_handler_pop)=)
 same => n,Hangup()
exten => 1800,hint,Custom:lamp,CustomPresence:alice
[bye]
exten => s,1,Return()
"""


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "extensions.conf": EXTENSIONS + HANDLERS}


async def test_handlers_are_pushed_popped_and_run(alice: Phone, watch: Watch) -> None:
    call = await alice.invite("1700")
    await call.ended()
    told = [line for line in watch.ladder() if line.startswith("HangupHandler")]
    assert told == [
        "HangupHandlerPush alice bye,s,1",
        "HangupHandlerPush alice bye,s,1(two)",
        "HangupHandlerPop alice bye,s,1(two)",
        "HangupHandlerRun alice bye,s,1",
    ]


async def test_recordings_begin_are_silenced_and_end(server: Server, alice: Phone, watch: Watch) -> None:
    call = await alice.invite("1200")
    await call.answered()
    channel = next(iter(server.channels))
    watch.forget()
    monitor, _ = mixmonitor.start(server.dialplan, channel, "all.wav")
    monitor.mute(True)
    monitor.mute(False)
    mixmonitor.stop(channel, monitor.id)
    assert watch.ladder(without="VarSet") == [
        "MixMonitorStart alice",
        "MixMonitorMute alice both 1",
        "MixMonitorMute alice both 0",
        "MixMonitorStop alice",
    ]
    await call.hang_up()


def test_modules_come_and_go(server: Server, watch: Watch) -> None:
    server.modules.unload("app_echo.so")
    server.modules.load("app_echo.so")
    assert watch.ladder() == ["Unload app_echo.so", "Load app_echo.so"]


def test_a_hint_tells_its_devices_and_its_presence_apart(server: Server, watch: Watch) -> None:
    server.device_states.set_custom("Custom:lamp", "INUSE")
    watch.forget()
    server.presence_states.set("CustomPresence:alice", Presence("dnd", "", "at lunch"))
    assert watch.ladder() == ["PresenceStateChange", "PresenceStatus 1800 default dnd at lunch"]
    watch.forget()
    server.device_states.set_custom("Custom:lamp", "BUSY")
    assert watch.ladder() == ["ExtensionStatus"]
