"""Sounds of a web server, played to phones: by clients, in bridges and lists, by the dialplan."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from arietta.server import Server
from arietta.testing import AriClient, Call, Phone, VirtualLoop

from .conftest import EXTENSIONS, FILES
from .test_hello_world import dial

WEB = ("10.0.0.80", 80)
HELLO = "http://ann:secret@10.0.0.80/hello?token=hidden&x=y"
PLAN = f"""
exten => 1400,1,Answer()
 same => n,Playback('{HELLO}'&beep)
 same => n,Set(GLOBAL(PLAYED)=${{PLAYBACKSTATUS}})
 same => n,Playback(http://10.0.0.80/nothing.wav&file:///etc/passwd)
 same => n,Set(GLOBAL(MISSED)=${{PLAYBACKSTATUS}})
 same => n,Background({HELLO.partition("?")[0]})
 same => n,Echo()
exten => 5,1,Stasis(hello-world,five)
"""


class Site:
    """A web server with one sound."""

    def __init__(self, sound: bytes) -> None:
        self.sound = sound
        self.asked: list[str] = []
        self.silent: set[str] = set()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        self.asked.append(target)
        if target in self.silent:
            with contextlib.suppress(ConnectionError):
                await reader.read()
        elif target.startswith("/hello"):
            head = f"Content-Type: audio/x-wav\r\nContent-Length: {len(self.sound)}\r\nCache-Control: max-age=60\r\n"
            writer.write(f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + self.sound)
        elif target == "/lie.wav":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\n\r\n<html>")
        else:
            writer.write(b"HTTP/1.1 404 Not Found\r\n\r\n")
        writer.close()


@pytest.fixture
def files() -> dict[str, str]:
    return {**FILES, "extensions.conf": EXTENSIONS + PLAN}


@pytest.fixture
def site(loop: VirtualLoop, server: Server, hello: Path) -> Iterator[Site]:
    site = Site(hello.read_bytes())
    web = loop.run(asyncio.start_server(site.answer, *WEB))
    yield site
    web.close()


async def play(app: AriClient, place: str, *media: str) -> list[str]:
    """Play, and how it went: the states and URIs of the events up to the end."""
    await app.post(f"{place}/play", media=",".join(media), playbackId="p", expect=201)
    end = await app.event("PlaybackFinished")
    told = [event["playback"] for event in app.events if "playback" in event]
    assert told[-1] == end["playback"]
    app.events.clear()
    return [f"{playback['state']} {playback['media_uri']}" for playback in told]


async def test_a_client_plays_it(
    server: Server, alice: Phone, app: AriClient, site: Site, hello: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    call, channel = await dial(alice, app)
    uri = f"sound:{HELLO}"
    assert await play(app, f"/channels/{channel['id']}", uri) == [f"playing {uri}", f"done {uri}"]
    await call.hears(hello, at_least=0.99)
    assert await play(app, f"/channels/{channel['id']}", "sound:beep", uri) == [
        "playing sound:beep",
        "continuing sound:beep",
        f"playing {uri}",
        f"done {uri}",
    ]
    assert site.asked == ["/hello?token=hidden&x=y"]  # once: it was fresh
    await call.hang_up()
    logged = caplog.text
    assert "token=hidden" not in logged and "secret" not in logged


async def test_it_sounds_in_a_bridge(alice: Phone, app: AriClient, site: Site, hello: Path) -> None:
    call, channel = await dial(alice, app)
    bridge = (await app.post("/bridges")).json["id"]
    await app.post(f"/bridges/{bridge}/addChannel", channel=channel["id"])
    await app.post("/applications/hello-world/subscription", eventSource=f"bridge:{bridge}")
    assert (await play(app, f"/bridges/{bridge}", f"sound:{HELLO}"))[-1] == f"done sound:{HELLO}"
    await call.hears(hello)
    await call.hang_up()
    await app.delete(f"/bridges/{bridge}")


@pytest.mark.parametrize(
    "url", ["http://10.0.0.80/gone.wav", "http://10.0.0.80/lie.wav", "http://10.0.0.99/", "file:///etc/passwd", "../x"]
)
async def test_what_cannot_be_had_fails(alice: Phone, app: AriClient, site: Site, url: str) -> None:
    call, channel = await dial(alice, app)
    assert await play(app, f"/channels/{channel['id']}", f"sound:{url}") == [
        f"playing sound:{url}",
        f"failed sound:{url}",
    ]
    assert (await play(app, f"/channels/{channel['id']}", "sound:beep"))[-1] == "done sound:beep"
    await call.hang_up()


async def waiting(alice: Phone, app: AriClient, site: Site) -> tuple[Call, str]:
    """A call that hears nothing, because the web server does not answer."""
    site.silent = {"/hello?token=hidden&x=y"}
    call, channel = await dial(alice, app)
    await app.post(f"/channels/{channel['id']}/play/p", media=f"sound:{HELLO}")
    await app.event("PlaybackStarted")
    await asyncio.sleep(1)
    return call, channel["id"]


async def test_a_playback_that_waits_for_its_sound_can_be_stopped(
    server: Server, alice: Phone, app: AriClient, site: Site
) -> None:
    call, channel = await waiting(alice, app, site)
    await app.post("/playbacks/p/control", operation="pause", expect=409)
    await app.delete("/playbacks/p", expect=204)
    assert (await app.event("PlaybackFinished"))["playback"]["state"] == "done"
    assert (await play(app, f"/channels/{channel}", "sound:beep"))[-1] == "done sound:beep"
    await call.hang_up()


async def test_who_hangs_up_waits_no_longer(server: Server, alice: Phone, app: AriClient, site: Site) -> None:
    call, _ = await waiting(alice, app, site)
    await call.hang_up()
    assert (await app.event("PlaybackFinished"))["playback"]["state"] == "failed"
    await app.event("StasisEnd")
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("fetch")]


async def test_the_dialplan_plays_it(alice: Phone, app: AriClient, site: Site, hello: Path) -> None:
    call = await alice.invite("1400")
    await call.answered()
    await call.hears(hello, at_least=0.99)
    await asyncio.sleep(5)
    for name, value in (("PLAYED", "SUCCESS"), ("MISSED", "FAILED")):
        assert (await app.get("/asterisk/variable", variable=name)).json == {"value": value}
    assert site.asked == ["/hello?token=hidden&x=y", "/nothing.wav", "/hello"]
    await call.hang_up()


async def test_a_digit_ends_the_wait_for_a_sound(alice: Phone, app: AriClient, site: Site) -> None:
    site.silent = {"/hello"}
    call = await alice.invite("1400")
    await call.answered()
    await asyncio.sleep(4)
    assert site.asked[-1] == "/hello"
    await call.send_digits("5")
    assert (await app.event("StasisStart"))["args"] == ["five"]
    await call.hang_up()


async def test_the_configuration_allows_and_forbids(
    server: Server, alice: Phone, app: AriClient, site: Site, files: dict[str, str]
) -> None:
    (server.config.directory / "res_http_media_cache.conf").write_text("[general]\nprotocols=https\n")
    await app.put("/asterisk/modules/res_http_media_cache.so", expect=204)
    call, channel = await dial(alice, app)
    assert (await play(app, f"/channels/{channel['id']}", f"sound:{HELLO}"))[-1] == f"failed sound:{HELLO}"
    assert site.asked == []
    await call.hang_up()
