"""Log lines: where they go, how they look, and what they never contain."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import stat
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arietta import logs as logs_module
from arietta.config.conf import parse_conf
from arietta.config.settings import Report
from arietta.config.system import LoggerSettings, read_logger
from arietta.logs import MASK, Logs, mask, set_aside, verbose_level_of
from arietta.verbose import verbose

SECRET = "s3cr3t-Hunter2"


def logger_conf(text: str) -> LoggerSettings:
    report = Report()
    read = read_logger(parse_conf(text, "logger.conf"), report)
    assert not report.problems
    return read


@pytest.mark.parametrize(
    "line",
    [
        f"GET /ari/events?api_key=asterisk:{SECRET}&app=hello HTTP/1.1",
        f"GET /ari/events?app=hello&api_key=asterisk%3A{SECRET} HTTP/1.1",
        f"password={SECRET}",
        f"password => {SECRET}",
        f'{{"password": "{SECRET} with blanks", "x": 1}}',
        f"{{'password': '{SECRET}'}}",
        f"md5_cred={SECRET}",
        f"Authorization: Basic {SECRET}==",
        f"proxy-authorization: Bearer {SECRET}",
        f"('Authorization', 'Basic {SECRET}')",
        f"INVITE sip:alice:{SECRET}@example.org SIP/2.0",
        f"connecting to wss://user:{SECRET}@example.org/ari",
        f"refresh_token={SECRET}",
        f"oauth_secret={SECRET}",
        f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{SECRET}|2^31",
    ],
)
def test_secrets_are_masked(line: str) -> None:
    masked = mask(line)
    assert SECRET not in masked
    assert MASK in masked


def test_a_digest_response_is_masked_and_the_rest_is_kept() -> None:
    line = 'Authorization: Digest username="1001",realm="asterisk",response="5f4dcc3b5aa765d61d8327deb882cf99",qop=auth'
    assert mask(line) == 'Authorization: Digest username="1001",realm="asterisk",response="***",qop=auth'


@pytest.mark.parametrize(
    "line",
    [
        '    -- Executing [1000@default:1] NoOp("PJSIP/1000-00000001", "") in new stack',
        "password_format=crypt",
        "the response is late",
        "INVITE sip:1000@127.0.0.1:5060 SIP/2.0",
        "sip:1001@127.0.0.1:5070;transport=udp",
        "http://127.0.0.1:8088/ari/channels",
        "Authorization header is missing",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert mask(line) == line


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)


def test_the_console_shows_calls_plainly_and_the_rest_with_time_and_level(logs: Logs, output: StringIO) -> None:
    verbose(3, "Executing [1000@default:1] NoOp()")
    verbose(4, "too deep")
    logging.getLogger("arietta.sip").warning("odd packet from %s", "10.0.0.1")
    logging.getLogger("arietta.sip").debug("inside")
    logging.getLogger("arietta").info("ready")
    first, second, third = output.getvalue().splitlines()
    assert first == "    -- Executing [1000@default:1] NoOp()"
    assert re.fullmatch(
        r"\[\w{3} [ \d]\d \d\d:\d\d:\d\d\] WARNING\[\d+\]: arietta\.sip: odd packet from 10\.0\.0\.1", second
    )
    assert re.fullmatch(r"\[.{15}\] NOTICE\[\d+\]: arietta: ready", third)


def test_a_traceback_is_masked_too(logs: Logs, output: StringIO) -> None:
    try:
        raise ValueError(f"password={SECRET}")
    except ValueError:
        logging.getLogger("arietta").exception("failed")
    assert "Traceback" in output.getvalue()
    assert SECRET not in output.getvalue()


def test_debug_is_told_on_demand(tmp_path: Path) -> None:
    stream = StringIO()
    logs = Logs(logger_conf("[logfiles]\nconsole => debug\n"), tmp_path, stream=stream)
    logs.start()
    try:
        logging.getLogger("arietta.x").debug("not yet")
        logs.set_debug(1)
        logging.getLogger("arietta.x").debug("now")
    finally:
        logs.set_debug(0)
        logs.stop()
    assert "DEBUG" in stream.getvalue()
    assert "not yet" not in stream.getvalue()


def test_lines_of_one_turn_leave_in_one_write(tmp_path: Path) -> None:
    writes: list[str] = []

    class Stream(StringIO):
        def write(self, text: str) -> int:
            writes.append(text)
            return len(text)

    async def story() -> None:
        logs = Logs(LoggerSettings(), tmp_path, stream=Stream())
        logs.start()
        verbose(1, "one")
        verbose(1, "two")
        assert writes == []
        await asyncio.sleep(0)
        assert writes == ["one\ntwo\n"]
        verbose(1, "three")
        logs.stop()
        assert writes == ["one\ntwo\n", "three\n"]

    asyncio.run(story())


def test_a_reader_that_is_gone_does_not_stop_the_server(tmp_path: Path) -> None:
    class Closed(StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    logs = Logs(LoggerSettings(), tmp_path, stream=Closed())
    logs.start()
    verbose(1, "nobody reads this")
    logs.stop()


def test_files_get_their_levels_in_their_format(tmp_path: Path) -> None:
    settings = logger_conf(
        "[general]\ndateformat = %F %T.%3q\n[logfiles]\nmessages => notice,warning,error\n"
        "full => notice,verbose(3),error\nmachine => [json]notice,verbose\n"
    )
    logs = Logs(settings, tmp_path / "log", stream=StringIO(), verbose_level=4)
    logs.start()
    verbose(3, "Executing")
    verbose(4, "deep")
    logging.getLogger("arietta.http").info("listening")
    logging.getLogger("arietta.http").warning("odd")
    assert [row[1] for row in logs.channels()] == ["File", "File", "File"]
    logs.stop()
    folder = tmp_path / "log"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "messages").stat().st_mode) & 0o007 == 0
    messages = (folder / "messages").read_text().splitlines()
    assert [line.partition("] ")[2].partition("[")[0] for line in messages] == ["NOTICE", "WARNING"]
    assert re.match(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] ", messages[0])
    full = (folder / "full").read_text().splitlines()
    assert [line.split(": ", 1)[1] for line in full] == ["-- Executing", "arietta.http: listening"]
    entries = [json.loads(line) for line in (folder / "machine").read_text().splitlines()]
    assert [(entry["level"], entry["message"]) for entry in entries] == [
        ("VERBOSE", "-- Executing"),
        ("VERBOSE", "> deep"),
        ("NOTICE", "listening"),
    ]


def test_a_file_that_cannot_be_opened_is_told_and_the_rest_works(tmp_path: Path) -> None:
    stream = StringIO()
    (tmp_path / "taken").mkdir()
    logs = Logs(logger_conf("[logfiles]\nconsole => warning,verbose\ntaken => error\n"), tmp_path, stream=stream)
    logs.start()
    verbose(1, "goes on")
    logs.stop()
    assert "logger.conf line 3: log file taken: Is a directory" in stream.getvalue()
    assert stream.getvalue().endswith("goes on\n")


def test_the_system_log_gets_datagrams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as system:
        system.bind(str(tmp_path / "log"))
        system.settimeout(2)
        monkeypatch.setattr(logs_module, "SYSLOG_PATH", str(tmp_path / "log"))
        logs = Logs(logger_conf("[logfiles]\nsyslog.local0 => error\n"), tmp_path, stream=StringIO())
        logs.start()
        logging.getLogger("arietta").error("it broke")
        datagram = system.recv(8192).decode()
        logs.stop()
    assert re.fullmatch(r"<131>arietta\[\d+\]: ERROR: it broke", datagram)


def test_another_logger_conf_keeps_the_followers(logs: Logs, output: StringIO, tmp_path: Path) -> None:
    heard: list[tuple[str, int, str]] = []
    unfollow = logs.follow(lambda kind, level, line: heard.append((kind, level, line)))
    logs.configure(logger_conf("[logfiles]\nmessages => warning\n"))
    verbose(2, "still told")
    unfollow()
    verbose(2, "not any more")
    assert heard == [("verbose", 2, "  == still told")]
    assert output.getvalue() == ""
    assert (tmp_path / "log" / "messages").exists()


@pytest.mark.parametrize(("level", "expected"), [(0, 1), (1, 1), (2, 2), (3, 3), (4, 4)])
def test_the_level_of_a_line_shows_in_its_indentation(logs: Logs, level: int, expected: int) -> None:
    heard: list[int] = []
    logs.set_verbose(9)
    unfollow = logs.follow(lambda kind, level, line: heard.append(level))
    verbose(level, "text")
    unfollow()
    assert heard == [expected]
    assert verbose_level_of("   text") == 1


def rotated(tmp_path: Path, strategy: str, times: int) -> list[tuple[str, str]]:
    path = tmp_path / "messages"
    for number in range(times):
        path.write_text(str(number))
        set_aside(path, strategy)
    return sorted((found.name, found.read_text()) for found in tmp_path.iterdir())


def test_rotation_names_old_files_as_told(tmp_path: Path) -> None:
    for strategy in ("sequential", "rotate", "none"):
        (tmp_path / strategy).mkdir()
    assert rotated(tmp_path / "sequential", "sequential", 3) == [
        ("messages.0", "0"),
        ("messages.1", "1"),
        ("messages.2", "2"),
    ]
    assert rotated(tmp_path / "rotate", "rotate", 3) == [("messages.0", "2"), ("messages.1", "1"), ("messages.2", "0")]
    assert rotated(tmp_path / "none", "none", 1) == [("messages", "0")]
    (tmp_path / "messages").write_text("x")
    moved = set_aside(tmp_path / "messages", "timestamp")
    assert moved is not None and re.fullmatch(r"messages\.\d{10}", moved.name)


def test_rotate_begins_new_files(tmp_path: Path) -> None:
    logs = Logs(logger_conf("[logfiles]\nmessages => notice\n"), tmp_path, stream=StringIO())
    logs.start()
    logging.getLogger("arietta").info("old")
    assert logs.rotate() == [str(tmp_path / "messages.0")]
    logging.getLogger("arietta").info("new")
    logs.stop()
    assert (tmp_path / "messages.0").read_text().endswith("old\n")
    assert (tmp_path / "messages").read_text().endswith("new\n")
    assert "old" not in (tmp_path / "messages").read_text()
