"""What can be said of each announcement that touches own prefixes, before any detector looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rpkival.monitor.expectations import Expectations
from rpkival.origin.verdict import Verdicts
from rpkival.payload.vrps import Vrps
from rpkival.prefixes import Prefixes, Rows

__all__ = ["Classifier", "Judgement", "judge"]


class Classifier(Protocol):
    """RFC 6811 for many announcements at once, as `rpkival.origin.index.OriginIndex` does it."""

    def classify(
        self, prefixes: Prefixes, origin: NDArray[np.uint32], has_origin: NDArray[np.bool_] | None = None
    ) -> Verdicts:
        """The state of each."""
        ...

    def covering(self, prefix: Prefixes) -> Vrps:
        """The VRPs that cover one prefix."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """`k` of the announcements that were asked about: those that equal an own prefix or lie inside one.

    `rows`: `int64[k]`, which ones. `own`: `int64[k]`, the most specific own prefix above each, a row of
    `Expectations.cover`. `exact`: `bool[k]`, whether it is that very prefix. `has_origin`: `bool[k]`, False for
    withdrawals and for paths that end in no single AS. `expected`: `bool[k]`, whether that origin may announce it.
    """

    rows: Rows
    own: Rows
    exact: NDArray[np.bool_]
    has_origin: NDArray[np.bool_]
    expected: NDArray[np.bool_]
    verdicts: Verdicts

    def __len__(self) -> int:
        return len(self.rows)


_NO_ROWS, _NO_FLAGS, _NO_STATES = np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(0, np.uint8)
_NOTHING = Judgement(_NO_ROWS, _NO_ROWS, _NO_FLAGS, _NO_FLAGS, _NO_FLAGS, Verdicts(_NO_STATES, _NO_STATES))


def judge(
    prefixes: Prefixes,
    origin: NDArray[np.uint32],
    has_origin: NDArray[np.bool_],
    expectations: Expectations,
    index: Classifier,
) -> Judgement:
    """Find what touches own prefixes among `n` announcements of one family, and judge only that."""
    family = prefixes.family
    cover = expectations.cover(family)
    rows, own = cover.inside(prefixes)
    if not len(rows):
        return _NOTHING
    touched, by, known = prefixes.take(rows), origin[rows], has_origin[rows]
    return Judgement(
        rows,
        own,
        touched.length == cover.prefixes.length[own],
        known,
        known & expectations.expected(family, own, by),
        index.classify(touched, by, known),
    )
