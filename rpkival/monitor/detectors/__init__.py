"""One file a kind of incident; each is a pure function from what is known of announcements to those of its kind."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rpkival.monitor.detectors.more_specific import more_specific_hijack, more_specific_unauthorised
from rpkival.monitor.detectors.origin import origin_hijack
from rpkival.monitor.judgement import Judgement

__all__ = ["DETECTORS", "KINDS", "kinds_of"]

DETECTORS = {
    "origin-hijack": origin_hijack,
    "more-specific-hijack": more_specific_hijack,
    "more-specific-unauthorised": more_specific_unauthorised,
}
"""By the name of the kind. An announcement is of one kind at most."""

KINDS = ("", *DETECTORS)
"""The names that `kinds_of` refers to."""


def kinds_of(judgement: Judgement) -> NDArray[np.uint8]:
    """`uint8[k]`: the kind of each announcement, a place in `KINDS`, 0 where no detector minds it."""
    kinds = np.zeros(len(judgement), np.uint8)
    for number, detect in enumerate(DETECTORS.values(), start=1):
        kinds[detect(judgement)] = number
    return kinds
