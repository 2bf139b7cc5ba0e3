"""What is mine, and who may announce it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rpkival.errors import UsageError
from rpkival.monitor import expectations as module
from rpkival.monitor.expectations import Expectations, Own
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.prefixes import Family, parse_prefix


def origins_of(expectations: Expectations, prefix: str) -> tuple[int, ...] | None:
    """The expected origins of a prefix that lies in an own one, None for one that does not."""
    columns = parse_prefix(prefix)
    rows, own = expectations.cover(columns.family).inside(columns)
    return expectations.origins(columns.family, int(own[0])) if len(rows) else None


def test_own_words() -> None:
    """AS numbers and prefixes, told apart by how they look."""
    own = Own.of(["AS64496", "64497", "192.0.2.0/24", "2001:DB8::/32"])

    assert own == Own(frozenset({64496, 64497}), ("192.0.2.0/24", "2001:db8::/32"))


@pytest.mark.parametrize("text", ["AS4294967296", "example", "192.0.2.1/24", "192.0.2.0/33", "2001:db8::", "", "-1"])
def test_own_words_that_are_none(text: str) -> None:
    """One sentence, exit code 2."""
    with pytest.raises(UsageError):
        Own.of([text])


def test_prefixes_of_an_own_asn_come_from_its_vrps() -> None:
    """Nothing to configure but the AS number."""
    vrps = Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64496), Vrp("203.0.113.0/24", 24, 64499)])

    expectations = Expectations.build(vrps, Own.of(["AS64496"]))

    assert len(expectations) == 2
    assert origins_of(expectations, "192.0.2.128/25") == (64496,)
    assert origins_of(expectations, "2001:db8:1::/48") == (64496,)
    assert origins_of(expectations, "203.0.113.0/24") is None
    assert expectations.without_origin() == []


def test_covering_vrps_name_expected_origins() -> None:
    """A provider's ROA for the whole block may announce the part; AS0 is nobody; a VRP inside says nothing of it."""
    vrps = Vrps.of(
        [
            Vrp("192.0.0.0/16", 24, 64500),
            Vrp("192.0.2.0/24", 24, 64501),
            Vrp("192.0.0.0/20", 24, 0),
            Vrp("192.0.2.0/25", 25, 64502),
        ]
    )

    expectations = Expectations.build(vrps, Own.of(["192.0.2.0/24", "AS64496"]))

    assert origins_of(expectations, "192.0.2.0/24") == (64496, 64500, 64501)


def test_the_most_specific_own_prefix_decides() -> None:
    """A customer's part is the customer's."""
    vrps = Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("192.0.2.0/25", 25, 64497)])

    expectations = Expectations.build(vrps, Own(frozenset(), ("192.0.2.0/24", "192.0.2.0/25")))

    assert origins_of(expectations, "192.0.2.0/26") == (64496, 64497)
    assert origins_of(expectations, "192.0.2.128/26") == (64496,)


def test_prefixes_that_nobody_may_announce_are_named() -> None:
    """So that the operator can be told before every announcement is an alert."""
    expectations = Expectations.build(Vrps.empty(), Own.of(["192.0.2.0/24", "2001:db8::/32"]))

    assert expectations.without_origin() == ["192.0.2.0/24", "2001:db8::/32"]
    assert origins_of(expectations, "192.0.2.0/24") == ()
    assert not expectations.expected(4, np.zeros(1, np.int64), np.array([64496], np.uint32))


def test_what_vrps_taught_is_remembered() -> None:
    """With the origins of then, until a VRP says it anew; what was named, or learned by an AS no longer own, is not."""
    words = ["AS64496", "198.51.100.0/24"]
    both = [Vrp("192.0.2.0/24", 24, 64497), Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64496)]
    before = Expectations.build(Vrps.of(both), Own.of(words))
    now = Expectations.build(Vrps.of([Vrp("10.0.0.0/8", 8, 64496)]), Own.of(words[:1]))

    after = now.remembering(before)

    assert after.ipv4.prefixes.texts() == ["10.0.0.0/8", "192.0.2.0/24"]
    assert origins_of(after, "10.1.0.0/16") == (64496,)
    assert origins_of(after, "192.0.2.0/25") == (64496, 64497)
    assert origins_of(after, "2001:db8:1::/48") == (64496,)
    assert [before.is_named(4, row) for row in range(2)] == [False, True]
    assert origins_of(Expectations.build(Vrps.of(both[1:]), now.own).remembering(after), "192.0.2.0/25") == (64496,)
    assert len(Expectations.build(Vrps.empty(), Own.of(["AS64499"])).remembering(after)) == 0


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever signs ROAs that name our AS, and drops them again, does not fill ours."""
    monkeypatch.setattr(module, "MAX_REMEMBERED_PREFIXES", 2)
    own = Own.of(["AS64496"])
    before = Expectations.build(Vrps.of([Vrp(f"192.0.{n}.0/24", 24, 64496) for n in range(5)]), own)

    assert len(Expectations.build(Vrps.empty(), own).remembering(before)) == 2


def test_nothing_is_mine() -> None:
    """No own words: everything is somebody else's."""
    expectations = Expectations.build(Vrps.of([Vrp("192.0.2.0/24", 24, 64496)]), Own())

    families: tuple[Family, Family] = (4, 6)
    assert [len(expectations.cover(family)) for family in families] == [0, 0]
    assert origins_of(expectations, "192.0.2.0/24") is None


def test_the_world_s_vrps(shared_data: Path) -> None:
    """RIPE NCC's own network among all 723,521 VRPs of a day: its prefixes, and nobody else's."""
    from rpkival.payload.formats import read_vrps

    path = shared_data / "vrps" / "rpkiclient_20250720T0931.json.bz2"
    vrps = read_vrps(path.read_bytes(), name=path.name).vrps

    expectations = Expectations.build(vrps, Own.of(["AS3333"]))

    assert origins_of(expectations, "193.0.0.0/21") == (3333,)
    assert origins_of(expectations, "193.0.1.0/24") == (3333,)
    assert origins_of(expectations, "8.8.8.0/24") is None
