"""What operations on the server itself do."""

from __future__ import annotations

import os
import platform
import pwd
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

import arietta
from arietta.channels.driver import DialplanRunner
from arietta.config.pjsip import PjsipSettings
from arietta.errors import Conflict, Forbidden, NotFound, ServerFailure
from arietta.model import snapshots
from arietta.model.times import wire_time

CONFIG_CLASS = "res_pjsip"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the server under the name of the module that does the same in Asterisk."""

    description: str
    reloads: bool = False


PARTS: Mapping[str, Part] = {
    "res_ari.so": Part("Asterisk RESTful Interface", reloads=True),
    "res_ari_applications.so": Part("RESTful API module - Stasis application resources"),
    "res_ari_asterisk.so": Part("RESTful API module - Asterisk resources"),
    "res_ari_bridges.so": Part("RESTful API module - Bridge resources"),
    "res_ari_channels.so": Part("RESTful API module - Channel resources"),
    "res_ari_device_states.so": Part("RESTful API module - Device state resources"),
    "res_ari_endpoints.so": Part("RESTful API module - Endpoint resources"),
    "res_ari_events.so": Part("RESTful API module - WebSocket resource"),
    "res_ari_mailboxes.so": Part("RESTful API module - Mailboxes resources"),
    "res_ari_playbacks.so": Part("RESTful API module - Playback control resources"),
    "res_ari_recordings.so": Part("RESTful API module - Recording resources"),
    "res_ari_sounds.so": Part("RESTful API module - Sound resources"),
    "res_stasis.so": Part("Stasis application support"),
    "app_stasis.so": Part("Stasis dialplan application"),
    "res_pjsip.so": Part("Basic SIP resource", reloads=True),
    "chan_pjsip.so": Part("PJSIP Channel Driver"),
    "res_rtp_asterisk.so": Part("RTP Stack"),
    "res_musiconhold.so": Part("Music On Hold Resource", reloads=True),
    "pbx_config.so": Part("Text Extension Configuration", reloads=True),
    "res_http_websocket.so": Part("HTTP WebSocket Support"),
    "bridge_simple.so": Part("Simple two channel bridging module"),
    "bridge_softmix.so": Part("Multi-party software based channel mixing"),
    "bridge_holding.so": Part("Holding bridge module"),
    "bridge_native_rtp.so": Part("Native RTP bridging module"),
    "app_dial.so": Part("Dialing Application"),
    "app_echo.so": Part("Simple Echo Application"),
    "app_playback.so": Part("Sound File Playback Application"),
}


class System:
    """The server itself."""

    def __init__(
        self,
        *,
        entity_id: str,
        version: str,
        dialplan: DialplanRunner,
        unknown_function: type[Exception],
        config: Callable[[], snapshots.ConfigInfo],
        pjsip: Callable[[], PjsipSettings],
        last_reload_at: Callable[[], float],
        started_at: float,
        use_counts: Callable[[str], int],
        reload: Callable[[str], None],
    ) -> None:
        self._entity_id = entity_id
        self._version = version
        self._dialplan = dialplan
        self._unknown_function = unknown_function
        self._config = config
        self._pjsip = pjsip
        self._last_reload_at = last_reload_at
        self._started_at = started_at
        self._use_counts = use_counts
        self._reload = reload

    def entity_id(self) -> str:
        return self._entity_id

    def now(self) -> float:
        return time.time()

    def build(self) -> snapshots.BuildInfo:
        system = platform.uname()
        return snapshots.BuildInfo(
            os=system.system,
            kernel=system.release,
            machine=system.machine,
            options=f"CPython {platform.python_version()}",
            date=arietta.BUILD_DATE,
            user=_user_name(),
        )

    def system(self) -> snapshots.SystemInfo:
        return snapshots.SystemInfo(version=self._version, entity_id=self._entity_id)

    def config(self) -> snapshots.ConfigInfo:
        return self._config()

    def status(self) -> snapshots.StatusInfo:
        return snapshots.StatusInfo(
            startup_time=wire_time(self._started_at), last_reload_time=wire_time(self._last_reload_at())
        )

    # -------------------------------------------------------------------------------------------------- modules

    def list_modules(self) -> Sequence[snapshots.Module]:
        return [self._module(name) for name in sorted(PARTS)]

    def get_module(self, name: str) -> snapshots.Module:
        if not name.endswith(".so"):
            raise Conflict(f"module name {name!r} does not end in .so")
        self._need_module(name)
        return self._module(name)

    def load_module(self, name: str) -> None:
        if name in PARTS:
            raise Conflict(f"module {name!r} is loaded already")
        raise Conflict(f"module {name!r} cannot be loaded: there is no such part of the server")

    def unload_module(self, name: str) -> None:
        self._need_module(name)
        raise Conflict(f"module {name!r} is a fixed part of the server and cannot be unloaded")

    def reload_module(self, name: str) -> None:
        self._need_module(name)
        if not PARTS[name].reloads:
            raise Conflict(f"module {name!r} has nothing to reload")
        self._reload(name)

    def _need_module(self, name: str) -> None:
        if name not in PARTS:
            raise NotFound(f"module {name!r} does not exist")

    def _module(self, name: str) -> snapshots.Module:
        return snapshots.Module(
            name=name,
            description=PARTS[name].description,
            use_count=self._use_counts(name),
            status="Running",
            support_level="core",
        )

    # -------------------------------------------------------------------------------------------------- logging

    def list_log_channels(self) -> Sequence[snapshots.LogChannel]:
        return []

    def add_log_channel(self, name: str, configuration: str) -> None:
        raise Conflict(f"log channel {name!r} cannot be added at run time: configure it in logger.conf")

    def delete_log_channel(self, name: str) -> None:
        raise NotFound(f"log channel {name!r} was not made at run time")

    def rotate_log_channel(self, name: str) -> None:
        raise NotFound(f"log channel {name!r} was not made at run time")

    # ------------------------------------------------------------------------------------------------ variables

    def global_variable(self, name: str) -> str:
        try:
            return self._dialplan.read(None, name) or ""
        except self._unknown_function as problem:
            raise ServerFailure(str(problem)) from problem

    def set_global_variable(self, name: str, value: str) -> None:
        self._dialplan.write(None, name, value)

    # --------------------------------------------------------------------------------------------- configuration

    def get_object(self, kind: str, object_type: str, name: str) -> Sequence[snapshots.ConfigTuple]:
        table = self._table(kind, object_type)
        found = table.get(name)
        if found is None:
            raise NotFound(f"{kind} has no {object_type} {name!r}")
        return [
            snapshots.ConfigTuple(attribute=field, value=_text(getattr(found, field))) for field in _shown_fields(found)
        ]

    def update_object(
        self, kind: str, object_type: str, name: str, fields: Sequence[tuple[str, str]] | None
    ) -> Sequence[snapshots.ConfigTuple]:
        self._table(kind, object_type)
        raise Forbidden(f"{object_type} objects are changed in pjsip.conf, not at run time")

    def delete_object(self, kind: str, object_type: str, name: str) -> None:
        self._table(kind, object_type)
        raise Forbidden(f"{object_type} objects are changed in pjsip.conf, not at run time")

    def _table(self, kind: str, object_type: str) -> Mapping[str, msgspec.Struct]:
        settings = self._pjsip()
        tables: dict[str, Mapping[str, msgspec.Struct]] = {
            "aor": settings.aors,
            "auth": settings.auths,
            "contact": settings.contacts,
            "endpoint": settings.endpoints,
            "identify": settings.identifies,
            "registration": settings.registrations,
            "transport": settings.transports,
        }
        if kind != CONFIG_CLASS or object_type not in tables:
            raise NotFound(f"there is no configuration {kind}/{object_type}")
        return tables[object_type]


def _shown_fields(found: msgspec.Struct) -> list[str]:
    """The options of a section; not its place in the file, and never a secret."""
    shown = []
    for name in found.__struct_fields__:
        if name not in ("name", "file", "line", "set_at", "type", "where"):
            shown.append(name)
    secrets = {"password", "md5_cred", "password_digest", "oauth_secret", "refresh_token"}
    return [name for name in shown if name not in secrets]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return ",".join(_text(item) for item in value)
    return str(value)


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
