"""The transcoders in C, where the extension module is built."""

from __future__ import annotations

import importlib
import os
from functools import lru_cache
from typing import Any

__all__ = ["native"]


@lru_cache(maxsize=1)
def native() -> Any:
    """The extension module; None where there is none, or where ARIETTA_PURE_PYTHON=1 keeps it from being used."""
    if os.environ.get("ARIETTA_PURE_PYTHON", "0") not in ("", "0"):
        return None
    try:
        engine = importlib.import_module("arietta.media.native._engine")
    except ImportError:
        return None
    return engine if hasattr(engine, "Encoder") else None
