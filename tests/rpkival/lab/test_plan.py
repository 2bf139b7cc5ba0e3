"""Tests for rpkival.lab.plan."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import UsageError
from rpkival.lab.plan import Plan


@given(st.integers(1, 300), st.integers(1, 6), st.integers(0, 5))
def test_a_tree_is_as_large_and_as_deep_as_asked_for(cas: int, depth: int, seed: int) -> None:
    """Parents come first, and every CA is within the range of each above it."""
    depth = min(depth, cas)
    plan = Plan(cas=cas, depth=depth, seed=seed)
    depths = [0]
    for ca in range(1, cas + 1):
        parent = plan.parents[ca]
        assert parent < ca < plan.ends[ca] <= plan.ends[parent]
        assert ca in plan.children[parent]
        depths.append(depths[parent] + 1)

    assert len(plan.parents) == cas + 1
    assert max(depths) == depth


@given(st.integers(0, 20))
def test_objects_are_within_what_their_ca_holds(seed: int) -> None:
    """And a CA's resources within its parent's, and apart from its siblings'."""
    plan = Plan(cas=40, roas=200, aspas=60, router_keys=30, seed=seed)
    held = [
        ([ip_network(prefix) for prefix in plan.resources(ca).prefixes], plan.resources(ca).asns[0])
        for ca in plan.numbers()
    ]
    for ca in range(1, plan.cas + 1):
        blocks, numbers = held[ca]
        above, above_numbers = held[plan.parents[ca]]
        assert all(any(_within(block, other) for other in above) for block in blocks)
        assert isinstance(numbers, tuple)
        assert isinstance(above_numbers, tuple)
        assert above_numbers[0] <= numbers[0] <= numbers[1] <= above_numbers[1]
        point = plan.point(ca, 0)
        for _, prefix, max_length in point.vrps:
            network = ip_network(prefix)
            assert any(_within(network, block) for block in blocks)
            assert network.prefixlen <= max_length <= network.max_prefixlen
        assert all(numbers[0] <= aspa.customer <= numbers[1] for aspa in point.aspas)
        assert all(numbers[0] <= asn <= numbers[1] for asn in point.router_asns)


def _within(inner: object, outer: object) -> bool:
    return type(inner) is type(outer) and inner.subnet_of(outer)  # type: ignore[attr-defined]


def test_all_that_was_asked_for_is_planned() -> None:
    """However it is spread."""
    plan = Plan(cas=30, roas=77, aspas=11, router_keys=5)
    points = [plan.point(ca, 0) for ca in plan.numbers()]

    assert sum(len(point.roas) for point in points) == 77
    assert sum(len(point.aspas) for point in points) == 11
    assert sum(len(point.router_asns) for point in points) == 5


def test_the_seed_decides() -> None:
    """The same gives the same, another another; a version has other ROAs and the same routers."""
    assert Plan(seed=3).parents == Plan(seed=3).parents
    assert Plan(seed=3).parents != Plan(seed=4).parents
    plan = Plan(roas=500)
    assert plan.point(5, 0) == plan.point(5, 0)
    assert plan.point(5, 0).roas != plan.point(5, 1).roas
    assert plan.point(5, 0).router_asns == plan.point(5, 1).router_asns


@pytest.mark.parametrize(
    "numbers", [{"cas": 2, "depth": 3}, {"cas": 0, "depth": 0}, {"cas": 2**20}, {"roas": -1}, {"hosts": 0}]
)
def test_what_cannot_be_is_refused(numbers: dict[str, int]) -> None:
    """In one sentence."""
    with pytest.raises(UsageError):
        Plan(**numbers)  # type: ignore[arg-type]
