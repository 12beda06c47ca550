"""Events of the records: they are made elsewhere, and told as they come."""

from __future__ import annotations

from arietta.manager.events.declared import Kind

CDR = Kind("Cdr", "cdr", "A call was recorded: cdr_manager.conf says whether that is told.")
CEL = Kind(
    "CEL",
    "call",
    "Something happened to a channel that cel.conf wants logged and told.",
    lacks="PARK_START, PARK_END, LOCAL_OPTIMIZE and LOCAL_OPTIMIZE_BEGIN never happen; "
    "STREAM_BEGIN, STREAM_END and DTMF are not told.",
)
RECORDS = {"Cdr": CDR, "CEL": CEL}
