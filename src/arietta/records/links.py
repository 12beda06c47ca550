"""Which channels are tied together by their linkedid, and when the last of them is gone."""

from __future__ import annotations

from collections import Counter

from arietta.channels.channel import Channel


class Links:
    """Which linkedid each living channel has, and how many have it."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._users: Counter[str] = Counter()

    def begin(self, channel: Channel) -> None:
        """A channel is there."""
        self._of[channel.id] = channel.linkedid
        self._users[channel.linkedid] += 1

    def change(self, channel: Channel) -> str:
        """Take the linkedid that a channel has now; gives the one before, if nobody has that any more."""
        if self._of.get(channel.id, channel.linkedid) == channel.linkedid:
            return ""
        over = self.end(channel)
        self.begin(channel)
        return over

    def end(self, channel: Channel) -> str:
        """A channel is gone; gives its linkedid, if nobody has that any more."""
        linkedid = self._of.pop(channel.id)
        self._users[linkedid] -= 1
        if self._users[linkedid]:
            return ""
        del self._users[linkedid]
        return linkedid
