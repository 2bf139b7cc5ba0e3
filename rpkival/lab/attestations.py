"""What is in the signed objects that not every repository has, each as its document writes it."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from rpkival.lab import der
from rpkival.lab.number_resources import AFI, Resources, address_bits

__all__ = [
    "ASPA",
    "CHECKLIST",
    "GHOSTBUSTERS",
    "PREFIX_LIST",
    "TRUST_ANCHOR_KEY",
    "AnchorKey",
    "aspa_content",
    "checklist_content",
    "prefix_list_content",
    "trust_anchor_key_content",
    "vcard",
]

GHOSTBUSTERS = "1.2.840.113549.1.9.16.1.35"
CHECKLIST = "1.2.840.113549.1.9.16.1.48"
ASPA = "1.2.840.113549.1.9.16.1.49"
TRUST_ANCHOR_KEY = "1.2.840.113549.1.9.16.1.50"
PREFIX_LIST = "1.2.840.113549.1.9.16.1.51"

_SHA256 = der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"))

AnchorKey: TypeAlias = tuple[Sequence[str], bytes, *tuple[str, ...]]
"""The URIs of a trust anchor's certificate, and the DER of its public key."""


def aspa_content(customer: int, providers: Sequence[int]) -> bytes:
    """ASProviderAttestation (draft-ietf-sidrops-aspa-profile section 3) of version 1; `providers` as they are given."""
    return der.sequence(
        der.explicit(0, der.integer(1)), der.integer(customer), der.sequence(*(map(der.integer, providers)))
    )


def vcard(name: str, email: str) -> bytes:
    """A Ghostbusters record is a vCard, not ASN.1 (RFC 6493 section 5)."""
    lines = ("BEGIN:VCARD", "VERSION:4.0", f"FN:{name}", f"EMAIL:{email}", "END:VCARD", "")
    return "\r\n".join(lines).encode()


def trust_anchor_key_content(
    current: AnchorKey, predecessor: AnchorKey | None = None, successor: AnchorKey | None = None
) -> bytes:
    """TAK (RFC 9691 section 2.2)."""
    before = [der.explicit(0, _anchor_key(predecessor))] if predecessor else []
    after = [der.explicit(1, _anchor_key(successor))] if successor else []
    return der.sequence(_anchor_key(current), *before, *after)


def _anchor_key(key: AnchorKey) -> bytes:
    uris, key_info, *comments = key
    return der.sequence(
        der.sequence(*map(der.utf8_string, comments)), der.sequence(*map(der.ia5_string, uris)), key_info
    )


def checklist_content(resources: Resources, files: Mapping[str, bytes]) -> bytes:
    """RpkiSignedChecklist (RFC 9323 section 4) of files by name with their content."""
    numbers, blocks = resources.as_ranges(), resources.address_blocks()
    block = [
        *([der.explicit(0, der.sequence(der.explicit(0, numbers)))] if numbers else []),
        *([der.explicit(1, blocks)] if blocks else []),
    ]
    entries = (
        der.sequence(der.ia5_string(name), der.octet_string(hashlib.sha256(content).digest()))
        for name, content in files.items()
    )
    return der.sequence(der.sequence(*block), _SHA256, der.sequence(*entries))


def prefix_list_content(asn: int, prefixes: Sequence[str]) -> bytes:
    """RpkiSignedPrefixList (draft-ietf-sidrops-rpki-prefixlist section 3), in canonical order, each once."""
    networks = sorted(
        set(map(ipaddress.ip_network, prefixes)), key=lambda each: (int(each.network_address), each.prefixlen)
    )
    families = []
    for version, afi in AFI.items():
        bits = [
            address_bits(int(network.network_address), network.prefixlen, network.max_prefixlen)
            for network in networks
            if network.version == version
        ]
        if bits:
            families.append(der.sequence(der.octet_string(afi), der.sequence(*bits)))
    return der.sequence(der.integer(asn), der.sequence(*families))
