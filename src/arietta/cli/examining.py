"""What `arietta doctor` looks at in a configuration: ports, addresses, names, certificates, codecs, folders."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from arietta.cli.certificates import validity
from arietta.cli.findings import BAD, GOOD, ODD, Finding
from arietta.cli.options import control_socket
from arietta.config.kinds import HostPort
from arietta.config.pjsip import Transport
from arietta.config.references import resolve
from arietta.config.tree import Config
from arietta.drivers.sip.facing import is_any, primary_address
from arietta.sip.errors import ProtocolError
from arietta.sip.uri import parse_uri

SOON = timedelta(days=21)
NAME_TIMEOUT_S = 5.0
MAX_NAMES = 50
SPACE_WANTED_MB = 500
SPOOL_FOLDERS = (("recordings", "spool", "astspooldir"), ("store", "db", "astdbdir"), ("log files", "log", "astlogdir"))


def examine_configuration(config: Config, source: Path) -> Iterator[Finding]:
    """Every finding about what a configuration wants of this machine."""
    yield from _ports(config, source)
    yield from _addresses(config)
    yield from _names(config)
    yield from _certificates(config)
    yield from _media(config)
    yield from _folders(config)


# ---------------------------------------------------------------------------------------------------------- ports


def _ports(config: Config, source: Path) -> Iterator[Finding]:
    from arietta.cli.control import ControlError, connect

    path = control_socket(source)
    try:
        connect(path).close()
    except ControlError:
        pass
    else:
        yield Finding(GOOD, "ports", f"in use by the server that runs with this configuration ({path})")
        return
    http = config.http
    if http.enabled and http.bindaddr:
        yield _port("HTTP", http.bindaddr, http.bindport, socket.SOCK_STREAM, "bindport in http.conf")
    if http.enabled and http.tlsenable and http.tlsbindaddr is not None:
        yield _port(
            "HTTPS", http.tlsbindaddr.host, http.tlsbindaddr.port, socket.SOCK_STREAM, "tlsbindaddr in http.conf"
        )
    for transport in config.pjsip.transports.values():
        if transport.bind is not None and transport.protocol not in ("ws", "wss"):  # those are at /ws of HTTP
            kind = socket.SOCK_DGRAM if transport.protocol == "udp" else socket.SOCK_STREAM
            what = f"SIP {transport.protocol}"
            port = transport.bind.port or (5061 if transport.protocol == "tls" else 5060)
            yield _port(what, transport.bind.host, port, kind, f"bind of [{transport.name}] in pjsip.conf")
    first, last = config.rtp.rtpstart, config.rtp.rtpend
    count = (last - first + 1) // 2
    taken = sorted({port for _, port in _sockets("udp") if first <= port <= last})
    text = f"{first} to {last}, enough for {count} legs"
    if taken:
        text += f"; {len(taken)} are taken by others, {taken[0]} the first"
    state = BAD if count < 2 else ODD if len(taken) > (last - first) // 2 else GOOD
    yield Finding(state, "RTP ports", text, "rtpstart and rtpend in rtp.conf")


def _port(what: str, host: str, port: int, kind: socket.SocketKind, option: str) -> Finding:
    reason = refusal_of(host, port, kind)
    if reason:
        who = holder_of(port, "udp" if kind == socket.SOCK_DGRAM else "tcp")
        text = f"{host}:{port} cannot be listened on: {reason}" + (f", by {who}" if who else "")
        return Finding(BAD, f"{what} port", text, f"change {option}" + (", or stop that" if who else ""))
    return Finding(GOOD, f"{what} port", f"{host}:{port} is free")


def refusal_of(host: str, port: int, kind: socket.SocketKind) -> str:
    """Why an address cannot be listened on, or an empty text."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as failure:
        return failure.strerror or str(failure)
    return ""


def holder_of(port: int, protocol: str) -> str:
    """Which process has a port, as `sipp (process 4711)`; empty if that is not known or not ours to know."""
    inodes = {inode for inode, found in _sockets(protocol) if found == port}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").glob("[0-9]*") if wanted else ():
        try:
            for file in (process / "fd").iterdir():
                if os.readlink(file) in wanted:
                    return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue  # it has ended, or belongs to somebody else
    return ""


def _sockets(protocol: str) -> Iterator[tuple[str, int]]:
    """The inode and local port of every socket that is bound, over UDP, or listens, over TCP (proc(5))."""
    for family in (protocol, f"{protocol}6"):
        try:
            lines = Path("/proc/net", family).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if protocol == "udp" or fields[3] == "0A":
                yield fields[9], int(fields[1].rpartition(":")[2], 16)


# ------------------------------------------------------------------------------------------------------ addresses


def _addresses(config: Config) -> Iterator[Finding]:
    for transport in config.pjsip.transports.values():
        if transport.bind is not None and transport.protocol not in ("ws", "wss"):
            yield _address(transport, transport.bind)


def _address(transport: Transport, bind: HostPort) -> Finding:
    """What a transport tells peers about where it is, beside where it is."""
    subject = f"address of [{transport.name}]"
    host = primary_address(bind.host) if is_any(bind.host) else bind.host
    try:
        address = ip_address(host)
    except ValueError:
        return Finding(GOOD, subject, f"told as {host}")
    signalling, media = transport.external_signaling_address, transport.external_media_address
    if not signalling and not media:
        if address.is_private and not address.is_loopback:
            text = f"told as {host}, which is a private address"
            advice = "phones beyond a NAT need external_signaling_address, external_media_address and local_net"
            return Finding(GOOD, subject, f"{text}: {advice}")
        return Finding(GOOD, subject, f"told as {host}")
    told = f"{host} inside, {signalling or host} outside, audio at {media or signalling or host}"
    option = f"[{transport.name}] in pjsip.conf"
    if not transport.local_net:
        return Finding(ODD, subject, f"{told}, but no local_net says who is inside", f"give local_net in {option}")
    if bool(signalling) != bool(media):
        missing = "external_media_address" if signalling else "external_signaling_address"
        return Finding(ODD, subject, f"{told}: {missing} is missing", f"give both in {option}")
    if signalling in (host, "") and media in (host, ""):
        return Finding(ODD, subject, f"{told}: there is no NAT between", f"take external_* out of {option}")
    for name, value in (("external_signaling_address", signalling), ("external_media_address", media)):
        try:
            outside = ip_address(value)
        except ValueError:
            continue  # looked up with the other names
        if outside.is_loopback or outside.is_unspecified or outside.is_multicast:
            return Finding(BAD, subject, f"{told}: nobody can send to {value}", f"change {name} of {option}")
        if any(outside.version == network.version and outside in network for network in transport.local_net):
            return Finding(ODD, subject, f"{told}: {value} is in local_net itself", f"change {name} of {option}")
    return Finding(GOOD, subject, told)


def _names(config: Config) -> Iterator[Finding]:
    """Whether the host names of the configuration are known."""
    names = dict(_host_names(config))
    if not names:
        return
    left_out = len(names) - MAX_NAMES
    pool = ThreadPoolExecutor(8, thread_name_prefix="names")
    looked_up = {name: pool.submit(socket.getaddrinfo, name, None) for name in list(names)[:MAX_NAMES]}
    found = 0
    for name, answer in looked_up.items():
        try:
            answer.result(NAME_TIMEOUT_S)
            found += 1
        except TimeoutError:
            yield Finding(ODD, "names", f"{name} ({names[name]}): no answer in {NAME_TIMEOUT_S:g} s", "look at the DNS")
        except (OSError, UnicodeError) as problem:
            reason = getattr(problem, "strerror", None) or str(problem)
            yield Finding(ODD, "names", f"{name} ({names[name]}): {reason}", "correct it, or look at the DNS")
    pool.shutdown(wait=False, cancel_futures=True)
    if found:
        more = f", {left_out} more were not looked up" if left_out > 0 else ""
        yield Finding(GOOD, "names", f"{found} of {len(looked_up)} host names are known{more}")


def _host_names(config: Config) -> Iterator[tuple[str, str]]:
    """Each with where it stands."""
    pjsip = config.pjsip
    uris: list[tuple[str, str]] = []
    for registration in pjsip.registrations.values():
        uris.append((registration.server_uri, registration.where))
    for aor in pjsip.aors.values():
        uris += [(contact, aor.where) for contact in aor.contact]
    for uri, where in uris:
        try:
            host = parse_uri(uri).host
        except ProtocolError:
            continue  # `arietta check` tells of it
        if _is_name(host):
            yield host, where
    for transport in pjsip.transports.values():
        for host in (transport.external_signaling_address, transport.external_media_address):
            if _is_name(host):
                yield host, transport.where
    for identify in pjsip.identifies.values():
        for match in identify.match:
            if isinstance(match, str) and _is_name(match):
                yield match, identify.where


def _is_name(host: str) -> bool:
    try:
        ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return bool(host) and host != "localhost"
    return False


# ------------------------------------------------------------------------------------------ certificates and codecs


def _certificates(config: Config) -> Iterator[Finding]:
    http = config.http
    if http.enabled and http.tlsenable and http.tlscertfile:
        key = resolve(config, http.tlsprivatekey) if http.tlsprivatekey else None
        yield _certificate("certificate of HTTPS", resolve(config, http.tlscertfile), key, "")
    for transport in config.pjsip.transports.values():
        if transport.protocol == "tls" and transport.cert_file:
            key = config.directory / transport.priv_key_file if transport.priv_key_file else None
            path = config.directory / transport.cert_file
            yield _certificate(f"certificate of [{transport.name}]", path, key, transport.password)


def _certificate(subject: str, path: Path, key: Path | None, password: str) -> Finding:
    try:
        first, last = validity(path)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key, password)
    except ssl.SSLError as problem:
        return Finding(BAD, subject, f"{path} and its key cannot be used: {problem.reason}", "they belong together")
    except OSError as problem:
        reason = problem.strerror or str(problem)
        return Finding(BAD, subject, f"{problem.filename or path} cannot be read: {reason}", "make it readable")
    except ValueError as problem:
        return Finding(BAD, subject, f"{path}: {problem}", "put a certificate in PEM there")
    now = datetime.now(UTC)
    if now < first:
        return Finding(BAD, subject, f"{path} is valid from {first:%Y-%m-%d %H:%M} UTC on only", "look at the clock")
    if now > last:
        return Finding(BAD, subject, f"{path} was valid until {last:%Y-%m-%d %H:%M} UTC", "renew it, and reload")
    private = key or path
    if private.stat().st_mode & 0o007:
        return Finding(ODD, subject, f"everybody on this machine can read the key {private}", f"chmod 600 {private}")
    state = ODD if last - now < SOON else GOOD
    return Finding(state, subject, f"valid until {last:%Y-%m-%d}, {(last - now).days} days", "renew it, and reload")


def _media(config: Config) -> Iterator[Finding]:
    from arietta.media.codecs import opus
    from arietta.media.native import why_no_srtp

    endpoints = config.pjsip.endpoints.values()
    wants_opus = [endpoint.name for endpoint in endpoints if {"opus", "opus:20"}.intersection(endpoint.allow)]
    if opus.available():
        yield Finding(GOOD, "Opus", "libopus is here")
    elif wants_opus:
        text = f"libopus is missing, which {_some(wants_opus)} may want: calls go on with other codecs"
        yield Finding(ODD, "Opus", text, "install libopus0 of your distribution")
    wants_srtp = [endpoint.name for endpoint in endpoints if endpoint.media_encryption != "no"]
    missing = why_no_srtp()
    if missing is None:
        yield Finding(GOOD, "SRTP", "libcrypto is here")
    elif wants_srtp:
        text = f"calls of {_some(wants_srtp)} cannot be encrypted: {missing}"
        yield Finding(BAD, "SRTP", text, "install OpenSSL's libcrypto, and the media engine in C")


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


# ------------------------------------------------------------------------------------------------------- folders


def _folders(config: Config) -> Iterator[Finding]:
    for subject, field, option in SPOOL_FOLDERS:
        yield _folder(subject, getattr(config.directories, field), option)


def _folder(subject: str, wanted: Path, option: str) -> Finding:
    folder = wanted
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        return Finding(BAD, subject, f"{folder} is in the way of {wanted}: it is no folder", f"change {option}")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Finding(BAD, subject, f"{folder} cannot be written", f"change its owner, or {option}")
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    state = GOOD if free_mb > SPACE_WANTED_MB else ODD
    return Finding(state, subject, f"{free_mb} MB free in {folder}", "free some space")
