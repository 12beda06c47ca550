"""baresip as a full agent of ICE: its checks find the way of media, and that of reports where they have their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arietta.testing import compare, read_sound

from .conftest import needs
from .running import RunningServer, assert_nothing_left
from .test_baresip import HELLO, Baresip

pytestmark = needs("baresip")


@pytest.fixture
def mux() -> str:
    """Whether reports share the port of media."""
    return "no"


@pytest.fixture
def folder(folder: Path, mux: str) -> Path:
    """The configuration, with a phone that has ICE."""
    path = folder / "pjsip.conf"
    path.write_text(path.read_text().replace("auth=6001\n", f"auth=6001\nice_support=yes\nrtcp_mux={mux}\n", 1))
    return folder


@pytest.mark.parametrize("mux", ["no", "yes"])
async def test_its_checks_find_the_way(server: RunningServer, tmp_path: Path, mux: str) -> None:
    account = f"audio_codecs=pcmu;medianat=ice;rtcp_mux={mux}"
    phone = Baresip(server, tmp_path / "baresip", account=account, modules=("ice",))
    async with server.ari() as app:
        await app.connect("hello-world", subscribe_all=True)
        async with phone:
            channel = (await app.event("StasisStart"))["channel"]["id"]
            played = (await app.post(f"/channels/{channel}/play", media="sound:hello-world", expect=201)).json
            finished = await app.event("PlaybackFinished", playback_id=played["id"])
            assert finished["playback"]["state"] == "done"
            counted = await app.get(f"/channels/{channel}/variable", variable="CHANNEL(rtcp,rxcount)", expect=200)
            assert int(counted.json["value"]) > 20
            await app.delete(f"/channels/{channel}", expect=204)
            await app.event("ChannelDestroyed", channel_id=channel)
            await phone.quits()
            await assert_nothing_left(server, app)
    told = phone.told()
    (heard,) = phone.folder.glob("dump-*-dec.wav")
    match = compare(read_sound(heard), read_sound(HELLO))
    assert match.correlation >= 0.9, f"{match}\n{told}"
    connected = re.search(r"mnat 'ice' connected: raddr 127\.0\.0\.1:(\d+) (\S+)", told)
    assert connected is not None, told
    if mux == "no":
        assert connected[2] == f"127.0.0.1:{int(connected[1]) + 1}"
