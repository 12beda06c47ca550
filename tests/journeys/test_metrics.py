"""The page of metrics: its format, what it counts, who may read it."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.server import Server
from arietta.server.metrics import family, labelled
from arietta.testing import AriClient, Phone
from arietta.testing.ari import Reply

from .conftest import FILES

PASSWORD = "well-kept"
PROMETHEUS = f"[general]\nenabled=yes\nauth_username=prometheus\nauth_password={PASSWORD}\n"
REGISTRATION = """
[trunk]
type=registration
server_uri=sip:10.0.1.9
client_uri=sip:us@sip.example.org
"""
SAMPLE = re.compile(
    r'(?P<name>[a-z_]+)(?:\{(?P<labels>[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*)\})? '
    r"(?P<value>\d+(?:\.\d+)?(?:e-?\d+)?)"
)


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "prometheus.conf": PROMETHEUS, "pjsip.conf": FILES["pjsip.conf"] + REGISTRATION}


async def scrape(path: str = "/metrics", expect: int = 200, username: str = "prometheus") -> Reply:
    async with AriClient(username=username, password=PASSWORD, prefix="") as prometheus:
        return await prometheus.get(path, expect=expect)


def samples_of(page: str) -> dict[str, float]:
    """Every sample by name and labels; its lines are as the format wants them, each family in one piece."""
    found: dict[str, float] = {}
    begun: list[str] = []
    for line in page.splitlines():
        if line.startswith("# HELP "):
            assert line.split()[2] not in begun
            begun.append(line.split()[2])
        elif line.startswith("# TYPE "):
            assert line.split()[2:] in ([begun[-1], "counter"], [begun[-1], "gauge"])
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample is not None, line
            assert sample["name"] == begun[-1]
            series = line.rpartition(" ")[0]
            assert series not in found
            found[series] = float(sample["value"])
    return found


async def test_a_call_is_seen(server: Server, alice: Phone, app: AriClient) -> None:
    call = await alice.invite("1000")
    channel = (await app.event("StasisStart"))["channel"]
    await call.answered()
    bridge = (await app.post("/bridges", type="mixing", name='a "room"')).json["id"]
    await app.post(f"/bridges/{bridge}/addChannel", channel=channel["id"], expect=204)
    reply = await scrape()
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples_of(reply.body.decode())
    eid = f'eid="{server.asterisk_id}"'
    leg = f'{eid},name="{channel["name"]}",id="{channel["id"]}",type="PJSIP"'
    phone = f'{eid},id="PJSIP/alice",tech="PJSIP",resource="alice"'
    other = f'{eid},id="PJSIP/bob",tech="PJSIP",resource="bob"'
    room = f'{eid},id="{bridge}",tech="simple_bridge",subclass="stasis",creator="Stasis",name="a \\"room\\""'
    trunk = f'{eid},username="sip:us@sip.example.org",domain="sip:10.0.1.9",channel_type="PJSIP"'
    for series, value in {
        f"asterisk_calls_count{{{eid}}}": 1,
        f"asterisk_calls_sum{{{eid}}}": 1,
        f"asterisk_channels_count{{{eid}}}": 1,
        f"asterisk_channels_state{{{leg}}}": 6,
        f"asterisk_endpoints_count{{{eid}}}": 3,
        f"asterisk_endpoints_state{{{phone}}}": 2,
        f"asterisk_endpoints_state{{{other}}}": 1,
        f"asterisk_endpoints_channels_count{{{phone}}}": 1,
        f"asterisk_bridges_count{{{eid}}}": 1,
        f"asterisk_bridges_channels_count{{{room}}}": 1,
        f"asterisk_pjsip_outbound_registration_status{{{trunk}}}": 0,
        'arietta_media_info{engine="reference"}': 1,
        "arietta_sip_subscriptions": 0,
        "arietta_sip_sources_banned": 0,
        "arietta_media_legs": 1,
        "arietta_media_mixers": 1,
        "arietta_media_packets_lost_total": 0,
    }.items():
        assert found[series] == value, series
    assert f'asterisk_core_properties{{{eid},version="{server.version}",build_os="Linux"}}' in found
    await call.hang_up()
    await app.delete(f"/bridges/{bridge}", expect=204)


async def test_who_may_read_it(server: Server) -> None:
    refused = await scrape(expect=401, username="somebody")
    assert refused.headers["www-authenticate"] == 'Basic realm="Asterisk Prometheus Metrics"'
    await scrape("/metrics/more", expect=404)


async def test_a_reload_takes_another_user_and_leaves_out_the_core(server: Server) -> None:
    conf = server.config.directory / "prometheus.conf"
    conf.write_text(PROMETHEUS.replace("=prometheus\n", "=scraper\ncore_metrics_enabled=no\n"))
    report = server.reload(("res_prometheus.so",))
    assert (report.parts, report.notes) == (("metrics",), ())
    await scrape(expect=401)
    assert b"asterisk_core_" not in (await scrape(username="scraper")).body
    conf.unlink()
    assert server.reload().notes == ("prometheus.conf: enabled or uri has changed, which needs a restart",)


async def test_a_late_packet_does_not_make_a_counter_fall(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for lost, told in ((5, 5.0), (4, 5.0), (6, 6.0)):
        statistics = dataclasses.replace(server.engine.stats(), packets_lost=lost)
        monkeypatch.setattr(server.engine, "stats", lambda statistics=statistics: statistics)
        assert samples_of((await scrape()).body.decode())["arietta_media_packets_lost_total"] == told


@given(st.text())
def test_any_text_is_a_label(text: str) -> None:
    line = family("gauge", "x", "", [(labelled(label=text), 1)]).split("\n", 2)[2].removesuffix("\n")
    sample = SAMPLE.fullmatch(line)
    assert sample is not None
    written = (sample["labels"] or "").removeprefix('label="').removesuffix('"')
    assert re.sub(r"\\(.)", lambda escape: {"n": "\n"}.get(escape[1], escape[1]), written) == text
