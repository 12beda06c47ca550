"""What operations on the server itself do."""

from __future__ import annotations

import logging
import os
import platform
import pwd
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import arietta
from arietta.ari.behaviour.dynamic import DynamicConfig
from arietta.ari.behaviour.modules import Modules
from arietta.channels.driver import DialplanRunner
from arietta.errors import AriettaError, ServerFailure
from arietta.model import snapshots
from arietta.model.times import wire_time

log = logging.getLogger(__name__)


class LogChannels(Protocol):
    """Where log lines go."""

    def open_channels(self) -> Sequence[tuple[str, str, Sequence[str]]]:
        """The path or name, kind and levels of each, in the order of logger.conf."""
        ...

    def add_file(self, name: str, configuration: str) -> None:
        """Open a log file. 400 for unknown levels; 409 if it exists or cannot be opened."""
        ...

    def remove_file(self, name: str) -> None:
        """Close a log file, which stays where it is. 404."""
        ...

    def rotate_file(self, name: str) -> None:
        """Set a log file aside and begin a new one. 404."""
        ...


class System:
    """The server itself."""

    def __init__(
        self,
        *,
        entity_id: str,
        version: str,
        dialplan: DialplanRunner,
        config: Callable[[], snapshots.ConfigInfo],
        last_reload_at: Callable[[], float],
        started_at: float,
        modules: Modules,
        logs: LogChannels,
        objects: DynamicConfig,
    ) -> None:
        self._entity_id = entity_id
        self._version = version
        self._dialplan = dialplan
        self._config = config
        self._last_reload_at = last_reload_at
        self._started_at = started_at
        self._modules = modules
        self._logs = logs
        self._objects = objects

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
        return self._modules.list()

    def get_module(self, name: str) -> snapshots.Module:
        return self._modules.get(name)

    def load_module(self, name: str) -> None:
        self._modules.load(name)

    def unload_module(self, name: str) -> None:
        self._modules.unload(name)

    def reload_module(self, name: str) -> None:
        self._modules.reload(name)

    # -------------------------------------------------------------------------------------------------- logging

    def list_log_channels(self) -> Sequence[snapshots.LogChannel]:
        return [
            snapshots.LogChannel(
                channel=name,
                type=kind,
                status="Enabled",
                # Asterisk's spelling: each level in capitals with a blank after it.
                configuration="".join(f"{level.upper()} " for level in levels),
            )
            for name, kind, levels in self._logs.open_channels()
        ]

    def add_log_channel(self, name: str, configuration: str) -> None:
        self._logs.add_file(name, configuration)

    def delete_log_channel(self, name: str) -> None:
        self._logs.remove_file(name)

    def rotate_log_channel(self, name: str) -> None:
        self._logs.rotate_file(name)

    # ------------------------------------------------------------------------------------------------ variables

    def global_variable(self, name: str) -> str:
        try:
            return self._dialplan.read(None, name) or ""
        except AriettaError as problem:
            raise ServerFailure(str(problem)) from problem

    def set_global_variable(self, name: str, value: str) -> None:
        try:
            self._dialplan.write(None, name, value)
        except AriettaError as problem:
            # A function that does not exist, or takes no value, is no refusal in ARI.
            log.warning("global variable %s: %s", name, problem)

    # --------------------------------------------------------------------------------------------- configuration

    def get_object(self, kind: str, object_type: str, name: str) -> Sequence[snapshots.ConfigTuple]:
        return self._objects.get(kind, object_type, name)

    def update_object(
        self, kind: str, object_type: str, name: str, fields: Sequence[tuple[str, str]] | None
    ) -> Sequence[snapshots.ConfigTuple]:
        return self._objects.update(kind, object_type, name, fields)

    def delete_object(self, kind: str, object_type: str, name: str) -> None:
        self._objects.delete(kind, object_type, name)


def _user_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
