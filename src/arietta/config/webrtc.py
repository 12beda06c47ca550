"""What `webrtc=yes` sets besides itself, and what the options of secure media need of each other."""

from __future__ import annotations

from typing import Any

import msgspec

from arietta.config.endpoint import Endpoint
from arietta.config.settings import Report

IMPLIED: dict[str, Any] = {
    "rtcp_mux": True,
    "use_avpf": True,
    "ice_support": True,
    "bundle": True,
    "media_use_received_transport": True,
    "media_encryption": "dtls",
    "dtls_verify": "fingerprint",
    "dtls_setup": "actpass",
}


def with_implied(endpoint: Endpoint) -> Endpoint:
    """The endpoint with what webrtc=yes and bundle=yes set, as far as the file does not say it otherwise."""
    implied: dict[str, Any] = {}
    if endpoint.webrtc:
        implied = {**IMPLIED, "dtls_auto_generate_cert": not endpoint.dtls_cert_file}
    elif endpoint.bundle:
        implied = {"rtcp_mux": True}
    values = {field: value for field, value in implied.items() if field not in endpoint.set_at}
    return msgspec.structs.replace(endpoint, **values) if values else endpoint


def check_secure_media(endpoint: Endpoint, report: Report) -> None:
    """Report what cannot go together."""
    name = f"of endpoint [{endpoint.name}]"
    has_dtls = endpoint.media_encryption == "dtls"
    if not has_dtls:
        return
    if not endpoint.rtcp_mux:
        what = f"media_encryption=dtls {name} needs rtcp_mux=yes: two ports are not supported with it"
        report.error(endpoint.at("media_encryption"), what)
    if not endpoint.dtls_cert_file and not endpoint.dtls_auto_generate_cert:
        report.error(
            endpoint.at("media_encryption"),
            f"media_encryption=dtls {name} needs dtls_cert_file or dtls_auto_generate_cert=yes",
        )
    checks_chain = endpoint.dtls_verify in ("yes", "certificate")
    if checks_chain and not endpoint.dtls_ca_file and not endpoint.dtls_ca_path:
        report.error(
            endpoint.at("dtls_verify"),
            f"dtls_verify={endpoint.dtls_verify} {name} needs dtls_ca_file or dtls_ca_path: who is to be trusted?",
        )
