"""The engine in C: the media interface on threads of its own, without the interpreter's lock."""

from __future__ import annotations

import os

__all__ = ["why_not"]


def why_not() -> str | None:
    """Why the native engine cannot be used; None when it can."""
    if os.environ.get("ARIETTA_PURE_PYTHON"):
        return "ARIETTA_PURE_PYTHON is set"
    try:
        from . import _engine  # noqa: F401
    except ImportError as error:
        return str(error)
    return None
