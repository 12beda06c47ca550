"""Times as ARI writes them."""

from time import gmtime, strftime, time

_SECONDS: dict[int, str] = {}
_SECONDS_KEPT = 64


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
    return f"{text}{fraction:03d}+0000"


def wire_now() -> str:
    """The present time as ARI writes it."""
    return wire_time(time())
