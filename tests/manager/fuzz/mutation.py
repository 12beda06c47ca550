"""Seeds of the manager interface, and what is done to them."""

from __future__ import annotations

from pathlib import Path
from random import Random

from arietta.manager.declared import ACTIONS

CORPUS = Path(__file__).parent / "corpus"
MAX_BYTES = 20_000

HEADERS = sorted({name.strip("[]") for one in ACTIONS.values() for name, _ in one.headers} | {"ActionID", "Nothing"})
VALUES = (
    "", "1", "-1", "0", "99999999999999999999", "²", "on", "off", "yes", "/(/", "/./", "/(a+)+$/", "PJSIP/alice",
    "Local/1200@default", "Local/1200@default-00000000;1", "default", "made", "s", "1200", "1", "n", "hint", "Echo",
    "${SHELL(id)}", "SHELL(id)", "CALLERID(num)", "CHANNEL(name)", "a=b,c=d", "=", ",", "\\", '"', "x" * 500,
    "\x00\x1b\x7f", "é\u2028\ud7ff", "manager.conf", "extensions.conf", "../..", "6001@default", "pjsip:alice",
    "MD5", "true", "in", "all", "NewCat", "Append", "exten", ">7,1,Echo()", "call,dtmf", "general",
)  # fmt: skip
PIECES = (
    b"", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"\x00", b":", b": ", b" ", b"\xff", b"\xc3\xa9", b"\xe2\x80\xa8",
    b"Action: ", b"ActionID: ", b"Event: ", b"Response: Success", b"Variable: a=b\r\n", b"Action: Ping\r\n\r\n",
    b"x" * 9000, b"a: b\r\n" * 200, b"%s%n", b"${", b"/",
)  # fmt: skip
WITHOUT = frozenset(("logoff", "login", "waitevent"))
"""Actions that end the session or wait."""


def seeds() -> list[bytes]:
    """Every action with all of its headers, and what earlier runs have found worth keeping."""
    plain = [
        _block(one.name, [(header.strip("[]"), "1") for header, _ in one.headers])
        for key, one in sorted(ACTIONS.items())
        if key not in WITHOUT
    ]
    return plain + [path.read_bytes() for path in sorted(CORPUS.glob("*.dat"))]


def _block(name: str, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"Action: {name}", *(f"{header}: {value}" for header, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")


def vary(random: Random, pool: list[bytes]) -> bytes:
    """A new input: an action with values of all kinds, or one of the pool with its bytes and lines changed."""
    if random.random() < 0.4:
        return _action(random)
    data = random.choice(pool)
    for _ in range(1 + int(random.expovariate(0.5))):
        data = random.choice((_edit, _edit, _splice, _line, _line))(random, data, pool)
    return data[:MAX_BYTES]


def _action(random: Random) -> bytes:
    key = random.choice([key for key in ACTIONS if key not in WITHOUT])
    own = [header.strip("[]") for header, _ in ACTIONS[key].headers if random.random() < 0.9]
    more = [random.choice(HEADERS) for _ in range(random.randrange(4))]
    return _block(ACTIONS[key].name, [(header, random.choice(VALUES)) for header in (*own, *more)])


def _edit(random: Random, data: bytes, pool: list[bytes]) -> bytes:
    at, length = random.randrange(len(data) + 1), random.choice((0, 0, 1, 2, 8))
    return data[:at] + random.choice(PIECES) + data[at + length :]


def _splice(random: Random, data: bytes, pool: list[bytes]) -> bytes:
    other = random.choice(pool)
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def _line(random: Random, data: bytes, pool: list[bytes]) -> bytes:
    """A line more: of another input, or made."""
    lines = data.split(b"\r\n")
    made = f"{random.choice(HEADERS)}: {random.choice(VALUES)}".encode("utf-8", "replace")
    borrowed = random.choice(random.choice(pool).split(b"\r\n"))
    lines.insert(random.randrange(len(lines) + 1), random.choice((made, borrowed)))
    return b"\r\n".join(lines)
