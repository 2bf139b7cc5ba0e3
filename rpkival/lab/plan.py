"""Which CAs a built repository has, what each holds, and what each publishes: all of it from a few numbers and a seed.

CAs are numbered in the order of a walk that visits parents first, so that each with all below it is one range of
numbers. Every number has its own block of addresses and AS numbers, and a CA holds those of its range: what it
publishes is in its own block, what its children hold is the rest. Nothing has to be kept, and any CA can be worked out
alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, summarize_address_range
from itertools import chain
from typing import Final, NamedTuple, TypeAlias

from rpkival.errors import UsageError
from rpkival.lab.number_resources import Resources

__all__ = ["AspaPlan", "Host", "Plan", "PointPlan", "RoaPlan", "Vrp", "seeded"]

Vrp: TypeAlias = tuple[int, str, int]
"""AS number, prefix, maxLength."""

_IPV4: Final = IPv4Network("10.0.0.0/8")
_IPV6: Final = IPv6Network("fd00::/16")
_FIRST_ASN: Final = 4_200_000_000
"""All for private use (RFC 1918, RFC 4193, RFC 6996), so that nothing is mistaken for a part of the Internet."""

_ASNS_A_CA: Final = 16
_MOST_CAS: Final = 2**20 - 1
"""So that each still has a /28 of its own."""

_NAMES: Final = ("Alpha", "Beta", "Gamma", "Delta")


class RoaPlan(NamedTuple):
    """One ROA."""

    asn: int
    prefixes: tuple[tuple[str, int], ...]


class AspaPlan(NamedTuple):
    """One ASPA."""

    customer: int
    providers: tuple[int, ...]


class Host(NamedTuple):
    """Where CAs publish: an rsync URI with a slash at its end, and that of the RRDP notification file if any."""

    rsync: str
    notify: str | None = None


@dataclass(frozen=True, slots=True)
class PointPlan:
    """What one CA publishes beside its children's certificates."""

    roas: tuple[RoaPlan, ...]
    aspas: tuple[AspaPlan, ...]
    router_asns: tuple[int, ...]
    prefix_list: RoaPlan | None
    contact: str | None

    @property
    def vrps(self) -> set[Vrp]:
        """Of all ROAs."""
        return {(roa.asn, prefix, max_length) for roa in self.roas for prefix, max_length in roa.prefixes}


def seeded(text: str) -> random.Random:
    """Numbers that are the same for the same text."""
    return random.Random(text)  # noqa: S311 - they are to be repeated, not to be secret


@dataclass(frozen=True)
class Plan:
    """A tree of `cas` CAs, the trust anchor aside, in at most `depth` levels, published on `hosts` hosts.

    Raises `UsageError` for a tree that cannot be.
    """

    cas: int = 60
    roas: int = 120
    aspas: int = 20
    router_keys: int = 10
    depth: int = 3
    hosts: int = 3
    seed: int = 1
    name: str = "lab"

    def __post_init__(self) -> None:
        if not 1 <= self.depth <= self.cas:
            raise UsageError(f"{self.cas} CAs cannot have {self.depth} levels; give at least one CA for each level.")
        if self.cas > _MOST_CAS:
            raise UsageError(f"A built repository has at most {_MOST_CAS} CAs, not {self.cas}.")
        if min(self.roas, self.aspas, self.router_keys) < 0 or self.hosts < 1:
            raise UsageError("A built repository needs a host, and cannot have less than no objects.")

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """The parent of each CA by number; the trust anchor is number 0 and its own."""
        rng = seeded(f"{self.seed} tree")
        below: dict[int, list[int]] = {}
        above, made = [0], 1
        for size in self._level_sizes():
            level = list(range(made, made + size))
            for ca in level:
                below.setdefault(rng.choice(above), []).append(ca)
            above, made = level, made + size
        # Numbered anew, parents first.
        parents: list[int] = []
        waiting = [(0, 0)]
        while waiting:
            ca, parent = waiting.pop()
            number = len(parents)
            parents.append(parent)
            waiting += [(child, number) for child in reversed(below.get(ca, ()))]
        return tuple(parents)

    def _level_sizes(self) -> list[int]:
        """Each level so many times larger than the one above it."""
        ratio = self.cas ** (1 / self.depth)
        weights = [ratio**level for level in range(1, self.depth + 1)]
        sizes = [max(1, int(self.cas * weight / sum(weights))) for weight in weights[:-1]]
        return [*sizes, self.cas - sum(sizes)]

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """For each CA the number after the last one below it."""
        ends = list(range(1, self.cas + 2))
        for ca in range(self.cas, 0, -1):
            parent = self.parents[ca]
            ends[parent] = max(ends[parent], ends[ca])
        return tuple(ends)

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the CAs below each."""
        children: list[list[int]] = [[] for _ in range(self.cas + 1)]
        for ca in range(1, self.cas + 1):
            children[self.parents[ca]].append(ca)
        return tuple(map(tuple, children))

    @cached_property
    def _shares(self) -> tuple[tuple[int, ...], ...]:
        """How many ROAs, ASPAs and router keys each CA has."""
        rng = seeded(f"{self.seed} shares")
        shares = []
        for number in (self.roas, self.aspas, self.router_keys):
            counts = [0] * (self.cas + 1)
            for ca in rng.choices(range(1, self.cas + 1), k=number):
                counts[ca] += 1
            shares.append(tuple(counts))
        return tuple(shares)

    def hosts_by_name(self) -> tuple[Host, ...]:
        """All of them, each with a module named as the host itself, by rsync alone."""
        modules = (f"repo{number}" for number in range(self.hosts))
        return tuple(Host(f"rsync://{module}.{self.name}.example/{module}/") for module in modules)

    def ca_name(self, ca: int) -> str:
        """Its name, and that of its files."""
        return f"ca-{ca}"

    def resources(self, ca: int) -> Resources:
        """What a CA holds: the blocks of all numbers from its own to the last below it."""
        end = self.ends[ca]
        numbers = (_FIRST_ASN + ca * _ASNS_A_CA, _FIRST_ASN + end * _ASNS_A_CA - 1)
        if ca == 0:
            return Resources([str(_IPV4), str(_IPV6)], [numbers])
        ipv4, ipv6 = self._ipv4(ca), self._ipv6(ca)
        last4, last6 = int(self._ipv4(end - 1).broadcast_address), int(self._ipv6(end - 1).broadcast_address)
        blocks = chain[IPv4Network | IPv6Network](
            summarize_address_range(ipv4.network_address, IPv4Address(last4)),
            summarize_address_range(ipv6.network_address, IPv6Address(last6)),
        )
        return Resources([str(block) for block in blocks], [numbers])

    def point(self, ca: int, version: int) -> PointPlan:
        """What a CA publishes in a version of its publication point; each version has other ROAs."""
        if ca == 0:
            return PointPlan((), (), (), None, None)
        roas, aspas, router_keys = (share[ca] for share in self._shares)
        rng = seeded(f"{self.seed} {ca} {version}")
        asns = [_FIRST_ASN + ca * _ASNS_A_CA + each for each in range(_ASNS_A_CA)]
        special = ca < 8
        return PointPlan(
            tuple(self._roa(ca, rng) for _ in range(roas)),
            tuple(AspaPlan(asns[each % _ASNS_A_CA], self._providers(rng)) for each in range(aspas)),
            tuple(asns[each % _ASNS_A_CA] for each in range(router_keys)),
            RoaPlan(asns[0], self._roa(ca, rng).prefixes) if special else None,
            rng.choice(_NAMES) if special else None,
        )

    def _roa(self, ca: int, rng: random.Random) -> RoaPlan:
        number = 1 if rng.random() < 0.7 else rng.randint(2, 5)
        prefixes = {self._prefix(ca, rng): None for _ in range(number)}
        return RoaPlan(_FIRST_ASN + rng.randrange(_ASNS_A_CA * (self.cas + 1)), tuple(prefixes))

    def _prefix(self, ca: int, rng: random.Random) -> tuple[str, int]:
        block = self._ipv4(ca) if rng.random() < 0.6 else self._ipv6(ca)
        length = min(block.prefixlen + rng.randint(0, 6), block.max_prefixlen)
        step = rng.randrange(1 << (length - block.prefixlen)) << (block.max_prefixlen - length)
        max_length = min(length + rng.choice((0, 0, 0, 1, 2)), block.max_prefixlen)
        return f"{block.network_address + step}/{length}", max_length

    def _providers(self, rng: random.Random) -> tuple[int, ...]:
        # Far from any customer: no AS may be its own provider (draft-ietf-sidrops-aspa-profile section 3.3).
        return tuple(sorted(rng.sample(range(64_512, 65_535), rng.randint(1, 6))))

    def _ipv4(self, ca: int) -> IPv4Network:
        bits = self._bits
        return IPv4Network((int(_IPV4.network_address) + (ca << (24 - bits)), _IPV4.prefixlen + bits))

    def _ipv6(self, ca: int) -> IPv6Network:
        bits = self._bits
        return IPv6Network((int(_IPV6.network_address) + (ca << (112 - bits)), _IPV6.prefixlen + bits))

    @property
    def _bits(self) -> int:
        return max(8, self.cas.bit_length())

    def numbers(self) -> Iterator[int]:
        """All CAs, the trust anchor first."""
        return iter(range(self.cas + 1))
