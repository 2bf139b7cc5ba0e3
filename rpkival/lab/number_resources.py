"""IP addresses and AS numbers as certificates carry them (RFC 3779), in canonical form."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rpkival.lab import der

__all__ = ["INHERIT", "Resources", "address_bits"]

_ADDRESS_BITS = {4: 32, 6: 128}
AFI = {4: b"\x00\x01", 6: b"\x00\x02"}
"""Address family identifiers (RFC 3779 section 2.2.3.3)."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a certificate speaks for: prefixes as text, AS numbers one by one or as (first, last)."""

    prefixes: Sequence[str] = ()
    asns: Sequence[int | tuple[int, int]] = ()

    def address_blocks(self) -> bytes | None:
        """IPAddrBlocks (RFC 3779 section 2.2.3), None where there are no addresses."""
        networks = [ipaddress.ip_network(prefix) for prefix in self.prefixes]
        families = []
        for version, afi in AFI.items():
            ranges = _merged(
                (int(network.network_address), int(network.broadcast_address))
                for network in networks
                if network.version == version
            )
            if ranges:
                choices = (_address_or_range(first, last, _ADDRESS_BITS[version]) for first, last in ranges)
                families.append(der.sequence(der.octet_string(afi), der.sequence(*choices)))
        return der.sequence(*families) if families else None

    def as_identifiers(self) -> bytes | None:
        """ASIdentifiers (RFC 3779 section 3.2.3), None where there are no AS numbers."""
        ranges = self.as_ranges()
        return der.sequence(der.explicit(0, ranges)) if ranges else None

    def as_ranges(self) -> bytes | None:
        """The SEQUENCE of AS numbers and ranges alone, None where there are none."""
        ranges = _merged((asn, asn) if isinstance(asn, int) else asn for asn in self.asns)
        if not ranges:
            return None
        return der.sequence(
            *(
                der.integer(first) if first == last else der.sequence(der.integer(first), der.integer(last))
                for first, last in ranges
            )
        )


class _Inherit(Resources):
    """Whatever the issuer has, as certificates of manifests say (RFC 9286 section 5.1)."""

    def address_blocks(self) -> bytes:
        return der.sequence(*(der.sequence(der.octet_string(afi), der.NULL) for afi in AFI.values()))

    def as_identifiers(self) -> bytes:
        return der.sequence(der.explicit(0, der.NULL))


INHERIT = _Inherit()


def address_bits(address: int, kept: int, width: int) -> bytes:
    """The first `kept` of an address's `width` bits as a BIT STRING: a prefix (RFC 3779 section 2.1.1)."""
    octets = (address >> (width - kept) << (-kept % 8)).to_bytes((kept + 7) // 8, "big")
    return der.bit_string(octets, -kept % 8)


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted, with overlapping and adjacent ranges made one (RFC 3779 sections 2.2.3.6 and 3.2.3.4)."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _address_or_range(first: int, last: int, width: int) -> bytes:
    """A prefix where the range is one, as RFC 3779 section 2.2.3.7 demands, else its two ends."""
    host = (first ^ last).bit_length()
    if first & ((1 << host) - 1) == 0 and last & ((1 << host) - 1) == (1 << host) - 1:
        return address_bits(first, width - host, width)
    zeros = (first & -first).bit_length() - 1 if first else width
    ones = (~last & (last + 1)).bit_length() - 1
    return der.sequence(address_bits(first, width - zeros, width), address_bits(last, width - ones, width))
