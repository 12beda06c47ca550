"""Account codes of a channel that is requested: its own, and that of the party it will talk to."""

from __future__ import annotations

from arietta.channels.driver import DialRequest


def account_codes(wanted: DialRequest, own: str = "") -> tuple[str, str]:
    """The account code and the peer's account code of the new channel; `own` is what its endpoint says.

    An account code that a channel has of its own stays. Without one it takes what was asked for, what the calling
    channel names for its peer (``CHANNEL(peeraccount)``), or the calling channel's own. Its peer is who calls.
    """
    originator = wanted.originator
    if originator is None:
        return own or wanted.accountcode or "", ""
    inherited = originator.peeraccount or originator.accountcode
    return own or wanted.accountcode or inherited, originator.accountcode
