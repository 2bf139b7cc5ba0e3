"""The lab is coherent, and nothing of it can be mistaken for a part of the Internet."""

from __future__ import annotations

import re
from collections import Counter
from ipaddress import ip_network
from pathlib import Path

from rpkival.lab.propagation import IsInvalid
from rpkival.lab.topology import LAB, Network

TEST_SPACE = [ip_network("198.18.0.0/15"), ip_network("2001:db8::/32")]


def inside(prefix: str, outer: Network) -> bool:
    """Whether a prefix lies within another of its family."""
    network = ip_network(prefix)
    return network.version == outer.version and network.subnet_of(outer)  # type: ignore[arg-type]


def test_numbers_and_prefixes_are_set_aside_for_tests() -> None:
    """RFC 5398, RFC 2544, RFC 3849; AS65550 stays free for the reader's router."""
    asns = [system.asn for system in LAB.systems]
    prefixes = [prefix for system in LAB.systems for prefix in system.holds + system.announces]

    assert len(set(asns)) == len(asns)
    assert all(64496 <= asn <= 64511 or 65536 <= asn <= 65551 for asn in asns)
    assert 65550 not in asns
    assert all(any(inside(prefix, space) for space in TEST_SPACE) for prefix in prefixes)


def test_relations_are_between_ases_of_the_lab() -> None:
    """No dangling number, nobody its own neighbour, nobody two things to another."""
    asns = {system.asn for system in LAB.systems}
    pairs = [frozenset(pair) for pair in LAB.transit + LAB.peerings]

    assert all(len(pair) == 2 and pair <= asns for pair in pairs)
    assert len(set(pairs)) == len(pairs)


def test_holdings_do_not_overlap_and_hold_all_roas() -> None:
    """Each ROA can be signed by the AS that it names."""
    held = [(ip_network(prefix), system.asn) for system in LAB.systems for prefix in system.holds]

    assert not [1 for one, owner in held for other, _ in held if one != other and one.overlaps(other) and owner]
    for roa in LAB.roas:
        assert any(owner == roa.asn and inside(roa.prefix, network) for network, owner in held), roa
        assert ip_network(roa.prefix).prefixlen <= roa.max_length


def test_every_state_can_be_seen(by_the_roas: IsInvalid) -> None:
    """Valid, invalid (two beacons of each family), and not-found."""
    states: Counter[str] = Counter()
    for announced in LAB.announcements():
        covered = any(inside(str(announced.prefix), ip_network(roa.prefix)) for roa in LAB.roas)
        invalid = by_the_roas(str(announced.prefix), announced.origin)
        states["invalid" if invalid else "valid" if covered else "not-found"] += 1

    assert states == {"valid": 18, "invalid": 4, "not-found": 2}


def test_hijack_is_an_invalid_more_specific_of_the_victim(by_the_roas: IsInvalid) -> None:
    """As in February 2008: longer than what the victim announces."""
    hijack = LAB.hijack

    assert any(inside(str(hijack.prefix), ip_network(prefix)) for prefix in LAB.system(LAB.victim).announces)
    assert hijack.origin != LAB.victim
    assert by_the_roas(str(hijack.prefix), hijack.origin)


def test_heartbeat_belongs_to_who_announces_it() -> None:
    """And is not announced on a quiet day by itself."""
    assert any(inside(str(LAB.heartbeat.prefix), ip_network(held)) for held in LAB.system(LAB.heartbeat.origin).holds)
    assert LAB.heartbeat not in LAB.announcements()


def test_beacons_lie_where_they_say() -> None:
    """One valid, one invalid, one covered beacon a family; only the covered one has both kinds of route."""
    for beacon in LAB.beacons:
        routes = {a.origin for a in LAB.announcements() if beacon.address in a.prefix}
        expected = {"valid": {65536}, "invalid": {65537}, "covered": {65536, 65537}}[beacon.name]
        assert routes == expected, beacon
    assert Counter(beacon.name for beacon in LAB.beacons) == {"valid": 2, "invalid": 2, "covered": 2}


def test_documentation_describes_this_lab() -> None:
    """Its table of ASes has the numbers, names, policies and providers of the code."""
    text = (Path(__file__).parents[3] / "docs" / "lab.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d{5}) \| ([^|]+) \| (yes|no) \|([^|]*)\|", text, re.MULTILINE)
    told = {(int(asn), name, drops == "yes", providers.strip()) for asn, name, drops, providers in rows}

    providers = {
        system.asn: ", ".join(str(provider) for provider, customer in LAB.transit if customer == system.asn)
        for system in LAB.systems
    }
    assert told == {(s.asn, s.name, s.drops_invalid, providers[s.asn]) for s in LAB.systems}
