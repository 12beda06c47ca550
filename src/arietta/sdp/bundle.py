"""Several media sections on one transport (RFC 8843): whose attributes of the transport count for which section.

We send one stream, so of a bundle we take the audio alone: the other sections are refused within it.
"""

from __future__ import annotations

from arietta.sdp.description import Media, SessionDescription

OWN_TRANSPORT = ("ice-ufrag", "fingerprint", "candidate")
"""A section that has one of these speaks for itself."""


def bundle_of(description: SessionDescription, section: Media) -> tuple[str, ...]:
    """The identification tags of the bundle that a section is in; empty without one."""
    mid = section.attribute("mid")
    for letter, value in description.lines:
        words = value.split()
        if letter == "a" and words[:1] == ["group:BUNDLE"] and mid and mid in words[1:]:
            return tuple(words[1:])
    return ()


def is_live(description: SessionDescription, section: Media) -> bool:
    """Whether a section is not refused: port 0 means something else in a bundle (RFC 8843 6)."""
    if section.port != 0 or section.attribute("bundle-only") is None:
        return section.port != 0
    return carrier_of(description, section).port != 0


def carrier_of(description: SessionDescription, section: Media) -> Media:
    """The section that says where a section's packets go: itself, or the tagged one of its bundle."""
    if section.port != 0 and any(section.attribute(name) is not None for name in OWN_TRANSPORT):
        return section
    tags = bundle_of(description, section)
    if not tags:
        return section
    return next((one for one in description.media if one.attribute("mid") == tags[0]), section)


def transport_attribute(description: SessionDescription, section: Media, name: str) -> str | None:
    """An attribute of the transport: the section's, that of its bundle's tagged section, or the session's."""
    value = section.attribute(name)
    if value is None:
        value = carrier_of(description, section).attribute(name)
    return value if value is not None else description.attribute(name)


def transport_attributes(description: SessionDescription, section: Media, name: str) -> list[str]:
    """All of them, from the first of these places that has one."""
    own = section.attributes(name) or carrier_of(description, section).attributes(name)
    return own or description.attributes(name)
