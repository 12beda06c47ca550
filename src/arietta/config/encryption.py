"""The rule that what is to be encrypted can be: the media engine must have ciphers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.config.conf import Problem

if TYPE_CHECKING:
    from arietta.config.tree import Config


def unencryptable(config: Config, missing: str | None) -> list[Problem]:
    """An error for each endpoint whose media cannot be encrypted, because of what is `missing` in the engine.

    Endpoints whose encryption is optimistic get a warning, since their calls go on without.
    """
    if missing is None:
        return []
    found = []
    for endpoint in config.pjsip.endpoints.values():
        if endpoint.media_encryption == "no":
            continue
        at = endpoint.at("media_encryption")
        text = f"media_encryption={endpoint.media_encryption} of endpoint [{endpoint.name}] cannot be: {missing}"
        if endpoint.media_encryption_optimistic:
            found.append(Problem(at.file, at.line, "warning", f"{text}; its calls are not encrypted"))
        else:
            found.append(Problem(at.file, at.line, "error", text))
    return found
