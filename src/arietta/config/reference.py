"""The reference of all options as Markdown, and their comments in new files, made from the declarations."""

from __future__ import annotations

from typing import Any

from arietta.config import support
from arietta.config.acl import NamedAcl
from arietta.config.amd import AmdSettings
from arietta.config.ari import AriGeneral, AriUser, OutboundWebsocket, WebsocketClient
from arietta.config.cdr import CdrCsv, CdrGeneral, CdrManager
from arietta.config.cel import CelGeneral, CelManager
from arietta.config.extensions import DialplanGeneral
from arietta.config.features import FeatureMap, FeaturesGeneral
from arietta.config.http import HttpSettings
from arietta.config.http_media_cache import MediaCacheSettings
from arietta.config.indications import IndicationsGeneral, ToneZone
from arietta.config.kinds import CallerId
from arietta.config.manager import ManagerGeneral, ManagerUser
from arietta.config.musiconhold import MusicClass, MusicGeneral
from arietta.config.pjsip import TYPES
from arietta.config.prometheus import PrometheusSettings
from arietta.config.record_files import RecordTable
from arietta.config.resolver import ResolverSettings
from arietta.config.rtp import RtpSettings
from arietta.config.settings import Declared, Settings, declared
from arietta.config.system import AsteriskOptions, DirectoryOptions, LoggerGeneral, ModulesSettings
from arietta.config.wizard import Wizard

FILES: tuple[tuple[str, str, tuple[type[Settings], ...]], ...] = (
    ("http.conf", "The HTTP server.", (HttpSettings,)),
    ("ari.conf", "The REST interface and its users.", (AriGeneral, AriUser, OutboundWebsocket)),
    ("websocket_client.conf", "Sockets that the server opens.", (WebsocketClient,)),
    (
        "manager.conf",
        "The manager interface (AMI): every section but `[general]` is a user.",
        (ManagerGeneral, ManagerUser),
    ),
    ("acl.conf", "Access lists: every section is one, for those that name it.", (NamedAcl,)),
    (
        "pjsip.conf",
        "SIP: one section for each object, its `type` says what it is.",
        tuple(cls for _, cls in TYPES.values()),
    ),
    (
        "pjsip_wizard.conf",
        "SIP in short: each section stands for the objects of a phone or a trunk. `endpoint/OPTION`, `aor/OPTION`,"
        " `inbound_auth/OPTION`, `outbound_auth/OPTION`, `identify/OPTION` and `registration/OPTION` are options of"
        " these. Patterns know `${REMOTE_HOST}` and `${USERNAME}`, which is outbound_auth/username.",
        (Wizard,),
    ),
    (
        "pjsip_notify.conf",
        "NOTIFYs by name, for PJSIPNotify and `pjsip send notify`: a section each, whose lines are header fields such"
        " as `Event => check-sync`, and with the name `Content` lines of the body.",
        (),
    ),
    ("rtp.conf", "Media packets.", (RtpSettings,)),
    ("resolver_unbound.conf", "Who is asked where SIP's host names are.", (ResolverSettings,)),
    (
        "extensions.conf",
        "The dialplan: `[general]`, `[globals]` with variables, every other section is a context.",
        (DialplanGeneral,),
    ),
    (
        "features.conf",
        "What those who talk ask for with their keys, where options of Dial or Bridge allow it. In `[applicationmap]`"
        " each `NAME => KEYS,self,APPLICATION(ARGUMENTS)[,MUSIC]` (or `peer`: for the other one) is a feature of those"
        " that have its name in DYNAMIC_FEATURES, which parts names with `#`; other sections are groups of such names,"
        " `NAME => [KEYS]`, that can stand there too.",
        (FeaturesGeneral, FeatureMap),
    ),
    ("amd.conf", "How AMD tells a person from a machine; its own arguments come first.", (AmdSettings,)),
    (
        "indications.conf",
        "Tones: every section but `[general]` is a country, every other option in it a tone such as"
        " `busy = 480+620/500,0/500`.",
        (IndicationsGeneral, ToneZone),
    ),
    ("musiconhold.conf", "Music: every section but `[general]` is a class.", (MusicGeneral, MusicClass)),
    (
        "res_http_media_cache.conf",
        "Sounds that are fetched from web servers, as in `Playback(https://example.com/hello.wav)`.",
        (MediaCacheSettings,),
    ),
    ("prometheus.conf", "Metrics for Prometheus.", (PrometheusSettings,)),
    ("cdr.conf", "Records of calls.", (CdrGeneral, CdrCsv)),
    ("cdr_manager.conf", "Records of calls as events; `[mappings]` adds headers: `FIELD => HEADER`.", (CdrManager,)),
    (
        "cdr_custom.conf",
        "Records of calls in files of your own: in `[mappings]` each `NAME => ${CSV_QUOTE(${CDR(src)})},...` is one"
        " below cdr-custom; cel_custom.conf is the same for cel-custom.",
        (),
    ),
    (
        "cdr_sqlite3_custom.conf",
        "Records of calls in a table of master.db; cel_sqlite3_custom.conf is the same for the log of channels.",
        (RecordTable,),
    ),
    ("cel.conf", "The log of what happens to channels.", (CelGeneral, CelManager)),
    ("modules.conf", "What is listed as loaded.", (ModulesSettings,)),
    (
        "logger.conf",
        "Logging; in `[logfiles]` each `NAME => LEVEL,...` is a destination: `console`, `syslog.FACILITY` or a file.",
        (LoggerGeneral,),
    ),
    ("asterisk.conf", "The process; in a folder named by `-C` it is optional.", (DirectoryOptions, AsteriskOptions)),
    (
        "sorcery.conf",
        "Where SIP objects are kept: in `[res_pjsip]` each `TYPE=WIZARD,ARGUMENTS` names a store, such as"
        " `endpoint=config,pjsip.conf,criteria=type=endpoint` or `endpoint=memory`. Wizards: "
        + ", ".join(support.SORCERY_WIZARDS)
        + ".",
        (),
    ),
)

INTRODUCTION = """\
# Configuration

This page is generated from the declarations in `arietta.config`; do not edit it.

The server reads Asterisk's configuration files from the folder given with `-C`, or from the folder that an
`asterisk.conf` given with `-C` names. Missing files give the defaults below. `arietta check -C DIR` reports every
mistake with file and line.

## The language

| written | meaning |
|---|---|
| `[name]` | begins a section |
| `[name](!)` | a template: only there to be inherited |
| `[name](a,b)` | begins with the options of the sections `a` and `b` |
| `[name](+)` | continues the first section of that name; `(+type=auth)` the first that has this option |
| `name = value`, `name => value` | an option; both forms mean the same |
| `name += value` | adds to the option's value, with a comma between; sets it if there is none yet |
| `; comment` | up to the end of the line; `\\;` is a semicolon |
| `;-- comment --;` | over any number of lines; may be nested |
| `#include "file"` | reads another file, wildcards permitted, relative to the including file or the folder |
| `#tryinclude "file"` | the same, if the file exists |
| `#exec "command"` | reads what a command prints; refused unless asterisk.conf says `execincludes=yes` |

In `pjsip.conf` several sections may have one name when their types differ. A codec list is built line by line:
`disallow=all` empties it, `allow=ulaw,alaw` adds in order of preference, `allow=!all,gsm` empties and adds.
Access lists are read in order, the last rule that matches decides: `deny=0.0.0.0/0` and then `permit=192.0.2.0/24`.

The column *here* says what this version does with an option: *yes* it acts on it, *partly* it acts on some values
and refuses others, *no effect* it may be set and a warning says that nothing comes of it, *no* any value but the
default is refused.
"""


def markdown() -> str:
    """The whole reference."""
    parts = [INTRODUCTION]
    for name, sentence, classes in FILES:
        parts.append(f"\n## {name}\n\n{sentence}\n")
        parts.extend(_section(settings) for settings in classes)
    return "".join(parts)


def _section(settings: type[Settings]) -> str:
    heading = settings.TITLE.partition(" ")[2]
    lines = [f"\n### {heading}\n\n{(settings.__doc__ or '').strip()}\n"]
    lines.append("| option | type | default | here | meaning |")
    lines.append("|---|---|---|---|---|")
    for entry in declared(settings):
        names = ", ".join(f"`{name}`" for name in entry.names)
        row = (
            names,
            entry.kind.label(),
            _code(default_text(entry)),
            support.state(settings.TITLE, entry.field),
            entry.kind.description,
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def default_text(entry: Declared) -> str:
    """A default as it would be written in a file."""
    return value_text(entry.default)


def value_text(value: Any) -> str:
    """A value as it would be written in a file."""
    if value is None or value == CallerId():
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def comment(settings: type[Settings], field: str) -> str:
    """The sentence about an option, as comments of new files show it."""
    return next(entry.kind.description for entry in declared(settings) if entry.field == field)
