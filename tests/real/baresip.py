"""A baresip that runs: its folder, its process, and how it ends."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Self

CONFIG = """
poll_method epoll
sip_listen {host}:{port}
audio_player aubridge,loop
audio_source aubridge,loop
audio_alert aubridge,alert
snd_path {folder}
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_txmode thread
rtp_timeout 0
jitter_buffer_delay 2-4
net_interface {host}
module_path {modules_at}
module g711.so
module aubridge.so
module sndfile.so
{modules}module_tmp account.so
module_app menu.so
"""
MODULES = ("/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules", "/usr/lib64/baresip/modules")


class BaresipProcess:
    """One baresip with an account, entered and left with ``async with``."""

    def __init__(
        self, folder: Path, *, host: str, port: int, account: str, modules: tuple[str, ...] = (), more: str = ""
    ) -> None:
        """`port` is that of its SIP; `account` a line of its accounts, `more` lines of its config."""
        folder.mkdir()
        self.folder = folder
        modules_at = next((path for path in MODULES if Path(path).is_dir()), MODULES[0])
        lines = "".join(f"module {module}.so\n" for module in modules)
        config = CONFIG.format(host=host, port=port, folder=folder, modules_at=modules_at, modules=lines)
        for name, text in {"config": config + more, "accounts": f"{account}\n", "contacts": ""}.items():
            (folder / name).write_text(text)
        self.commands: tuple[str, ...] = ()
        """What it does as soon as it runs."""
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        with (self.folder / "output").open("wb") as output:
            self.process = await asyncio.create_subprocess_exec(
                *("baresip", "-f", str(self.folder), "-4", "-s", "-v"),
                *(word for command in self.commands for word in ("-e", command)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return self

    async def __aexit__(self, *error: object) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def quits(self) -> None:
        """Let it take its registration back and end by itself, so that it completes its files."""
        assert self.process is not None
        self.process.terminate()
        async with asyncio.timeout(15):
            await self.process.wait()

    def told(self) -> str:
        """What it printed."""
        return (self.folder / "output").read_text(errors="replace")[-10_000:]
