"""Sounds of other servers: who fetches, what is kept and for how long, and what may be said of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arietta.media.remote import FetchedBy, RemoteFailed, RemoteSounds, is_remote, shown
from arietta.testing import VirtualLoop

URL = "http://ann:secret@sounds.example/welcome.wav?token=abc"
HOUR = {"cache-control": "max-age=3600", "content-type": "audio/wav"}
TAGGED = {"etag": '"1"', "last-modified": "Sat, 21 Nov 2026 10:00:00 GMT"}
NOW = 1_795_000_000.0


@dataclass
class Answer:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Web:
    """Answers with what the test says, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.answer = Answer(headers=HOUR)
        self.body = b"sound"
        self.failure = ""
        self.takes_s = 0.0
        self.running = 0

    async def __call__(self, url: str, receiver: FetchedBy, headers: Mapping[str, str]) -> Answer:
        self.asked.append((url, headers))
        self.running += 1
        try:
            await asyncio.sleep(self.takes_s)
            if self.failure:
                raise RemoteFailed(self.failure)
            if self.answer.status == 200:
                receiver.begins(self.answer)
                for start in range(0, len(self.body), 100_000):
                    await receiver.take(self.body[start : start + 100_000])
            return self.answer
        finally:
            self.running -= 1


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sounds(loop: VirtualLoop, tmp_path: Path, web: Web, clock: Clock) -> RemoteSounds:
    return RemoteSounds(tmp_path / "sounds", web, now=clock)


def content(path: str) -> bytes:
    return Path(path).read_bytes()


def names(folder: Path) -> list[str]:
    """What kinds of files are there."""
    return sorted(path.suffix for path in folder.iterdir())


async def test_a_sound_is_fetched_once_and_played_from_disk(sounds: RemoteSounds, web: Web, tmp_path: Path) -> None:
    web.body = b"0123456789" * 100_000
    path = await sounds.file(URL)
    assert path.endswith(".wav") and content(path) == web.body
    assert await sounds.file(URL) == path and len(web.asked) == 1
    folder = tmp_path / "sounds"
    assert (len(sounds), sounds.size, names(folder)) == (1, 1_000_000, [".json", ".wav"])
    for kept in (folder, folder / Path(path).name):
        assert kept.stat().st_mode & 0o077 == 0
    for kept in folder.iterdir():
        assert not any(word in kept.name.encode() + kept.read_bytes() for word in (b"secret", b"token", b"example"))


async def test_all_who_want_it_share_one_fetch(loop: VirtualLoop, sounds: RemoteSounds, web: Web) -> None:
    web.takes_s = 5
    waiters = [sounds.file(URL) for _ in range(10)]
    await asyncio.sleep(1)
    for waiter in waiters[:9]:
        waiter.cancel()  # they hung up
    assert content(await waiters[9]) == b"sound" and len(web.asked) == 1


async def test_a_fetch_that_nobody_waits_for_ends(sounds: RemoteSounds, web: Web, tmp_path: Path) -> None:
    web.takes_s = 5
    waiter = sounds.file(URL)
    await asyncio.sleep(1)
    assert web.running == 1
    waiter.cancel()
    await asyncio.sleep(0)
    again = sounds.file(URL)  # before the first one has ended
    await asyncio.sleep(0.1)
    assert (web.running, len(web.asked)) == (1, 2)
    assert content(await again) == b"sound"
    assert names(tmp_path / "sounds") == [".json", ".wav"]


async def test_stop_ends_every_fetch(sounds: RemoteSounds, web: Web, tmp_path: Path) -> None:
    web.takes_s = 5
    waiter = sounds.file(URL)
    await asyncio.sleep(1)
    await sounds.stop()
    with pytest.raises(RemoteFailed, match="the server stops"):
        await waiter
    assert web.running == 0 and names(tmp_path / "sounds") == []


async def test_at_most_sixteen_fetches_run(sounds: RemoteSounds, web: Web) -> None:
    web.takes_s = 1
    waiters = [sounds.file(f"http://a/{number}.wav") for number in range(40)]
    await asyncio.sleep(0.5)
    assert web.running == 16
    await asyncio.gather(*waiters)
    assert len(sounds) == 40


@pytest.mark.parametrize(
    ("headers", "fresh_s"),
    [
        ({"cache-control": "public, max-age=60"}, 60),
        ({"cache-control": "max-age=60", "age": "50"}, 10),
        ({"cache-control": 'MAX-AGE="60"', "expires": "0"}, 60),
        ({"cache-control": "max-age=junk"}, 0),
        ({"cache-control": "no-cache, max-age=60"}, 0),
        ({"cache-control": "no-store, max-age=60"}, 0),
        ({"cache-control": "max-age=60", "vary": "*"}, 0),
        ({"expires": "Sat, 21 Nov 2026 10:01:00 GMT", "date": "Sat, 21 Nov 2026 10:00:00 GMT"}, 60),
        ({"expires": "Sat, 21 Nov 2020 10:01:00 GMT"}, 0),
        ({"expires": "0"}, 0),
        ({"last-modified": "Sat, 21 Nov 2020 10:01:00 GMT"}, 0),
        ({}, 0),
    ],
)
async def test_how_long_it_is_used_without_a_question(
    sounds: RemoteSounds, web: Web, clock: Clock, headers: dict[str, str], fresh_s: int
) -> None:
    web.answer = Answer(headers=headers)
    await sounds.file(URL)
    clock.now += max(fresh_s - 1, 0)
    await sounds.file(URL)
    assert len(web.asked) == (1 if fresh_s else 2)
    clock.now += 2
    await sounds.file(URL)
    assert len(web.asked) == (2 if fresh_s else 3)


async def test_what_has_not_changed_is_not_sent_again(sounds: RemoteSounds, web: Web, clock: Clock) -> None:
    web.answer = Answer(headers={**TAGGED, "cache-control": "max-age=10"})
    path = await sounds.file(URL)
    clock.now += 11
    web.answer = Answer(304, {"age": "3"})
    assert await sounds.file(URL) == path
    assert web.asked[1][1] == {"If-None-Match": '"1"', "If-Modified-Since": TAGGED["last-modified"]}
    clock.now += 6
    await sounds.file(URL)
    assert len(web.asked) == 2  # the 304 made it fresh again for what its age leaves of ten seconds
    clock.now += 2
    web.answer, web.body = Answer(headers={"etag": '"2"'}), b"a new sound"
    assert content(await sounds.file(URL)) == b"a new sound"
    assert web.asked[2][1]["If-None-Match"] == '"1"' and sounds.size == len(b"a new sound")


async def test_what_is_out_of_date_is_not_played_because_its_server_is_down(
    sounds: RemoteSounds, web: Web, clock: Clock
) -> None:
    await sounds.file(URL)
    clock.now += 3601
    web.failure = "no connection: refused"
    with pytest.raises(RemoteFailed) as failure:
        await sounds.file(URL)
    assert str(failure.value) == "http://sounds.example/welcome.wav: no connection: refused"
    web.failure = ""
    assert content(await sounds.file(URL)) == b"sound"


async def test_what_must_not_be_stored_is_gone_with_the_server(
    sounds: RemoteSounds, web: Web, clock: Clock, tmp_path: Path
) -> None:
    web.answer = Answer(headers={**TAGGED, "cache-control": "no-store"})
    await sounds.file(URL)
    await sounds.file(URL)
    assert web.asked[1][1] == {}
    later = RemoteSounds(tmp_path / "sounds", web, now=clock)
    web.failure = "down"
    with pytest.raises(RemoteFailed):
        await later.file(URL)
    assert names(tmp_path / "sounds") == []


async def test_a_restart_finds_what_was_kept_and_tidies(
    loop: VirtualLoop, web: Web, clock: Clock, tmp_path: Path
) -> None:
    folder = tmp_path / "sounds"
    path = await RemoteSounds(folder, web, now=clock).file(URL)
    key = "f" * 64
    for name, text in ((f"{key}.wav", "no notes"), (f"{key}-3.part", "half"), (f"{'e' * 64}.json", "{}")):
        (folder / name).write_text(text)
    (folder / "mine.wav").write_text("somebody else's")
    sounds = RemoteSounds(folder, web, now=clock)
    assert await sounds.file(URL) == path and len(web.asked) == 1
    assert (len(sounds), sounds.size) == (1, 5)
    assert names(folder) == [".json", ".wav", ".wav"] and (folder / "mine.wav").exists()


async def test_a_file_that_somebody_removed_is_fetched_again(sounds: RemoteSounds, web: Web) -> None:
    web.answer = Answer(headers={**TAGGED, **HOUR})
    os.unlink(await sounds.file(URL))
    assert content(await sounds.file(URL)) == b"sound"
    assert web.asked[1][1] == {}  # nothing is here that could be unchanged


async def test_the_folder_is_bounded(loop: VirtualLoop, web: Web, clock: Clock, tmp_path: Path) -> None:
    few = RemoteSounds(tmp_path / "few", web, max_count=2, now=clock)
    small = RemoteSounds(tmp_path / "small", web, max_bytes=11, now=clock)
    for sounds in (few, small):
        for name in ("a", "b", "a", "c"):  # a was used after b
            await sounds.file(f"http://x/{name}.wav")
        assert (len(sounds), sounds.size) == (2, 10)
        web.asked.clear()
        for name in ("a", "c"):
            await sounds.file(f"http://x/{name}.wav")
        assert not web.asked
    assert len(names(tmp_path / "few")) == 4


@pytest.mark.parametrize(
    ("path", "kind", "extension"),
    [
        ("a.wav", "", "wav"),
        ("a.WAV", "", "WAV"),
        ("a.GSM", "text/plain", "gsm"),
        ("get.php", "audio/x-wav", "wav"),
        ("get", "Audio/Wav; x=y", "wav"),
        ("x", "audio/basic", "ulaw"),
        ("x.sln16", "", "sln16"),
        ("x", "audio/sln16", "sln16"),
        ("page.html", "text/html", None),
        ("x", "", None),
        ("x", "audio/../../etc/passwd", None),
    ],
)
async def test_the_format(sounds: RemoteSounds, web: Web, path: str, kind: str, extension: str | None) -> None:
    web.answer = Answer(headers={"content-type": kind})
    try:
        assert Path(await sounds.file(f"http://a.b/{path}?x=y.gsm")).suffix == f".{extension}"
    except RemoteFailed as failure:
        assert extension is None and "format" in str(failure)


async def test_a_folder_that_cannot_be_used(loop: VirtualLoop, web: Web, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RemoteFailed, match="cannot be used"):
        await RemoteSounds(tmp_path / "file", web, now=clock).file(URL)


def test_what_is_remote_and_how_it_is_shown() -> None:
    assert is_remote("http://a/b") and is_remote("HTTPS://a/b")
    assert not any(map(is_remote, ("file:///etc/passwd", "hello-world", "ftp://a/b", "https:/a")))
    assert shown(URL) == "http://sounds.example/welcome.wav"
    assert shown("sound:https://a:b@c@d/e#f") == "sound:https://d/e" and shown("beep") == "beep"


@given(st.dictionaries(st.sampled_from(["cache-control", "expires", "date", "age", "vary", "etag"]), st.text()))
def test_any_headers_are_borne(headers: dict[str, str]) -> None:
    web, loop = Web(), VirtualLoop()
    web.answer = Answer(headers=headers)
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(loop):
        sounds = RemoteSounds(Path(folder), web)

        async def story() -> None:
            await sounds.file(URL)
            await RemoteSounds(Path(folder), web).file(URL)

        loop.run(story())
