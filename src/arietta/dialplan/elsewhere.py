"""Applications of Asterisk that an application of the REST interface does here, and the example that shows how."""

from __future__ import annotations

EXAMPLES = {
    "queue": "call_queue.py",
    "agentlogin": "call_queue.py",
    "agentrequest": "call_queue.py",
    "addqueuemember": "call_queue.py",
    "removequeuemember": "call_queue.py",
    "pausequeuemember": "call_queue.py",
    "unpausequeuemember": "call_queue.py",
    "queuelog": "call_queue.py",
    "voicemail": "voicemail_record.py",
    "voicemailmain": "voicemail_review.py",
    "voicemailplaymsg": "voicemail_review.py",
    "park": "hold.py",
    "parkandannounce": "hold.py",
    "parkedcall": "hold.py",
    "confbridge": "conference.py",
    "meetme": "conference.py",
    "page": "bridge_dial.py",
    "followme": "bridge_dial.py",
}
"""By names in lower case."""


def advice(key: str) -> str:
    """What to use instead of an application, by its name in lower case; "" for one that is not known."""
    example = EXAMPLES.get(key)
    return f"an application of the REST interface does that, see examples/{example}" if example else ""
