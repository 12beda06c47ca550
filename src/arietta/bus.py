"""Publish a fact, subscribe to a topic: synchronous, and in order for each topic.

A topic is a string such as ``channel:1700000000.1`` or ``bridge:`` (every bridge). A publisher names all topics a
fact belongs to; a subscriber of two of them gets it twice, as Asterisk's applications do. Delivery happens inside
`publish`, so what a subscriber sees is never older or newer than the fact; subscribers that need time keep their
own bounded queue. A subscriber that raises loses that one fact, is logged, and harms nobody else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)

Subscriber = Callable[[Any], None]


class Bus:
    """Topics and who listens to them."""

    __slots__ = ("_subscribers",)

    def __init__(self) -> None:
        self._subscribers: dict[str, tuple[Subscriber, ...]] = {}

    def subscribe(self, topic: str, subscriber: Subscriber) -> None:
        """Deliver everything published on `topic` to `subscriber`; twice subscribed is twice delivered."""
        self._subscribers[topic] = (*self._subscribers.get(topic, ()), subscriber)

    def unsubscribe(self, topic: str, subscriber: Subscriber) -> None:
        """Take back one `subscribe` of the same pair; one that was never made is a ValueError."""
        left = list(self._subscribers.get(topic, ()))
        left.remove(subscriber)
        if left:
            self._subscribers[topic] = tuple(left)
        else:
            del self._subscribers[topic]

    def wanted(self, topics: tuple[str, ...]) -> bool:
        """Whether anybody listens to one of the topics; lets publishers skip building a fact nobody hears."""
        subscribers = self._subscribers
        for topic in topics:  # noqa: SIM110 (asked for each change of a channel: a generator costs three times as much)
            if topic in subscribers:
                return True
        return False

    def publish_once(self, fact: Any, topics: tuple[str, ...]) -> None:
        """Deliver `fact` to each subscriber of any of the topics, once."""
        told: list[Subscriber] = []
        for topic in topics:
            for subscriber in self._subscribers.get(topic, ()):
                if subscriber not in told:
                    told.append(subscriber)
        for subscriber in told:
            try:
                subscriber(fact)
            except Exception:
                log.exception("a subscriber of %s failed on %s", ", ".join(topics), type(fact).__name__)

    def publish(self, fact: Any, topics: tuple[str, ...]) -> None:
        """Deliver `fact` to the subscribers of each topic, topic by topic, in order of subscription."""
        for topic in topics:
            for subscriber in self._subscribers.get(topic, ()):
                try:
                    subscriber(fact)
                except Exception:
                    log.exception("a subscriber of %s failed on %s", topic, type(fact).__name__)
