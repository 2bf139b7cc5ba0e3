"""Best routes by Gao and Rexford on any small Internet, and the lab's story told by them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.lab.propagation import IsInvalid, Learned, Route, Tables, best_routes, nothing_invalid, traffic_path
from rpkival.lab.topology import LAB, Announcement, AutonomousSystem, Network, Topology

PREFIX = ip_network("198.18.0.0/20")
VIDEO = ip_address("198.18.66.1")


@dataclass(frozen=True)
class World:
    """A random Internet; `invalid` are the origins that may not announce the prefix."""

    topology: Topology
    origins: frozenset[int]
    invalid: frozenset[int]

    def settle(self) -> Tables:
        announcements = [Announcement(PREFIX, origin) for origin in self.origins]
        return best_routes(self.topology, announcements, lambda _, origin: origin in self.invalid)

    def relation(self, asn: int, neighbour: int) -> Learned:
        """What the neighbour is to the AS."""
        if (asn, neighbour) in self.topology.transit:
            return Learned.CUSTOMER
        if (neighbour, asn) in self.topology.transit:
            return Learned.PROVIDER
        assert (asn, neighbour) in self.topology.peerings or (neighbour, asn) in self.topology.peerings
        return Learned.PEER

    def neighbours(self, asn: int) -> set[int]:
        pairs = self.topology.transit + self.topology.peerings
        return {other for pair in pairs if asn in pair for other in pair if other != asn}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Providers always have lower numbers than their customers, so nobody pays in a circle."""
    size = draw(st.integers(2, 9))
    kinds = {
        (one, other): draw(st.sampled_from(["transit", "peer", "none", "none"]))
        for other in range(2, size + 1)
        for one in range(1, other)
    }
    asns = st.integers(1, size)
    droppers = draw(st.sets(asns))
    topology = Topology(
        systems=tuple(AutonomousSystem(n, f"AS{n}", (), (), drops_invalid=n in droppers) for n in range(1, size + 1)),
        transit=tuple(pair for pair, kind in kinds.items() if kind == "transit"),
        peerings=tuple(pair for pair, kind in kinds.items() if kind == "peer"),
        roas=(),
        beacons=(),
        isps=(),
        speaker=1,
        victim=1,
        hijack=Announcement(PREFIX, 1),
        heartbeat=Announcement(PREFIX, 1),
    )
    origins = draw(st.sets(asns, min_size=1, max_size=3))
    return World(topology, frozenset(origins), frozenset(draw(st.sets(st.sampled_from(sorted(origins))))))


class TestAnyInternet:
    @given(worlds())
    def test_no_loops_and_no_valleys(self, world: World) -> None:
        """A path climbs to providers, crosses at most one peering, and descends to customers, seen from the origin."""
        for asn, table in world.settle().items():
            for route in table.values():
                path = route.as_path
                steps = [world.relation(further, nearer) for nearer, further in pairwise(path)][::-1]
                descending = [step for step in steps if step is not Learned.PROVIDER]

                assert path[0] == asn
                assert path[-1] in world.origins
                assert len(set(path)) == len(path)
                assert steps == [Learned.PROVIDER] * (len(steps) - len(descending)) + descending
                assert Learned.PEER not in descending[1:]

    @given(worlds())
    def test_everybody_has_what_the_next_hop_has(self, world: World) -> None:
        """An AS_PATH is the AS before the best path of its neighbour, for only best routes are told."""
        tables = world.settle()
        for table in tables.values():
            for route in table.values():
                if len(route.as_path) > 1:
                    assert tables[route.as_path[1]][PREFIX].as_path == route.as_path[1:]
                    assert route.learned is world.relation(route.as_path[0], route.as_path[1])
                else:
                    assert route.learned is Learned.ITSELF

    @given(worlds())
    def test_nobody_would_rather_have_another_offer(self, world: World) -> None:
        """Stable: of what the neighbours tell, each AS has what it likes best, and none where nothing may be taken."""
        tables = world.settle()
        droppers = {system.asn for system in world.topology.systems if system.drops_invalid}
        for asn, table in tables.items():
            offers = []
            if asn in world.origins:
                offers.append((Learned.ITSELF, 0, 0))
            for neighbour in world.neighbours(asn):
                theirs = tables[neighbour].get(PREFIX)
                relation = world.relation(asn, neighbour)
                if theirs is None or asn in theirs.as_path:
                    continue
                if relation is not Learned.PROVIDER and theirs.learned > Learned.CUSTOMER:
                    continue
                if asn in droppers and theirs.origin in world.invalid:
                    continue
                offers.append((relation, len(theirs.as_path), neighbour))
            mine = table.get(PREFIX)
            assert (mine is None) == (not offers)
            if mine is not None:
                via = mine.as_path[1] if len(mine.as_path) > 1 else 0
                assert (mine.learned, len(mine.as_path) - 1, via) == min(offers)

    @given(worlds())
    def test_invalid_routes_stop_at_those_who_drop_them(self, world: World) -> None:
        """No AS that drops has one, but for its own."""
        droppers = {system.asn for system in world.topology.systems if system.drops_invalid}
        for table in world.settle().values():
            for route in table.values():
                if route.origin in world.invalid:
                    assert not droppers & set(route.as_path[:-1])


def settle(is_invalid: IsInvalid, *more: Announcement) -> Tables:
    """The lab with these announcements on top."""
    return best_routes(LAB, LAB.announcements() | set(more), is_invalid)


class TestTheLab:
    @pytest.mark.parametrize("asn", [system.asn for system in LAB.systems])
    def test_quiet_day_everybody_reaches_the_video_site(self, asn: int, by_the_roas: IsInvalid) -> None:
        """Before the hijack, filter or not."""
        crossed = traffic_path(settle(by_the_roas), asn, VIDEO)

        assert crossed is not None
        assert crossed[-1] == LAB.victim

    @pytest.mark.parametrize(
        ("asn", "crossed"),
        [
            (64500, (64500, 64497, 64505)),
            (64501, (64501, 64496, 64510)),
            (64502, (64502, 64496, 64510)),
        ],
        ids=["drops", "accepts", "drops behind one who accepts"],
    )
    def test_hijack(self, asn: int, crossed: tuple[int, ...], by_the_roas: IsInvalid) -> None:
        """Who drops still reaches the victim, unless the provider does not drop."""
        assert traffic_path(settle(by_the_roas, LAB.hijack), asn, VIDEO) == crossed

    def test_without_vrps_the_hijacker_gets_everybody_else(self) -> None:
        """The world of 2008; only the victim's own network is spared."""
        tables = settle(nothing_invalid, LAB.hijack)
        ends = {asn: (traffic_path(tables, asn, VIDEO) or (0,))[-1] for asn in tables}

        assert ends == {asn: LAB.victim if asn == LAB.victim else LAB.hijack.origin for asn in tables}

    @pytest.mark.parametrize(
        ("isp", "reached"),
        [
            ("drops", {"valid": 65536, "invalid": None, "covered": 65536}),
            ("accepts", {"valid": 65536, "invalid": 65537, "covered": 65537}),
            ("half", {"valid": 65536, "invalid": None, "covered": 65537}),
        ],
    )
    @pytest.mark.parametrize("family", [4, 6])
    def test_beacons(self, isp: str, reached: dict[str, int | None], family: int, by_the_roas: IsInvalid) -> None:
        """The three kinds of ISP are told apart by the three beacons, in both families."""
        tables = settle(by_the_roas)
        ends = {}
        for beacon in LAB.beacons:
            if beacon.family == family:
                crossed = traffic_path(tables, dict(LAB.isps)[isp], beacon.address)
                ends[beacon.name] = crossed and crossed[-1]

        assert ends == reached

    def test_hijack_is_heard_by_some_collector_peers_and_not_by_others(self, by_the_roas: IsInvalid) -> None:
        """Enough of them to alert on, and some to compare with."""
        tables = settle(by_the_roas, LAB.hijack)
        heard = {s.asn: LAB.hijack.prefix in tables[s.asn] for s in LAB.systems if s.feeds_collector}

        assert sorted(asn for asn, hears in heard.items() if hears) == [64496, 64501, 65536]
        assert sorted(asn for asn, hears in heard.items() if not hears) == [64497, 64500, 64502, 64511]


def test_traffic_that_goes_in_circles_never_arrives() -> None:
    """Two ASes that each believe the other is nearer."""
    prefix: Network = PREFIX
    tables = {1: {prefix: Route(prefix, (1, 2, 3), Learned.PEER)}, 2: {prefix: Route(prefix, (2, 1, 3), Learned.PEER)}}

    assert traffic_path(tables, 1, ip_address("198.18.0.1")) is None
