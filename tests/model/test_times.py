"""Times as ARI writes them."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from arietta.model.times import wire_time


def test_milliseconds_and_a_zone_without_colon() -> None:
    assert wire_time(datetime(2026, 11, 22, 0, 4, 17, 123000, UTC).timestamp()) == "2026-11-22T00:04:17.123+0000"
    assert wire_time(0) == "1970-01-01T00:00:00.000+0000"


def test_a_second_is_cut_not_rounded() -> None:
    assert wire_time(59.9999) == "1970-01-01T00:00:59.999+0000"


@settings(max_examples=60)
@given(st.integers(min_value=0, max_value=4_000_000_000_000))
def test_every_millisecond_comes_out_as_it_went_in(milliseconds: int) -> None:
    text = wire_time(milliseconds / 1000)
    assert round(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000) == milliseconds


def test_more_seconds_than_are_kept() -> None:
    first = wire_time(1000.5)
    for second in range(200):
        wire_time(second)
    assert wire_time(1000.5) == first
