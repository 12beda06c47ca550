"""Functions that encode, decode, encrypt and hash text, and make names."""

from __future__ import annotations

import base64
import binascii
import hashlib
import urllib.parse
import uuid
from typing import TYPE_CHECKING, Any

from arietta.dialplan.arguments import split_arguments
from arietta.dialplan.errors import FunctionError
from arietta.dialplan.functions import Function

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.interpreter import Interpreter

AES_BYTES = 16
"""Of a key, and of a block."""


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


def _aes(name: str, arguments: str) -> tuple[Any, str]:
    """The cipher that the key of a function gives, and the text behind it."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # for those that use it

    key, text, *_ = [*split_arguments(arguments, 2), "", ""]
    if len(_bytes(key)) != AES_BYTES:
        raise FunctionError(name, f"the key has {len(_bytes(key))} characters, not {AES_BYTES}")
    # Block by block, as Asterisk does: equal blocks look equal. It hides a text, and is no protection of one.
    return Cipher(algorithms.AES(_bytes(key)), modes.ECB()), text


def _aes_encrypt(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    cipher, text = _aes("AES_ENCRYPT", arguments)
    data = _bytes(text)
    padded = data + b"\0" * (-len(data) % AES_BYTES)
    worker = cipher.encryptor()
    return base64.b64encode(worker.update(padded) + worker.finalize()).decode("ascii")


def _aes_decrypt(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    cipher, text = _aes("AES_DECRYPT", arguments)
    try:
        data = base64.b64decode(_bytes(text))
    except (binascii.Error, ValueError) as failure:
        raise FunctionError("AES_DECRYPT", f"{text[:40]!r} is not base64: {failure}") from failure
    if len(data) % AES_BYTES:
        raise FunctionError("AES_DECRYPT", f"{len(data)} bytes are no whole blocks of {AES_BYTES}")
    worker = cipher.decryptor()
    plain: bytes = worker.update(data) + worker.finalize()
    return plain.rstrip(b"\0").decode("utf-8", "replace")


def _uuid(plan: Interpreter, channel: Channel | None, arguments: str) -> str:
    return str(uuid.uuid4())


FUNCTIONS = (
    Function(
        "AES_DECRYPT",
        "AES_DECRYPT(key,text)",
        "What AES_ENCRYPT made a base64 text of, with the same key.",
        _aes_decrypt,
    ),
    Function(
        "AES_ENCRYPT",
        "AES_ENCRYPT(key,text)",
        "The text encrypted with AES and a key of 16 characters, block by block, in base64.",
        _aes_encrypt,
    ),
    Function("BASE64_DECODE", "BASE64_DECODE(text)", "What the base64 text stands for.", _base64_decode),
    Function("BASE64_ENCODE", "BASE64_ENCODE(text)", "The text in base64.", _base64_encode),
    Function("MD5", "MD5(text)", "The MD5 sum of the text, in hex.", _md5),
    Function("SHA1", "SHA1(text)", "The SHA-1 sum of the text, in hex.", _sha1),
    Function("URIDECODE", "URIDECODE(text)", "The text without percent encoding.", _uridecode),
    Function("URIENCODE", "URIENCODE(text)", "The text percent-encoded for a URI.", _uriencode),
    Function("UUID", "UUID()", "A random UUID (RFC 4122, version 4).", _uuid),
)
