"""Which codecs an offer or an answer has, and in which order, as an endpoint says."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from arietta.config.endpoint import Endpoint

Codecs = tuple[str, ...]


class Choice(NamedTuple):
    """How two lists become one: that of a description or a caller (pending), and that of the endpoint (configured)."""

    prefer: str
    operation: str
    keep: str
    transcode: str

    def of(self, pending: Codecs, configured: Codecs) -> Codecs:
        """The codecs that come of the two lists, the best first."""
        first, second = (pending, configured) if self.prefer == "pending" else (configured, pending)
        found = {
            "intersect": tuple(one for one in first if one in second),
            "union": (*first, *(one for one in second if one not in first)),
            "only_preferred": first,
            "only_nonpreferred": second,
        }[self.operation]
        return found[:1] if self.keep == "first" else found


@lru_cache(maxsize=64)
def choice_of(text: str) -> Choice:
    """The words of a codec_prefs option."""
    return Choice(**dict(part.split(": ") for part in text.split(", ")))


def codecs_to_answer(endpoint: Endpoint, configured: Codecs, offered: Codecs) -> Codecs:
    """The codecs that answer an offer; () where none can be."""
    if "incoming_call_offer_pref" in endpoint.set_at:
        found = _common(endpoint.incoming_call_offer_pref, configured, offered)
    else:
        found = choice_of(endpoint.codec_prefs_incoming_offer).of(offered, configured)
    if "codec_prefs_outgoing_answer" in endpoint.set_at:
        found = choice_of(endpoint.codec_prefs_outgoing_answer).of(found, configured)
    found = tuple(one for one in found if one in offered)  # RFC 3264 6.1
    return found[:1] if endpoint.preferred_codec_only else found


def codecs_to_offer(endpoint: Endpoint, configured: Codecs, callers: Codecs, *, may_transcode: bool = True) -> Codecs:
    """The codecs that are offered to an endpoint; `callers` are those of the call it is called for, () for none.

    () where the options leave nothing. `may_transcode` is what the caller's own endpoint says of it.
    """
    preference = endpoint.outgoing_call_offer_pref
    if "codec_prefs_outgoing_offer" in endpoint.set_at:
        choice = choice_of(endpoint.codec_prefs_outgoing_offer)
        found = choice.of(callers or configured, configured)
        may_transcode = may_transcode and choice.transcode == "allow"
    elif preference == "remote_merge":
        common = _common("remote", configured, callers)
        found = (*common, *(one for one in configured if one not in common))
    elif preference == "local_merge":
        found = configured
    elif preference == "local_first":
        found = configured[:1]
    else:
        found = _common(preference, configured, callers or configured)
    return found if may_transcode or not callers else tuple(one for one in found if one in callers)


def codecs_to_send(endpoint: Endpoint, offered: Codecs, answered: Codecs) -> Codecs:
    """The codecs of an answer that are sent with, the best first; at least one."""
    if "codec_prefs_incoming_answer" not in endpoint.set_at:
        return answered
    found = choice_of(endpoint.codec_prefs_incoming_answer).of(answered, offered)
    return tuple(one for one in found if one in answered) or answered[:1]


def _common(preference: str, local: Codecs, remote: Codecs) -> Codecs:
    """The codecs of both lists in the order of the preferred one; the first of them alone for `_first`."""
    order, _, more = preference.partition("_")
    first, second = (local, remote) if order == "local" else (remote, local)
    found = tuple(one for one in first if one in second)
    return found[:1] if more == "first" else found
