"""SIP messages on the console and in a capture file, for whom `pjsip set logger` or `debug` of pjsip.conf names.

Nothing is looked at while nobody asked. What is written has its secrets masked. Who watches a busy server sees
`MAX_A_SECOND` messages of each second and how many were left out; a capture ends at `MAX_FILE_BYTES`.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from arietta.config.kinds import Network
from arietta.errors import BadRequest, Conflict
from arietta.sip.capture import FILE_HEADER, record
from arietta.sip.masking import mask_message
from arietta.sip.transactions import Address, Transport
from arietta.verbose import verbose

if TYPE_CHECKING:
    from arietta.drivers.sip.driver import SipDriver

__all__ = ["MessageLog", "show"]

log = logging.getLogger(__name__)

MAX_A_SECOND = 200
MAX_FILE_BYTES = 256 << 20
MAX_HOSTS = 100
NO, YES = ("no", "off", "false", "0", ""), ("yes", "on", "true", "1")


class MessageLog:
    """Writes the messages of all peers, or of some."""

    def __init__(self, driver: SipDriver) -> None:
        self._driver = driver
        self._hosts: list[Network] = []
        self._everybody = False
        self._prints = True
        self._path: Path | None = None
        self._file = -1
        self._written = 0
        self._second, self._shown, self._left_out = 0, 0, 0
        self._configured = ""

    # ------------------------------------------------------------------------------------------ what is asked for

    def configure(self, debug: str) -> None:
        """Take `debug` of pjsip.conf; what a console asked for stays while that is as it was."""
        if debug == self._configured:
            return
        self._configured = debug
        if debug.lower() in NO:
            self.off()
        elif debug.lower() in YES:
            self.everybody()
        else:
            self.host(debug)

    def everybody(self) -> None:
        """Write the messages of all peers."""
        self._everybody = True
        self._hosts.clear()
        self._watch()

    def host(self, text: str, *, another: bool = False) -> None:
        """Write those of one address or network, besides others if it is `another`; BadRequest if it is neither."""
        try:
            network = ipaddress.ip_network(text.strip("[]"), strict=False)
        except ValueError:
            raise BadRequest(f"{text!r} is neither an address nor a network such as 192.0.2.0/24") from None
        if another and len(self._hosts) >= MAX_HOSTS:
            raise Conflict(f"the messages of {MAX_HOSTS} networks are logged, which is the limit")
        if not another or self._everybody:
            self._hosts.clear()
        self._everybody = False
        self._hosts.append(network)
        self._watch()

    def print_messages(self, wanted: bool) -> None:
        """Whether they are in the log, or in the capture file alone."""
        self._prints = wanted

    def capture(self, path: Path) -> None:
        """Write them into a new file too; Conflict if it exists or cannot be made."""
        try:
            opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as failure:
            raise Conflict(f"{path} cannot be made: {failure.strerror or failure}") from failure
        self._close()
        self._path, self._file, self._written = path, opened, 0
        self._write(FILE_HEADER)
        if not self._everybody and not self._hosts:
            self.everybody()

    def off(self) -> None:
        """Write nothing any more."""
        self._everybody = False
        self._hosts.clear()
        self._close()
        if self._observe in self._driver.observers:
            self._driver.observers.remove(self._observe)

    def stop(self) -> None:
        """The end of the driver."""
        self.off()

    def __str__(self) -> str:
        """What is written, in words."""
        if not self._everybody and not self._hosts:
            return "SIP messages are not logged."
        whose = "all peers" if self._everybody else ", ".join(map(str, self._hosts))
        where = [*(["the log"] if self._prints else []), *([str(self._path)] if self._path is not None else [])]
        return f"SIP messages of {whose} are written to {' and '.join(where) or 'nothing: verbose is off'}."

    def _watch(self) -> None:
        if self._observe not in self._driver.observers:
            self._driver.observers.append(self._observe)

    # ------------------------------------------------------------------------------------------ what is written

    def _observe(self, direction: str, data: bytes, peer: Address, transport: Transport) -> None:
        if not self._everybody and not self._is_wanted(peer[0]):
            return
        now = time.time()
        data = mask_message(data)
        if self._file >= 0:
            ends = (peer, (transport.host, transport.port))
            self._write(record(now, *(ends if direction == "<" else ends[::-1]), data))
        if not self._prints:
            return
        second = int(now)
        if second != self._second:
            if self._left_out:
                log.warning("%d SIP messages were not shown: %d a second are", self._left_out, MAX_A_SECOND)
            self._second, self._shown, self._left_out = second, 0, 0
        if self._shown >= MAX_A_SECOND:
            self._left_out += 1
            return
        self._shown += 1
        verbose(0, show(now, direction, data, peer, transport))

    def _is_wanted(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        return any(address.version == network.version and address in network for network in self._hosts)

    def _write(self, data: bytes) -> None:
        if self._written + len(data) > MAX_FILE_BYTES:
            log.warning("the capture %s ends here: it has %d bytes, the limit", self._path, MAX_FILE_BYTES)
            self._close()
            return
        try:
            self._written += os.write(self._file, data)
        except OSError as failure:
            log.warning("the capture %s ends here: %s", self._path, failure.strerror or failure)
            self._close()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self._path = -1, None


def show(now: float, direction: str, data: bytes, peer: Address, transport: Transport) -> str:
    """A message as it is printed: `<` came, `>` went; its secrets must be masked already."""
    host, port = peer
    where = f"{transport.protocol} [{host}]:{port}" if ":" in host else f"{transport.protocol} {host}:{port}"
    stamp = time.strftime("%H:%M:%S", time.localtime(now)) + f".{int(now * 1000) % 1000:03d}"
    arrow = "<---" if direction == "<" else "--->"
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    text = "".join(sign if sign.isprintable() or sign in "\n\t" else "?" for sign in text)
    return f"{arrow} {stamp} {where} ({len(data)} bytes)\n{text.rstrip()}\n"
