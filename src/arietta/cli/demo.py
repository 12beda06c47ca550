"""`arietta demo`: the whole story on one machine, with real SIP, RTP, HTTP and WebSocket on loopback."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from arietta.cli.options import CannotStart

if TYPE_CHECKING:
    from arietta.config.tree import Config

PACKAGE_DATA = Path(__file__).resolve().parent.parent / "data"
HOST = "127.0.0.1"
DEFAULT_HTTP_PORT, DEFAULT_SIP_PORT = 8088, 5060
DRAIN_S = 2.0
WIDTH_OF_A_FILE = 120


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("arietta-demo"),
    show_default=True,
    help="Folder for the configuration, the log and what the phone heard.",
)
@click.option("--exit", "leave", is_flag=True, help="Stop after the story instead of staying up.")
@click.option("--http-port", type=click.IntRange(1, 65535), default=DEFAULT_HTTP_PORT, show_default=True)
@click.option("--sip-port", type=click.IntRange(1, 65535), default=DEFAULT_SIP_PORT, show_default=True)
def demo(out: Path, leave: bool, http_port: int, sip_port: int) -> None:
    """Show the whole story: a virtual phone dials 1000, an application answers and plays hello-world.

    Exit code 1 if the phone did not hear the words.
    """
    from arietta.cli.serving import run_loop
    from arietta.config.tree import load

    check_ports(http_port, sip_port)
    etc = write_configuration(out, http_port, sip_port)
    config = load(etc)
    if not run_loop(lambda: _play(config, out, http_port, sip_port, leave)):
        raise SystemExit(1)


def check_ports(http_port: int, sip_port: int) -> None:
    """Refuse ports that somebody else has, and name the option that chooses another."""
    from arietta.cli.examining import refusal_of

    for what, port, kind, option in (
        ("HTTP (TCP)", http_port, socket.SOCK_STREAM, "--http-port"),
        ("SIP (UDP)", sip_port, socket.SOCK_DGRAM, "--sip-port"),
    ):
        reason = refusal_of(HOST, port, kind)
        if reason:
            other = port + 1000 if port <= 64535 else port - 1000
            raise CannotStart(f"{what} port {port} cannot be used: {reason}. Choose another: {option} {other}")


def write_configuration(out: Path, http_port: int, sip_port: int) -> Path:
    """Write the demonstration's configuration, with these ports, into `out`/etc, and return that folder."""
    etc = out / "etc"
    etc.mkdir(parents=True, exist_ok=True)
    for source in sorted((PACKAGE_DATA / "demo").glob("*.conf")):
        text = source.read_text(encoding="utf-8")
        if source.name == "http.conf":
            text = re.sub(r"(?m)^bindport=\d+", f"bindport={http_port}", text)
        elif source.name == "ari.conf":
            text = text.replace(f"localhost:{DEFAULT_HTTP_PORT}", f"localhost:{http_port}")
        elif source.name == "pjsip.conf":
            text = re.sub(r"(?m)^bind=127\.0\.0\.1:\d+", f"bind=127.0.0.1:{sip_port}", text)
        (etc / source.name).write_text(text, encoding="utf-8")
    return etc


async def _play(config: Config, out: Path, http_port: int, sip_port: int, leave: bool) -> bool:
    """Start the server, play the story, and stay until told otherwise; whether the phone heard the words."""
    from rich.console import Console as Terminal

    from arietta.cli.interactive import painted
    from arietta.cli.run import with_console
    from arietta.cli.serving import Stop
    from arietta.cli.story import Story
    from arietta.config.system import LogChannel, LoggerSettings
    from arietta.logs import Logs
    from arietta.server import Server

    terminal = Terminal(highlight=False, soft_wrap=True)
    if not terminal.is_terminal:
        terminal.width = WIDTH_OF_A_FILE
    levels = ("notice", "warning", "error", "verbose")
    logs = Logs(LoggerSettings(channels=(LogChannel("console.log", levels, 100, False, "the demonstration"),)), out)
    logs.start()
    stop = Stop()
    try:
        server = Server(config, logs=logs)
        async with with_console(server, logs, stop, DRAIN_S):
            story = Story(terminal, out / "heard.wav", (HOST, http_port), (HOST, sip_port))
            telling = asyncio.ensure_future(story.tell())
            stopped = asyncio.ensure_future(stop.asked())
            await asyncio.wait((telling, stopped), return_when=asyncio.FIRST_COMPLETED)
            if not telling.done():
                telling.cancel()
            heard = (await asyncio.gather(telling, return_exceptions=True))[0]
            if isinstance(heard, Exception):
                raise heard
            if heard is True and not leave and not stopped.done():
                terminal.print(_next_steps(out, http_port, sip_port))
                unfollow = logs.follow(lambda kind, _level, line: terminal.print(painted(kind, line)))
                await stopped
                unfollow()
            stopped.cancel()
            return heard is True
    finally:
        logs.stop()


def _next_steps(out: Path, http_port: int, sip_port: int) -> str:
    etc = os.path.relpath(out / "etc")
    base = f"localhost:{http_port}/ari"
    return f"""
The server stays up (Ctrl-C stops it); its console follows below. What you can do now:

  look       curl -u asterisk:asterisk http://{base}/channels
             arietta console -C {etc}
  take part  wscat -c "ws://{base}/events?api_key=asterisk:asterisk&app=hello-world"
             then dial 1000 from a softphone, and with the channel's id from StasisStart:
             curl -u asterisk:asterisk -X POST "http://{base}/channels/ID/play?media=sound:hello-world"
  softphone  server 127.0.0.1:{sip_port}, user 1001, password: section [1001] type=auth of {etc}/pjsip.conf
             1000 your application, 1001 echo, 1002 a text, 1003 music
  change     edit {etc}/extensions.conf, then: arietta console -C {etc} -x "dialplan reload"
"""
