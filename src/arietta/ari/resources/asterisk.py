"""The server itself."""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import UNSET

from arietta.errors import BadRequest
from arietta.model.snapshots import AsteriskInfo, AsteriskPing, ConfigTuple, LogChannel, Module, Variable
from arietta.model.times import wire_time

from ..contract import Body, Path, Query, operation
from ..domain import Soon
from ..domain import System as Domain
from ..failures import (
    CONFIGURATION_READ_ONLY,
    CONFIGURATION_REQUIRED,
    FAILED,
    INVALID_PARAMETERS,
    LOG_CHANNEL_EXISTS,
    LOG_CHANNEL_NOT_FOUND,
    MISSING_VARIABLE,
    MODULE_NOT_FOUND,
    MODULE_UNUSABLE,
    OBJECT_NOT_FOUND,
)

ConfigClass = Annotated[str, Path("configClass", "Class of the configuration, such as res_pjsip.")]
ObjectType = Annotated[str, Path("objectType", "Type of the object, such as endpoint.")]
ObjectId = Annotated[str, Path("id", "Name of the object.")]
ModuleName = Annotated[str, Path("moduleName", "Name of the module, with its suffix.")]
LogChannelName = Annotated[str, Path("logChannelName", "Name of the log channel.")]


class Asterisk:
    """Asterisk resources"""

    NAME = "asterisk"

    def __init__(self, system: Domain) -> None:
        self._system = system

    @operation(
        "GET",
        "/asterisk/config/dynamic/{configClass}/{objectType}/{id}",
        nickname="getObject",
        since=("13.5.0",),
        failures=(OBJECT_NOT_FOUND,),
    )
    def get_object(
        self, *, config_class: ConfigClass, object_type: ObjectType, name: ObjectId
    ) -> Sequence[ConfigTuple]:
        """Retrieve a configuration object."""
        return self._system.get_object(config_class, object_type, name)

    @operation(
        "PUT",
        "/asterisk/config/dynamic/{configClass}/{objectType}/{id}",
        nickname="updateObject",
        since=("13.5.0",),
        failures=(INVALID_PARAMETERS, CONFIGURATION_READ_ONLY, OBJECT_NOT_FOUND),
    )
    def update_object(
        self,
        *,
        config_class: ConfigClass,
        object_type: ObjectType,
        name: ObjectId,
        fields: Annotated[
            list[dict[str, Any]] | None, Body("fields", "Settings as a list of {attribute, value}.")
        ] = None,
    ) -> Soon[Sequence[ConfigTuple]]:
        """Create or update a configuration object."""
        return self._system.update_object(config_class, object_type, name, _read_fields(fields))

    @operation(
        "DELETE",
        "/asterisk/config/dynamic/{configClass}/{objectType}/{id}",
        nickname="deleteObject",
        since=("13.5.0",),
        failures=(CONFIGURATION_READ_ONLY, OBJECT_NOT_FOUND),
    )
    def delete_object(self, *, config_class: ConfigClass, object_type: ObjectType, name: ObjectId) -> Soon[None]:
        """Delete a configuration object."""
        return self._system.delete_object(config_class, object_type, name)

    @operation("GET", "/asterisk/info", nickname="getInfo", since=("12.0.0",))
    def get_info(
        self,
        *,
        only: Annotated[
            list[str] | None,
            Query("only", "Parts to show; all without it.", values=("build", "system", "config", "status")),
        ] = None,
    ) -> AsteriskInfo:
        """Get facts about the server.

        Unknown parts are ignored, so that asking for nothing else shows nothing.
        """
        system = self._system
        return AsteriskInfo(
            build=system.build() if only is None or "build" in only else UNSET,
            system=system.system() if only is None or "system" in only else UNSET,
            config=system.config() if only is None or "config" in only else UNSET,
            status=system.status() if only is None or "status" in only else UNSET,
        )

    @operation("GET", "/asterisk/ping", nickname="ping", since=("13.25.0", "16.2.0"))
    def ping(self) -> AsteriskPing:
        """Response pong message."""
        return AsteriskPing(ping="pong", timestamp=wire_time(self._system.now()), asterisk_id=self._system.entity_id())

    @operation("GET", "/asterisk/modules", nickname="listModules", since=("13.5.0",))
    def list_modules(self) -> Sequence[Module]:
        """List the modules that are loaded."""
        return self._system.list_modules()

    @operation(
        "GET",
        "/asterisk/modules/{moduleName}",
        nickname="getModule",
        since=("13.5.0",),
        failures=(MODULE_NOT_FOUND, MODULE_UNUSABLE),
    )
    def get_module(self, *, module_name: ModuleName) -> Module:
        """Get a module's details."""
        return self._system.get_module(module_name)

    @operation(
        "POST",
        "/asterisk/modules/{moduleName}",
        nickname="loadModule",
        since=("13.5.0",),
        failures=(MODULE_UNUSABLE,),
    )
    def load_module(self, *, module_name: ModuleName) -> Soon[None]:
        """Load a module."""
        return self._system.load_module(module_name)

    @operation(
        "DELETE",
        "/asterisk/modules/{moduleName}",
        nickname="unloadModule",
        since=("13.5.0",),
        failures=(MODULE_NOT_FOUND, MODULE_UNUSABLE),
    )
    def unload_module(self, *, module_name: ModuleName) -> Soon[None]:
        """Unload a module."""
        return self._system.unload_module(module_name)

    @operation(
        "PUT",
        "/asterisk/modules/{moduleName}",
        nickname="reloadModule",
        since=("13.5.0",),
        failures=(MODULE_NOT_FOUND, MODULE_UNUSABLE),
    )
    def reload_module(self, *, module_name: ModuleName) -> Soon[None]:
        """Reload a module."""
        return self._system.reload_module(module_name)

    @operation("GET", "/asterisk/logging", nickname="listLogChannels", since=("13.6.0",))
    def list_log_channels(self) -> Sequence[LogChannel]:
        """List the log channels."""
        return self._system.list_log_channels()

    @operation(
        "POST",
        "/asterisk/logging/{logChannelName}",
        nickname="addLog",
        since=("13.6.0",),
        failures=(CONFIGURATION_REQUIRED, LOG_CHANNEL_EXISTS),
    )
    def add_log(
        self,
        *,
        log_channel_name: LogChannelName,
        configuration: Annotated[str, Query("configuration", "Levels to write, separated by commas.")],
    ) -> Soon[None]:
        """Add a log channel."""
        return self._system.add_log_channel(log_channel_name, configuration)

    @operation(
        "DELETE",
        "/asterisk/logging/{logChannelName}",
        nickname="deleteLog",
        since=("13.6.0",),
        failures=(LOG_CHANNEL_NOT_FOUND,),
    )
    def delete_log(self, *, log_channel_name: LogChannelName) -> Soon[None]:
        """Delete a log channel."""
        return self._system.delete_log_channel(log_channel_name)

    @operation(
        "PUT",
        "/asterisk/logging/{logChannelName}/rotate",
        nickname="rotateLog",
        since=("13.6.0",),
        failures=(LOG_CHANNEL_NOT_FOUND,),
    )
    def rotate_log(self, *, log_channel_name: LogChannelName) -> Soon[None]:
        """Rotate a log channel."""
        return self._system.rotate_log_channel(log_channel_name)

    @operation(
        "GET",
        "/asterisk/variable",
        nickname="getGlobalVar",
        since=("12.0.0",),
        failures=(MISSING_VARIABLE,),
        undocumented=(FAILED,),
    )
    def get_global_variable(
        self, *, variable: Annotated[str, Query("variable", "Name of the variable.")]
    ) -> Soon[Variable]:
        """Get the value of a global variable; one that was never set is empty."""
        value = self._system.global_variable(variable)
        return Variable(value) if isinstance(value, str) else _shown(value)

    @operation(
        "POST",
        "/asterisk/variable",
        nickname="setGlobalVar",
        since=("12.0.0",),
        failures=(MISSING_VARIABLE,),
    )
    def set_global_variable(
        self,
        *,
        variable: Annotated[str, Query("variable", "Name of the variable.")],
        value: Annotated[str | None, Query("value", "Its new value; none empties it.")] = None,
    ) -> Soon[None]:
        """Set the value of a global variable."""
        return self._system.set_global_variable(variable, value or "")


async def _shown(value: Any) -> Variable:
    return Variable(await value)


def _read_fields(given: Any) -> list[tuple[str, str]] | None:
    """Pairs of attribute and value; None if there was no list."""
    if given is None:
        return None
    if not isinstance(given, list):
        raise BadRequest("Parameter fields is not a list")
    pairs = []
    for element in given:
        attribute = element.get("attribute") if isinstance(element, dict) else None
        value = element.get("value") if isinstance(element, dict) else None
        if not isinstance(attribute, str) or not isinstance(value, str):
            raise BadRequest("Parameter fields holds an element without texts as attribute and value")
        pairs.append((attribute, value))
    return pairs
