"""baresip, a whole softphone: it registers with its password, dials 1000, and hears the words."""

from __future__ import annotations

import socket
from pathlib import Path

from arietta.testing import compare, read_sound

from .baresip import BaresipProcess
from .conftest import needs
from .running import HOST, PASSWORD, RunningServer, assert_nothing_left, free_port

pytestmark = needs("baresip")

HELLO = Path(__file__).parents[2] / "src/arietta/data/sounds/en/hello-world.wav"


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


class Baresip(BaresipProcess):
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
        self.at = at or f"{HOST}:{server.sip_port}"
        super().__init__(
            folder,
            host=HOST,
            port=free_port(socket.SOCK_DGRAM, socket.SOCK_STREAM),
            account=f"<sip:6001@{self.at}>;auth_user=6001;auth_pass={PASSWORD};regint=600;{account}",
            modules=modules,
        )
        self.server = server
        self.commands = (f"/dial sip:{dials}@{self.at}",) if dials else ()
