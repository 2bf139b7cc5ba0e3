"""Canonical cache representations (draft-ietf-sidrops-rpki-ccr): what a validator has found, as one DER file.

Nobody signs it. The hash of each part lets two validators compare what they have without sending it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final, TypeVar

from cryptography.hazmat.asn1 import TLV, BitString, GeneralizedTime, IA5String

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_ASN, MAX_CCR_BYTES, MAX_UNIX_TIME
from rpkival.objects import oids
from rpkival.objects.asn1 import ccr as asn1
from rpkival.objects.asn1 import roa as roa_asn1
from rpkival.objects.asn1.der import contents_of, decode, encode, header, tlv_bytes
from rpkival.objects.bounds import check_number, check_size, shown
from rpkival.objects.resources import address_range
from rpkival.objects.times import generalized_seconds
from rpkival.objects.uris import is_rsync_uri

__all__ = ["CachedManifest", "CachedRoas", "Ccr", "parse_ccr", "write_ccr"]

T = TypeVar("T")

_SECTION: Final = "draft-ietf-sidrops-rpki-ccr section 4"
_DIGEST_SIZE: Final = 32
_KEY_ID_SIZE: Final = 20
_FAMILIES: Final = ((b"\0\1", 32), (b"\0\2", 128))

CachedPrefix = tuple[int, int, int]
"""Address as an integer, prefix length and max_length in bits."""


@dataclass(frozen=True, slots=True)
class CachedManifest:
    """One manifest. `sha256` and `size` (octets) are of the whole object, `subordinates` the key identifiers of CAs."""

    sha256: bytes
    size: int
    authority_key_id: bytes
    number: int
    this_update: int
    locations: tuple[str, ...]
    subordinates: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class CachedRoas:
    """All VRPs of one AS."""

    asn: int
    ipv4: tuple[CachedPrefix, ...]
    ipv6: tuple[CachedPrefix, ...]


@dataclass(frozen=True, slots=True)
class Ccr:
    """One representation; times are unix seconds. A part that is None is not there, which is not the same as empty.

    `aspas`: a customer and its providers; `trust_anchors`: key identifiers; `router_keys`: an AS and its key
    identifiers, each with the DER of the key.
    """

    produced_at: int
    manifests: tuple[CachedManifest, ...] | None = None
    roas: tuple[CachedRoas, ...] | None = None
    aspas: tuple[tuple[int, tuple[int, ...]], ...] | None = None
    trust_anchors: tuple[bytes, ...] | None = None
    router_keys: tuple[tuple[int, tuple[tuple[bytes, bytes], ...]], ...] | None = None


def parse_ccr(data: bytes) -> Ccr:
    """A representation whose hashes are right and whose parts are in order. Raises `ObjectError`, `LimitError`."""
    check_size(data, MAX_CCR_BYTES, "canonical cache representation")
    outer = decode(asn1.ContentInfo, data, _SECTION, "canonical cache representation")
    if outer.content_type != oids.CCR:
        raise ObjectError(_SECTION, f"The content is of type {oids.name(outer.content_type)}, not CCR.")
    inner = outer.content
    if inner.version != 0:
        raise ObjectError(_SECTION, f"The representation has version {shown(inner.version)}; only 0 exists.")
    if inner.hash_alg.algorithm != oids.SHA256:
        raise ObjectError(_SECTION, "The hash algorithm is not SHA-256.")
    if all(part is None for part in (inner.mfts, inner.vrps, inner.vaps, inner.tas, inner.rks)):
        raise ObjectError(_SECTION, "The representation has no part at all.")
    produced_at = _seconds(inner.produced_at, "producedAt")
    return Ccr(
        produced_at,
        None if inner.mfts is None else _manifests(inner.mfts, produced_at),
        None if inner.vrps is None else _roas(_listed(inner.vrps, asn1.ROAPayloadSets, "VRPs").sets),
        None if inner.vaps is None else _aspas(_listed(inner.vaps, asn1.ASPAPayloadSets, "ASPAs").sets),
        None if inner.tas is None else _trust_anchors(_listed(inner.tas, asn1.SubjectKeyIdentifiers, "trust anchors")),
        None if inner.rks is None else _router_keys(_listed(inner.rks, asn1.RouterKeySets, "router keys").sets),
    )


def write_ccr(ccr: Ccr) -> bytes:
    """The DER of a representation, in the one order that makes equal states equal octets; nothing is checked."""
    inner = asn1.CanonicalCacheRepresentation(
        version=0,
        hash_alg=asn1.DigestAlgorithm(algorithm=oids.SHA256),
        produced_at=_time(ccr.produced_at),
        mfts=None if ccr.manifests is None else _manifest_state(ccr.manifests),
        vrps=None
        if ccr.roas is None
        else _state(asn1.ROAPayloadSets(sets=[_roa_set(each) for each in sorted(ccr.roas, key=lambda each: each.asn)])),
        vaps=None if ccr.aspas is None else _state(_aspa_sets(ccr.aspas)),
        tas=None
        if ccr.trust_anchors is None
        else _state(asn1.SubjectKeyIdentifiers(identifiers=sorted(ccr.trust_anchors))),
        rks=None if ccr.router_keys is None else _state(_router_key_sets(ccr.router_keys)),
    )
    return encode(asn1.ContentInfo(content_type=oids.CCR, content=inner))


# --- reading -------------------------------------------------------------------------------------------------------


def _listed(state: asn1.HashedState | asn1.ManifestState, declaration: type[T], what: str) -> T:
    """The list of a state, whose hash must be right (section 4.4)."""
    element = state.instances if isinstance(state, asn1.ManifestState) else state.list
    octets = tlv_bytes(element)
    if hashlib.sha256(octets).digest() != state.hash:
        raise ObjectError(_SECTION, f"The hash of the {what} is not that of what is listed.")
    return decode(declaration, header(0x30, len(octets)) + octets, _SECTION, f"list of {what}")


def _manifests(state: asn1.ManifestState, produced_at: int) -> tuple[CachedManifest, ...]:
    found = tuple(map(_manifest, _listed(state, asn1.ManifestInstances, "manifests").instances))
    _check_ascending([each.sha256 for each in found], "manifests")
    latest = _seconds(state.most_recent_update, "mostRecentUpdate")
    if found and latest != max(each.this_update for each in found):
        raise ObjectError(_SECTION, "The time of the most recent update is not that of the latest manifest.")
    if latest > produced_at:
        raise ObjectError(_SECTION, "The latest manifest was issued after the representation was made.")
    return found


def _manifest(instance: asn1.ManifestInstance) -> CachedManifest:
    if len(instance.hash) != _DIGEST_SIZE or len(instance.aki) != _KEY_ID_SIZE:
        raise ObjectError(_SECTION, "A manifest has a hash or a key identifier of another size than those have.")
    check_number(instance.manifest_number, 0, _SECTION, "manifest number")
    if instance.size < 0:
        raise ObjectError(_SECTION, "A manifest has a negative size.")
    locations = tuple(each.access_location.as_str() for each in instance.locations)
    if not locations or not all(map(is_rsync_uri, locations[:1])):
        raise ObjectError(_SECTION, "A manifest has no rsync URI.")
    subordinates = tuple(instance.subordinates or ())
    _check_key_ids(subordinates, "subordinate CAs of a manifest")
    return CachedManifest(
        instance.hash,
        instance.size,
        instance.aki,
        instance.manifest_number,
        _seconds(instance.this_update, "thisUpdate"),
        locations,
        subordinates,
    )


def _roas(sets: list[asn1.ROAPayloadSet]) -> tuple[CachedRoas, ...]:
    _check_ascending([_asn(each.as_id) for each in sets], "ASes of the VRPs")
    return tuple(map(_roa, sets))


def _roa(roas: asn1.ROAPayloadSet) -> CachedRoas:
    blocks = {block.address_family: block.addresses for block in roas.ip_addr_blocks}
    if not blocks or len(blocks) != len(roas.ip_addr_blocks) or not blocks.keys() <= dict(_FAMILIES).keys():
        raise ObjectError(_SECTION, f"The VRPs of AS{roas.as_id} are not of IPv4 and IPv6, each family once.")
    ipv4, ipv6 = (_ordered(_prefix(each, bits) for each in blocks.get(family, ())) for family, bits in _FAMILIES)
    return CachedRoas(roas.as_id, tuple(ipv4), tuple(ipv6))


def _prefix(address: roa_asn1.ROAIPAddress, bits: int) -> CachedPrefix:
    first, last = address_range(address.address, bits, _SECTION)
    length = bits - (last - first).bit_length()
    max_length = length if address.max_length is None else address.max_length
    if not length <= max_length <= bits:
        raise ObjectError(_SECTION, f"A VRP has maxLength {shown(max_length)}, which its prefix does not allow.")
    return first, length, max_length


def _aspas(sets: list[asn1.ASPAPayloadSet]) -> tuple[tuple[int, tuple[int, ...]], ...]:
    _check_ascending([_asn(each.customer_asid) for each in sets], "customers of the ASPAs")
    for each in sets:
        _check_ascending(list(map(_asn, each.providers)), f"providers of AS{each.customer_asid}")
        if 0 in each.providers[:-1]:
            raise ObjectError(
                _SECTION, f"AS{each.customer_asid} has AS0, which says that it has no provider, and others."
            )
    return tuple((each.customer_asid, tuple(each.providers)) for each in sets)


def _trust_anchors(listed: asn1.SubjectKeyIdentifiers) -> tuple[bytes, ...]:
    _check_key_ids(listed.identifiers, "trust anchors")
    return tuple(listed.identifiers)


def _router_keys(sets: list[asn1.RouterKeySet]) -> tuple[tuple[int, tuple[tuple[bytes, bytes], ...]], ...]:
    _check_ascending([_asn(each.as_id) for each in sets], "ASes of the router keys")
    for each in sets:
        _check_key_ids([key.ski for key in each.router_keys], f"router keys of AS{each.as_id}")
    return tuple((each.as_id, tuple((key.ski, tlv_bytes(key.spki)) for key in each.router_keys)) for each in sets)


def _check_key_ids(identifiers: Sequence[bytes], what: str) -> None:
    if any(len(each) != _KEY_ID_SIZE for each in identifiers):
        raise ObjectError(_SECTION, f"The {what} have a key identifier that is not 20 octets.")
    _check_ascending(identifiers, what)


def _check_ascending(values: Sequence[Any], what: str) -> None:
    if any(one >= following for one, following in pairwise(values)):
        raise ObjectError(_SECTION, f"The {what} are not in ascending order, each once.")


def _asn(number: int) -> int:
    if not 0 <= number <= MAX_ASN:
        raise ObjectError(_SECTION, f"{shown(number)} is not an AS number.")
    return number


def _seconds(time: GeneralizedTime, what: str) -> int:
    return generalized_seconds(time, _SECTION, what)


# --- writing -------------------------------------------------------------------------------------------------------


def _state(listed: Any) -> asn1.HashedState:
    element, digest = _hashed(listed)
    return asn1.HashedState(list=element, hash=digest)


def _hashed(listed: Any) -> tuple[TLV, bytes]:
    """A list without the SEQUENCE that its declaration puts around it, and the hash over it."""
    octets = encode(listed)
    octets = octets[contents_of(octets) :]
    return decode(TLV, octets, _SECTION, "list"), hashlib.sha256(octets).digest()


def _manifest_state(manifests: Iterable[CachedManifest]) -> asn1.ManifestState:
    ordered = sorted(manifests, key=lambda each: each.sha256)
    element, digest = _hashed(asn1.ManifestInstances(instances=list(map(_manifest_instance, ordered))))
    latest = max((each.this_update for each in ordered), default=0)
    return asn1.ManifestState(instances=element, most_recent_update=_time(latest), hash=digest)


def _manifest_instance(manifest: CachedManifest) -> asn1.ManifestInstance:
    return asn1.ManifestInstance(
        hash=manifest.sha256,
        size=manifest.size,
        aki=manifest.authority_key_id,
        manifest_number=manifest.number,
        this_update=_time(manifest.this_update),
        locations=[
            asn1.Location(access_method=oids.SIGNED_OBJECT, access_location=IA5String(uri))
            for uri in manifest.locations
        ],
        subordinates=sorted(manifest.subordinates) or None,
    )


def _roa_set(roas: CachedRoas) -> asn1.ROAPayloadSet:
    blocks = [
        roa_asn1.ROAIPAddressFamily(
            address_family=family, addresses=[_address(*each, bits) for each in _ordered(found)]
        )
        for (family, bits), found in zip(_FAMILIES, (roas.ipv4, roas.ipv6), strict=True)
        if found
    ]
    return asn1.ROAPayloadSet(as_id=roas.asn, ip_addr_blocks=blocks)


def _ordered(prefixes: Iterable[CachedPrefix]) -> list[CachedPrefix]:
    """By address; of one address the longest prefix and the longest maxLength first, as other validators have it."""
    return sorted(set(prefixes), key=lambda each: (each[0], -each[1], -each[2]))


def _address(first: int, length: int, max_length: int, bits: int) -> roa_asn1.ROAIPAddress:
    octets = (first >> (bits - length) << (-length % 8)).to_bytes((length + 7) // 8, "big")
    own = None if max_length == length else max_length
    return roa_asn1.ROAIPAddress(address=BitString(octets, -length % 8), max_length=own)


def _aspa_sets(aspas: Iterable[tuple[int, Sequence[int]]]) -> asn1.ASPAPayloadSets:
    sets = [
        asn1.ASPAPayloadSet(customer_asid=customer, providers=sorted(set(providers)))
        for customer, providers in sorted(aspas)
    ]
    return asn1.ASPAPayloadSets(sets=sets)


def _router_key_sets(keys: Iterable[tuple[int, Sequence[tuple[bytes, bytes]]]]) -> asn1.RouterKeySets:
    sets = [
        asn1.RouterKeySet(
            as_id=asn,
            router_keys=[
                asn1.RouterKey(ski=ski, spki=decode(TLV, key_info, _SECTION, "router's key"))
                for ski, key_info in sorted(set(pairs))
            ],
        )
        for asn, pairs in sorted(keys)
    ]
    return asn1.RouterKeySets(sets=sets)


def _time(moment: int) -> GeneralizedTime:
    if not 0 <= moment <= MAX_UNIX_TIME:
        raise LimitError(f"{moment} is no time that can be written.")
    return GeneralizedTime(datetime.fromtimestamp(moment, UTC))
