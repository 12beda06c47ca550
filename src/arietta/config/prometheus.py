"""prometheus.conf: numbers for Prometheus over HTTP."""

from typing import Annotated, ClassVar

from arietta.config.conf import ConfFile
from arietta.config.kinds import Bool, Secret, Text
from arietta.config.settings import Report, Settings, merged, read_settings

TAKEN = ("ari", "media", "httpstatus", "static", "ws")
"""Paths of the HTTP server that stand for something else."""


class PrometheusSettings(Settings, frozen=True, kw_only=True, eq=False):
    """Where Prometheus reads what the server does, below the `prefix` of http.conf, whose `enabled` it needs."""

    TITLE: ClassVar[str] = "prometheus.conf [general]"

    enabled: Annotated[bool, Bool("Whether there is a page of metrics.")] = False
    core_metrics_enabled: Annotated[
        bool, Bool("Whether it has those of the process: its version, how long it runs, the time of a scrape.")
    ] = True
    uri: Annotated[str, Text("Path of the page.")] = "metrics"
    auth_username: Annotated[str, Text("User name that is asked for; everybody may read without one.")] = ""
    auth_password: Annotated[str, Secret("Password that is asked for.")] = ""
    auth_realm: Annotated[str, Text("Realm of the challenge.")] = "Asterisk Prometheus Metrics"

    @property
    def path(self) -> str:
        """The path with one slash before it."""
        return f"/{self.uri.strip('/')}"


def read_prometheus(file: ConfFile, report: Report) -> PrometheusSettings:
    """The settings of prometheus.conf."""
    for section in file.active():
        if section.name.lower() != "general":
            report.warn(section, f"[{section.name}] is not a section of prometheus.conf, it is ignored")
    settings = read_settings(PrometheusSettings, merged(file.named("general"), report), report)
    if not settings.enabled:
        return settings
    first = settings.path.split("/")[1]
    if not first or first in TAKEN:
        report.error(settings.at("uri"), f"uri {settings.uri!r} is empty or a path of something else")
    if settings.auth_username and not settings.auth_password:
        report.error(settings.at("auth_username"), "auth_username without auth_password: nobody could read the metrics")
    if settings.auth_password and not settings.auth_username:
        report.warn(settings.at("auth_password"), "auth_password has no effect without auth_username")
    if '"' in settings.auth_realm or not settings.auth_realm.isprintable():
        report.error(settings.at("auth_realm"), f"auth_realm {settings.auth_realm!r} has characters of no realm")
    return settings
