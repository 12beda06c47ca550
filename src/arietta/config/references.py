"""What one part of the configuration says about another: names that must exist, files that must be there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from arietta.config.endpoint import Endpoint
from arietta.config.pjsip import Acl, Transport
from arietta.config.settings import Report, Settings

if TYPE_CHECKING:
    from arietta.config.ari import AriUser
    from arietta.config.manager import ManagerUser
    from arietta.config.tree import Config


def check_references(config: Config, report: Report) -> None:
    """Report names that lead nowhere and files that are missing."""
    _check_http(config, report)
    _check_ari(config, report)
    _check_manager(config, report)
    _check_endpoints(config, report)
    _check_other_sip(config, report)
    users: tuple[AriUser | ManagerUser, ...] = (*config.ari.users.values(), *config.manager.users.values())
    for user in users:
        for name in user.acl:
            if name not in config.acls:
                report.error(user.at("acl"), f"acl {name} of user [{user.name}] is not a section of acl.conf")
    for option, names in (("ice_acl", config.rtp.ice_acl), ("stun_acl", config.rtp.stun_acl)):
        for name in names:
            if name not in config.acls:
                report.error(config.rtp.at(option), f"{option} {name} is not a section of acl.conf")
    sections: tuple[Acl | Endpoint, ...] = (*config.pjsip.acls.values(), *config.pjsip.endpoints.values())
    for section in sections:
        _check_lists(config, section, report)


def _check_lists(config: Config, section: Acl | Endpoint, report: Report) -> None:
    for option, names in (("acl", section.acl), ("contact_acl", section.contact_acl)):
        for name in names:
            if name not in config.acls:
                report.error(section.at(option), f"{option} {name} of [{section.name}] is not a section of acl.conf")


def _check_http(config: Config, report: Report) -> None:
    http = config.http
    if http.enabled and not http.bindaddr and not http.tlsenable:
        report.error(http.at("enabled"), "enabled=yes without bindaddr: there is no address to listen on")
    if not http.tlsenable:
        return
    if not http.tlscertfile:
        report.error(http.at("tlsenable"), "tlsenable=yes without tlscertfile: there is no certificate")
    for field in ("tlscertfile", "tlsprivatekey"):
        _check_file(config, http, field, report)


def _check_file(config: Config, settings: Settings, field: str, report: Report) -> None:
    name = getattr(settings, field)
    if name and not os.access(resolve(config, name), os.R_OK):
        report.error(settings.at(field), f"{field} {name} cannot be read")


def resolve(config: Config, name: str) -> Path:
    """A path of a configuration file: relative ones start at the configuration folder."""
    return config.directory / name


def _check_manager(config: Config, report: Report) -> None:
    manager = config.manager
    general = manager.general
    if not general.enabled:
        return
    if not manager.users:
        report.warn(general.at("enabled"), "there is no user, nobody can use the manager interface")
    if general.webenabled and not config.http.enabled:
        report.warn(general.at("webenabled"), "webenabled=yes has no effect while http.conf does not say enabled=yes")
    if general.tlsenable and not general.tlscertfile:
        report.error(general.at("tlsenable"), "tlsenable=yes without tlscertfile: there is no certificate")
    if general.tlsenable:
        for field in ("tlscertfile", "tlsprivatekey"):
            _check_file(config, general, field, report)


def _check_ari(config: Config, report: Report) -> None:
    ari = config.ari
    if ari.general.enabled and config.http.enabled and ari.file and not ari.users:
        report.warn(ari, "there is no user, nobody can use the REST interface")
    if ari.general.enabled and ari.users and not config.http.enabled:
        report.warn(config.http.at("enabled"), "enabled is not yes, the REST interface cannot be reached")
    served: dict[str, str] = {}
    for socket in ari.outbound_websockets.values():
        for app in socket.apps:
            first = served.setdefault(app, socket.name)
            if first != socket.name:
                report.error(socket.at("apps"), f"app {app} of [{socket.name}] is served by [{first}] already")
        client = config.websocket_clients.get(socket.websocket_client_id)
        if client is not None and client.connection_type not in ("persistent", "per_call_config"):
            report.error(
                client.at("connection_type"),
                f"connection_type {client.connection_type or 'of [' + client.name + ']'} is not persistent or"
                f" per_call_config, which [{socket.name}] of ari.conf needs",
            )
        if client is None:
            report.error(
                socket.at("websocket_client_id"),
                f"websocket_client_id {socket.websocket_client_id or 'without value'} is not in websocket_client.conf",
            )
        if socket.local_ari_user not in ari.users:
            report.error(
                socket.at("local_ari_user"), f"local_ari_user {socket.local_ari_user or 'without value'} is not a user"
            )
        if not socket.apps:
            report.error(socket.at("apps"), f"[{socket.name}] has no apps")


def _check_endpoints(config: Config, report: Report) -> None:
    pjsip = config.pjsip
    for endpoint in pjsip.endpoints.values():
        for field, table, kind in (
            ("auth", pjsip.auths, "auth"),
            ("outbound_auth", pjsip.auths, "auth"),
            ("aors", pjsip.aors, "aor"),
        ):
            for name in getattr(endpoint, field):
                if name not in table:
                    report.error(endpoint.at(field), f"{field} {name} is not a section with type={kind}")
        if endpoint.transport and endpoint.transport not in pjsip.transports:
            report.error(
                endpoint.at("transport"), f"transport {endpoint.transport} is not a section with type=transport"
            )
        for field in ("dtls_cert_file", "dtls_private_key", "dtls_ca_file"):
            _check_file(config, endpoint, field, report)
        if endpoint.cos_audio > 6:
            text = f"cos_audio {endpoint.cos_audio} has no effect without CAP_NET_ADMIN, up to 6 has"
            report.warn(endpoint.at("cos_audio"), text)
        if endpoint.max_audio_streams > 1:
            text = f"max_audio_streams {endpoint.max_audio_streams}: one audio stream is carried, others are refused"
            report.warn(endpoint.at("max_audio_streams"), text)
        if not endpoint.allow:
            report.warn(endpoint.at("allow"), f"endpoint [{endpoint.name}] allows no codec, its calls have no audio")
        if not config.extensions.has_context(endpoint.context):
            report.warn(endpoint.at("context"), f"context {endpoint.context} is not in extensions.conf")
    if pjsip.endpoints and not pjsip.transports:
        report.warn(pjsip, "there are endpoints but no transport, SIP is not listened for")


def _check_other_sip(config: Config, report: Report) -> None:
    pjsip = config.pjsip
    for identify in pjsip.identifies.values():
        if identify.endpoint not in pjsip.endpoints:
            report.error(
                identify.at("endpoint"),
                f"endpoint {identify.endpoint or 'without value'} is not a section with type=endpoint",
            )
        if not (identify.match or identify.match_header or identify.match_request_uri or identify.transport):
            report.error(
                identify, f"identify [{identify.name}] has no match, match_header, match_request_uri or transport"
            )
        if identify.transport and identify.transport not in pjsip.transports:
            report.error(
                identify.at("transport"), f"transport {identify.transport} is not a section with type=transport"
            )
    for registration in pjsip.registrations.values():
        for name in registration.outbound_auth:
            if name not in pjsip.auths:
                report.error(registration.at("outbound_auth"), f"outbound_auth {name} is not a section with type=auth")
        for field, table, kind in (
            ("transport", pjsip.transports, "transport"),
            ("endpoint", pjsip.endpoints, "endpoint"),
        ):
            name = getattr(registration, field)
            if name and name not in table:
                report.error(registration.at(field), f"{field} {name} is not a section with type={kind}")
        for field in ("server_uri", "client_uri"):
            uri = getattr(registration, field)
            if not uri.lower().startswith(("sip:", "sips:")):
                report.error(
                    registration.at(field),
                    f"{field} {uri or 'of registration [' + registration.name + ']'} does not begin with sip: or sips:",
                )
    for aor in pjsip.aors.values():
        for uri in aor.contact:
            if not uri.lower().startswith(("sip:", "sips:")):
                report.error(aor.at("contact"), f"contact {uri} does not begin with sip: or sips:")
        if aor.minimum_expiration > aor.maximum_expiration:
            report.error(
                aor.at("minimum_expiration"),
                f"minimum_expiration {aor.minimum_expiration} is above maximum_expiration {aor.maximum_expiration}",
            )
    seen: dict[tuple[str, str, int], str] = {}
    for transport in pjsip.transports.values():
        _check_transport(config, transport, report)
        if transport.bind is not None and transport.protocol not in ("ws", "wss"):
            kind = "udp" if transport.protocol == "udp" else "tcp"
            port = transport.bind.port or (5061 if transport.protocol == "tls" else 5060)
            key = (kind, transport.bind.host, port)
            if key in seen:
                report.error(transport.at("bind"), f"bind {transport.bind} is taken already by transport [{seen[key]}]")
            seen.setdefault(key, transport.name)


def _check_transport(config: Config, transport: Transport, report: Report) -> None:
    """What a transport needs besides its own section: certificates, or the HTTP server."""
    if transport.protocol == "tls":
        if not transport.cert_file:
            report.error(transport, f"transport [{transport.name}] has protocol=tls without cert_file")
        for field in ("cert_file", "priv_key_file", "ca_list_file", "ca_list_path"):
            _check_file(config, transport, field, report)
    http = config.http
    if transport.protocol in ("ws", "wss") and not http.enabled:
        report.error(
            transport.at("protocol"), f"protocol={transport.protocol} needs the HTTP server: http.conf enabled=yes"
        )
    elif transport.protocol == "wss" and not http.tlsenable:
        report.warn(
            transport.at("protocol"),
            "protocol=wss without tlsenable=yes in http.conf: only a web server on this machine can pass phones on",
        )
