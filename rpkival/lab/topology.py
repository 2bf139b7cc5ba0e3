"""The ASes of the lab, who pays whom, what they announce, and which ROAs they hold.

Numbers and addresses are set aside for documentation and tests (RFC 5398, RFC 2544, RFC 3849), so that nothing of the
lab can be mistaken for a part of the Internet. AS65550 is left free for the router of the reader.

    AS64496 First Transit, accepts everything     sells transit to 64501 64502 64505 64510 65536 65537
        │ peers
    AS64497 Second Transit, drops invalid routes  sells transit to 64500 64505 64511 65536

So the victim (64505) and the beacons (65536) are reached through both, the hijacker (64510) and the announcer of the
invalid beacons (65537) only through the one that lets them.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple, TypeAlias

__all__ = [
    "LAB",
    "Address",
    "Announcement",
    "AutonomousSystem",
    "Beacon",
    "Network",
    "Roa",
    "Topology",
]

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address


class Roa(NamedTuple):
    """What is to be signed: `asn` may announce `prefix` and its more-specifics up to `max_length` bits."""

    asn: int
    prefix: str
    max_length: int


@dataclass(frozen=True, slots=True)
class Announcement:
    """An AS tells its neighbours that it is the origin of a prefix."""

    prefix: Network
    origin: int


@dataclass(frozen=True, slots=True)
class AutonomousSystem:
    """One network. `holds` are the prefixes the registry gave it; `announces` those that it is the origin of always."""

    asn: int
    name: str
    holds: tuple[str, ...]
    announces: tuple[str, ...]
    drops_invalid: bool = False
    feeds_collector: bool = False


@dataclass(frozen=True, slots=True)
class Beacon:
    """A destination whose answer tells which route led there.

    `invalid_origin` announces it without being allowed to; traffic that ends there took an invalid route.
    """

    name: str
    family: int
    address: Address
    invalid_origin: int


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole lab. `transit` are pairs (provider, customer); `peerings` exchange their customers' routes for free.

    `isps` are the ASes that a visitor of the page can sit behind, by name. `speaker` is the provider that routers on
    this machine get. `hijack` is a more-specific of the `victim`. `heartbeat` comes and goes all the time, as RIPE's
    routing beacons do, so that a feed of the lab which falls silent is broken and not just quiet.
    """

    systems: tuple[AutonomousSystem, ...]
    transit: tuple[tuple[int, int], ...]
    peerings: tuple[tuple[int, int], ...]
    roas: tuple[Roa, ...]
    beacons: tuple[Beacon, ...]
    isps: tuple[tuple[str, int], ...]
    speaker: int
    victim: int
    hijack: Announcement
    heartbeat: Announcement

    def system(self, asn: int) -> AutonomousSystem:
        """The AS of this number. Raises `KeyError`."""
        for system in self.systems:
            if system.asn == asn:
                return system
        raise KeyError(asn)

    def announcements(self) -> frozenset[Announcement]:
        """What is announced on a quiet day."""
        return frozenset(
            Announcement(ip_network(prefix), system.asn) for system in self.systems for prefix in system.announces
        )


def _system(
    asn: int, name: str, *prefixes: str, drops_invalid: bool = False, feeds_collector: bool = True
) -> AutonomousSystem:
    return AutonomousSystem(asn, name, prefixes, prefixes, drops_invalid, feeds_collector)


LAB = Topology(
    systems=(
        _system(64496, "First Transit", "198.18.0.0/20", "2001:db8::/40"),
        _system(64497, "Second Transit", "198.18.16.0/20", "2001:db8:100::/40", drops_invalid=True),
        _system(64500, "Guarded Fibre", "198.18.32.0/20", "2001:db8:200::/40", drops_invalid=True),
        _system(64501, "Open Broadband", "198.18.48.0/20", "2001:db8:300::/40"),
        # Drops invalid routes itself, but its only provider does not: traffic for the victim is lost one hop later.
        _system(64502, "Half Guarded Cable", "198.18.80.0/20", "2001:db8:500::/40", drops_invalid=True),
        _system(64505, "Example Video", "198.18.64.0/20", "2001:db8:400::/40", feeds_collector=False),
        _system(64510, "Overreach Telecom", "198.18.96.0/20", "2001:db8:600::/40", feeds_collector=False),
        _system(64511, "Unsigned Campus", "198.18.112.0/20", "2001:db8:700::/40"),
        AutonomousSystem(
            65536,
            "Beacon House",
            holds=("198.18.128.0/20", "2001:db8:800::/40"),
            announces=("198.18.128.0/24", "198.18.130.0/23", "2001:db8:800::/48", "2001:db8:802::/47"),
            feeds_collector=True,
        ),
        AutonomousSystem(
            65537,
            "Beacon Annex",
            holds=(),
            announces=("198.18.129.0/24", "198.18.131.0/24", "2001:db8:801::/48", "2001:db8:803::/48"),
        ),
    ),
    transit=(
        (64496, 64501),
        (64496, 64502),
        (64496, 64505),
        (64496, 64510),
        (64496, 65536),
        (64496, 65537),
        (64497, 64500),
        (64497, 64505),
        (64497, 64511),
        (64497, 65536),
    ),
    peerings=((64496, 64497),),
    roas=(
        Roa(64496, "198.18.0.0/20", 20),
        Roa(64496, "2001:db8::/40", 40),
        Roa(64497, "198.18.16.0/20", 20),
        Roa(64497, "2001:db8:100::/40", 40),
        Roa(64500, "198.18.32.0/20", 22),
        Roa(64500, "2001:db8:200::/40", 48),
        Roa(64501, "198.18.48.0/20", 20),
        Roa(64501, "2001:db8:300::/40", 40),
        Roa(64502, "198.18.80.0/20", 20),
        Roa(64502, "2001:db8:500::/40", 40),
        Roa(64505, "198.18.64.0/20", 20),
        Roa(64505, "2001:db8:400::/40", 40),
        Roa(64510, "198.18.96.0/20", 20),
        Roa(64510, "2001:db8:600::/40", 40),
        Roa(65536, "198.18.128.0/22", 24),
        Roa(65536, "2001:db8:800::/46", 48),
    ),
    beacons=(
        Beacon("valid", 4, ip_address("198.18.128.80"), 65537),
        Beacon("invalid", 4, ip_address("198.18.129.80"), 65537),
        Beacon("covered", 4, ip_address("198.18.131.80"), 65537),
        Beacon("valid", 6, ip_address("2001:db8:800::80"), 65537),
        Beacon("invalid", 6, ip_address("2001:db8:801::80"), 65537),
        Beacon("covered", 6, ip_address("2001:db8:803::80"), 65537),
    ),
    isps=(("drops", 64500), ("accepts", 64501), ("half", 64502)),
    speaker=64496,
    victim=64505,
    hijack=Announcement(ip_network("198.18.66.0/24"), 64510),
    heartbeat=Announcement(ip_network("2001:db8:7ff::/48"), 64511),
)
"""The lab that `rpkival up --lab` shows: a video site is hijacked as YouTube was in February 2008."""
