"""What becomes of a delivery."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from rpkival.alerts.schedule import RETRIES, Answer, after_attempt


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_done(status: int) -> None:
    """Nothing else is."""
    assert after_attempt(Answer(status), 1, 0.0, 0.0).state == "delivered"


@pytest.mark.parametrize("status", [None, 100, 301, 302, 307, 400, 401, 404, 500, 503])
def test_the_rest_is_tried_again(status: int | None) -> None:
    """On the schedule of Standard Webhooks: three days and some hours."""
    waits = [after_attempt(Answer(status), n, 1000.0, 0.0).due - 1000 for n in range(1, len(RETRIES) + 1)]

    assert waits == list(RETRIES)
    assert 72 * 3600 < sum(waits) < 78 * 3600
    assert after_attempt(Answer(status), len(RETRIES) + 1, 0.0, 0.0).state == "abandoned"


def test_jitter_only_stretches() -> None:
    """Never sooner than the schedule, never more than a fifth later."""
    assert after_attempt(Answer(500), 2, 0.0, 1.0).due == pytest.approx(360)


def test_gone_disables_and_keeps() -> None:
    """410: the endpoint rests until somebody enables it; the event is still there then."""
    outcome = after_attempt(Answer(410), 1, 5.0, 0.0)

    assert outcome.disables
    assert outcome.state == "waiting"


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        ("120", 120),
        ("999999999999", 3600),
        ("0", 0),
        ("", 0),
        ("-5", 0),
        ("soon", 0),
        ("Mon, 01 Jan 99999999999999999999 00:00:00 GMT", 0),
        ("Mon, 01 Jan 2026 00:00:00 +99999999999999999", 0),
        (formatdate(1000 + 90, usegmt=True), 90),
        (formatdate(500, usegmt=True), 0),
    ],
)
def test_retry_after(header: str, rest: float) -> None:
    """Respected within an hour, whatever a receiver writes there."""
    outcome = after_attempt(Answer(429, retry_after=header), 1, 1000.0, 0.0)

    assert outcome.resting_until == pytest.approx(1000 + rest)
    assert outcome.due == pytest.approx(1000 + max(rest, 5))
    assert after_attempt(Answer(404, retry_after=header), 1, 1000.0, 0.0).resting_until == 0
