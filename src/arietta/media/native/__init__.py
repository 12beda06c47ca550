"""The engine in C: the media interface on threads of its own, without the interpreter's lock."""

from __future__ import annotations

import os
from importlib.util import find_spec

__all__ = ["why_no_srtp", "why_not"]

NOT_BUILT = "the extension module was not built, for want of a C compiler or of Python's headers"


def why_not() -> str | None:
    """Why the native engine cannot be used; None when it can."""
    if os.environ.get("ARIETTA_PURE_PYTHON"):
        return "ARIETTA_PURE_PYTHON is set"
    try:
        from . import _engine  # noqa: F401
    except ImportError as error:
        return NOT_BUILT if find_spec(f"{__name__}._engine") is None else str(error)
    return None


def why_no_srtp() -> str | None:
    """Why it cannot encrypt; None when it can."""
    missing = why_not()
    if missing is not None:
        return missing
    from ._engine import Srtp

    try:
        Srtp("AES_CM_128_HMAC_SHA1_80", bytes(30))
    except RuntimeError as error:
        return str(error)
    return None
