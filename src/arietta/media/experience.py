"""How good a stream sounds, from what RTCP tells: the E-model of ITU-T G.107 for G.711."""

from __future__ import annotations

from .engine import RtpStatistics

BEST = 93.2
"""R of a call without delay or loss."""
LOSS_ROBUSTNESS = 4.3
"""Packet-loss robustness factor of G.711 without concealment (ITU-T G.113)."""
KNEE_MS = 177.3
PACKET_MS = 20.0


def rating(jitter_s: float, lost_share: float, round_trip_s: float) -> float:
    """R, 0 to 93.2: what delay (half the round trip, a packet and twice the jitter) and loss leave of it."""
    delay_ms = round_trip_s * 500 + PACKET_MS + jitter_s * 2000
    impairment = 0.024 * delay_ms + (0.11 * (delay_ms - KNEE_MS) if delay_ms > KNEE_MS else 0.0)
    percent = lost_share * 100
    return max(0.0, BEST - impairment - 95 * percent / (percent + LOSS_ROBUSTNESS))


def experience(figures: RtpStatistics) -> dict[str, float | int]:
    """The media experience scores of a session as ARI's rtp_statistics names them."""
    received = rating(figures.rxjitter, _share(figures.rxploss, figures.rxcount), figures.rtt)
    sent = rating(figures.txjitter, _share(figures.txploss, figures.txcount), figures.rtt)
    scores: dict[str, float | int] = {"rxmes": int(received), "txmes": int(sent)}
    for side, score in (("local", received), ("remote", sent)):
        scores |= {f"{side}_maxmes": score, f"{side}_minmes": score, f"{side}_normdevmes": score}
        scores[f"{side}_stdevmes"] = 0.0
    return scores


def _share(lost: int, arrived: int) -> float:
    return lost / (lost + arrived) if lost > 0 else 0.0
