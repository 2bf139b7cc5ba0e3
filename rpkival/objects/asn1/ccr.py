"""draft-ietf-sidrops-rpki-ccr section 4.

The list of each state is kept as an element: the state's hash is over its DER. Each of them is a SEQUENCE OF, to be
decoded behind an extra SEQUENCE header with the declaration in the plural.
"""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.asn1 import TLV, Default, Explicit, GeneralizedTime, IA5String, Implicit, sequence
from cryptography.x509 import ObjectIdentifier

from rpkival.objects.asn1.roa import ROAIPAddressFamily

__all__ = [
    "ASPAPayloadSet",
    "ASPAPayloadSets",
    "CanonicalCacheRepresentation",
    "ContentInfo",
    "HashedState",
    "Location",
    "ManifestInstance",
    "ManifestInstances",
    "ManifestState",
    "ROAPayloadSet",
    "ROAPayloadSets",
    "RouterKey",
    "RouterKeySet",
    "RouterKeySets",
    "SubjectKeyIdentifiers",
]


@sequence
class Location:
    """AccessDescription with a URI."""

    access_method: ObjectIdentifier
    access_location: Annotated[IA5String, Implicit(6)]


@sequence
class ManifestInstance:
    hash: bytes
    size: int
    aki: bytes
    manifest_number: int
    this_update: GeneralizedTime
    locations: list[Location]
    subordinates: list[bytes] | None = None


@sequence
class ManifestInstances:
    instances: list[ManifestInstance]


@sequence
class ManifestState:
    instances: TLV
    most_recent_update: GeneralizedTime
    hash: bytes


@sequence
class HashedState:
    """ROAPayloadState, ASPAPayloadState, TrustAnchorState and RouterKeyState."""

    list: TLV
    hash: bytes


@sequence
class ROAPayloadSet:
    as_id: int
    ip_addr_blocks: list[ROAIPAddressFamily]


@sequence
class ROAPayloadSets:
    sets: list[ROAPayloadSet]


@sequence
class ASPAPayloadSet:
    customer_asid: int
    providers: list[int]


@sequence
class ASPAPayloadSets:
    sets: list[ASPAPayloadSet]


@sequence
class SubjectKeyIdentifiers:
    identifiers: list[bytes]


@sequence
class RouterKey:
    ski: bytes
    spki: TLV


@sequence
class RouterKeySet:
    as_id: int
    router_keys: list[RouterKey]


@sequence
class RouterKeySets:
    sets: list[RouterKeySet]


@sequence
class DigestAlgorithm:
    algorithm: ObjectIdentifier


@sequence
class CanonicalCacheRepresentation:
    version: Annotated[int, Default(value=0), Explicit(0)]
    hash_alg: DigestAlgorithm
    produced_at: GeneralizedTime
    mfts: Annotated[ManifestState | None, Explicit(1)] = None
    vrps: Annotated[HashedState | None, Explicit(2)] = None
    vaps: Annotated[HashedState | None, Explicit(3)] = None
    tas: Annotated[HashedState | None, Explicit(4)] = None
    rks: Annotated[HashedState | None, Explicit(5)] = None


@sequence
class ContentInfo:
    content_type: ObjectIdentifier
    content: Annotated[CanonicalCacheRepresentation, Explicit(0)]
