"""What becomes of a delivery after an attempt: pure decisions over the receiver's answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Literal, TypeAlias

from rpkival.limits import MAX_RETRY_AFTER

__all__ = ["Answer", "DeliveryState", "Outcome", "after_attempt"]

DeliveryState: TypeAlias = Literal["waiting", "delivered", "abandoned"]

RETRIES = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds to wait after each attempt in vain: the schedule of Standard Webhooks, three days in all."""

JITTER = 0.2
"""Part of a wait by which it is stretched at random, so that receivers that come back are not hit all at once."""

_THROTTLING = frozenset({429, 502, 503, 504})
_GONE = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `status` is None where there was no answer; `text` then says why."""

    status: int | None
    text: str = ""
    retry_after: str = ""

    @property
    def is_success(self) -> bool:
        """2xx, and nothing else: Standard Webhooks counts a redirect as a failure."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """`due`: when to try again, where `state` is waiting. `resting_until`: nothing at all to this endpoint before."""

    state: DeliveryState
    due: float = 0.0
    resting_until: float = 0.0
    disables: bool = False


def after_attempt(answer: Answer, attempts: int, now: float, chance: float) -> Outcome:
    """Decide after the `attempts`-th attempt (1 is the first). `chance`, from 0 to 1, is the jitter's die."""
    if answer.is_success:
        return Outcome("delivered")
    if answer.status == _GONE:
        # It may be enabled again by hand, so the event is not given up.
        return Outcome("waiting", due=now, disables=True)
    if attempts > len(RETRIES):
        return Outcome("abandoned")
    wait = RETRIES[attempts - 1] * (1 + JITTER * chance)
    if answer.status not in _THROTTLING:
        return Outcome("waiting", due=now + wait)
    asked = _asked_wait(answer.retry_after, now)
    return Outcome("waiting", due=now + max(wait, asked), resting_until=now + asked)


def _asked_wait(text: str, now: float) -> float:
    """RFC 9110 section 10.2.3: seconds or a date. Clamped; what cannot be read asks for nothing."""
    if text.isascii() and text.isdigit():
        seconds = float(text[:10])
    else:
        try:
            moment = parsedate_to_datetime(text)
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now
        except (ValueError, OverflowError):  # a year or an offset of twenty digits is the latter
            return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
