"""A reload: each part takes what is its own of the files as they are now, and no call is dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from arietta.ari.behaviour.modules import PARTS as MODULE_PARTS
from arietta.config.conf import ConfigError, Problem
from arietta.config.tree import Config, load
from arietta.dialplan.matcher import Dialplan
from arietta.server.audio import media_library, music_classes
from arietta.server.reading import dialplan_of, possible

if TYPE_CHECKING:
    from arietta.server.server import Server


@dataclass(frozen=True, slots=True)
class ReloadReport:
    """What a reload did: the parts that took the new configuration, and what needs a restart."""

    parts: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Files:
    """What the files say now."""

    config: Config
    dialplan: Dialplan


Notes = list[str]
Taking = Callable[["Server", Files], Notes]


@dataclass(frozen=True, slots=True)
class Part:
    """One part that can be reloaded: the module that means it, what it takes, and how."""

    name: str
    module: str
    fields: tuple[str, ...]
    """Of the configuration."""
    take: Taking
    """Lets the part go on with a configuration; returns what needs a restart, or cannot be."""


def _take_dialplan(server: Server, files: Files) -> Notes:
    server.dialplan.replace(files.dialplan)
    return []


def _take_features(server: Server, files: Files) -> Notes:
    server.take_features(files.config)
    return []


def _take_amd(server: Server, files: Files) -> Notes:
    server.dialplan.amd = files.config.amd
    return []


def _take_ari(server: Server, files: Files) -> Notes:
    config = files.config
    server.http_front.configure_ari(config)
    server.api.pretty = server.applications.pretty = config.ari.general.pretty
    server.track_variables(config)
    server.outbound.configure(config)
    return []


def _take_manager(server: Server, files: Files) -> Notes:
    return server.manager.configure(server.config, files.config)


def _take_http(server: Server, files: Files) -> Notes:
    return server.http_front.configure(server.config, files.config)


def _take_pjsip(server: Server, files: Files) -> Notes:
    config = files.config
    server.sip.resolver.configure(config.resolver, config.directory)
    return list(server.sip.reload(server.objects.configure(config.pjsip, config.sorcery)))


def _take_music(server: Server, files: Files) -> Notes:
    server.library = server.playbacks.library = media_library(files.config, server.sounds, server.remote_sounds)
    if music_classes(files.config) != music_classes(server.config):
        return ["musiconhold.conf: classes have changed, which needs a restart"]
    return []


def _take_media_cache(server: Server, files: Files) -> Notes:
    return []  # it is read with each sound that is fetched


def _take_metrics(server: Server, files: Files) -> Notes:
    server.http_front.metrics.configure(files.config.prometheus)
    return []


def _take_records(server: Server, files: Files) -> Notes:
    server.records.configure(files.config)
    return []


PARTS = (
    Part("dialplan", "pbx_config.so", ("extensions",), _take_dialplan),
    Part("features", "features", ("features",), _take_features),
    Part("answering machines", "app_amd.so", ("amd",), _take_amd),
    Part("ari", "res_ari.so", ("ari", "websocket_clients"), _take_ari),
    Part("manager", "manager", ("manager", "acls"), _take_manager),
    Part("http", "http", ("http",), _take_http),
    Part("pjsip", "res_pjsip.so", ("pjsip", "sorcery", "resolver", "notifications"), _take_pjsip),
    Part("music", "res_musiconhold.so", ("indications", "musiconhold"), _take_music),
    Part("media cache", "res_http_media_cache.so", ("media_cache",), _take_media_cache),
    Part("metrics", "res_prometheus.so", ("prometheus",), _take_metrics),
    Part("records", "cdr", ("cdr", "cel"), _take_records),
)
RELOADED_PARTS = {part.module: part.name for part in PARTS} | {"cel": "records"}
"""Which names of modules mean which part."""


def reload(server: Server, modules: tuple[str, ...] | None) -> ReloadReport:
    """Let the named parts, or all, take the files as they are now; raises ConfigError, and then nothing is taken."""
    unknown = [name for name in modules or () if name not in MODULE_PARTS and name not in RELOADED_PARTS]
    if unknown:
        raise ConfigError(tuple(Problem(name, 0, "error", "is not a part of this server") for name in unknown))
    files = _read(server)
    config = files.config
    wanted = None if not modules else {RELOADED_PARTS[name] for name in modules if name in RELOADED_PARTS}
    taken = [part for part in PARTS if wanted is None or part.name in wanted]
    notes = [note for part in taken for note in part.take(server, files)]
    notes.extend(_needing_restart(server.config, config))
    changed = {field: getattr(config, field) for part in taken for field in part.fields}
    changed["pjsip"] = server.objects.settings  # with the objects of run time
    server.config = msgspec.structs.replace(server.config, **changed)
    return ReloadReport(tuple(part.name for part in taken), tuple(notes))


def _read(server: Server) -> Files:
    """The files as they are now, if a server could be made of them; the directories stay until a restart."""
    former = server.config
    config = msgspec.structs.replace(load(former.source), directories=former.directories)
    config = possible(config, server.engine.srtp_missing)
    return Files(config, dialplan_of(config))


def _needing_restart(former: Config, config: Config) -> Notes:
    """What has changed and is read at the start alone."""
    notes = []
    if former.rtp != config.rtp:
        notes.append("rtp.conf has changed, which needs a restart")
    if former.asterisk != config.asterisk:
        notes.append("asterisk.conf has changed, which needs a restart")
    if (former.prometheus.enabled, former.prometheus.path) != (config.prometheus.enabled, config.prometheus.path):
        notes.append("prometheus.conf: enabled or uri has changed, which needs a restart")
    if former.ari.general.enabled != config.ari.general.enabled:
        notes.append("ari.conf: enabled has changed, which needs a restart")
    if former.ari.general.api_version != config.ari.general.api_version:
        notes.append("ari.conf: api_version has changed, which needs a restart")
    return notes
