"""A part of an own prefix, announced by somebody else, or by us where no VRP allows it.

Routers follow the longest match, so a more-specific takes all the traffic to it, whoever announces the whole.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rpkival.monitor.judgement import Judgement
from rpkival.origin.verdict import Reason, State

__all__ = ["more_specific_hijack", "more_specific_unauthorised"]


def more_specific_hijack(judgement: Judgement) -> NDArray[np.bool_]:
    """`bool[k]`: inside an own prefix, with an origin that is neither expected nor covered by a valid VRP."""
    stranger = judgement.has_origin & ~judgement.expected
    return np.asarray(stranger & ~judgement.exact & (judgement.verdicts.state != State.VALID), np.bool_)


def more_specific_unauthorised(judgement: Judgement) -> NDArray[np.bool_]:
    """`bool[k]`: inside an own prefix, with an expected origin, longer than the max_length of its VRP.

    Mostly our own ROA that is too narrow; yet a hijacker who forges our ASN at the end of the path looks the same.
    """
    too_long = judgement.verdicts.reason == Reason.LENGTH
    invalid = (judgement.verdicts.state == State.INVALID) & too_long
    return np.asarray(judgement.expected & ~judgement.exact & invalid, np.bool_)
