"""baresip over SRTP: its keys in the description, its voice in a recording, our words in its own."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # the standard library's until 3.12, then audioop-lts
    import audioop

from arietta.media.native import why_no_srtp
from arietta.testing import AriClient, compare, read_sound

from .conftest import needs
from .running import RunningServer, assert_nothing_left, eventually
from .test_baresip import HELLO, Baresip

pytestmark = [
    needs("baresip"),
    pytest.mark.skipif(why_no_srtp() is not None, reason=str(why_no_srtp())),
]

SECURE = "media_encryption=sdes\n"


@pytest.fixture
def wanted() -> str:
    """What account 6001 has set besides."""
    return SECURE


@pytest.fixture
def folder(folder: Path, wanted: str) -> Path:
    """The configuration, with a phone that speaks SRTP."""
    path = folder / "pjsip.conf"
    path.write_text(path.read_text().replace("auth=6001\n", f"auth=6001\n{wanted}", 1))
    return folder


def pieces(samples: bytes, ms: int = 160) -> list[bytes]:
    """The spoken pieces of a sound: a phone on a busy machine leaves out some milliseconds between two of them."""
    size = 2 * 8 * ms
    cut = [samples[at : at + size] for at in range(0, len(samples) - size, size)]
    return [piece for piece in cut if audioop.rms(piece, 2) > 500]


async def talk(server: RunningServer, app: AriClient, phone: Baresip, channel: str) -> None:
    """Play to the phone, which sends it back, and record that; nothing may be left."""
    ear = (await app.post(f"/channels/{channel}/snoop", spy="in", app="hello-world", expect=200)).json["id"]
    await app.event("StasisStart", channel_id=ear)
    await app.post(f"/channels/{ear}/record", name="back", format="wav", expect=201)
    played = (await app.post(f"/channels/{channel}/play", media="sound:hello-world", expect=201)).json
    finished = await app.event("PlaybackFinished", playback_id=played["id"])
    assert finished["playback"]["state"] == "done"
    await app.post("/recordings/live/back/stop", expect=204)
    await app.event("RecordingFinished")
    stored = (await app.get("/recordings/stored/back/file")).body
    await app.delete(f"/channels/{channel}", expect=204)
    await app.event("ChannelDestroyed", channel_id=channel)
    await phone.quits()
    await assert_nothing_left(server, app)

    back = phone.folder / "back.wav"
    back.write_bytes(stored)
    (heard,) = phone.folder.glob("dump-*-dec.wav")
    words = read_sound(HELLO)
    match = compare(read_sound(heard), words)
    assert match.correlation >= 0.9, f"{match}\n{phone.told()}"
    returned = [compare(read_sound(back), piece).correlation for piece in pieces(words)]
    assert sum(correlation >= 0.9 for correlation in returned) >= 0.7 * len(returned), f"{returned}\n{phone.told()}"
    assert "inline:" not in server.log.replace("inline:***", "")


@pytest.mark.parametrize(
    ("wanted", "mediaenc"),
    [
        (SECURE, "srtp-mand"),
        (f"{SECURE}media_encryption_optimistic=yes\n", "srtp-mand"),
        (f"{SECURE}media_encryption_optimistic=yes\n", "srtp"),
        (f"{SECURE}srtp_tag_32=yes\n", "srtp"),
    ],
)
async def test_it_calls(server: RunningServer, tmp_path: Path, mediaenc: str) -> None:
    phone = Baresip(server, tmp_path / "baresip", account=f"audio_codecs=pcmu;mediaenc={mediaenc}", modules=("srtp",))
    async with server.ari() as app:
        await app.connect("hello-world", subscribe_all=True)
        async with phone:
            channel = (await app.event("StasisStart"))["channel"]["id"]
            await talk(server, app, phone, channel)
    assert "SRTP" in phone.told()


@pytest.mark.parametrize(
    "wanted",
    [SECURE, f"{SECURE}srtp_tag_32=yes\n", f"{SECURE}media_encryption_optimistic=yes\n"],
)
async def test_it_is_called(server: RunningServer, tmp_path: Path) -> None:
    phone = Baresip(
        server,
        tmp_path / "baresip",
        account="audio_codecs=pcmu;mediaenc=srtp;answermode=auto",
        modules=("srtp",),
        dials="",
    )
    async with server.ari() as app:
        await app.connect("hello-world", subscribe_all=True)
        async with phone:

            async def online() -> bool:
                return bool((await app.get("/endpoints/PJSIP/6001")).json["state"] == "online")

            await eventually(online, "a registration")
            made = (await app.post("/channels", endpoint="PJSIP/6001", app="hello-world", expect=200)).json
            await app.event("StasisStart", channel_id=made["id"])
            await talk(server, app, phone, made["id"])
    assert "SRTP" in phone.told()


async def test_a_plain_call_is_refused(server: RunningServer, tmp_path: Path) -> None:
    phone = Baresip(server, tmp_path / "baresip")
    async with server.ari() as app, phone:
        await app.connect("hello-world", subscribe_all=True)
        await eventually(lambda: "488" in phone.told(), "a refusal")
        await phone.quits()
        await assert_nothing_left(server, app)
