"""Whatever clients and phones do, records are well-formed, and nothing is kept of channels that are gone."""

from __future__ import annotations

import csv
import random
from collections import Counter
from pathlib import Path

import pytest

from journeys.conftest import FILES
from journeys.walking import Walk

from .conftest import CDR, CEL, COLUMNS

LOGGED = ("event", "channel", "linkedid", "peer")
CEL_CUSTOM = "[mappings]\nall.csv => ${CSV_QUOTE(${eventtype})},${CSV_QUOTE(${CHANNEL(channame)})},"
CEL_CUSTOM += "${CSV_QUOTE(${CHANNEL(linkedid)})},${CSV_QUOTE(${BRIDGEPEER})}\n"
RECORDED = {
    **FILES,
    "cdr.conf": CDR.replace("[csv]", "unanswered=yes\n[csv]"),
    "cel.conf": CEL.replace("apps=", "apps=stasis,"),
    "cel_custom.conf": CEL_CUSTOM,
}
STEPS = 120

Rows = list[dict[str, str]]


class RecordedWalk(Walk):
    """A walk of which records are made, all there are."""

    files = RECORDED

    def rows(self, name: str, columns: tuple[str, ...]) -> Rows:
        """The lines of a file of records."""
        self.server.records.writer.stop()
        with (self.server.config.directories.log / name).open(newline="") as file:
            return [dict(zip(columns, line, strict=True)) for line in csv.reader(file)]


@pytest.mark.parametrize("seed", range(6))
def test_a_walk(seed: int, tmp_path: Path) -> None:
    walk = RecordedWalk(random.Random(seed).choice, tmp_path, seed)
    try:
        for _ in range(STEPS):
            walk.step()
        walk.end()
        check_calls(walk.rows("cdr-csv/Master.csv", COLUMNS))
        check_log(walk.rows("cel-custom/all.csv", LOGGED))
        assert walk.server.records.calls.parties() == ()
    finally:
        walk.close()


def check_calls(records: Rows) -> None:
    """Times in order, an answer where one is claimed, two parties that differ, each record once."""
    assert records
    assert max(Counter(record["sequence"] for record in records).values()) == 1
    for record in records:
        times = [record["start"], record["answer"] or record["end"], record["end"]]
        assert times == sorted(times), record
        assert 0 <= int(record["billsec"]) <= int(record["duration"]), record
        assert record["disposition"] != "ANSWERED" or record["answer"], record
        assert record["disposition"] == "ANSWERED" or record["billsec"] == "0", record
        assert record["channel"] != record["dstchannel"], record
        assert record["uniqueid"] and record["linkedid"], record


def check_log(entries: Rows) -> None:
    """Each channel begins, hangs up and ends, once and in this order; it leaves what it enters; so do linkedids."""
    channels: dict[str, list[str]] = {}
    for entry in entries:
        if entry["event"] != "LINKEDID_END":
            channels.setdefault(entry["channel"], []).append(entry["event"])
        assert entry["channel"] not in entry["peer"].split(","), entry
    for channel, events in channels.items():
        assert (events[0], events[-2:]) == ("CHAN_START", ["HANGUP", "CHAN_END"]), (channel, events)
        assert max(events.count(name) for name in ("CHAN_START", "ANSWER", "HANGUP", "CHAN_END")) == 1, (
            channel,
            events,
        )
        for enter, leave in (("BRIDGE_ENTER", "BRIDGE_EXIT"), ("APP_START", "APP_END")):
            pairs = [event for event in events if event in (enter, leave)]
            assert pairs == [enter, leave] * (len(pairs) // 2), (channel, events)
    ended = {entry["linkedid"] for entry in entries if entry["event"] == "LINKEDID_END"}
    assert ended == {entry["linkedid"] for entry in entries}
