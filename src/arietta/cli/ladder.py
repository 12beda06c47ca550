"""`arietta ladder`: the SIP of a call, drawn, as JSON, or as a capture file."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import click
import msgspec

from arietta.cli.console import only_running
from arietta.cli.control import SOCKET_NAME
from arietta.cli.options import configuration_option, control_socket
from arietta.sip.capture import FILE_HEADER, record


@click.command()
@click.argument("channel", required=False)
@click.option("--with-peer", is_flag=True, help="Also the calls it was connected with.")
@click.option("--json", "as_json", is_flag=True, help="Every message, as JSON.")
@click.option("--pcap", "capture", metavar="FILE", type=click.Path(path_type=Path), help="Write a capture file.")
@configuration_option(required=False)
@click.option(
    "--state-dir", type=click.Path(path_type=Path), envvar="ARIETTA_STATE_DIR", help="The --state-dir of the server."
)
@click.option("--socket", "path", type=click.Path(path_type=Path), help="The control socket itself.")
def ladder(
    channel: str | None,
    with_peer: bool,
    as_json: bool,
    capture: Path | None,
    source: Path | None,
    state_dir: Path | None,
    path: Path | None,
) -> None:
    """Draw the SIP of a call of a running server; without CHANNEL list the calls that are kept.

    CHANNEL is a channel's name or id, or a Call-ID. Passwords and keys are masked. Which server: as `arietta console`.
    """
    from arietta.cli.client import run_once

    if channel is None and (with_peer or capture is not None):
        raise click.UsageError("--with-peer and --pcap want a CHANNEL")
    if capture is not None and as_json:
        raise click.UsageError("--pcap and --json are two things to do")
    if path is None:
        if source is not None:
            path = control_socket(source, state_dir)
        else:
            path = state_dir / "run" / SOCKET_NAME if state_dir is not None else only_running()
    words = ["pjsip", "show", *(["ladder", channel] if channel is not None else ["ladders"])]
    words += [*(["with-peer"] if with_peer else []), *(["json"] if as_json or capture is not None else [])]
    output, status = run_once(path, shlex.join(words))
    if status or capture is None:
        click.echo(output, err=bool(status))
        raise SystemExit(status)
    count = write_capture(capture, msgspec.json.decode(output))
    click.echo(f"{capture}: {count} messages")


def write_capture(path: Path, calls: list[dict[str, Any]]) -> int:
    """A new capture file with the messages of calls as the console tells them; their number. OSError."""
    messages = sorted((message for call in calls for message in call["messages"]), key=lambda m: int(m["number"]))
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(opened, "wb") as file:
        file.write(FILE_HEADER)
        for message in messages:
            source, destination = ((str(host), int(port)) for host, port in (message["peer"], message["local"]))
            if message["direction"] == "sent":
                source, destination = destination, source
            data = message["message"].encode(message["encoding"])
            file.write(record(float(message["time"]), source, destination, data))
    return len(messages)
