"""The tree of the last run, and what of it stands in this one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from rpkival.objects.place import Place
from rpkival.validation.publication_point import file_name
from rpkival.validation.source import Source
from rpkival.validation.tree import GOOD, Branch, RepositoryKey, Tree, sums_before

__all__ = ["AcceptedNow", "KnownTree", "Revisions"]

Revisions = Mapping[RepositoryKey, bytes]
"""What `Source.revision` said of each repository."""


AcceptedNow = Mapping[bytes, bytes]
"""The manifest that this run has accepted last of a CA, by its `Place.key`."""


class KnownTree:
    """A CA stands if its manifest is the same, is still what was accepted last, and nothing has begun or ended since.

    That is found out repository by repository, as each is fetched: where it is at the same revision, without a look at
    what is in it.
    """

    def __init__(self, tree: Tree, revisions: Revisions | None, source: Source, accepted: AcceptedNow) -> None:
        """`revisions` as the last run found them; None where more has been accepted since. `accepted` may grow."""
        self.tree = tree
        self._revisions = revisions
        self._source = source
        self._accepted = accepted
        self._rows = dict(tree.in_use)
        self._stands = np.zeros(len(tree), bool)
        vrps = tree.rows["ipv4"].astype(np.int64) + tree.rows["ipv6"]
        self._sums = [sums_before(column) for column in (vrps, tree.rows["rejections"], tree.rows["lost"])]

    @property
    def repositories(self) -> Iterator[tuple[RepositoryKey, Place]]:
        """Each, with a place in it."""
        for repository, rows in self._rows.items():
            yield repository, self.tree.place(int(rows[0]))

    def fetched(self, repository: RepositoryKey, now: int) -> None:
        """What is there of this one can be looked at, at `now` (unix seconds)."""
        tree, source = self.tree, self._source
        rows = self._rows[repository]
        columns = tree.rows[rows]
        able = columns["steady"] & (columns["valid_from"] <= now) & (now <= columns["valid_until"])
        # Under another anchor, or from another server, this run may have accepted something else of the same CA.
        unsure = [self._revisions is None or key in self._accepted for key in columns["key"].tolist()]
        revision = source.revision(tree.place(int(rows[0])))
        is_same = revision is not None and self._revisions is not None and revision == self._revisions.get(repository)
        doubtful = able & unsure if is_same else able
        if doubtful.any():
            at_hand = source.manifests(tree.place(int(rows[0])))
            manifests = columns["manifest"].tolist()
            for at in np.flatnonzero(doubtful).tolist():
                row = int(rows[at])
                uri = tree.repositories[row] + file_name(tree.manifests[row])
                there = at_hand.get(uri) or source.manifest(tree.place(row))
                able[at] = there == manifests[at] and (not unsure[at] or self._is_last(row))
        self._stands[rows] = able

    def _is_last(self, row: int) -> bool:
        """Whether nothing else was accepted of this CA since."""
        last = self._source.accepted(self.tree.place(row))
        if last is not None:
            return bool(last.sha256 == self.tree.rows["manifest"][row].tobytes())
        # What is good and was never accepted has to be looked at to be so, in a run that may do that.
        return not (self._source.accepts and self.tree.rows["counts"][row, GOOD])

    def below(self, row: int | None) -> dict[bytes, int]:
        """The rows of all CAs right below this one, by their identity."""
        found: dict[bytes, int] = {}
        if row is None:
            return found
        sizes, identities = self.tree.rows["size"], self.tree.rows["identity"]
        at, end = row + 1, row + int(sizes[row])
        while at < end:
            found[identities[at].tobytes()] = at
            at += int(sizes[at])
        return found

    def branch(self, row: int | None, notify: str) -> Branch | None:
        """This CA with all below it, if all of it stands and the CA is still served by the repository of `notify`.

        Of those below, the same manifests above them say so; of itself, a certificate that may be another.
        """
        if row is None or self.tree.sources[self.tree.rows["repository"][row]][0] != notify:
            return None
        size = int(self.tree.rows["size"][row])
        if not self._stands[row : row + size].all():
            return None
        return Branch(self.tree, row, size, *(sums[row + size] - sums[row] for sums in self._sums))
