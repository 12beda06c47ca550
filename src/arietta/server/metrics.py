"""The page of metrics: what the server does, in numbers that Prometheus reads (text exposition format 0.0.4).

What has a counterpart in Asterisk has its name, `asterisk_…`; numbers of the media engine are `arietta_media_…`, of SIP
`arietta_sip_…`.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from arietta.bridges.bridge import BridgeRegistry
from arietta.channels.channel import State
from arietta.channels.registry import ChannelRegistry
from arietta.config.prometheus import PrometheusSettings
from arietta.config.tree import Config
from arietta.drivers.sip.driver import SipDriver
from arietta.http import Request, Response, User, Users, html_page
from arietta.http.mounts import HtmlRefusals, method_not_allowed, not_found
from arietta.media.engine import EngineStatistics, MediaEngine

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
CHANNEL_STATES = {State.DOWN: 0, State.RING: 4, State.RINGING: 5, State.UP: 6, State.BUSY: 7}
"""As AMI numbers them (ChannelState of its Newchannel event)."""
ENDPOINT_STATES = {"unknown": 0, "offline": 1, "online": 2}
REGISTRATION_STATES = {"Registered": 1, "Rejected": 2}
"""Others are 0, not registered."""

Samples = Iterable[tuple[str, float]]
"""Labels as they are written (`labelled`), and the value."""


class Measured(Protocol):
    """What is read of a server."""

    asterisk_id: str
    version: str
    started_at: float
    last_reload_at: float
    config: Config
    channels: ChannelRegistry
    bridges: BridgeRegistry
    engine: MediaEngine
    sip: SipDriver


class MetricsPage(HtmlRefusals):
    """Answers GET with the metrics of this moment; `settings` may be replaced at any time."""

    def __init__(self, server: Measured, settings: PrometheusSettings) -> None:
        self._server = server
        self._lost = 0
        self.configure(settings)

    def configure(self, settings: PrometheusSettings) -> None:
        """Ask for this user and password from now on; the path stays."""
        self._settings = settings
        self._users = Users((User(settings.auth_username, settings.auth_password),))

    def handle(self, request: Request) -> Response:
        """Answer the page itself; there is nothing below it."""
        if request.rest:
            return not_found()
        if self._settings.auth_username and self._users.authenticate(request) is None:
            challenge = (("WWW-Authenticate", f'Basic realm="{self._settings.auth_realm}"'),)
            return html_page(401, "Authentication required", challenge)
        if request.method not in ("GET", "HEAD"):
            return method_not_allowed("GET,HEAD")
        return Response(200, self._page().encode(), CONTENT_TYPE)

    def _page(self) -> str:
        began = time.perf_counter()
        server = self._server
        eid = labelled(eid=server.asterisk_id)
        parts = [*_calls(server, eid), *_endpoints(server, eid), *_bridges(server, eid)]
        parts += _signalling(server.sip)
        statistics = server.engine.stats()
        self._lost = max(self._lost, statistics.packets_lost)  # a counter never falls, not even for a late packet
        parts += _media(server.engine.name, statistics, self._lost)
        if self._settings.core_metrics_enabled:
            parts += _core(server, eid, (time.perf_counter() - began) * 1000)
        return "".join(parts)


def family(kind: str, name: str, meaning: str, samples: Samples) -> str:
    """All samples of one metric with its type (counter or gauge) and meaning."""
    lines = [f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{{{labels}}} {value}" if labels else f"{name} {value}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def labelled(*more: str, **labels: str) -> str:
    """Labels as a sample has them, behind others that are written already."""
    return ",".join((*more, *[f'{name}="{_escaped(value)}"' for name, value in labels.items()]))


def _escaped(value: str) -> str:
    """The three characters that a label's value cannot hold as they are."""
    if '"' not in value and "\\" not in value and "\n" not in value:
        return value
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _core(server: Measured, eid: str, scrape_ms: float) -> Iterator[str]:
    now = time.time()
    properties = labelled(eid, version=server.version, build_os=platform.system())
    yield family("gauge", "asterisk_core_properties", "What the server is, always 1.", ((properties, 1),))
    for name, meaning, value in (
        ("asterisk_core_uptime_seconds", "Seconds since the start.", int(now - server.started_at)),
        ("asterisk_core_last_reload_seconds", "Seconds since the last reload.", int(now - server.last_reload_at)),
        ("asterisk_core_scrape_time_ms", "Milliseconds that these metrics took.", round(scrape_ms, 3)),
    ):
        yield family("counter", name, meaning, ((eid, value),))


def _calls(server: Measured, eid: str) -> Iterator[str]:
    living = [channel for channel in server.channels if not channel.internal]
    calls = {channel.bridge.id if channel.bridge is not None else channel.id for channel in living}
    yield family("counter", "asterisk_calls_sum", "Calls since the start.", ((eid, server.channels.count_made),))
    yield family("gauge", "asterisk_calls_count", "Calls that live; a bridge is one.", ((eid, len(calls)),))
    yield family("gauge", "asterisk_channels_count", "Channels that live.", ((eid, len(living)),))
    now = time.time()
    labels = [labelled(eid, name=one.name, id=one.id, type=one.technology) for one in living]
    states = ((own, CHANNEL_STATES[one.state]) for own, one in zip(labels, living, strict=True))
    yield family("gauge", "asterisk_channels_state", _numbered({s.value: n for s, n in CHANNEL_STATES.items()}), states)
    ages = ((own, int(now - one.created_at)) for own, one in zip(labels, living, strict=True))
    yield family("gauge", "asterisk_channels_duration_seconds", "Age of each channel.", ages)


def _endpoints(server: Measured, eid: str) -> Iterator[str]:
    found = server.sip.endpoints()
    yield family("gauge", "asterisk_endpoints_count", "SIP endpoints.", ((eid, len(found)),))
    labels = [
        labelled(eid, id=f"{one.technology}/{one.resource}", tech=one.technology, resource=one.resource)
        for one in found
    ]
    states = ((own, ENDPOINT_STATES.get(one.state or "", 0)) for own, one in zip(labels, found, strict=True))
    yield family("gauge", "asterisk_endpoints_state", _numbered(ENDPOINT_STATES), states)
    counts = ((own, len(one.channel_ids)) for own, one in zip(labels, found, strict=True))
    yield family("gauge", "asterisk_endpoints_channels_count", "Channels of each endpoint.", counts)
    yield family(
        "gauge",
        "asterisk_pjsip_outbound_registration_status",
        _numbered({"unregistered": 0, **REGISTRATION_STATES}),
        _registrations(server, eid),
    )


def _registrations(server: Measured, eid: str) -> Samples:
    living = server.sip.registrations.registrations
    for name, settings in server.config.pjsip.registrations.items():
        labels = labelled(eid, username=settings.client_uri, domain=settings.server_uri, channel_type="PJSIP")
        yield labels, REGISTRATION_STATES.get(living[name].state.value, 0) if name in living else 0


def _bridges(server: Measured, eid: str) -> Iterator[str]:
    found = [bridge.snapshot() for bridge in server.bridges]
    yield family("gauge", "asterisk_bridges_count", "Bridges that live.", ((eid, len(found)),))
    labels = [
        labelled(eid, id=one.id, tech=one.technology, subclass=one.bridge_class, creator=one.creator, name=one.name)
        for one in found
    ]
    counts = ((own, len(one.channels)) for own, one in zip(labels, found, strict=True))
    yield family("gauge", "asterisk_bridges_channels_count", "Channels of each bridge.", counts)


def _signalling(sip: SipDriver) -> Iterator[str]:
    counts = ((labelled(what=name), count) for name, count in sorted(sip.agent.counters.items()))
    yield family("counter", "arietta_sip_messages_total", "SIP messages by what became of them.", counts)
    for gauge, meaning, value in (
        ("transactions", "SIP transactions that live.", len(sip.agent.layer)),
        ("connections", "SIP connections that are open.", sip.transports.connection_count),
        ("subscriptions", "Subscriptions of phones that live.", len(sip.subscriptions)),
        ("sources_banned", "Sources that guessed passwords.", len(sip.guard.bans(sip.now()))),
    ):
        yield family("gauge", f"arietta_sip_{gauge}", meaning, (("", value),))


def _media(name: str, told: EngineStatistics, lost: int) -> Iterator[str]:
    yield family("gauge", "arietta_media_info", "Which media engine it is, always 1.", ((labelled(engine=name), 1),))
    for gauge, meaning, value in (
        ("legs", "Ports of the media engine that are open.", told.ports),
        ("legs_active", "Ports that need the next tick.", told.active_ports),
        ("mixers", "Mixers that are open.", told.mixers),
        ("threads", "Threads that carry audio.", told.threads),
        ("cached_bytes", "Decoded sounds in memory.", told.cached_bytes),
    ):
        yield family("gauge", f"arietta_media_{gauge}", meaning, (("", value),))
    for counter, meaning, total in (
        ("ticks", "Ticks of 20 ms, of all threads.", told.ticks),
        ("ticks_late", "Ticks that were skipped because their time had passed.", told.late_ticks),
        ("tick_seconds", "Time spent in ticks, mixing and sending included.", told.tick_ns / 1e9),
        ("packets_in", "RTP packets received.", told.packets_received),
        ("packets_out", "RTP packets sent.", told.packets_sent),
        ("packets_dropped", "RTP packets received and not used.", told.packets_dropped),
        ("packets_lost", "RTP packets that never came.", lost),
        ("send_errors", "Packets that the system did not take.", told.send_errors),
        ("events_dropped", "Digits and the like that were not told.", told.events_dropped),
    ):
        yield family("counter", f"arietta_media_{counter}_total", meaning, (("", total),))


def _numbered(states: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in states.items()) + "."
