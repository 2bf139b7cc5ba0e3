"""What the content of each kind of signed object says, for people; and how each is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from cryptography.x509 import ObjectIdentifier

from rpkival.objects import oids
from rpkival.objects.asn1.aspa import ASProviderAttestation
from rpkival.objects.asn1.checklist import RpkiSignedChecklist
from rpkival.objects.asn1.manifest import Manifest
from rpkival.objects.asn1.prefix_list import RpkiSignedPrefixList
from rpkival.objects.asn1.roa import RouteOriginAttestation
from rpkival.objects.asn1.trust_anchor_key import TAK
from rpkival.objects.aspa import parse_aspa, parse_aspa_content
from rpkival.objects.ccr import CachedManifest, Ccr
from rpkival.objects.certificate import Role
from rpkival.objects.checklist import parse_checklist, parse_checklist_content
from rpkival.objects.ghostbusters import parse_ghostbusters, parse_vcard
from rpkival.objects.keys import key_identifier
from rpkival.objects.manifest import parse_manifest, parse_manifest_content
from rpkival.objects.prefix_list import parse_prefix_list, parse_prefix_list_content
from rpkival.objects.resources import Ranges, format_ranges
from rpkival.objects.roa import parse_roa, parse_roa_content
from rpkival.objects.times import format_time
from rpkival.objects.trust_anchor_key import AnchorKey, parse_tak, parse_tak_content

__all__ = ["SIGNED_KINDS", "Described", "Fields", "SignedKind", "ccr_fields", "number_text"]

Fields = dict[str, Any]
Family = Literal[4, 6]


@dataclass(frozen=True, slots=True)
class Described:
    """Fields, and the unix seconds between which the content itself says that it holds, if it does."""

    fields: Fields
    holds: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class SignedKind:
    """One kind of signed object: what it is called, what its content says, and how the whole is judged.

    `describe` raises `ObjectError` and `LimitError`; so does `parse`, which takes `require_signing_time` and `strict`.
    `declaration` is the content's type, None where that is no ASN.1.
    """

    name: str
    describe: Callable[[bytes], Described]
    parse: Callable[..., object]
    declaration: type | None
    role: Role = Role.END_ENTITY


def number_text(number: int) -> str:
    """A number of up to 20 octets: hex, for JSON's numbers are smaller."""
    return f"{number:X}"


def _roa(content: bytes) -> Described:
    roa = parse_roa_content(content)
    prefixes = [
        {"prefix": _prefix(address, length, family), "max_length": max_length}
        for family, found in ((4, roa.ipv4), (6, roa.ipv6))
        for address, length, max_length in found
    ]
    return Described({"asn": f"AS{roa.asn}", "prefixes": prefixes})


def _prefix(address: int, length: int, family: int) -> str:
    last = address | ((1 << ((32 if family == 4 else 128) - length)) - 1)
    return format_ranges(((address, last),), 4 if family == 4 else 6)[0]


def _manifest(content: bytes) -> Described:
    manifest = parse_manifest_content(content)
    fields = {
        "number": number_text(manifest.number),
        "this_update": format_time(manifest.this_update),
        "next_update": format_time(manifest.next_update),
        "files": {name: digest.hex() for name, digest in manifest.files.items()},
    }
    return Described(fields, (manifest.this_update, manifest.next_update))


def _aspa(content: bytes) -> Described:
    aspa = parse_aspa_content(content)
    return Described({"customer": f"AS{aspa.customer}", "providers": [f"AS{asn}" for asn in aspa.providers]})


def _ghostbusters(content: bytes) -> Described:
    return Described({"vcard": [f"{name}: {value}" for name, value in parse_vcard(content)]})


def _tak(content: bytes) -> Described:
    tak = parse_tak_content(content)
    keys = (("current", tak.current), ("predecessor", tak.predecessor), ("successor", tak.successor))
    return Described({name: _anchor_key(key) for name, key in keys if key is not None})


def _anchor_key(key: AnchorKey) -> Fields:
    return {
        "comments": list(key.comments),
        "uris": list(key.uris),
        "key_id": key_identifier(key.key_info).hex(),
    }


def _checklist(content: bytes) -> Described:
    checklist = parse_checklist_content(content)
    resources = checklist.resources
    kinds: tuple[tuple[str, Ranges, Literal[0, 4, 6]], ...] = (
        ("ipv4", resources.ipv4, 4),
        ("ipv6", resources.ipv6, 6),
        ("asn", resources.asn, 0),
    )
    fields: Fields = {name: format_ranges(ranges, family) for name, ranges, family in kinds if ranges}
    fields["files"] = [f"{name or '(any name)'} {digest.hex()}" for name, digest in checklist.files]
    return Described(fields)


def _prefix_list(content: bytes) -> Described:
    found = parse_prefix_list_content(content)
    prefixes = [_prefix(*prefix, 4) for prefix in found.ipv4] + [_prefix(*prefix, 6) for prefix in found.ipv6]
    return Described({"asn": f"AS{found.asn}", "prefixes": prefixes})


SIGNED_KINDS: Final[dict[ObjectIdentifier, SignedKind]] = {
    oids.ROUTE_ORIGIN_AUTHZ: SignedKind("ROA", _roa, parse_roa, RouteOriginAttestation),
    oids.RPKI_MANIFEST: SignedKind("manifest", _manifest, parse_manifest, Manifest),
    oids.ASPA: SignedKind("ASPA", _aspa, parse_aspa, ASProviderAttestation),
    oids.GHOSTBUSTERS: SignedKind("Ghostbusters record", _ghostbusters, parse_ghostbusters, None),
    oids.TAK: SignedKind("trust anchor key", _tak, parse_tak, TAK),
    oids.CHECKLIST: SignedKind("signed checklist", _checklist, parse_checklist, RpkiSignedChecklist, Role.DETACHED),
    oids.PREFIX_LIST: SignedKind("signed prefix list", _prefix_list, parse_prefix_list, RpkiSignedPrefixList),
}


def ccr_fields(ccr: Ccr) -> Fields:
    """All that a canonical cache representation says; parts that it has not are left out."""
    fields: Fields = {"produced_at": format_time(ccr.produced_at)}
    if ccr.manifests is not None:
        fields["manifests"] = list(map(_cached_manifest, ccr.manifests))
    if ccr.roas is not None:
        fields["vrps"] = [
            {
                "asn": f"AS{roas.asn}",
                "prefixes": [
                    {"prefix": _prefix(address, length, family), "max_length": max_length}
                    for family, found in ((4, roas.ipv4), (6, roas.ipv6))
                    for address, length, max_length in found
                ],
            }
            for roas in ccr.roas
        ]
    if ccr.aspas is not None:
        fields["aspas"] = [
            {"customer": f"AS{customer}", "providers": [f"AS{asn}" for asn in providers]}
            for customer, providers in ccr.aspas
        ]
    if ccr.trust_anchors is not None:
        fields["trust_anchors"] = [each.hex() for each in ccr.trust_anchors]
    if ccr.router_keys is not None:
        fields["router_keys"] = [
            {"asn": f"AS{asn}", "key_ids": [key_id.hex() for key_id, _ in keys]} for asn, keys in ccr.router_keys
        ]
    return fields


def _cached_manifest(manifest: CachedManifest) -> Fields:
    return {
        "uri": manifest.locations[0],
        "sha256": manifest.sha256.hex(),
        "size": manifest.size,
        "authority_key_id": manifest.authority_key_id.hex(),
        "number": number_text(manifest.number),
        "this_update": format_time(manifest.this_update),
        "subordinates": [each.hex() for each in manifest.subordinates],
    }
