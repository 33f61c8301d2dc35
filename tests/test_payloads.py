"""The list of payloads is what the tests that use it think it is."""

from __future__ import annotations

from tests.payloads import PAYLOADS


def test_sixty_different_ones_that_would_leave_a_mark() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) == 60
    assert sum("__pwned" in payload for payload in PAYLOADS) >= 59
