"""Causes, their words, and the SIP statuses on both sides."""

import pytest

from arietta.model import causes


@pytest.mark.parametrize(
    ("reason", "cause", "text", "status"),
    [
        ("normal", 16, "Normal Clearing", 603),
        ("busy", 17, "User busy", 486),
        ("congestion", 34, "Circuit/channel congestion", 503),
        ("no_answer", 19, "User alerting, no answer", 480),
        ("timeout", 18, "No user responding", 480),
        ("rejected", 21, "Call Rejected", 403),
        ("unallocated", 1, "Unallocated (unassigned) number", 404),
        ("normal_unspecified", 31, "Normal, unspecified", 480),
        ("number_incomplete", 28, "Invalid number format", 484),
        ("codec_mismatch", 58, "Bearer capability not available", 488),
        ("interworking", 127, "Interworking, unspecified", 500),
        ("failure", 38, "Network out of order", 500),
        ("answered_elsewhere", 26, "Answered elsewhere", 603),
    ],
)
def test_a_reason_to_the_caller(reason: str, cause: int, text: str, status: int) -> None:
    assert causes.REASONS[reason] == cause
    assert causes.text(cause) == text
    assert causes.sip_status(cause) == status


@pytest.mark.parametrize("number", [0, -1, 999, 4])
def test_numbers_without_meaning(number: int) -> None:
    assert causes.text(number) == "Unknown"
    assert causes.sip_status(number) == 603


@pytest.mark.parametrize(("cause", "status"), [(3, 404), (42, 503), (58, 488), (27, 502)])
def test_statuses_of_bare_codes(cause: int, status: int) -> None:
    assert causes.sip_status(cause) == status


@pytest.mark.parametrize(
    ("status", "cause"), [(486, 17), (603, 21), (480, 19), (404, 1), (503, 34), (488, 58), (799, 127), (499, 127)]
)
def test_a_refusal_of_the_far_end(status: int, cause: int) -> None:
    assert causes.of_sip_status(status) == cause
