"""rtp …, moh … and core show codecs …: how audio is carried, and what is played."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterable, Sequence

from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.commands.system import reload_report
from arietta.cli.tables import columns, fields, plural, yes_no
from arietta.media.codecs.registry import CODECS
from arietta.media.files import EXTENSIONS


def show_codecs(_: Console, __: list[str]) -> str:
    widths = (8, 18, 8)
    lines = columns(widths, ("Type", "Name", "Rate"), ("----", "----", "----"))
    return "\n".join([*lines, *columns(widths, *(("audio", one.name, one.rate) for one in CODECS.values()))])


def show_file_formats(_: Console, __: list[str]) -> str:
    widths = (10, 10)
    lines = columns(widths, ("Format", "Extension"), ("------", "---------"))
    rows = sorted((kind, extension) for extension, kind in EXTENSIONS.items())
    return "\n".join([*lines, *columns(widths, *rows), f"{plural(len(rows), 'file format')} registered."])


def show_threads(_: Console, __: list[str]) -> str:
    names = sorted(thread.name for thread in threading.enumerate())
    return "\n".join([*names, f"{plural(len(names), 'thread')} listed."])


def show_system(_: Console, __: list[str]) -> str:
    page, load = os.sysconf("SC_PAGE_SIZE"), os.getloadavg()
    pairs = (
        ("Load", " ".join(f"{one:.2f}" for one in load)),
        ("Processors", os.cpu_count() or "(unknown)"),
        ("Total RAM", f"{os.sysconf('SC_PHYS_PAGES') * page // 1024} KiB"),
        ("Free RAM", f"{os.sysconf('SC_AVPHYS_PAGES') * page // 1024} KiB"),
        ("Largest of this process", f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss} KiB"),
    )
    return "\n".join(["System Statistics", "-----------------", *fields(pairs)])


def rtp_settings(console: Console, _: list[str]) -> str:
    rtp = console.switch.config.rtp
    general = (
        ("Port start", rtp.rtpstart),
        ("Port end", rtp.rtpend),
        ("Strict RTP", rtp.strictrtp),
        ("Probation", f"{rtp.probation} frames"),
        ("Replay protection", yes_no(rtp.srtpreplayprotection)),
        ("Checksums", yes_no(rtp.rtpchecksums)),
        ("DTMF timeout", rtp.dtmftimeout),
        ("RTCP interval", f"{rtp.rtcpinterval} ms"),
        ("ICE support", yes_no(rtp.icesupport)),
        ("DTLS MTU", rtp.dtls_mtu),
        ("Media threads", rtp.media_threads),
    )
    return "\n".join(["General Settings:", "----------------", *fields(general, 20)])


def rtp_debug(console: Console, arguments: list[str]) -> str:
    return console.switch.sip.log_media("rtp debug", arguments)


def rtcp_debug(console: Console, arguments: list[str]) -> str:
    return console.switch.sip.log_media("rtcp debug", arguments)


def rtcp_statistics(console: Console, arguments: list[str]) -> str:
    return console.switch.sip.log_media("rtcp stats", arguments)


def moh_classes(console: Console, _: list[str]) -> str:
    configured = console.switch.config.musiconhold.classes
    lines = []
    for name in console.switch.music():
        settings = configured.get(name)
        lines += [f"Class: {name}", f"\tMode: {settings.mode if settings is not None else 'files'}"]
        if settings is not None and settings.directory:
            lines.append(f"\tDirectory: {settings.directory}")
    return "\n".join(lines)


def moh_files(console: Console, arguments: list[str]) -> str:
    classes = console.switch.music()
    if arguments and arguments[0] not in classes:
        raise CommandError(f"There is no class of music on hold '{arguments[0]}'")
    lines = []
    for name, files in classes.items():
        if not arguments or name == arguments[0]:
            lines += [f"Class: {name}", *(f"\tFile: {path}" for path in files)]
    return "\n".join(lines)


async def moh_reload(console: Console, _: list[str]) -> str:
    return await reload_report(console, ("res_musiconhold.so",))


def _classes(console: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else console.switch.music()


def _switches(_: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else ("on", "off", "ip")


def _on_or_off(_: Console, arguments: Sequence[str]) -> Iterable[str]:
    return () if arguments else ("on", "off")


COMMANDS = (
    Command(("core", "show", "codecs"), "List the codecs.", show_codecs),
    Command(("core", "show", "file", "formats"), "List the formats of sound files.", show_file_formats),
    Command(("core", "show", "threads"), "List the threads of Python; those of the engine are its own.", show_threads),
    Command(("core", "show", "sysinfo"), "Show the machine's load and memory.", show_system),
    Command(("rtp", "show", "settings"), "Show how RTP is carried.", rtp_settings),
    Command(("rtp", "set", "debug"), "Show packets of RTP.", rtp_debug, "on|off|ip ADDRESS[:PORT]", 1, 2, _switches),
    Command(("rtcp", "set", "debug"), "Show reports of RTCP.", rtcp_debug, "on|off|ip ADDRESS[:PORT]", 1, 2, _switches),
    Command(("rtcp", "set", "stats"), "Show what reports count.", rtcp_statistics, "on|off", 1, 1, _on_or_off),
    Command(("moh", "show", "classes"), "List the classes of music on hold.", moh_classes),
    Command(("moh", "show", "files"), "List the files of music on hold.", moh_files, "[CLASS]", 0, 1, _classes),
    Command(("moh", "reload"), "Read musiconhold.conf again.", moh_reload),
)
