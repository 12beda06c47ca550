"""What the caller sees and hears until somebody answers: ringing, a tone, music, or the far end's early media."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arietta.channels.driver import Indication

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.dialplan.applications.dial.options import DialOptions
    from arietta.dialplan.interpreter import Interpreter


class Ringback:
    """The caller's side of a Dial before the answer."""

    def __init__(self, caller: Channel, options: DialOptions, plan: Interpreter) -> None:
        self._caller = caller
        self._options = options
        self._plan = plan
        self._early: Channel | None = None
        """Whose early media the caller hears."""
        self._rings = False

    def start(self) -> None:
        """Show what is shown whatever the called do."""
        options = self._options
        if options.ring_tone:
            self._caller.indicate(Indication.PROGRESS)
            self._plan.media.tones(self._caller, options.ring_tone)
        elif options.ring or options.ring_until_media:
            self._ring()
        elif options.music is not None:
            self._plan.media.music(self._caller, options.music or self._caller.music_class or "default")

    def ringing(self) -> None:
        """It rings with somebody."""
        if not self._is_settled:
            self._ring()

    def progressed(self, peer: Channel, *, alone: bool) -> None:
        """Somebody sends early media; of several who are called nobody is heard."""
        if self._is_settled or self._options.ring:
            return
        self._caller.indicate(Indication.PROGRESS)
        if alone and self._caller.port is not None and peer.port is not None:
            self._early = peer
            self._caller.stop_tone()
            self._caller.port.link(peer.port)

    def end(self) -> None:
        """Let the caller hear none of it any more."""
        if self._rings:
            self._caller.indicate(Indication.STOP_RINGING)
        early, self._early = self._early, None
        for one in (self._caller, early) if early is not None else ():
            if one.port is not None:
                one.port.link(None)
        if self._options.ring_tone:
            self._plan.media.tones(self._caller, None)
        elif self._options.music is not None:
            self._plan.media.music(self._caller, None)

    @property
    def _is_settled(self) -> bool:
        """Whether what the called do changes nothing any more."""
        return self._options.music is not None or bool(self._options.ring_tone) or self._early is not None

    def _ring(self) -> None:
        self._rings = True
        self._caller.indicate(Indication.RINGING)
