"""CHANNEL(rtcp,…): what is counted of a stream and reported of it, in the dialplan's words."""

from __future__ import annotations

from arietta.media.engine import RtpStatistics

COUNTED = frozenset(
    """txcount rxcount txjitter rxjitter txploss rxploss rtt maxrtt minrtt normdevrtt stdevrtt txoctetcount rxoctetcount
    remote_maxjitter remote_minjitter remote_normdevjitter remote_stdevjitter
    local_maxjitter local_minjitter local_normdevjitter local_stdevjitter
    remote_maxrxploss remote_minrxploss remote_normdevrxploss remote_stdevrxploss
    local_maxrxploss local_minrxploss local_normdevrxploss local_stdevrxploss""".split()
)
"""Items that are called as in ARI's RTPstat; jitter and round trips are seconds."""
OTHERS = {"ssrc": "local_ssrc", "themssrc": "remote_ssrc"}
SUMMARIES = {
    "all": (
        *(("ssrc", "local_ssrc"), ("themssrc", "remote_ssrc"), ("lp", "rxploss"), ("rxjitter", "rxjitter")),
        *(("rxcount", "rxcount"), ("txjitter", "txjitter"), ("txcount", "txcount"), ("rlp", "txploss"), ("rtt", "rtt")),
    ),
    "all_jitter": (
        *(("minrxjitter", "local_minjitter"), ("maxrxjitter", "local_maxjitter")),
        *(("avgrxjitter", "local_normdevjitter"), ("stdevrxjitter", "local_stdevjitter")),
        *(("mintxjitter", "remote_minjitter"), ("maxtxjitter", "remote_maxjitter")),
        *(("avgtxjitter", "remote_normdevjitter"), ("stdevtxjitter", "remote_stdevjitter")),
    ),
    "all_loss": (
        *(("minrxlost", "local_minrxploss"), ("maxrxlost", "local_maxrxploss")),
        *(("avgrxlost", "local_normdevrxploss"), ("stdevrxlost", "local_stdevrxploss")),
        *(("mintxlost", "remote_minrxploss"), ("maxtxlost", "remote_maxrxploss")),
        *(("avgtxlost", "remote_normdevrxploss"), ("stdevtxlost", "remote_stdevrxploss")),
    ),
    "all_rtt": (("minrtt", "minrtt"), ("maxrtt", "maxrtt"), ("avgrtt", "normdevrtt"), ("stdevrtt", "stdevrtt")),
}
"""Several numbers as `label=number;…`, by label and by what ARI calls it."""


def read_counted(statistics: RtpStatistics, item: str) -> str | None:
    """One number of a stream, or a summary; None for what is not counted."""
    if item in SUMMARIES:
        return ";".join(f"{label}={_written(statistics, name)}" for label, name in SUMMARIES[item])
    name = OTHERS.get(item, item)
    return _written(statistics, name) if item in OTHERS or item in COUNTED else None


def _written(statistics: RtpStatistics, name: str) -> str:
    value = getattr(statistics, name)
    return f"{value:f}" if isinstance(value, float) else str(value)
