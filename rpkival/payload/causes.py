"""Why a VRP, an ASPA or a router key is no longer there: read from where it came from, and from the report of the run.

Three reasons are a CA's own word: its manifest lists the object no more, its CRL revokes it, or the signed dates are
over. The others are accidents or attacks as far as anybody can tell from here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rpkival.payload.payload import Payload
from rpkival.payload.vrps import VrpColumns, Vrps
from rpkival.validation.report import LIMIT_SECTION, Rejection, Report

__all__ = ["Cause", "Inquiry", "Why", "accidents"]

_NO_REPORT = Report(0, (), (), ())


class Cause(StrEnum):
    """Of a loss."""

    EXPIRED = "expired"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    POINT_FAILED = "point-failed"
    CA_LOST = "ca-lost"
    ANCHOR_LOST = "anchor-lost"
    EXCEPTION = "exception"

    @property
    def is_the_holders_word(self) -> bool:
        """Whether CRL, manifest or dates say so, or the operator."""
        return self in {Cause.EXPIRED, Cause.REVOKED, Cause.WITHDRAWN, Cause.EXCEPTION}


@dataclass(frozen=True, slots=True)
class Why:
    """`sentence` is that of the report's record, "" where none is about it. It names an object that is another than the
    one asked about.
    """

    cause: Cause
    sentence: str = ""


class Inquiry:
    """Answers for one run. `lost_anchors` are those that could not be had; `now` is unix seconds; `found` is all that
    the run has found.
    """

    def __init__(self, report: Report, lost_anchors: Collection[str], now: float, found: Payload | None = None) -> None:
        self.now = now
        self._found = found
        self._lost_anchors = lost_anchors
        self._by_uri = {rejection.uri: rejection for rejection in report.rejections}
        self._failed_points = {
            _directory(rejection.uri): rejection for rejection in report.rejections if rejection.fails_its_point
        }
        # Of these the report may be full, which is said of the trust anchor's certificate, and silent of some objects.
        self._unlisted = {
            rejection.trust_anchor
            for rejection in report.rejections
            if rejection.section == LIMIT_SECTION and rejection.uri.endswith(".cer")
        }
        self._broken_cas: dict[str, Rejection] = {}
        for rejection in report.rejections:
            if rejection.breaks_a_ca and not _of_own_word(rejection):
                self._broken_cas.setdefault(rejection.trust_anchor, rejection)

    def why(self, trust_anchor: str, source: str, expires: int) -> Why:
        """Of something that was under a trust anchor, signed in the object at `source`, and to hold until `expires`."""
        if 0 < expires <= self.now:
            return Why(Cause.EXPIRED)
        if trust_anchor in self._lost_anchors:
            return Why(Cause.ANCHOR_LOST)
        if rejection := self._by_uri.get(source):
            return Why(_cause_of(rejection), rejection.sentence)
        if rejection := self._failed_points.get(_directory(source)):
            return Why(Cause.POINT_FAILED, _named(rejection))
        # A CA whose certificate or manifest broke takes all below it along, of which the report then says nothing.
        # Some CA of a registry is always broken: it is no reason for what is gone where its neighbours still are.
        alive = trust_anchor not in self._unlisted and _directory(source) in self._living
        if (rejection := self._broken_cas.get(trust_anchor)) and not alive:
            return Why(Cause.CA_LOST, _named(rejection))
        return Why(Cause.WITHDRAWN)

    @cached_property
    def _living(self) -> frozenset[str]:
        """The publication points of which the run has found something."""
        if self._found is None:
            return frozenset()
        aspas = (aspa.source for aspa in self._found.aspas)
        keys = (key.source for key in self._found.router_keys)
        return frozenset(map(_directory, filter(None, (*self._found.vrps.sources, *aspas, *keys))))

    @classmethod
    def of_exceptions(cls, now: float) -> Inquiry:
        """Where nothing is new but the local exceptions, and is the reason of all that goes."""
        return _OfExceptions(_NO_REPORT, (), now)

    def of_columns(self, vrps: Vrps, columns: VrpColumns) -> list[Why]:
        """Of each row of `columns` (a selection of `vrps`), asked once for all rows of an object."""
        keys = np.stack((columns.source.astype(np.int64), columns.trust_anchor.astype(np.int64), columns.expires))
        distinct, inverse = np.unique(keys, axis=1, return_inverse=True)
        answers = [
            self.why(vrps.trust_anchors[anchor], vrps.sources[source] if source >= 0 else "", expires)
            for source, anchor, expires in distinct.T.tolist()
        ]
        return [answers[at] for at in inverse.reshape(-1).tolist()]


class _OfExceptions(Inquiry):
    def why(self, trust_anchor: str, source: str, expires: int) -> Why:  # noqa: ARG002 - as any inquiry is asked
        return Why(Cause.EXCEPTION)


def accidents(whys: Sequence[Why]) -> NDArray[np.bool_]:
    """`bool[n]`: True for each reason that no holder has given."""
    return np.array([not why.cause.is_the_holders_word for why in whys], np.bool_)


def _named(rejection: Rejection) -> str:
    return f"{rejection.uri}: {rejection.sentence}"


def _cause_of(rejection: Rejection) -> Cause:
    if rejection.sentence.endswith("is revoked."):
        return Cause.REVOKED
    return Cause.EXPIRED if " expired at " in rejection.sentence else Cause.REJECTED


def _of_own_word(rejection: Rejection) -> bool:
    return _cause_of(rejection).is_the_holders_word


def _directory(uri: str) -> str:
    return uri.rpartition("/")[0]
