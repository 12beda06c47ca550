"""Sounds of other servers, by their http and https URLs: fetched once for all who want them, and kept.

What is kept stands in one folder, a file of sound and one of notes for each URL, both named by the URL's hash: no URL,
and so no password in one, is written down. It is used again without a question as long as the server that sent it
allows (RFC 9111 4.2), else the server is asked whether it has changed. A sound that is out of date is never played
because its server cannot be reached.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from .engine import MediaError
from .files import EXTENSIONS

__all__ = ["Fetch", "Fetched", "FetchedBy", "RemoteFailed", "RemoteSounds", "is_remote", "shown"]

NOTES, PART = ".json", ".part"
AT_A_TIME = 16
"""Fetches that run; further ones wait."""
WRITE_BYTES = 256 * 1024
MAX_AGE_S = 365 * 86400
MAX_HEADER = 1024
# What has to be known of an answer to use it again: RFC 9111 4.2, RFC 9110 8.8.
NOTED = ("cache-control", "expires", "date", "age", "vary", "etag", "last-modified")
# Media types of what EXTENSIONS can read; besides them audio/EXTENSION, as our own stored recordings have it.
TYPES = {
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
    "audio/basic": "ulaw",  # RFC 2046 4.3
    "audio/pcmu": "ulaw",
    "audio/pcma": "alaw",
    "audio/x-gsm": "gsm",
}
_URL = re.compile(r"https?://", re.IGNORECASE)
_NAME = re.compile(r"([0-9a-f]{64})(?:-[0-9]+)?\.([a-zA-Z0-9]+)")
_DIRECTIVE = re.compile(r"""([a-z-]+)(?:\s*=\s*"?([^\s,"]*))?""")

T = TypeVar("T")


class RemoteFailed(MediaError):
    """A sound could not be fetched; the message names it without query and password, and says why."""


class Fetched(Protocol):
    """The head of an answer."""

    @property
    def status(self) -> int:
        """200, or 304 for what has not changed."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """By lower-case names."""
        ...


class FetchedBy(Protocol):
    """Who takes a file that is fetched."""

    def begins(self, answer: Fetched) -> None:
        """The head of a 200 is in."""
        ...

    async def take(self, piece: bytes) -> None:
        """A piece of the file."""
        ...


class Fetch(Protocol):
    """GET of a URL with these request headers; RemoteFailed says why it failed, without the URL."""

    async def __call__(self, url: str, receiver: FetchedBy, headers: Mapping[str, str]) -> Fetched: ...


def is_remote(name: str) -> bool:
    """Whether the name of a sound is a URL that can be fetched."""
    return _URL.match(name) is not None


def shown(name: str) -> str:
    """The name of a sound as it may stand in a log: a URL without user, password, query and fragment."""
    if "://" not in name:
        return name
    scheme, _, rest = re.split("[?#]", name, maxsplit=1)[0].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A sound that is kept."""

    extension: str
    size: int
    headers: Mapping[str, str]
    """Those of NOTED that came with it."""
    fresh_until: float
    """Seconds since 1970."""

    @property
    def may_be_stored(self) -> bool:
        """Whether it may be kept for longer than it is needed (RFC 9111 5.2.2.5)."""
        return "no-store" not in _directives(self.headers)

    def conditions(self) -> dict[str, str]:
        """What makes a request conditional (RFC 9110 13.1)."""
        if not self.may_be_stored:
            return {}
        names = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
        return {name: self.headers[header] for name, header in names.items() if header in self.headers}


class _Fetching:
    """A fetch that runs, and who waits for it."""

    __slots__ = ("task", "waiters")

    def __init__(self) -> None:
        self.task: asyncio.Task[str] | None = None
        self.waiters: set[asyncio.Future[str]] = set()


class RemoteSounds:
    """The sounds that were fetched, at most so many and so much; those that were not used for longest leave first."""

    def __init__(
        self,
        folder: Path,
        fetch: Fetch,
        *,
        max_bytes: int = 512 << 20,
        max_count: int = 2000,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._fetch = fetch
        self._max_bytes = max_bytes
        self._max_count = max_count
        self._now = now
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # by the hash, the one used last at the end
        self._fetching: dict[str, _Fetching] = {}
        self._is_loaded = False
        self._loading = asyncio.Lock()
        self._places = asyncio.Semaphore(AT_A_TIME)
        self._parts = itertools.count()
        self.size = 0
        """Bytes of sound that are kept."""

    def __len__(self) -> int:
        return len(self._entries)

    def file(self, url: str) -> asyncio.Future[str]:
        """The path of a sound once it is here, or RemoteFailed. Who does not want it any more cancels the future.

        A fetch that nobody waits for is ended.
        """
        key = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[str] = loop.create_future()
        path = self._fresh(key)
        if path is not None:
            waiter.set_result(path)
            return waiter
        fetching = self._fetching.get(key)
        if fetching is None:
            fetching = self._fetching[key] = _Fetching()
            fetching.task = loop.create_task(self._get(key, url), name=f"fetch {shown(url)}")
            fetching.task.add_done_callback(partial(self._done, key, fetching))
        fetching.waiters.add(waiter)
        waiter.add_done_callback(partial(self._leave, key, fetching))
        return waiter

    async def stop(self) -> None:
        """End every fetch; those who wait hear that it failed."""
        tasks = [fetching.task for fetching in self._fetching.values() if fetching.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------------------------------------- who waits

    def _leave(self, key: str, fetching: _Fetching, waiter: asyncio.Future[str]) -> None:
        fetching.waiters.discard(waiter)
        if not fetching.waiters and self._fetching.get(key) is fetching:
            del self._fetching[key]
            assert fetching.task is not None, "a fetch begins with its task"
            fetching.task.cancel()

    def _done(self, key: str, fetching: _Fetching, task: asyncio.Task[str]) -> None:
        if self._fetching.get(key) is fetching:
            del self._fetching[key]
        failure = RemoteFailed("the server stops") if task.cancelled() else task.exception()
        for waiter in tuple(fetching.waiters):
            if waiter.done():
                continue
            if failure is not None:  # each gets its own: tracebacks grow in it
                waiter.set_exception(RemoteFailed(str(failure)) if isinstance(failure, RemoteFailed) else failure)
            else:
                waiter.set_result(task.result())

    # --------------------------------------------------------------------------------------------------- fetching

    async def _get(self, key: str, url: str) -> str:
        await self._load()
        path = self._fresh(key)
        if path is not None:
            return path
        async with self._places:
            former = self._entries.get(key)
            if former is not None and not self._path(key, former).is_file():
                former = None
            part = _Part(self._folder / f"{key}-{next(self._parts)}{PART}", url)
            try:
                answer = await self._fetch(url, part, former.conditions() if former is not None else {})
                if former is not None and answer.status == 304:
                    headers = {**former.headers, "age": "0", **_noted(answer.headers)}  # RFC 9111 4.3.4
                    entry = _Entry(former.extension, former.size, headers, _fresh_until(headers, self._now()))
                    await _elsewhere(self._note, key, entry)
                else:
                    headers = _noted(answer.headers)
                    await part.flush()
                    entry = _Entry(part.extension, part.size, headers, _fresh_until(headers, self._now()))
                    await _elsewhere(self._place, part.path, key, entry)
                await self._keep(key, entry)
            except RemoteFailed as failure:
                raise RemoteFailed(f"{shown(url)}: {failure}") from None
            except OSError as problem:
                raise RemoteFailed(f"{shown(url)} cannot be kept: {problem.strerror or problem}") from None
            finally:
                await _elsewhere(_remove, (part.path,))
        return str(self._path(key, entry))

    def _fresh(self, key: str) -> str | None:
        entry = self._entries.get(key)
        if entry is None or entry.fresh_until <= self._now():
            return None
        path = self._path(key, entry)
        if not path.is_file():  # somebody tidied up
            return None
        self._entries.move_to_end(key)
        return str(path)

    async def _keep(self, key: str, entry: _Entry) -> None:
        """Note that it is here, and let others go when it is too much."""
        former = self._entries.pop(key, None)
        self._entries[key] = entry
        self.size += entry.size - (former.size if former is not None else 0)
        gone = [self._path(key, former)] if former is not None and former.extension != entry.extension else []
        while len(self._entries) > 1 and (len(self._entries) > self._max_count or self.size > self._max_bytes):
            oldest, dropped = self._entries.popitem(last=False)
            self.size -= dropped.size
            gone += [self._path(oldest, dropped), self._folder / f"{oldest}{NOTES}"]
        if gone:
            await _elsewhere(_remove, gone)

    # ------------------------------------------------------------------------------------- the folder, by a thread

    def _path(self, key: str, entry: _Entry) -> Path:
        return self._folder / f"{key}.{entry.extension}"

    def _place(self, part: Path, key: str, entry: _Entry) -> None:
        os.replace(part, self._path(key, entry))
        self._note(key, entry)

    def _note(self, key: str, entry: _Entry) -> None:
        path = self._folder / f"{key}{NOTES}"
        if not entry.may_be_stored:
            _remove((path,))  # a sound without notes is gone at the next start
            return
        notes = {"extension": entry.extension, "headers": entry.headers, "fresh_until": entry.fresh_until}
        part = path.with_suffix(PART)
        part.write_text(json.dumps(notes))
        os.replace(part, path)

    async def _load(self) -> None:
        """Learn once what an earlier run kept."""
        async with self._loading:
            if self._is_loaded:
                return
            try:
                found = await _elsewhere(self._read_folder)
            except OSError as problem:
                raise RemoteFailed(f"folder {self._folder} cannot be used: {problem.strerror or problem}") from None
            self._is_loaded = True
        for key, entry in found:
            await self._keep(key, entry)

    def _read_folder(self) -> list[tuple[str, _Entry]]:
        """What is there with its notes, the one that came first first; what is of no use is removed."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        found: dict[str, tuple[float, _Entry]] = {}
        useless: list[Path] = []
        names = {path for path in self._folder.iterdir() if _NAME.fullmatch(path.name)}
        for path in names:
            if path.suffix == NOTES:
                entry = _read_notes(path)
                if entry is not None:
                    found[path.stem] = (path.stat().st_mtime, entry)
                    continue
            useless.append(path)
        kept = {self._path(key, entry) for key, (_, entry) in found.items()}
        _remove(path for path in useless if path not in kept)
        return [(key, entry) for key, (_, entry) in sorted(found.items(), key=lambda item: item[1][0])]


class _Part:
    """A sound while it comes in."""

    def __init__(self, path: Path, url: str) -> None:
        self.path = path
        self.extension = ""
        self.size = 0
        self._url = url
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._is_new = True

    def begins(self, answer: Fetched) -> None:
        """Look what it is."""
        self.extension = _extension(self._url, answer.headers.get("content-type", ""))

    async def take(self, piece: bytes) -> None:
        """Keep a piece."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= WRITE_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Write what was kept; a sound of no bytes is a file too."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        self.size += len(data)
        is_new, self._is_new = self._is_new, False
        if data or is_new:
            await _elsewhere(_append, self.path, data, is_new)


async def _elsewhere(work: Callable[..., T], *arguments: Any) -> T:
    """Do what may wait for a disk on another thread."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


def _append(path: Path, data: bytes, is_new: bool) -> None:
    # Opened for each piece: a fetch that is ended leaves no file open behind a write that still runs.
    flags = os.O_WRONLY | os.O_APPEND | (os.O_CREAT | os.O_EXCL if is_new else 0)
    with open(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _read_notes(path: Path) -> _Entry | None:
    """The entry of a file of notes; None if the notes or the sound are of no use."""
    try:
        notes = json.loads(path.read_text())
        extension, headers, fresh_until = notes["extension"], notes["headers"], notes["fresh_until"]
        size = path.with_suffix(f".{extension}").stat().st_size
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if extension not in EXTENSIONS or not isinstance(headers, dict) or not isinstance(fresh_until, float):
        return None
    return _Entry(extension, size, _noted(headers), fresh_until)


def _extension(url: str, content_type: str) -> str:
    """What the URL's path says it is, else what the server says; RemoteFailed if neither is of use."""
    named = urlsplit(url).path.rpartition("/")[2].rpartition(".")[2]
    kind = content_type.partition(";")[0].strip().lower()
    for extension in (named, named.lower(), TYPES.get(kind, kind.removeprefix("audio/"))):
        if extension in EXTENSIONS:
            return extension
    raise RemoteFailed(f"neither its name nor its type {kind[:40]!r} tells a format that can be played")


def _noted(headers: Mapping[str, str]) -> dict[str, str]:
    found = {name: headers[name] for name in NOTED if name in headers}
    return {name: text for name, text in found.items() if len(text) <= MAX_HEADER and text.isprintable()}


def _directives(headers: Mapping[str, str]) -> dict[str, str]:
    return dict(_DIRECTIVE.findall(headers.get("cache-control", "").lower()))


def _fresh_until(headers: Mapping[str, str], now: float) -> float:
    """Until when it may be played without a question (RFC 9111 4.2.1); no time is guessed if the server says none."""
    cache = _directives(headers)
    if "no-cache" in cache or "no-store" in cache or "*" in headers.get("vary", ""):
        return 0.0
    max_age = cache.get("max-age")
    if max_age is not None:
        if not max_age.isdecimal():
            return 0.0
        age = headers.get("age", "0")
        return now + min(int(max_age[:12]), MAX_AGE_S) - (int(age[:12]) if age.isdecimal() else 0)
    try:
        lifetime = _seconds(headers["expires"]) - (_seconds(headers["date"]) if "date" in headers else now)
    except (KeyError, ValueError, OverflowError):  # "0" and the like mean that it is out of date (RFC 9111 5.3)
        return 0.0
    return now + min(lifetime, MAX_AGE_S)


def _seconds(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()
