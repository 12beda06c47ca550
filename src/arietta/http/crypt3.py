"""crypt(3) password hashes, checked without holding the interpreter's lock."""

from __future__ import annotations

import ctypes
import functools
import hmac
import importlib
import threading
import warnings
from collections.abc import Callable

_DATA_BYTES = 1 << 18  # more than any libcrypt's struct crypt_data

_one_at_a_time = threading.Lock()


def verify_crypt(password: str, stored: str) -> bool:
    """Whether a password gives the stored hash, of any method the platform's crypt(3) knows.

    Takes as long as the hash was made to take: call it from a thread.
    """
    if "\0" in password or "\0" in stored:
        return False
    result = _crypt_function()(password.encode(), stored.encode())
    # crypt(3): a failure is NULL, or a string beginning with "*" that no hash begins with
    return result is not None and not result.startswith(b"*") and hmac.compare_digest(result, stored.encode())


def make_crypt(password: str, salt: str) -> str:
    """The hash of a password with a salt such as `$6$…$`; takes its time: call it from a thread. Raises ValueError."""
    result = None if "\0" in password + salt else _crypt_function()(password.encode(), salt.encode())
    if result is None or result.startswith(b"*"):
        raise ValueError(f"crypt(3) of this machine makes no hash with {salt[:3]}")
    return result.decode()


@functools.cache
def _crypt_function() -> Callable[[bytes, bytes], bytes | None]:
    for name in ("libcrypt.so.1", "libcrypt.so.2", "libcrypt.so", None):
        try:
            function = ctypes.CDLL(name).crypt_r
        except (OSError, AttributeError):
            continue
        function.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p)
        function.restype = ctypes.c_char_p
        return functools.partial(_crypt_r, function)
    return _crypt_of_python


def _crypt_r(function: Callable[[bytes, bytes, object], bytes | None], word: bytes, salt: bytes) -> bytes | None:
    """ctypes lets other threads run meanwhile; the buffer is this call's own."""
    return function(word, salt, ctypes.create_string_buffer(_DATA_BYTES))


def _crypt_of_python(word: bytes, salt: bytes) -> bytes | None:
    """Where there is no crypt_r: the module of Python up to 3.12, or its successor."""
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            module = importlib.import_module("crypt")
        except ImportError:
            module = importlib.import_module("legacycrypt")
        try:
            result: str | None = module.crypt(word.decode(), salt.decode())
        except OSError:
            return None
        return None if result is None else result.encode()
