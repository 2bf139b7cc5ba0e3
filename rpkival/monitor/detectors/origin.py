"""An own prefix, announced by somebody else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rpkival.monitor.judgement import Judgement
from rpkival.origin.verdict import State

__all__ = ["origin_hijack"]


def origin_hijack(judgement: Judgement) -> NDArray[np.bool_]:
    """`bool[k]`: exactly an own prefix, with an origin that is neither expected nor covered by a valid VRP."""
    stranger = judgement.has_origin & ~judgement.expected
    return np.asarray(stranger & judgement.exact & (judgement.verdicts.state != State.VALID), np.bool_)
