"""Which of the CAs that certificates lead to are gone to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from rpkival.errors import LimitError
from rpkival.limits import MAX_PUBLICATION_POINTS, MAX_SUBTREE_POINTS
from rpkival.validation.issuer import Issuer
from rpkival.validation.report import Tally
from rpkival.validation.tree import Branch

__all__ = ["Admission"]

_MEMBER: Final = 2
"""Where in a chain the first CA is that a stranger may run: registries keep the trust anchor and a CA below it."""

_TWICE = "Another certificate for the same CA and resources has led here."
_CROWD = f"There are more than {MAX_SUBTREE_POINTS} CAs below one member; the rest of them is left out."


class Admission:
    """To one tree: each CA once, and no more of them below one member than leaves room for the others."""

    def __init__(self) -> None:
        self._walked: set[bytes] = set()
        self._crowds: Counter[bytes] = Counter()

    def admitted(self, issuer: Issuer, children: Sequence[Issuer], tally: Tally) -> list[Issuer]:
        """Those of an issuer's CAs that are gone to, and a record for the rest.

        Forty certificates each for the next of four keys would else be two and a half million publication points.
        """
        new = []
        for child in children:
            if child.decisive in self._walked:
                tally.reject(child.uri, None, LimitError(_TWICE))
            elif self._room(issuer) <= 0:
                tally.reject(issuer.manifest, None, LimitError(_CROWD))
                break
            else:
                self._walked.add(child.decisive)
                self._count(issuer, 1)
                new.append(child)
        return new

    def admits(self, issuer: Issuer, branch: Branch) -> bool:
        """Whether there is room for all below an issuer, who is the first of `branch`, and none is there already."""
        return self._room(issuer) >= branch.size - 1 and self._walked.isdisjoint(branch.decisive)

    def take(self, issuer: Issuer, branch: Branch) -> None:
        """Note all below an issuer, who is the first of `branch`."""
        self._walked |= branch.decisive
        self._count(issuer, branch.size - 1)

    def _room(self, issuer: Issuer) -> int:
        """For so many more CAs below the member that this one is or is below; as in any tree, where it is above."""
        if len(issuer.chain) <= _MEMBER:
            return MAX_PUBLICATION_POINTS
        return MAX_SUBTREE_POINTS - self._crowds[issuer.chain[_MEMBER]]

    def _count(self, issuer: Issuer, cas: int) -> None:
        if len(issuer.chain) > _MEMBER:
            self._crowds[issuer.chain[_MEMBER]] += cas
