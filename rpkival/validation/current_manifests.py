"""The manifests that count in a run, as a canonical cache representation has them (draft-ietf-sidrops-rpki-ccr)."""

from __future__ import annotations

from dataclasses import replace

from rpkival.objects.ccr import CachedManifest
from rpkival.validation.issuer import Issuer
from rpkival.validation.publication_point import PublicationPoint, file_name
from rpkival.validation.source import Source

__all__ = ["CurrentManifests"]


class CurrentManifests:
    """Told of each publication point that a run has settled, knows the manifests of those that count.

    A manifest that several trust anchors lead to is there once, with all CAs that were found below it.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: dict[bytes, CachedManifest] = {}

    @property
    def manifests(self) -> tuple[CachedManifest, ...]:
        """So far, in no order."""
        return tuple(self._found.values())

    def add(self, issuer: Issuer, point: PublicationPoint) -> None:
        """One more publication point; of one that was lost nothing counts."""
        accepted = point.accepted
        if accepted is None:
            return
        data = self._source.read(issuer.place, file_name(issuer.manifest), accepted.sha256)
        if data is None:
            return
        subordinates = {child.subject_key_id for child in point.children}
        other = self._found.get(accepted.sha256)
        if other is not None:
            subordinates.update(other.subordinates)
            self._found[accepted.sha256] = replace(other, subordinates=tuple(sorted(subordinates)))
            return
        self._found[accepted.sha256] = CachedManifest(
            accepted.sha256,
            len(data),
            issuer.subject_key_id,
            accepted.number,
            accepted.this_update,
            (issuer.manifest,),
            tuple(sorted(subordinates)),
        )
