"""Times as ARI writes them."""

from time import gmtime, strftime, time

_SECONDS: dict[int, str] = {}
_SECONDS_KEPT = 64
_FRACTIONS = tuple(f"{milliseconds:03d}+0000" for milliseconds in range(1000))


_latest = 0, ""  # milliseconds, and how they are written: events come in bursts


def wire_time(epoch_seconds: float) -> str:
    """Seconds since 1970 (UTC) as `2026-11-22T00:04:17.123+0000`, cut to whole milliseconds."""
    # Half a microsecond makes up for binary fractions: 1.123 must not become .122.
    milliseconds = int(epoch_seconds * 1000 + 0.0005)
    second, fraction = divmod(milliseconds, 1000)
    text = _SECONDS.get(second)
    if text is None:
        if len(_SECONDS) >= _SECONDS_KEPT:
            _SECONDS.clear()
        text = _SECONDS[second] = strftime("%Y-%m-%dT%H:%M:%S.", gmtime(second))
    return text + _FRACTIONS[fraction]


def wire_now() -> str:
    """The present time as ARI writes it."""
    global _latest
    now = int(time() * 1000)
    if now != _latest[0]:
        _latest = now, wire_time(now / 1000)
    return _latest[1]
