"""The reference engine: the media interface in Python, on one thread of its own."""

from .core import Core, Transport, TransportPair
from .thread import ReferenceEngine

__all__ = ["Core", "ReferenceEngine", "Transport", "TransportPair"]
