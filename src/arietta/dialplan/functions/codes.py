"""Functions that encode, decode and hash text."""

from __future__ import annotations

import base64
import binascii
import hashlib
import urllib.parse
from typing import TYPE_CHECKING

from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _uriencode(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return urllib.parse.quote(_bytes(arguments), safe="")


def _uridecode(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return urllib.parse.unquote(arguments)


def _base64_encode(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return base64.b64encode(_bytes(arguments)).decode("ascii")


def _base64_decode(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    try:
        return base64.b64decode(_bytes(arguments)).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as failure:
        raise FunctionError("BASE64_DECODE", f"{arguments[:40]!r} is not base64: {failure}") from failure


def _md5(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return hashlib.md5(_bytes(arguments), usedforsecurity=False).hexdigest()


def _sha1(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return hashlib.sha1(_bytes(arguments), usedforsecurity=False).hexdigest()


FUNCTIONS = (
    Function("BASE64_DECODE", "BASE64_DECODE(text)", "What the base64 text stands for.", _base64_decode),
    Function("BASE64_ENCODE", "BASE64_ENCODE(text)", "The text in base64.", _base64_encode),
    Function("MD5", "MD5(text)", "The MD5 sum of the text, in hex.", _md5),
    Function("SHA1", "SHA1(text)", "The SHA-1 sum of the text, in hex.", _sha1),
    Function("URIDECODE", "URIDECODE(text)", "The text without percent encoding.", _uridecode),
    Function("URIENCODE", "URIENCODE(text)", "The text percent-encoded for a URI.", _uriencode),
)
