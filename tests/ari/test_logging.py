"""Log channels of the REST interface: files that are opened, listed, set aside and closed."""

import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from arietta.ari.behaviour.system import System
from arietta.config.conf import parse_conf
from arietta.config.settings import Report
from arietta.config.system import LoggerSettings, read_logger
from arietta.errors import Refused
from arietta.logs import LogFiles, Logs

TOLD = logging.getLogger("arietta.test")


def logger_conf(text: str) -> LoggerSettings:
    return read_logger(parse_conf(text, "logger.conf"), Report())


class Stage:
    """The operations on a process's logs, which write below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = Logs(logger_conf("[logfiles]\nconsole => error\nfull => error,notice\n"), folder, stream=StringIO())
        self.logs.start()
        unused: Any = None
        self.system = System(
            entity_id="",
            version="",
            dialplan=unused,
            config=unused,
            last_reload_at=unused,
            started_at=0.0,
            modules=unused,
            logs=self.logs,
            objects=unused,
        )

    def listed(self) -> list[tuple[str, str, str, str]]:
        return [(one.channel, one.type, one.status, one.configuration) for one in self.system.list_log_channels()]

    def status(self, operation: str, *values: str) -> int:
        try:
            getattr(self.system, f"{operation}_log_channel")(*values)
        except Refused as refusal:
            return refusal.status
        return 204

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "log")
    yield stage
    stage.logs.stop()
    assert not [handler for handler in logging.getLogger().handlers if type(handler).__module__ == "arietta.logs"]


def test_channels_of_logger_conf_are_listed(stage: Stage) -> None:
    assert stage.listed() == [
        ("console", "Console", "Enabled", "ERROR "),
        (str(stage.folder / "full"), "File", "Enabled", "NOTICE ERROR "),
    ]


def test_a_file_is_added_gets_its_levels_and_is_closed(stage: Stage) -> None:
    assert stage.status("add", "mine.log", "warning,notice") == 204
    assert stage.listed()[-1] == (str(stage.folder / "mine.log"), "File", "Enabled", "NOTICE WARNING ")
    TOLD.info("a notice")
    TOLD.error("an error")
    assert stage.status("delete", "mine.log") == 204
    TOLD.info("too late")
    assert [line.rpartition(": ")[2] for line in stage.text("mine.log").splitlines()] == ["a notice"]
    assert [stage.status(what, "mine.log") for what in ("delete", "rotate")] == [404, 404]


def test_levels_are_written_as_in_logger_conf(stage: Stage) -> None:
    assert stage.status("add", "a.log", "error,verbose(2)") == 204
    assert stage.status("add", "b.log", "[json]dtmf") == 204
    assert [row[3] for row in stage.listed()[-2:]] == ["ERROR VERBOSE ", "DTMF "]
    assert [stage.status("add", "c.log", wrong) for wrong in ("bogus", "notice(2)", "", ",")] == [400] * 4
    assert not (stage.folder / "c.log").exists()


def test_a_channel_that_exists_is_not_added_again(stage: Stage) -> None:
    stage.status("add", "mine.log", "notice")
    for name in ("mine.log", "full", str(stage.folder / "full"), "./full"):
        assert stage.status("add", name, "error") == 409
    assert len(stage.listed()) == 3


@pytest.mark.parametrize(
    "name", ["../out", "a/../../out", "/out", "console", "CONSOLE", "syslog.local0", "", ".", "a\0b", "a\nb", "x" * 300]
)
def test_only_files_in_the_folder_can_be_added(stage: Stage, name: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert stage.status("add", name, "notice") == 409
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_does_not_lead_out_of_the_folder(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (stage.folder / "link").symlink_to(tmp_path / "elsewhere")
    assert stage.status("add", "link/out.log", "notice") == 409


def test_rotation_begins_a_new_file_and_forgets_nothing(stage: Stage) -> None:
    stage.status("add", "mine.log", "notice")
    TOLD.info("old")
    assert stage.status("rotate", "mine.log") == 204
    TOLD.info("new")
    stage.system.delete_log_channel(str(stage.folder / "mine.log"))
    assert stage.text("mine.log.0").endswith("old\n")
    assert stage.text("mine.log").endswith("new\n")
    assert stage.status("rotate", "console") == 404


def test_added_files_stay_when_logger_conf_is_read_again(stage: Stage) -> None:
    stage.status("add", "mine.log", "notice")
    stage.logs.configure(logger_conf("[logfiles]\nerrors => error\n"))
    assert [Path(row[0]).name for row in stage.listed()] == ["errors", "mine.log"]
    stage.logs.configure(logger_conf("[logfiles]\nmine.log => error\n"))
    assert [(Path(row[0]).name, row[3]) for row in stage.listed()] == [("mine.log", "ERROR ")]


def test_a_server_without_logs_of_its_own_has_those_that_are_added(tmp_path: Path) -> None:
    files = LogFiles(LoggerSettings(), tmp_path)
    assert files.open_channels() == []
    files.add_file("mine.log", "warning")
    TOLD.warning("told")
    files.stop()
    assert (tmp_path / "mine.log").read_text().endswith("told\n")
