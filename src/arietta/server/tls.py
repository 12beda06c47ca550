"""TLS of a server as http.conf and manager.conf want it."""

from __future__ import annotations

import ssl

from arietta.config.conf import ConfigError, Problem
from arietta.config.http import HttpSettings
from arietta.config.manager import ManagerGeneral


def restrict(context: ssl.SSLContext, settings: HttpSettings | ManagerGeneral) -> ssl.SSLContext:
    """Give a context the versions and ciphers that are wanted; ConfigError for ciphers that nobody knows.

    TLS 1.0 and 1.1 are refused by every context of ours.
    """
    if settings.tlsdisablev12:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    if isinstance(settings, HttpSettings) and not settings.tlsservercipherorder:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if settings.tlscipher:
        try:
            context.set_ciphers(settings.tlscipher)
        except ssl.SSLError as problem:
            at = settings.at("tlscipher")
            reason = f"tlscipher {settings.tlscipher} is none of OpenSSL's ciphers"
            raise ConfigError((Problem(at.file, at.line, "error", reason),)) from problem
    return context
