"""The configuration as one frozen tree: `load` makes a new one, a reload is another `load`."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from arietta.asterisk.names import names, nearest
from arietta.config import references
from arietta.config.acl import NamedAcl, read_acl
from arietta.config.amd import AmdSettings, read_amd
from arietta.config.ari import AriSettings, WebsocketClient, read_ari, read_websocket_clients
from arietta.config.cdr import FOREIGN, CdrSettings, read_cdr, read_cdr_manager, refuse_foreign
from arietta.config.cel import CelSettings, read_cel
from arietta.config.conf import ConfFile, ConfigError, Problem, read_conf
from arietta.config.extensions import DialplanSource, read_extensions
from arietta.config.features import FeatureSettings, read_features
from arietta.config.http import HttpSettings, read_http
from arietta.config.http_media_cache import MediaCacheSettings, read_http_media_cache
from arietta.config.indications import IndicationsSettings, read_indications
from arietta.config.manager import ManagerSettings, read_manager
from arietta.config.musiconhold import MusicSettings, read_musiconhold
from arietta.config.notifications import Lines, read_notifications
from arietta.config.pjsip import PjsipSettings, read_pjsip
from arietta.config.prometheus import PrometheusSettings, read_prometheus
from arietta.config.record_files import read_record_files, read_record_table
from arietta.config.resolver import ResolverSettings, read_resolver
from arietta.config.rtp import RtpSettings, read_rtp
from arietta.config.settings import Report
from arietta.config.system import (
    AsteriskSettings,
    Directories,
    DirectoryOptions,
    LoggerSettings,
    ModulesSettings,
    SorcerySettings,
    read_asterisk,
    read_logger,
    read_modules,
    read_sorcery,
)
from arietta.config.wizard import Wizards, read_wizards, with_sections

FILES = (
    "asterisk.conf",
    "http.conf",
    "ari.conf",
    "websocket_client.conf",
    "manager.conf",
    "acl.conf",
    "pjsip.conf",
    "pjsip_wizard.conf",
    "pjsip_notify.conf",
    "rtp.conf",
    "resolver_unbound.conf",
    "extensions.conf",
    "amd.conf",
    "features.conf",
    "indications.conf",
    "musiconhold.conf",
    "res_http_media_cache.conf",
    "prometheus.conf",
    "cdr.conf",
    "cdr_custom.conf",
    "cdr_sqlite3_custom.conf",
    "cdr_manager.conf",
    "cel.conf",
    "cel_custom.conf",
    "cel_sqlite3_custom.conf",
    *FOREIGN,
    "modules.conf",
    "logger.conf",
    "sorcery.conf",
)
"""The files that are read; others in the folder are left alone."""
MISSPELT = 0.9
"""How much like one of FILES the name of another is that was meant to be it."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the configuration files say; `warnings` is what was found odd but usable."""

    source: Path
    """What was named to be read: the folder, or the asterisk.conf that names it."""
    directory: Path
    directories: Directories
    asterisk: AsteriskSettings
    http: HttpSettings
    ari: AriSettings
    websocket_clients: dict[str, WebsocketClient]
    manager: ManagerSettings
    acls: dict[str, NamedAcl]
    pjsip: PjsipSettings
    wizards: Wizards
    notifications: dict[str, Lines]
    rtp: RtpSettings
    resolver: ResolverSettings
    extensions: DialplanSource
    amd: AmdSettings
    features: FeatureSettings
    indications: IndicationsSettings
    musiconhold: MusicSettings
    media_cache: MediaCacheSettings
    prometheus: PrometheusSettings
    cdr: CdrSettings
    cel: CelSettings
    modules: ModulesSettings
    logger: LoggerSettings
    sorcery: SorcerySettings
    files: tuple[str, ...]
    warnings: tuple[Problem, ...]


Tree = TypeVar("Tree")


def load(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read a configuration folder, or the asterisk.conf that names one; raises ConfigError with all it refuses.

    Files that are missing give the defaults. Without asterisk.conf the server keeps its data below
    `$XDG_STATE_HOME/arietta`, in a folder that belongs to this configuration.
    """
    config, problems = read(path, environ)
    errors = tuple(problem for problem in problems if problem.severity == "error")
    if config is None or errors:
        raise ConfigError(errors)
    return config


def read(path: Path, environ: Mapping[str, str] | None = None) -> tuple[Config | None, list[Problem]]:
    """The tree as far as it can be read with every problem found, errors and warnings, sorted by place."""
    environ = os.environ if environ is None else environ
    path = Path(os.path.abspath(path))
    report = Report()
    seen: list[str] = []
    if path.is_dir():
        directory, main, follow = path, path / "asterisk.conf", False
    elif path.is_file():
        directory, main, follow = path.parent, path, True
    else:
        return None, [Problem(str(path), 0, "error", "is neither a configuration folder nor an asterisk.conf")]

    if not os.access(directory, os.R_OK | os.X_OK):
        return None, [Problem(str(directory), 0, "error", "is a folder that cannot be read")]

    def from_file(file: Path, build: Callable[[ConfFile, Report], Tree], exec_includes: bool = False) -> Tree:
        found = ConfFile(file.name, ())
        if os.path.lexists(file):
            try:
                found = read_conf(file, root=directory, exec_includes=exec_includes)
            except ConfigError as refusal:
                report.problems.extend(refusal.problems)
            seen.extend(found.files)
        return build(found, report)

    asterisk = from_file(main, read_asterisk)
    if follow and "astetcdir" in asterisk.directories.set_at:
        directory = Path(os.path.abspath(directory / asterisk.directories.astetcdir))
        if not directory.is_dir():
            at = asterisk.directories.set_at["astetcdir"]
            return None, [*report.problems, Problem(at.file, at.line, "error", f"astetcdir {at.value} is not a folder")]

    def part(name: str, build: Callable[[ConfFile, Report], Tree]) -> Tree:
        return from_file(directory / name, build, asterisk.options.execincludes)

    wizards = part("pjsip_wizard.conf", read_wizards)
    acls = part("acl.conf", read_acl)
    trees = {
        "asterisk": asterisk,
        "http": part("http.conf", read_http),
        "ari": part("ari.conf", read_ari),
        "websocket_clients": part("websocket_client.conf", read_websocket_clients),
        "manager": part("manager.conf", read_manager),
        "acls": acls,
        "wizards": wizards,
        "pjsip": msgspec.structs.replace(
            part("pjsip.conf", lambda file, to: read_pjsip(with_sections(file, wizards.objects), to)),
            lists={name: acl.access for name, acl in acls.items()},
        ),
        "notifications": part("pjsip_notify.conf", read_notifications),
        "rtp": part("rtp.conf", read_rtp),
        "resolver": part("resolver_unbound.conf", read_resolver),
        "extensions": part(
            "extensions.conf", lambda file, to: read_extensions(with_sections(file, wizards.contexts), to)
        ),
        "features": part("features.conf", read_features),
        "amd": part("amd.conf", read_amd),
        "indications": part("indications.conf", read_indications),
        "musiconhold": part("musiconhold.conf", read_musiconhold),
        "media_cache": part("res_http_media_cache.conf", read_http_media_cache),
        "prometheus": part("prometheus.conf", read_prometheus),
        "cdr": msgspec.structs.replace(
            part("cdr.conf", read_cdr),
            files=part("cdr_custom.conf", read_record_files),
            table=part("cdr_sqlite3_custom.conf", read_record_table),
            manager=part("cdr_manager.conf", read_cdr_manager),
        ),
        "cel": msgspec.structs.replace(
            part("cel.conf", read_cel),
            files=part("cel_custom.conf", read_record_files),
            table=part("cel_sqlite3_custom.conf", read_record_table),
        ),
        "modules": part("modules.conf", read_modules),
        "logger": part("logger.conf", read_logger),
        "sorcery": part("sorcery.conf", read_sorcery),
    }
    for name in FOREIGN:
        part(name, refuse_foreign)
    directories = _directories(directory, asterisk.directories, follow, environ)
    unknown = sorted(file.name for file in directory.glob("*.conf") if file.name not in FILES and file.name not in seen)
    if unknown:
        message = f"files that this server does not read are ignored: {', '.join(unknown)}"
        report.problems.append(Problem(str(directory), 0, "warning", message))
    for name in unknown:
        meant = nearest(name, FILES, MISSPELT) if name not in names("files") else ""
        if meant:
            report.problems.append(Problem(name, 0, "warning", f"is not read: is {meant} meant?"))
    where = {"source": path, "directory": directory, "directories": directories}
    config = Config(files=tuple(seen), warnings=(), **where, **trees)  # type: ignore[arg-type]
    if not any(problem.severity == "error" for problem in report.problems):
        references.check_references(config, report)
    problems = sorted(report.problems, key=lambda problem: (problem.file, problem.line))
    warnings = tuple(problem for problem in problems if problem.severity == "warning")
    return msgspec.structs.replace(config, warnings=warnings), problems


def _directories(directory: Path, options: DirectoryOptions, follow: bool, environ: Mapping[str, str]) -> Directories:
    """The folders: those of asterisk.conf, else its defaults, or our own when a folder was named."""
    own = {} if follow else _own_directories(directory, environ)

    def folder(field: str) -> Path:
        if field in options.set_at or field not in own:
            return Path(getattr(options, field))
        return own[field]

    return Directories(
        etc=directory,
        var_lib=folder("astvarlibdir"),
        db=folder("astdbdir"),
        key=folder("astkeydir"),
        data=folder("astdatadir"),
        spool=folder("astspooldir"),
        run=folder("astrundir"),
        log=folder("astlogdir"),
        cache=folder("astcachedir"),
        agi=folder("astagidir"),
        modules=folder("astmoddir"),
        sbin=folder("astsbindir"),
    )


def _own_directories(directory: Path, environ: Mapping[str, str]) -> dict[str, Path]:
    """Folders below the user's state folder, apart for each configuration folder."""
    home = Path(environ.get("HOME") or os.path.expanduser("~"))
    own = f"{directory.name or 'root'}-{zlib.crc32(os.fsencode(directory)):08x}"
    state = _xdg(environ, "XDG_STATE_HOME", home / ".local" / "state") / "arietta" / own
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    return {
        "astvarlibdir": state,
        "astdbdir": state,
        "astkeydir": state / "keys",
        "astdatadir": state / "data",
        "astagidir": state / "agi-bin",
        "astspooldir": state / "spool",
        "astrundir": Path(runtime, "arietta", own) if runtime.startswith("/") else state / "run",
        "astlogdir": state / "log",
        "astcachedir": state / "cache",
    }


def _xdg(environ: Mapping[str, str], name: str, otherwise: Path) -> Path:
    """A folder of the XDG base directory specification, which tells to ignore relative ones."""
    given = environ.get(name, "")
    return Path(given) if given.startswith("/") else otherwise
