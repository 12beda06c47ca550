"""What happens, told as the events of the manager interface.

`declared` says which events there are; `calls`, `bridges`, `agi`, `reports`, `system`, `security` tell facts by them;
`blocks` writes the headers that show a channel or a bridge; `translator` hears the facts and delivers the events.
"""

from __future__ import annotations

from arietta.manager.events.declared import KINDS, Kind
from arietta.manager.events.translator import Translator

__all__ = ["KINDS", "Kind", "Translator"]
