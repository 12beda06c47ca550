"""res_http_media_cache.conf: sounds that are fetched from web servers."""

from typing import Annotated, ClassVar

from arietta.config.conf import ConfFile
from arietta.config.kinds import Bool, ChoiceList, Integer, Text
from arietta.config.settings import Report, Settings, merged, read_settings

PROTOCOLS = ("http", "https")


class MediaCacheSettings(Settings, frozen=True, kw_only=True, eq=False):
    """How sounds are fetched from web servers; they are kept in the folder `sounds` of astcachedir."""

    TITLE: ClassVar[str] = "res_http_media_cache.conf [general]"

    timeout_secs: Annotated[int, Integer("Seconds that a fetch may take.", 1, 3600)] = 180
    user_agent: Annotated[str, Text("How the server names itself; Arietta and its version if empty.")] = ""
    follow_location: Annotated[bool, Bool("Whether redirects are followed.")] = True
    max_redirects: Annotated[int, Integer("Redirects that are followed for one sound.", 0, 50)] = 8
    proxy: Annotated[str, Text("Proxy that fetches go through.")] = ""
    protocols: Annotated[tuple[str, ...], ChoiceList("Protocols that sounds may come by.", *PROTOCOLS)] = PROTOCOLS
    redirect_protocols: Annotated[
        tuple[str, ...], ChoiceList("Protocols that redirects may lead to; never from https to http.", *PROTOCOLS)
    ] = PROTOCOLS
    dns_cache_timeout_secs: Annotated[int, Integer("Seconds that an address is remembered.", -1)] = 60


def read_http_media_cache(file: ConfFile, report: Report) -> MediaCacheSettings:
    """The settings of res_http_media_cache.conf."""
    for section in file.active():
        if section.name.lower() != "general":
            report.warn(section, f"[{section.name}] is not a section of res_http_media_cache.conf, it is ignored")
    settings = read_settings(MediaCacheSettings, merged(file.named("general"), report), report)
    if not all(map(_is_header_text, settings.user_agent)):
        report.error(settings.at("user_agent"), f"user_agent {settings.user_agent!r} is not plain ASCII")
    return settings


def _is_header_text(character: str) -> bool:
    return character.isascii() and character.isprintable()
