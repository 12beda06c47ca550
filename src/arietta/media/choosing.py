"""Which engine carries the audio: the one in C where it was built, else the one in Python."""

from __future__ import annotations

from .engine import EngineSettings, MediaEngine, MediaError
from .native import why_no_srtp as why_native_has_none
from .native import why_not

__all__ = ["make_engine", "why_no_srtp"]


def make_engine(settings: EngineSettings, kind: str = "auto") -> tuple[MediaEngine, str | None]:
    """An engine of a kind (auto, native, reference); in words, why it is not the native one where that was preferred.

    Raises MediaError when the native one is asked for and cannot be used.
    """
    missing = why_not() if kind != "reference" else None
    if kind == "native" and missing is not None:
        raise MediaError(f"the native media engine cannot be used: {missing}")
    if kind == "reference" or missing is not None:
        from .reference import ReferenceEngine

        return ReferenceEngine(settings), missing
    from .native.engine import NativeEngine

    return NativeEngine(settings), None


def why_no_srtp(kind: str = "auto") -> str | None:
    """Why the engine that `make_engine` makes cannot encrypt; None when it can."""
    if kind != "reference":
        return why_native_has_none()
    from .reference.core import NO_SRTP

    return NO_SRTP
