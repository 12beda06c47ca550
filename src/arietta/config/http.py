"""http.conf: the HTTP server."""

from typing import Annotated, ClassVar

from arietta.config.conf import ConfFile
from arietta.config.kinds import (
    Address,
    Bool,
    FilePath,
    Host,
    HostPort,
    Integer,
    Milliseconds,
    Text,
    TextList,
)
from arietta.config.settings import Report, Settings, merged, read_settings


class HttpSettings(Settings, frozen=True, kw_only=True, eq=False):
    """The HTTP server: where it listens and how it treats its connections."""

    TITLE: ClassVar[str] = "http.conf [general]"

    enabled: Annotated[bool, Bool("Whether the HTTP server listens at all.")] = False
    bindaddr: Annotated[str, Host("Address to listen on; without one only the TLS address is listened on.")] = ""
    bindport: Annotated[int, Integer("TCP port to listen on.", 1, 65535)] = 8088
    servername: Annotated[str, Text("Name in the Server header, in front of the version.")] = "Asterisk"
    prefix: Annotated[str, Text("Path in front of all URIs, such as asterisk for /asterisk/ari.")] = ""
    sessionlimit: Annotated[int, Integer("Most connections at a time.", 1, 1_000_000)] = 100
    session_inactivity: Annotated[int, Milliseconds("Longest silence within one request.", 1)] = 30000
    session_keep_alive: Annotated[int, Milliseconds("Longest silence between requests; 0 closes at once.")] = 15000
    enable_status: Annotated[bool, Bool("Whether /httpstatus answers.")] = True
    enable_static: Annotated[
        bool, Bool("Whether files below static-http are served.", names=("enable_static", "enablestatic"))
    ] = False
    redirect: Annotated[
        tuple[str, ...], TextList("A path and the path it leads to.", each_line_adds=True, separator="")
    ] = ()
    tlsenable: Annotated[bool, Bool("Whether HTTPS is listened for.")] = False
    tlsbindaddr: Annotated[HostPort | None, Address("Address and port for HTTPS, port 8089 if none is given.")] = None
    tlscertfile: Annotated[str, FilePath("Certificate in PEM form.", names=("tlscertfile", "sslcert"))] = ""
    tlsprivatekey: Annotated[str, FilePath("Private key in PEM form, if it is not in the certificate file.")] = ""
    tlscipher: Annotated[str, Text("Ciphers in OpenSSL's notation.")] = ""
    tlsdisablev1: Annotated[bool, Bool("Refuse TLS 1.0, which is refused in any case.")] = False
    tlsdisablev11: Annotated[bool, Bool("Refuse TLS 1.1, which is refused in any case.")] = False
    tlsdisablev12: Annotated[bool, Bool("Refuse TLS 1.2.")] = False
    tlsservercipherorder: Annotated[bool, Bool("Whether the server's order of ciphers decides.")] = True


def read_http(file: ConfFile, report: Report) -> HttpSettings:
    """The settings of http.conf."""
    for section in file.active():
        name = section.name.lower()
        if name == "post_mappings":
            report.warn(section, "[post_mappings]: uploads by POST are not supported by this version")
        elif name != "general":
            report.warn(section, f"[{section.name}] is not a section of http.conf, it is ignored")
    return read_settings(HttpSettings, merged(file.named("general"), report), report)
