"""What a trust anchor may certify by the word of whoever runs the validator, in the format of rpki-client.

    allow 41.0.0.0/8            # a prefix
    allow 196.0.0.0 - 196.1.255.255
    allow 2001:4200::/23
    allow 36864 - 37887         # AS numbers, one or a range
    deny 10.0.0.0/8

As there: with any `allow` of addresses, only such addresses are taken, of either family; AS numbers likewise; and what
is denied is never taken. Held against what end entities and routers have, not against CAs: a registry may hold more
than it may speak for here, and what it has issued rightly is not lost with it.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from dataclasses import dataclass
from typing import Final, Literal

from rpkival.errors import FormatError, LimitError
from rpkival.limits import MAX_ASN, MAX_CONSTRAINTS, MAX_CONSTRAINTS_BYTES
from rpkival.objects.record import Record
from rpkival.objects.resources import (
    ResourceClaims,
    Resources,
    first_outside,
    format_ranges,
    intersection,
    united,
)

__all__ = ["Constraints", "parse_constraints"]

_NOTHING: Final = Resources()
_ACTIONS: Final = ("allow", "deny")
_FAMILIES: Final[tuple[Literal[4, 6, 0], ...]] = (4, 6, 0)


@dataclass(frozen=True, slots=True)
class Constraints(Record):
    """What is allowed, and what is denied. Nothing allowed of addresses, or of AS numbers, allows all of them."""

    allow: Resources = _NOTHING
    deny: Resources = _NOTHING

    def violation(self, claims: ResourceClaims) -> str | None:
        """The first block in the claims that must not be, as text; what is inherited is not looked at."""
        of_addresses = bool(self.allow.ipv4 or self.allow.ipv6)
        for family, claim, allowed, denied, is_limited in (
            (4, claims.ipv4, self.allow.ipv4, self.deny.ipv4, of_addresses),
            (6, claims.ipv6, self.allow.ipv6, self.deny.ipv6, of_addresses),
            (0, claims.asn, self.allow.asn, self.deny.asn, bool(self.allow.asn)),
        ):
            if not isinstance(claim, tuple):
                continue
            outside = first_outside(allowed, claim) if is_limited else None
            inside = intersection(claim, denied)
            if outside is not None or inside:
                return format_ranges(inside[:1] if outside is None else (outside,), family)[0]  # type: ignore[arg-type]
        return None


def parse_constraints(data: bytes, name: str) -> Constraints:
    """Read a file of constraints. Raises `FormatError` that names the line, `LimitError`."""
    if len(data) > MAX_CONSTRAINTS_BYTES:
        raise LimitError(f"{name} has {len(data)} octets; {MAX_CONSTRAINTS_BYTES} are allowed.")
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise FormatError(f"{name} is not text, so it holds no constraints.") from None
    if len(lines) > MAX_CONSTRAINTS:
        raise LimitError(f"{name} has {len(lines)} lines; {MAX_CONSTRAINTS} are allowed.")
    found: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for number, line in enumerate(lines, 1):
        words = line.partition("#")[0].split(None, 1)
        if not words:
            continue
        try:
            action, text = words
            family, block = _block(text)
        except ValueError:
            action = ""
        if action not in _ACTIONS:
            raise FormatError(
                f"{name}, line {number}: {line.strip()[:80]!r} is not allow or deny with a prefix, an AS number, or a "
                "range of addresses or AS numbers."
            )
        found[action, family].append(block)
    return Constraints(*(Resources(*(united(found[action, family]) for family in _FAMILIES)) for action in _ACTIONS))


def _block(text: str) -> tuple[Literal[4, 6, 0], tuple[int, int]]:
    """Family and first and last of what the text says. Raises `ValueError`."""
    if "." not in text and ":" not in text:
        low, dash, high = (part.strip() for part in text.partition("-"))
        first, last = int(low), int(high if dash else low)
        if not 0 <= first <= last <= MAX_ASN:
            raise ValueError
        return 0, (first, last)
    family: Literal[4, 6] = 4 if "." in text and ":" not in text else 6
    if "-" in text:
        start, end = (ipaddress.ip_address(part.strip()) for part in text.split("-"))
        if start.version != end.version or int(start) > int(end):
            raise ValueError
        return family, (int(start), int(end))
    network = ipaddress.ip_network(text.strip())
    return family, (int(network.network_address), int(network.broadcast_address))
