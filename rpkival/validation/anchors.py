"""What is known of a trust anchor without walking its tree: its certificate, and the key that follows (RFC 9691)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from rpkival.objects.tal import Tal
from rpkival.objects.trust_anchor_key import AnchorKey
from rpkival.validation.publication_point import file_name, judge_publication_point
from rpkival.validation.report import Rejection, Tally
from rpkival.validation.source import Source
from rpkival.validation.trust_anchor import open_trust_anchor

__all__ = ["Anchor", "look_at_anchor"]


@dataclass(frozen=True, slots=True)
class Anchor:
    """One trust anchor. `uri` is where its certificate came from, "" where there is none that is good.

    `expires` is the end of that certificate in unix seconds. The keys are what its trust anchor key object says, None
    where it says nothing, or where there is none.
    """

    tal: Tal
    uri: str = ""
    expires: int = 0
    predecessor: AnchorKey | None = None
    successor: AnchorKey | None = None
    rejections: tuple[Rejection, ...] = ()


def look_at_anchor(tal: Tal, source: Source, now: int) -> Anchor:
    """Judge a trust anchor and its own publication point at `now` (unix seconds); the repository is asked for."""
    tally = Tally(tal.name)
    issuer = open_trust_anchor(tal, source, lambda: now, tally)
    if issuer is None:
        return Anchor(tal, rejections=tally.rejections(tal.uris[0]))
    place = issuer.place
    source.request(place).result()
    read = partial(source.read, place)
    accepted = source.accepted(place)
    rejections = tally.rejections(tal.uris[0])
    for digest in dict.fromkeys((source.manifest(place), None if accepted is None else accepted.sha256)):
        manifest = None if digest is None else read(file_name(place.manifest), digest)
        point = judge_publication_point(issuer, manifest, read, now)
        rejections += point.rejections
        if point.accepted is not None:
            key = next(iter(point.anchor_keys), None)
            before, after = (key.predecessor, key.successor) if key else (None, None)
            return Anchor(tal, issuer.uri, issuer.expires, before, after, rejections)
    return Anchor(tal, issuer.uri, issuer.expires, rejections=rejections)
