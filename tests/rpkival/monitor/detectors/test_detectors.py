"""The detectors over everything that can be known of an announcement."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from rpkival.monitor.detectors import DETECTORS
from rpkival.monitor.judgement import Judgement
from rpkival.origin.verdict import Reason, State, Verdicts

VERDICTS = [
    (State.VALID, Reason.NONE),
    (State.NOT_FOUND, Reason.NONE),
    (State.INVALID, Reason.AS),
    (State.INVALID, Reason.LENGTH),
]
KNOWN = [
    (exact, has_origin, expected, *verdict)
    for exact, (has_origin, expected), verdict in product(
        (True, False), ((False, False), (True, False), (True, True)), VERDICTS
    )
]


@pytest.fixture
def judgement() -> Judgement:
    """One row for each combination of `KNOWN`."""
    exact, has_origin, expected, state, reason = zip(*KNOWN, strict=True)
    rows = np.arange(len(KNOWN))
    verdicts = Verdicts(np.array(state, np.uint8), np.array(reason, np.uint8))
    return Judgement(rows, rows, np.array(exact), np.array(has_origin), np.array(expected), verdicts)


def test_of_one_kind_at_most(judgement: Judgement) -> None:
    """Kinds exclude each other, so that one announcement is one incident."""
    charges = np.sum([detect(judgement) for detect in DETECTORS.values()], axis=0)

    assert set(charges.tolist()) == {0, 1}


@pytest.mark.parametrize("kind", DETECTORS)
def test_exactly_what_is_meant(kind: str, judgement: Judgement) -> None:
    """Each row, by the definition of its kind in words."""

    def is_meant(exact: bool, has_origin: bool, expected: bool, state: State, reason: Reason) -> bool:
        if not has_origin or state is State.VALID:
            return False
        if expected:
            return kind == "more-specific-unauthorised" and not exact and reason is Reason.LENGTH
        return kind == ("origin-hijack" if exact else "more-specific-hijack")

    assert DETECTORS[kind](judgement).tolist() == [is_meant(*known) for known in KNOWN]
    assert DETECTORS[kind](judgement).dtype == np.bool_
