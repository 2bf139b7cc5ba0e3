"""The verdicts of the ISP check."""

from enum import StrEnum

__all__ = ["Kind"]


class Kind(StrEnum):
    """What a check can find. There is no "safe": a network that drops invalid routes can still be led astray."""

    DROPS = "drops-invalid"
    DROPS_ELSEWHERE = "drops-invalid-on-path-elsewhere"
    """Invalid routes lose to valid ones, but traffic without a valid route still leaves, by a default route."""
    ACCEPTS = "accepts-invalid"
    MIXED = "mixed"
    NO_FAMILY = "no-family"
    INCONCLUSIVE = "inconclusive"
