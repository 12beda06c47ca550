"""rtp …, moh … and core show codecs …: how audio is carried, and what is played."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from arietta.cli.commands.registry import Command, CommandError, Console
from arietta.cli.commands.system import reload_report
from arietta.cli.tables import fields, yes_no


def rtp_settings(console: Console, _: list[str]) -> str:
    rtp = console.switch.config.rtp
    general = (
        ("Port start", rtp.rtpstart),
        ("Port end", rtp.rtpend),
        ("Strict RTP", rtp.strictrtp),
        ("Probation", f"{rtp.probation} frames"),
        ("ICE support", yes_no(rtp.icesupport)),
        ("DTLS MTU", rtp.dtls_mtu),
        ("Media threads", rtp.media_threads),
    )
    return "\n".join(["General Settings:", "----------------", *fields(general, 20)])


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


COMMANDS = (
    Command(("rtp", "show", "settings"), "Show how RTP is carried.", rtp_settings),
    Command(("moh", "show", "classes"), "List the classes of music on hold.", moh_classes),
    Command(("moh", "show", "files"), "List the files of music on hold.", moh_files, "[CLASS]", 0, 1, _classes),
    Command(("moh", "reload"), "Read musiconhold.conf again.", moh_reload),
)
