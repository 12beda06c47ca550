"""The server itself: CoreStatus, CoreSettings, Command, Reload, modules, logs."""

from __future__ import annotations

import time

from arietta.config.conf import ConfigError
from arietta.errors import BadRequest, NotFound, NotSupported
from arietta.manager.declared import Call, Reply, action, failure, success
from arietta.manager.message import PROTOCOL_VERSION

REFUSED_COMMANDS = (("restart",), ("module", "load"), ("module", "unload"))
"""Commands that the action Command does not carry out, by the words that they begin with."""
MAX_OUTPUT_LINES = 100_000


@action("CoreStatus", "Show how long the server runs, and how many calls there are.", write="system,reporting")
def core_status(call: Call) -> Reply:
    system = call.domain.system

    def day(moment: float) -> str:
        return time.strftime("%Y-%m-%d", time.localtime(moment))

    def clock(moment: float) -> str:
        return time.strftime("%H:%M:%S", time.localtime(moment))

    channels = sum(not channel.internal for channel in call.domain.channels)
    return success(
        "",
        ("CoreStartupDate", day(system.started_at)),
        ("CoreStartupTime", clock(system.started_at)),
        ("CoreReloadDate", day(system.last_reload_at)),
        ("CoreReloadTime", clock(system.last_reload_at)),
        ("CoreCurrentCalls", str(channels)),
    )


@action("CoreSettings", "Show settings of the server.", write="system,reporting")
def core_settings(call: Call) -> Reply:
    config = call.domain.system.config
    options = config.asterisk.options
    return success(
        "",
        ("AMIversion", PROTOCOL_VERSION),
        ("AsteriskVersion", call.domain.system.version),
        ("SystemName", options.systemname),
        ("CoreMaxCalls", str(options.maxcalls)),
        ("CoreMaxLoadAvg", f"{options.maxload:f}"),
        ("CoreRunUser", options.runuser),
        ("CoreRunGroup", options.rungroup),
        ("CoreMaxFilehandles", str(options.maxfiles)),
        ("CoreRealTimeEnabled", "No"),
        ("CoreCDRenabled", "Yes" if config.cdr.running else "No"),
        ("CoreHTTPenabled", "Yes" if config.http.enabled else "No"),
        ("SoundsSearchCustomDir", "No"),
    )


@action(
    "Command",
    "Carry out a command of the console.",
    ("Command", "The command, as on the console."),
    write="command",
)
async def command(call: Call) -> Reply:
    line = call.need("Command", "No command provided")
    words = tuple(line.lower().split())
    if any(words[: len(refused)] == refused for refused in REFUSED_COMMANDS):
        raise BadRequest("Command blacklisted")
    if call.domain.command_line is None:
        raise NotSupported("this server has no console")
    output, status = await call.domain.command_line(line)
    lines = output.splitlines()[:MAX_OUTPUT_LINES]
    headers = (("Message", "Command output follows"), *(("Output", text) for text in lines))
    return Reply(headers, "Error" if status else "Success")


@action(
    "Reload",
    "Read the configuration files again, for all parts or one.",
    ("[Module]", "The module whose files are read, such as res_pjsip.so or manager."),
    write="system,config,reporting",
)
def reload(call: Call) -> Reply:
    module = call.get("Module")
    _reload(call, module)
    return success("Module Reloaded")


def _reload(call: Call, module: str) -> None:
    try:
        call.domain.system.reload((module,) if module else None)
    except ConfigError as refusal:
        raise BadRequest(f"The configuration is refused, the one in force stays: {refusal}") from None


@action("LoggerRotate", "Begin new log files.", write="system,reporting")
def logger_rotate(call: Call) -> Reply:
    call.domain.system.rotate_logs()
    return success("Reloaded the logger and rotated log files")


@action("ModuleCheck", "Tell whether a module is loaded.", ("Module", "Its name, with or without .so."), write="system")
def module_check(call: Call) -> Reply:
    name = call.need("Module", "Module not specified").removesuffix(".so")
    if not any(known.removesuffix(".so") == name for known, _ in call.domain.system.modules()):
        return failure("Module not loaded")
    return success("", ("Version", ""))


@action(
    "ModuleLoad",
    "Put a module back, take it out, or read its files again.",
    ("[Module]", "Its name; everything that can be read again without it."),
    ("LoadType", "load, unload or reload."),
    write="system",
)
def module_load(call: Call) -> Reply:
    module, kind = call.get("Module"), call.need("LoadType", "Invalid loadtype").lower()
    system = call.domain.system
    if kind == "reload":
        _reload(call, module)
        return success("Module reloaded.")
    if kind not in ("load", "unload"):
        raise BadRequest(f"Invalid loadtype {kind[:40]!r}: load, unload and reload are known")
    if not module:
        raise NotFound("Need module name")
    if kind == "load":
        system.load_module(module)
        return success("Module loaded.")
    system.unload_module(module)
    return success("Module unloaded.")
