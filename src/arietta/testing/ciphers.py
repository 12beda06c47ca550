"""SRTP of a virtual phone, by the engine in C."""

from __future__ import annotations

from collections.abc import Callable

from arietta.media.native import why_no_srtp
from arietta.sdp import SecureKeys

__all__ = ["Ciphers"]

Cipher = Callable[[bytes], bytes | None]


class Ciphers:
    """Both directions of one stream. Raises RuntimeError where there are no ciphers."""

    def __init__(self, keys: SecureKeys) -> None:
        missing = why_no_srtp()
        if missing is not None:
            raise RuntimeError(f"a virtual phone cannot encrypt: {missing}")
        from arietta.media.native._engine import Srtp

        self.keys = keys
        self._protect: Cipher = Srtp(keys.suite, keys.local).protect
        self.unprotect: Cipher = Srtp(keys.suite, keys.remote).unprotect
        """The packet; None for one that is forged, or was heard before."""

    @classmethod
    def after(cls, before: Ciphers | None, keys: SecureKeys | None) -> Ciphers | None:
        """Those of a further agreement: a key that stays goes on counting where it is."""
        if keys is None or (before is not None and before.keys == keys):
            return before if keys is not None else None
        ciphers = cls(keys)
        if before is not None and before.keys.suite == keys.suite:
            if before.keys.local == keys.local:
                ciphers._protect = before._protect
            if before.keys.remote == keys.remote:
                ciphers.unprotect = before.unprotect
        return ciphers

    def protect(self, packet: bytes) -> bytes:
        """The packet as it goes on the wire."""
        protected = self._protect(packet)
        assert protected is not None
        return protected
