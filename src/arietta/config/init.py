"""Writes a first configuration: small, commented, working, and safe to leave on a machine."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from arietta.config.ari import AriGeneral, AriUser
from arietta.config.conf import ConfigError, Problem
from arietta.config.endpoint import Endpoint
from arietta.config.http import HttpSettings
from arietta.config.pjsip import Aor, Auth, Transport
from arietta.config.reference import comment, value_text
from arietta.config.rtp import RtpSettings
from arietta.config.settings import Settings, declared

PASSWORD_ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
PASSWORD_LENGTH = 24


class Written(msgspec.Struct, frozen=True):
    """What was written, with the passwords made, which nothing else tells."""

    directory: Path
    files: tuple[str, ...]
    ari_user: str
    ari_password: str
    phone: str
    phone_password: str


def write_initial(
    directory: Path,
    *,
    ari_user: str = "asterisk",
    phone: str = "1001",
    http_port: int = 8088,
    sip_port: int = 5060,
    rtp_start: int = 10000,
    rtp_end: int = 20000,
) -> Written:
    """Write a working set of files, readable by their owner only; raises ConfigError naming files that exist already.

    The server they describe listens on loopback, has one REST user, one phone and an extension 1000 that leads to the
    application hello-world.
    """
    ari_password, phone_password = _password(), _password()
    texts = {
        "http.conf": _http(http_port),
        "ari.conf": _ari(ari_user, ari_password),
        "pjsip.conf": _pjsip(sip_port, phone, phone_password),
        "extensions.conf": _EXTENSIONS,
        "rtp.conf": _rtp(rtp_start, rtp_end),
        "indications.conf": _INDICATIONS,
        "musiconhold.conf": _MUSIC,
        "logger.conf": _LOGGER,
    }
    taken = tuple(
        Problem(str(directory / name), 0, "error", "exists already and is not overwritten")
        for name in texts
        if os.path.lexists(directory / name)
    )
    if taken:
        raise ConfigError(taken)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in texts.items():
            descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
    except OSError as failure:
        at = str(failure.filename or directory)
        raise ConfigError((Problem(at, 0, "error", f"cannot be written: {failure.strerror or failure}"),)) from None
    return Written(directory, tuple(texts), ari_user, ari_password, phone, phone_password)


def _password() -> str:
    """A password of about 139 random bits, without letters that look alike."""
    return "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH))


def _options(settings: type[Settings], chosen: dict[str, str], mention: tuple[str, ...] = ()) -> str:
    """Option lines, each under the sentence about it; those only mentioned are commented out with their default."""
    entries = {entry.field: entry for entry in declared(settings)}
    lines = []
    for field, value in chosen.items():
        lines += [] if field == "type" else [f"; {comment(settings, field)}"]
        lines.append(f"{entries[field].names[0]}={value}")
    for field in mention:
        lines += [f"; {comment(settings, field)}", f";{entries[field].names[0]}={value_text(entries[field].default)}"]
    return "\n".join(lines) + "\n"


def _http(port: int) -> str:
    chosen = {"enabled": "yes", "bindaddr": "127.0.0.1", "bindport": str(port)}
    mention = ("sessionlimit", "session_inactivity", "session_keep_alive", "prefix", "tlsenable", "tlsbindaddr")
    more = ("tlscertfile", "tlsprivatekey")
    return (
        "; The HTTP server that carries the REST interface and its WebSockets.\n"
        "; Addresses other than loopback need strong passwords in ari.conf, and should have TLS.\n"
        f"[general]\n{_options(HttpSettings, chosen, mention + more)}"
    )


def _ari(user: str, password: str) -> str:
    general = _options(AriGeneral, {"enabled": "yes", "pretty": "yes"}, ("allowed_origins", "channelvars"))
    section = _options(AriUser, {"type": "user", "read_only": "no", "password": password}, ("password_format",))
    return f"; The REST interface. Users are sections with type=user.\n[general]\n{general}\n[{user}]\n{section}"


def _pjsip(port: int, phone: str, password: str) -> str:
    bind = f"127.0.0.1:{port}"
    udp = _options(Transport, {"type": "transport", "protocol": "udp", "bind": bind})
    tcp = _options(Transport, {"type": "transport", "protocol": "tcp", "bind": bind})
    endpoint = _options(
        Endpoint,
        {
            "type": "endpoint",
            "context": "default",
            "auth": phone,
            "aors": phone,
            "callerid": f'"Phone {phone}" <{phone}>',
            "direct_media": "no",
            "rtp_symmetric": "yes",
            "rewrite_contact": "yes",
        },
    )
    auth = _options(Auth, {"type": "auth", "auth_type": "userpass", "username": phone, "password": password})
    aor = _options(Aor, {"type": "aor", "max_contacts": "5", "remove_existing": "yes"}, ("qualify_frequency",))
    return (
        "; SIP. Objects are sections, their type says what they are; several may have one name.\n"
        f"\n[transport-udp]\n{udp}\n[transport-tcp]\n{tcp}"
        f"\n; One phone. For another one copy these three sections and change name and password.\n[{phone}]\n{endpoint}"
        f"; {comment(Endpoint, 'allow')}\ndisallow=all\nallow=ulaw,alaw\n"
        f"\n[{phone}]\n{auth}\n[{phone}]\n{aor}"
    )


def _rtp(start: int, end: int) -> str:
    chosen = {"rtpstart": str(start), "rtpend": str(end), "icesupport": "no"}
    return f"; Media packets.\n[general]\n{_options(RtpSettings, chosen, ('strictrtp', 'probation'))}"


_EXTENSIONS = """\
; The dialplan. Calls of phones arrive in the context that their endpoint names.
[general]
static=yes
writeprotect=yes

[globals]

[default]
; Dial 1000: the call is answered and handed to the application hello-world.
exten => 1000,1,NoOp()
 same => n,Answer()
 same => n,Stasis(hello-world)
 same => n,Hangup()

; Dial 1002: hear yourself.
exten => 1002,1,Answer()
 same => n,Echo()
 same => n,Hangup()
"""

_INDICATIONS = """\
; Tones as frequency+frequency/milliseconds; ! marks what is played once, at the beginning.
[general]
country=us

[us]
description = United States / North America
ringcadence = 2000,4000
dial = 350+440
busy = 480+620/500,0/500
ring = 440+480/2000,0/4000
congestion = 480+620/250,0/250
callwaiting = 440/300,0/10000
dialrecall = !350+440/100,!0/100,!350+440/100,!0/100,!350+440/100,!0/100,350+440
record = 1400/500,0/15000
info = !950/330,!1400/330,!1800/330,0
stutter = !350+440/100,!0/100,!350+440/100,!0/100,!350+440/100,!0/100,350+440
"""

_MUSIC = """\
; Music on hold. A class is a section; its folder is relative to the data folder.
[general]

[default]
mode=files
directory=moh
"""

_LOGGER = """\
; Where log lines go: console, syslog.FACILITY or the name of a file, with the levels it gets.
[general]

[logfiles]
console => notice,warning,error,verbose
messages.log => notice,warning,error
"""
