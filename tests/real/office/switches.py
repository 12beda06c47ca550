"""The switches of the story, each installed below a folder of its own and run as `asterisk -f`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

from ..running import ARIETTA, START_WITHIN_S, STOP_WITHIN_S, run_arietta, udp_ports, until

HERE = Path(__file__).parent
OFFICE, PROVIDER = "127.0.10.1", "127.0.20.1"
FOLDERS = ("/etc/asterisk", "/var/lib/asterisk", "/var/spool/asterisk", "/var/run/asterisk", "/var/log/asterisk")


class Switch:
    """One installation: the files of `etc` and `agi-bin`, with every path of Asterisk below `root`."""

    def __init__(self, root: Path, etc: str, host: str) -> None:
        self.root = root
        self.host = host
        self.process: subprocess.Popen[bytes] | None = None
        for folder in FOLDERS:
            self.path(folder).mkdir(parents=True)
        for file in (HERE / etc).glob("*.conf"):
            text = file.read_text()
            for folder in (*FOLDERS, "/var/cache/asterisk"):
                text = text.replace(folder, str(self.path(folder)))
            self.path(f"/etc/asterisk/{file.name}").write_text(text)
        shutil.copytree(HERE / "agi-bin", self.path("/var/lib/asterisk/agi-bin"))

    def path(self, name: str) -> Path:
        """Where a file of an installation is."""
        return self.root / name.lstrip("/")

    @property
    def source(self) -> Path:
        """What -C names."""
        return self.path("/etc/asterisk/asterisk.conf")

    @property
    def log(self) -> str:
        """What it told on its console."""
        return self.path("/var/log/asterisk/console").read_text(errors="replace")

    def start(self) -> None:
        """Start it, and wait until it has fully booted."""
        with self.path("/var/log/asterisk/console").open("ab") as output:
            self.process = subprocess.Popen(
                [ARIETTA, "asterisk", "-C", self.source, "-f"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONWARNINGS": "error"},
                start_new_session=True,
            )
        until(lambda: "fully booted" in self.rx("core waitfullybooted", expect=None), "a start", START_WITHIN_S)

    def rx(self, command: str, expect: int | None = 0) -> str:
        """What `asterisk -rx` prints."""
        assert self.process is None or self.process.poll() is None, f"the switch ended:\n{self.log}"
        done = run_arietta("asterisk", "-C", self.source, "-rx", command)
        assert expect is None or done.returncode == expect, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def udp_ports(self) -> set[int]:
        """The UDP ports it has open."""
        assert self.process is not None
        return udp_ports(self.process.pid)

    def ends(self) -> None:
        """Wait for its end, which is a good one."""
        assert self.process is not None
        assert self.process.wait(STOP_WITHIN_S) == 0, self.log

    def kill(self) -> None:
        """End it however it is; what it told is printed for the report of a test that failed."""
        print(f"{self.host} told:\n{self.log}")
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
