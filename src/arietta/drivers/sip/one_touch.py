"""One-touch recording: an INFO with a header Record presses the keys of a feature, if the endpoint may do that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from arietta.channels import signals
from arietta.drivers.sip.digits import DEFAULT_DURATION_MS

if TYPE_CHECKING:
    from arietta.channels.channel import Channel
    from arietta.drivers.sip.leg import SipLeg

log = logging.getLogger(__name__)

HEADER = "Record"


def press(leg: SipLeg, channel: Channel, wanted: str) -> int:
    """Press the keys for `wanted`, which is on or off; the status of the answer."""
    endpoint, dialplan = leg.endpoint, channel.registry.dialplan
    features = {"on": endpoint.record_on_feature, "off": endpoint.record_off_feature}
    feature = features.get(wanted.strip().lower(), "")
    if not endpoint.one_touch_recording or dialplan is None:
        return 403
    keys = dialplan.feature_keys(channel, feature)
    if not keys:
        log.warning("channel %s: Record: %s: feature %r has no keys", channel.name, wanted[:20], feature)
        return 403
    for key in keys:
        channel.receive(signals.DigitBegan(key))
        channel.receive(signals.DigitEnded(key, DEFAULT_DURATION_MS, in_media=False))
    return 200
