"""A server as the console sees it, with one call up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from arietta import verbose
from arietta.astdb import AstDb
from arietta.cli.commands import Console, all_commands
from arietta.cli.switch import (
    ChannelView,
    ContextView,
    EngineView,
    ExtensionView,
    HelpView,
    HintView,
    ManagerSessionView,
    ModuleView,
    Originate,
    StasisView,
    StepView,
    StopWhen,
)
from arietta.config.conf import ConfigError, Problem
from arietta.config.system import LoggerSettings
from arietta.config.tree import Config, load
from arietta.errors import AllocationFailed, NotFound
from arietta.logs import Logs
from arietta.media.engine import EngineStatistics
from arietta.model import shown, snapshots
from arietta.store import Store

DEMO = Path(str(files("arietta"))) / "data" / "demo"


def channel(name: str, channel_id: str, state: str, app: tuple[str, str]) -> snapshots.Channel:
    return snapshots.Channel(
        id=channel_id,
        name=name,
        state=state,  # type: ignore[arg-type]
        protocol_id="call-1@10.0.0.2",
        caller=snapshots.CallerID(name="Alice", number="1001"),
        connected=snapshots.CallerID(name="", number=""),
        accountcode="sales",
        dialplan=snapshots.DialplanCEP(context="default", exten="1000", priority=3, app_name=app[0], app_data=app[1]),
        creationtime="2026-11-22T12:00:00.000+0000",
        language="en",
    )


SDP = (
    b"v=0\r\no=- 1 1 IN IP4 10.0.0.2\r\ns=-\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"
)


def said() -> list[shown.SipCall]:
    """Two calls that a Dial connected; the second one's phone was asked twice, and its call has ended."""

    def message(at: float, direction: str, host: str, first: str, cseq: str, more: str = "") -> shown.SipMessage:
        body = SDP if "sdp" in more else b""
        data = (
            f"{first}\r\nVia: SIP/2.0/UDP {host};branch=z9hG4bK{cseq[0]}\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\n"
            f"Call-ID: call of {host}\r\nCSeq: {cseq}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        return shown.SipMessage(int(at * 1000), 1.8e9 + at, direction, "UDP", ("10.0.0.1", 5060), (host, 5060), data)

    sdp = "Content-Type: application/sdp\r\n"
    first = [
        message(0.0, "<", "10.0.0.2", "INVITE sip:1100@10.0.0.1 SIP/2.0", "1 INVITE", sdp),
        message(3.2, ">", "10.0.0.2", "SIP/2.0 200 OK", "1 INVITE", sdp),
        message(3.3, "<", "10.0.0.2", "ACK sip:1100@10.0.0.1 SIP/2.0", "1 ACK"),
    ]
    second = [
        message(0.1, ">", "10.0.0.3", "INVITE sip:bob@10.0.0.3 SIP/2.0", "7 INVITE", sdp),
        message(0.6, ">", "10.0.0.3", "INVITE sip:bob@10.0.0.3 SIP/2.0", "7 INVITE", sdp),
        message(0.7, "<", "10.0.0.3", "SIP/2.0 180 Ringing", "7 INVITE"),
        message(3.1, "<", "10.0.0.3", "SIP/2.0 200 OK", "7 INVITE", sdp),
        message(9.0, ">", "10.0.0.3", "BYE sip:bob@10.0.0.3 SIP/2.0", "8 BYE", "Reason: Q.850;cause=16\r\n"),
    ]
    return [
        shown.SipCall("call of 10.0.0.2", first, "PJSIP/1001-00000000", "1700000000.1", "l1", True, len(first)),
        shown.SipCall("call of 10.0.0.3", second, "PJSIP/1002-00000001", "1700000000.2", "l1", False, len(second)),
    ]


class FakeSip:
    """What `arietta.cli.switch.Sip` asks for."""

    def __init__(self, said: list[shown.SipCall], done: list[object]) -> None:
        self.said = said
        self._done = done

    def contacts(self) -> Sequence[shown.Contact]:
        return [
            shown.Contact("1001", "1001", "sip:1001@127.0.0.1:5070", "Reachable", 1250, 3540, "baresip"),
            shown.Contact("1002", "1002", "sip:1002@10.0.0.9"),
        ]

    def registrations(self) -> Sequence[shown.Registration]:
        return [shown.Registration("trunk", "sip:sip.example.org", "trunk-auth", "Registered", 55)]

    def subscriptions(self) -> Sequence[shown.Subscription]:
        return [
            shown.Subscription("1001", "2001", "presence", 590, "call-7@10.0.0.2", "application/pidf+xml"),
            shown.Subscription("1002", "1002", "message-summary;id=3", 60, "call-8@10.0.0.3"),
        ]

    def bans(self) -> Sequence[shown.Ban]:
        return [shown.Ban("198.51.100.7", 10, 540)]

    def unban(self, source: str) -> bool:
        self._done.append(("unban", source))
        return True

    def counters(self) -> Mapping[str, int]:
        return {"requests": 12, "guard.limited": 7000}

    def calls(self) -> Sequence[shown.SipCall]:
        return [msgspec.structs.replace(call, messages=(call.messages[0], call.messages[-1])) for call in self.said]

    def ladder(self, name: str, *, with_peer: bool) -> Sequence[shown.SipCall]:
        found = [call for call in self.said if name in (call.channel, call.channel_id, call.call_id)]
        if not found:
            raise NotFound(f"no SIP of a call {name!r} is kept")
        return self.said if with_peer else found

    def qualify(self, endpoint: str) -> None:
        self._done.append(("qualify", endpoint))

    def register(self, name: str) -> None:
        self._done.append(("register", name))

    def unregister(self, name: str) -> None:
        self._done.append(("unregister", name))

    def notify(self, to: str, option: str) -> int:
        self._done.append(("notify", to, option))
        return 1

    def notifications(self) -> Sequence[str]:
        return ["reboot"]

    def log(self, words: Sequence[str]) -> str:
        self._done.append(("log", *words))
        return "SIP messages are logged."

    def log_media(self, what: str, words: Sequence[str]) -> str:
        self._done.append((what, *words))
        return "Packets of RTP are shown."


class FakeSwitch:
    """What `arietta.cli.switch.Switch` asks for, from lists that a test may change."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.started_at = time.time() - 93_784
        self.last_reload_at = time.time() - 61
        self.asterisk_id = "02:00:00:00:00:01"
        self.calls_processed = 7
        self.records: Any = None
        self.plan: Any = None
        self.ari: Any = None
        self.outbound: Any = None
        self.presences: Any = None
        self.sounds: Any = None
        self.broken: tuple[Problem, ...] = ()
        self.done: list[object] = []
        self.hung_up: Callable[[], None] = lambda: None
        now = time.time()
        self.sip = FakeSip(said(), self.done)
        self.store = Store(None)
        self.astdb = AstDb(self.store)
        self.living = [
            ChannelView(
                channel("PJSIP/1001-00000000", "1700000000.1", "Up", ("Stasis", "hello-world,a")),
                created_at=now - 65,
                answered_at=now - 60,
                bridge_id="b-1",
                peer="PJSIP/1002-00000001",
                codec="ulaw",
                variables={"STASISSTATUS": "", "BRIDGEPEER": "PJSIP/1002-00000001"},
            ),
            ChannelView(
                channel("PJSIP/1002-00000001", "1700000000.2", "Up", ("AppDial2", "(Outgoing Line)")),
                created_at=now - 3725,
                bridge_id="b-1",
                peer="PJSIP/1001-00000000",
            ),
            ChannelView(channel("Local/5@default-00000000;1", "1700000000.3", "Ring", ("", "")), created_at=now - 1),
        ]

    def channels(self) -> Sequence[ChannelView]:
        return self.living

    def channel(self, name: str) -> ChannelView | None:
        return next((v for v in self.living if name in (v.snapshot.id, v.snapshot.name)), None)

    def bridges(self) -> Sequence[snapshots.Bridge]:
        return [
            snapshots.Bridge(
                id="b-1",
                technology="simple_bridge",
                bridge_type="mixing",
                bridge_class="stasis",
                creator="Stasis",
                name="talk",
                channels=["1700000000.1", "1700000000.2"],
                creationtime="2026-11-22T12:00:01.000+0000",
                video_mode="none",
            )
        ]

    def applications(self) -> Sequence[StasisView]:
        shown = snapshots.Application(
            name="hello-world",
            channel_ids=["1700000000.1"],
            bridge_ids=[],
            endpoint_ids=["PJSIP/1001"],
            device_names=[],
            events_allowed=[],
            events_disallowed=[],
        )
        return [StasisView(shown, True)]

    def http_addresses(self) -> Sequence[tuple[str, bool]]:
        return [("127.0.0.1:8088", False), ("127.0.0.1:8089", True)]

    def http_uris(self) -> Sequence[tuple[str, str]]:
        return [("/ari/...", "Asterisk RESTful API"), ("/httpstatus", "Asterisk HTTP General Status")]

    def contexts(self) -> Sequence[ContextView]:
        steps = (
            StepView(1, "", "NoOp", "", "extensions.conf:9"),
            StepView(2, "go", "Stasis", "hello-world", "extensions.conf:10"),
        )
        hinted = ExtensionView("2001", (), "PJSIP/1001")
        return [
            ContextView("default", (ExtensionView("1000", steps), hinted), ("other",)),
            ContextView("other", (ExtensionView("_X.", (StepView(1, "", "Hangup", "", "extensions.conf:14"),)),)),
        ]

    def dialplan_applications(self) -> Sequence[HelpView]:
        return [
            HelpView(
                "Stasis", "Hand the channel to an ARI application.", "Stasis(app[,args])", "Waits until it is over."
            ),
            HelpView("Answer", "Answer the call."),
        ]

    def dialplan_functions(self) -> Sequence[HelpView]:
        return [HelpView("LEN", "Length of a text.", "LEN(text)")]

    def hints(self) -> Sequence[HintView]:
        return [
            HintView("2001", "default", "PJSIP/1001", "InUse&Ringing", "dnd", 2),
            HintView("2001", "other", "Custom:lamp", "Idle"),
        ]

    def endpoints(self) -> Sequence[snapshots.Endpoint]:
        return [snapshots.Endpoint(technology="PJSIP", resource="1001", state="online", channel_ids=["1700000000.1"])]

    def device_state(self, device: str) -> str:
        return {"PJSIP/1001": "INUSE", "PJSIP/1002": "NOT_INUSE"}.get(device, "UNAVAILABLE")

    def manager_sessions(self) -> Sequence[ManagerSessionView]:
        return [ManagerSessionView("admin", "127.0.0.1:40000", "TCP", 0.0, 3, 5)]

    def modules(self) -> Sequence[ModuleView]:
        return [ModuleView("res_ari.so", "REST interface"), ModuleView("pbx_config.so", "Dialplan of files", 3)]

    def engine(self) -> EngineView:
        counted = EngineStatistics(
            ports=5,
            mixers=1,
            ticks=4000,
            late_ticks=2,
            packets_sent=900,
            packets_received=1000,
            packets_dropped=7,
            send_errors=1,
            cached_bytes=1_250_000,
            active_ports=3,
            tick_ns=50_000_000,
            packets_lost=4,
        )
        return EngineView("reference", counted, "the extension module was not built")

    def settings(self) -> Sequence[tuple[str, str]]:
        return [("Media engine", "reference")]

    def hang_up(self, channel_id: str) -> None:
        self.done.append(("hang up", channel_id))
        self.hung_up()

    def redirect(self, channel_id: str, context: str, exten: str, priority: str) -> None:
        self.done.append(("redirect", channel_id, context, exten, priority))

    def kick(self, bridge_id: str, channel_id: str) -> None:
        self.done.append(("kick", bridge_id, channel_id))

    def destroy_bridge(self, bridge_id: str) -> None:
        self.done.append(("destroy", bridge_id))

    def database(self) -> AstDb:
        return self.astdb

    def custom_devices(self) -> Sequence[snapshots.DeviceState]:
        return [snapshots.DeviceState(name="Custom:lamp", state="BUSY")]

    def set_custom_device(self, name: str, state: str) -> None:
        self.done.append(("device", name, state))

    def globals(self) -> Mapping[str, str]:
        return {"TRUNK": "PJSIP/trunk", "EMPTY": ""}

    def set_global(self, name: str, value: str) -> None:
        self.done.append(("global", name, value))

    def groups(self) -> Sequence[tuple[str, str, str]]:
        return [("PJSIP/1001-00000000", "sales", "")]

    def music(self) -> Mapping[str, Sequence[str]]:
        return {"default": ("/moh/one.wav", "/moh/two.wav"), "other": ()}

    def load_module(self, name: str) -> None:
        self.done.append(("load", name))

    def unload_module(self, name: str) -> None:
        self.done.append(("unload", name))

    async def originate(self, call: Originate) -> str:
        if call.endpoint.startswith("Bogus/"):
            raise AllocationFailed()
        self.done.append(call)
        return "PJSIP/1001-00000002"

    async def reload(self, modules: tuple[str, ...] | None) -> Sequence[str]:
        if self.broken:
            raise ConfigError(self.broken)
        self.done.append(("reload", modules))
        return ["extensions.conf: 2 contexts"]

    def stop(self, when: StopWhen, *, restarts: bool = False) -> None:
        self.done.append(("restart" if restarts else "stop", when))

    def abort_stop(self) -> bool:
        self.done.append("abort")
        return len(self.done) > 1


@pytest.fixture(scope="session")
def demo_config() -> Config:
    return load(DEMO, {"HOME": "/home/someone", "XDG_STATE_HOME": "/var/state"})


@pytest.fixture
def switch(demo_config: Config) -> Iterator[FakeSwitch]:
    made = FakeSwitch(demo_config)
    yield made
    made.store.close()


@pytest.fixture
def output() -> StringIO:
    """What the server's own console shows."""
    return StringIO()


@pytest.fixture
def logs(tmp_path: Path, output: StringIO) -> Iterator[Logs]:
    before = verbose.level()
    made = Logs(LoggerSettings(), tmp_path / "log", stream=output)
    made.start()
    yield made
    made.stop()
    verbose.set_level(before)


@pytest.fixture
def console(switch: FakeSwitch, logs: Logs) -> Console:
    return Console(switch, logs, all_commands())


def with_pjsip(config: Config, **tables: object) -> Config:
    """The configuration with other tables in pjsip.conf."""
    return msgspec.structs.replace(config, pjsip=msgspec.structs.replace(config.pjsip, **tables))
