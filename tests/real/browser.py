"""Chromium without a screen, with a page of ours in it, told what to do over its DevTools protocol."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from .running import eventually

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIETLY = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
WITH_A_VOICE = (
    "--use-fake-device-for-media-stream --use-fake-ui-for-media-stream --allow-loopback-in-peer-connection "
    "--autoplay-policy=no-user-gesture-required --ignore-certificate-errors --remote-debugging-port=0"
).split()
MODULES = Path(__file__).parent / "node" / "node_modules"
START_WITHIN_S = 30


def jssip_for_a_page() -> str:
    """JsSIP and what it requires as one script: each module of node in a function, and what finds them."""
    found: dict[str, str] = {}
    for package in ("jssip", "events", "sdp-transform", "debug", "ms"):
        folder = MODULES / package
        for path in sorted([*folder.rglob("*.js"), folder / "package.json"]):
            text = path.read_text()
            if path.name.startswith(".") or text.startswith("#!") or "node_modules" in path.relative_to(folder).parts:
                continue
            text = f"module.exports = {text};" if path.suffix == ".json" else text
            found[f"{package}/{path.relative_to(folder)}"] = text
        main = json.loads((folder / "package.json").read_text())
        place = main.get("browser") if isinstance(main.get("browser"), str) else main.get("main", "index.js")
        found[package] = f"module.exports = require('./{place.removeprefix('./')}');"
    bodies = ",\n".join(
        f"{json.dumps(name)}: function (require, module, exports) {{\n{text}\n}}" for name, text in found.items()
    )
    return f"window.JsSIP = (() => {{\nconst modules = {{\n{bodies}\n}};\n{LOADER}\nreturn load('jssip');\n}})();\n"


LOADER = """
const loaded = {};
const process = { env: {} };
function resolve(from, wanted) {
  if (!wanted.startsWith(".")) return wanted;
  const parts = (from.includes("/") ? from.split("/").slice(0, -1) : [from]).concat(wanted.split("/"));
  const kept = [];
  for (const part of parts) part === ".." ? kept.pop() : part !== "." && part && kept.push(part);
  const place = kept.join("/");
  return [place, `${place}.js`, `${place}/index.js`, `${place}.json`].find((one) => one in modules);
}
function load(name) {
  if (!(name in modules)) throw new Error(`there is no module ${name}`);
  if (!(name in loaded)) {
    const module = (loaded[name] = { exports: {} });
    modules[name]((wanted) => load(resolve(name, wanted) ?? `${wanted} of ${name}`), module, module.exports);
  }
  return loaded[name].exports;
}
"""


class BrowserError(AssertionError):
    """What the page threw."""


class Browser:
    """One page: `async with Browser(folder, url, voice) as page: await page.do("call('1000')")`."""

    def __init__(self, folder: Path, url: str, voice: Path) -> None:
        """`voice` is what its microphone hears, again and again."""
        self._profile = folder / "profile"
        self._url = url
        self._voice = voice
        folder.mkdir()
        self._log = folder / "chromium.log"
        self._process: asyncio.subprocess.Process | None = None
        self._socket: ClientConnection | None = None
        self._number = 0
        self.said: list[str] = []
        """What the page wrote to its console."""

    async def __aenter__(self) -> Browser:
        assert CHROMIUM is not None
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(CHROMIUM, *QUIETLY, *WITH_A_VOICE, f"--user-data-dir={self._profile}"),
                *(f"--use-file-for-fake-audio-capture={self._voice}", "about:blank"),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            await self._open()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._process is not None:
            self._process.terminate()
            try:
                async with asyncio.timeout(10):
                    await self._process.wait()
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    async def do(self, expression: str) -> Any:
        """Evaluate an expression, wait for what it promises, and give that; BrowserError when it throws."""
        answer = await self._ask(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            thrown = answer["exceptionDetails"].get("exception", {})
            raise BrowserError(f"{expression}: {thrown.get('description') or answer['exceptionDetails']['text']}")
        return answer["result"].get("value")

    async def until(self, what: str, within_s: float = 20) -> None:
        """Wait until something has happened in the page, as its `happened()` tells it."""

        async def has_happened() -> bool:
            return what in await self.do("happened()")

        try:
            await eventually(has_happened, what, within_s)
        except AssertionError:
            raise BrowserError(f"not {what!r} within {within_s:g} s, but {await self.do('happened()')}") from None

    async def _open(self) -> None:
        await eventually(self._listens, "a browser that listens", START_WITHIN_S)
        port, path = (self._profile / "DevToolsActivePort").read_text().split()
        self._socket = await connect(f"ws://127.0.0.1:{port}{path}", max_size=None)
        target = (await self._ask("Target.createTarget", url=self._url))["targetId"]
        await self._socket.close()
        self._socket = await connect(f"ws://127.0.0.1:{port}/devtools/page/{target}", max_size=None)
        await self._ask("Runtime.enable")
        await eventually(self._is_loaded, f"the page; it said {self.said}", START_WITHIN_S)

    def _listens(self) -> bool:
        assert self._process is not None and self._process.returncode is None, self._log.read_text()
        place = self._profile / "DevToolsActivePort"
        return place.exists() and len(place.read_text().split()) == 2

    async def _is_loaded(self) -> bool:
        return await self.do("document.readyState + typeof window.register") == "completefunction"

    async def _ask(self, method: str, **parameters: object) -> dict[str, Any]:
        assert self._socket is not None
        self._number += 1
        number = self._number
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(await self._socket.recv())
            if message.get("method") in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                self.said.append(json.dumps(message["params"])[:500])
            if message.get("id") == number:
                if "error" in message:
                    raise BrowserError(f"{method}: {message['error']}")
                return dict(message["result"])
