"""baresip, a whole softphone: it registers with its password, dials 1000, and hears the words."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from pathlib import Path

from arietta.testing import compare, read_sound

from .conftest import needs
from .running import HOST, PASSWORD, RunningServer, assert_nothing_left, free_port

pytestmark = needs("baresip")

HELLO = Path(__file__).parents[2] / "src/arietta/data/sounds/en/hello-world.wav"

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


async def test_it_registers_dials_and_hears_the_words(server: RunningServer, tmp_path: Path) -> None:
    await hears_the_words(server, Baresip(server, tmp_path / "baresip"))


async def hears_the_words(server: RunningServer, phone: Baresip) -> None:
    """The whole story of the tutorial."""
    async with server.ari() as app:
        await app.connect("hello-world", subscribe_all=True)
        async with phone:
            start = await app.event("StasisStart")
            channel = start["channel"]
            assert channel["caller"] == {"name": "Alice", "number": "6001"}
            assert (await app.get("/endpoints/PJSIP/6001")).json["state"] == "online"  # it has registered

            played = (await app.post(f"/channels/{channel['id']}/play", media="sound:hello-world", expect=201)).json
            finished = await app.event("PlaybackFinished", playback_id=played["id"])
            assert finished["playback"]["state"] == "done"
            await app.delete(f"/channels/{channel['id']}", expect=204)
            await app.event("ChannelDestroyed", channel_id=channel["id"])
            await phone.quits()
            await assert_nothing_left(server, app)

    (heard,) = phone.folder.glob("dump-*-dec.wav")
    match = compare(read_sound(heard), read_sound(HELLO))
    assert match.correlation >= 0.9, f"{match}\n{phone.told()}"


class Baresip:
    """baresip as account 6001; it dials 1000 as soon as it runs, sends back what it hears, and dumps it as wav.

    `account`: further parameters of the account; `modules`: what it loads besides; `dials`: nothing to wait for calls.
    """

    def __init__(
        self,
        server: RunningServer,
        folder: Path,
        *,
        account: str = "audio_codecs=pcmu",
        modules: tuple[str, ...] = (),
        dials: str = "1000",
        at: str = "",
    ) -> None:
        """`at` is where it finds the server, if not by UDP, such as ``127.0.0.1:5061;transport=tls``."""
        folder.mkdir()
        self.folder = folder
        modules_at = next((path for path in MODULES if Path(path).is_dir()), MODULES[0])
        lines = "".join(f"module {module}.so\n" for module in modules)
        port = free_port(socket.SOCK_DGRAM, socket.SOCK_STREAM)
        self.at = at or f"{HOST}:{server.sip_port}"
        texts = {
            "config": CONFIG.format(host=HOST, port=port, folder=folder, modules_at=modules_at, modules=lines),
            "accounts": f"<sip:6001@{self.at}>;auth_user=6001;auth_pass={PASSWORD};regint=600;{account}\n",
            "contacts": "",
        }
        for name, text in texts.items():
            (folder / name).write_text(text)
        self.server = server
        self.dials = dials
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Baresip:
        with (self.folder / "output").open("wb") as output:
            self.process = await asyncio.create_subprocess_exec(
                *("baresip", "-f", str(self.folder), "-4", "-s", "-v"),
                *(("-e", f"/dial sip:{self.dials}@{self.at}") if self.dials else ()),
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
        """Let it end by itself, so that it completes its files."""
        assert self.process is not None
        self.process.terminate()
        async with asyncio.timeout(15):
            await self.process.wait()

    def told(self) -> str:
        """What it printed."""
        return (self.folder / "output").read_text(errors="replace")[-10_000:]
