"""What pjsip.conf says about TLS, as contexts: one for those who connect to us, one for whom we connect to."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from arietta.config.pjsip import Transport as TransportSettings

VERSIONS = {
    "tlsv1_2": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
    "tlsv1_3": (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3),
}
DEFAULT_VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED)


@dataclass(frozen=True, slots=True)
class TlsContexts:
    """Both sides of one transport. Made anew by a reload; connections keep those they began with."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    verify_server: bool
    wildcards: bool


def tls_contexts(settings: TransportSettings, folder: Path) -> TlsContexts:
    """Read certificates, keys and ciphers, relative to a folder; OSError (ssl.SSLError is one) says what is wrong."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False  # names are compared as RFC 5922 wants it, in certificate_is_for
    if settings.verify_client:
        server.verify_mode = ssl.CERT_OPTIONAL
    if settings.require_client_cert:
        server.verify_mode = ssl.CERT_REQUIRED
    client.verify_mode = ssl.CERT_REQUIRED if settings.verify_server else ssl.CERT_NONE
    for context in (server, client):
        _configure(context, settings, folder)
        if context.verify_mode is not ssl.CERT_NONE:
            _trust(context, settings, folder)
    return TlsContexts(server, client, settings.verify_server, settings.allow_wildcard_certs)


def _configure(context: ssl.SSLContext, settings: TransportSettings, folder: Path) -> None:
    context.minimum_version, context.maximum_version = VERSIONS.get(settings.method, DEFAULT_VERSIONS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if settings.cipher:
        context.set_ciphers(":".join(settings.cipher))
    if settings.cert_file:
        key = folder / settings.priv_key_file if settings.priv_key_file else None
        # The password is given even if it is empty: without one OpenSSL would ask at the terminal.
        context.load_cert_chain(folder / settings.cert_file, key, settings.password)


def _trust(context: ssl.SSLContext, settings: TransportSettings, folder: Path) -> None:
    """The authorities of the configuration, or without any those of the system."""
    if settings.ca_list_file or settings.ca_list_path:
        file = folder / settings.ca_list_file if settings.ca_list_file else None
        path = folder / settings.ca_list_path if settings.ca_list_path else None
        context.load_verify_locations(file, path)
    elif context.protocol is ssl.PROTOCOL_TLS_SERVER:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
