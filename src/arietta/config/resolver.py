"""resolver_unbound.conf: whom we ask for names."""

import ipaddress
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar

from arietta.config.conf import ConfFile
from arietta.config.kinds import FilePath, Integer, Invalid, Kind, Note
from arietta.config.settings import Report, Settings, read_settings

SYSTEM = "system"
MAX_SERVERS = 10


class Nameservers(Kind):
    """Addresses of DNS servers, one a line; a port may follow an @."""

    def read(self, text: str, name: str, current: Any, note: Note) -> tuple[tuple[str, int], ...]:
        host, at, port = text.partition("@")
        try:
            address = str(ipaddress.ip_address(host.strip()))
        except ValueError:
            raise Invalid(f"{name} {text} is not an IP address") from None
        if at and not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
            raise Invalid(f"{name} {text}: port {port} is outside 1..65535")
        found: Iterable[tuple[str, int]] = (*current, (address, int(port) if at else 53))
        servers = tuple(dict.fromkeys(found))
        if len(servers) > MAX_SERVERS:
            raise Invalid(f"{name} {text} is one more than the {MAX_SERVERS} that are asked")
        return servers

    def label(self) -> str:
        return "address[@port], each line adds"


class ResolverSettings(Settings, frozen=True, kw_only=True, eq=False):
    """The resolver of SIP's host names."""

    TITLE: ClassVar[str] = "resolver_unbound.conf [general]"

    hosts: Annotated[str, FilePath("File of names and addresses that are known; `system` for /etc/hosts.")] = SYSTEM
    resolv: Annotated[
        str, FilePath("File that names the servers where `nameserver` does not; `system` for /etc/resolv.conf.")
    ] = SYSTEM
    nameserver: Annotated[tuple[tuple[str, int], ...], Nameservers("DNS server to ask.")] = ()
    debug: Annotated[int, Integer("Debug level of the resolver.")] = 0
    ta_file: Annotated[str, FilePath("Trust anchors of DNSSEC.")] = ""


def read_resolver(file: ConfFile, report: Report) -> ResolverSettings:
    """The settings of resolver_unbound.conf."""
    for section in file.active():
        if section.name.lower() != "general":
            report.warn(section, f"[{section.name}] is not a section of resolver_unbound.conf, it is ignored")
    return read_settings(ResolverSettings, file.named("general"), report)
