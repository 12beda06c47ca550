"""pjsip_notify.conf: NOTIFYs that are sent to phones by name, each a list of header fields with what they carry."""

from __future__ import annotations

from arietta.config.conf import ConfFile
from arietta.config.settings import Report

CONTENT = "content"
"""The name of lines of the body, which are put together."""

Lines = tuple[tuple[str, str], ...]
"""Header fields and lines of the body, by their names, in order."""


def read_notifications(file: ConfFile, report: Report) -> dict[str, Lines]:
    """Every section by its name."""
    found: dict[str, Lines] = {}
    for section in file.active():
        if section.name.lower() == "general":
            continue
        if section.name in found:
            report.error(section, f"[{section.name}] exists already")
        found[section.name] = tuple((option.name, option.value) for option in section.options)
    return found
