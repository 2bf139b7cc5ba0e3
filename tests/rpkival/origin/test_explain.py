"""Explanations: Routinator's lists and words, and ours for people."""

from __future__ import annotations

import pytest

from rpkival.errors import PrefixError
from rpkival.origin.explain import Validity, covering_vrps, explain
from rpkival.origin.index import OriginIndex
from rpkival.origin.verdict import Reason, State
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.prefixes import parse_prefix

WIDE = Vrp("10.0.0.0/8", 16, 64496, "ripe", 1773648000, "rsync://a/a.roa")
NARROW = Vrp("10.1.0.0/16", 16, 64497)
LONG = Vrp("10.1.0.0/16", 24, 64498)
NOBODY = Vrp("172.16.0.0/12", 12, 0)
IPV6 = Vrp("2001:db8::/32", 48, 64496)
VRPS = Vrps.of([NOBODY, IPV6, LONG, NARROW, WIDE])


@pytest.fixture(params=["index", "vrps"])
def source(request: pytest.FixtureRequest) -> OriginIndex | Vrps:
    """Either way to ask gives the same answer."""
    return OriginIndex.build(VRPS) if request.param == "index" else VRPS


def lists(validity: Validity) -> tuple[set[Vrp], set[Vrp], set[Vrp]]:
    """matched, unmatched_as, unmatched_length."""
    return set(validity.matched), set(validity.unmatched_as), set(validity.unmatched_length)


def test_valid(source: OriginIndex | Vrps) -> None:
    """The VRP that matches decides; the others are listed with what is wrong with them."""
    validity = explain(source, "10.1.0.0/16", 64497)

    assert (validity.state, validity.reason) == (State.VALID, Reason.NONE)
    assert lists(validity) == ({NARROW}, {WIDE, LONG}, set())
    assert validity.sentence() == "The holder of 10.1.0.0/16 has signed that AS64497 may announce it."
    assert "reason" not in validity.to_routinator()["validity"]


def test_invalid_by_origin(source: OriginIndex | Vrps) -> None:
    """No covering VRP has this origin."""
    validity = explain(source, "10.1.0.0/16", 666)

    assert (validity.state, validity.reason) == (State.INVALID, Reason.AS)
    assert lists(validity) == (set(), {WIDE, NARROW, LONG}, set())
    assert validity.sentence() == (
        "The holder has signed for AS64496, AS64497, AS64498, not for AS666; routers that check drop it."
    )
    assert validity.to_routinator()["validity"]["reason"] == "as"


def test_invalid_by_length(source: OriginIndex | Vrps) -> None:
    """The origin has a VRP, but only for shorter prefixes."""
    validity = explain(source, "10.2.0.0/24", 64496)

    assert (validity.state, validity.reason) == (State.INVALID, Reason.LENGTH)
    assert lists(validity) == (set(), set(), {WIDE})
    assert validity.sentence() == (
        "AS64496 may announce 10.0.0.0/8 down to /16, but this is a /24, which is more specific than signed for; "
        "routers that check drop it."
    )
    assert validity.to_routinator()["validity"]["reason"] == "length"


def test_wrong_in_both_ways_stands_where_routinator_puts_it(source: OriginIndex | Vrps) -> None:
    """Routinator tests the length first, so this VRP is in unmatched_length; and its reason follows its lists."""
    validity = explain(source, "10.2.0.0/24", 666)

    assert lists(validity) == (set(), set(), {WIDE})
    assert validity.reason is Reason.AS
    assert validity.fits(WIDE) == "other origin and too specific"
    assert validity.to_routinator()["validity"]["reason"] == "length"


def test_too_short_for_the_origin_but_not_for_another(source: OriginIndex | Vrps) -> None:
    """Ours says what the origin's holder has to mend, the length; Routinator's says "as" since another AS would fit."""
    validity = explain(source, "10.1.2.0/24", 64497)

    assert lists(validity) == (set(), {LONG}, {WIDE, NARROW})
    assert validity.reason is Reason.LENGTH
    assert validity.to_routinator()["validity"]["reason"] == "as"


def test_not_found(source: OriginIndex | Vrps) -> None:
    """Nothing covers it, not even a VRP for a more specific."""
    validity = explain(source, "0.0.0.0/0", 64496)

    assert validity.state is State.NOT_FOUND
    assert lists(validity) == (set(), set(), set())
    assert validity.to_routinator()["validity"]["description"] == "No VRP Covers the Route Prefix"


@pytest.mark.parametrize("asn", [0, 64496])
def test_as_0_makes_nothing_valid(source: OriginIndex | Vrps, asn: int) -> None:
    """RFC 6483 section 4: a VRP of AS 0 says that nobody may, and AS 0 itself is nobody."""
    validity = explain(source, "172.16.0.0/12", asn)

    assert (validity.state, validity.reason) == (State.INVALID, Reason.AS)
    assert lists(validity) == (set(), {NOBODY}, set())
    assert "nobody" in validity.sentence()


def test_the_whole_answer_is_routinators(source: OriginIndex | Vrps) -> None:
    """Field for field, in its order, max_length as text."""
    answer = explain(source, "2001:DB8:1::/48", 64496).to_routinator()

    assert answer == {
        "route": {"origin_asn": "AS64496", "prefix": "2001:db8:1::/48"},
        "validity": {
            "state": "valid",
            "description": "At least one VRP Matches the Route Prefix",
            "VRPs": {
                "matched": [{"asn": "AS64496", "prefix": "2001:db8::/32", "max_length": "48"}],
                "unmatched_as": [],
                "unmatched_length": [],
            },
        },
    }
    assert list(answer["validity"]) == ["state", "description", "VRPs"]


def test_details_tell_where_each_vrp_comes_from(source: OriginIndex | Vrps) -> None:
    """Trust anchor, expiry and object; null where the data does not say."""
    details = explain(source, "10.1.0.0/16", 64496).details()

    by_asn = {vrp["asn"]: vrp for vrp in details["vrps"]}
    assert by_asn["AS64496"] == {
        "asn": "AS64496",
        "prefix": "10.0.0.0/8",
        "max_length": 16,
        "fits": "matches",
        "trust_anchor": "ripe",
        "expires": "2026-03-16T08:00:00Z",
        "source": "rsync://a/a.roa",
    }
    assert by_asn["AS64497"]["fits"] == "other origin"
    assert (by_asn["AS64497"]["trust_anchor"], by_asn["AS64497"]["expires"]) == (None, None)


def test_covering_vrps_are_listed_once_shortest_first() -> None:
    """Unsorted VRPs with duplicates give the list that the index gives."""
    doubled = Vrps.concat([VRPS, VRPS])
    prefix = parse_prefix("10.1.0.0/24")

    assert list(covering_vrps(doubled, prefix)) == list(OriginIndex.build(doubled).covering(prefix))
    assert list(covering_vrps(doubled, prefix)) == [WIDE, NARROW, LONG]


def test_a_prefix_that_is_none_is_refused(source: OriginIndex | Vrps) -> None:
    """The same sentence as everywhere."""
    with pytest.raises(PrefixError, match="host bits set"):
        explain(source, "10.0.0.1/8", 1)


LOCAL = Vrp("192.0.2.0/24", 25, 64496, "", 0, "slurm:/etc/slurm.json#until their ROA is there")
LOCAL_NOBODY = Vrp("198.51.100.0/24", 24, 0, "", 0, "slurm:/etc/slurm.json")


@pytest.mark.parametrize(
    ("prefix", "asn", "sentence"),
    [
        (
            "192.0.2.0/24",
            64496,
            "A local exception lets AS64496 announce 192.0.2.0/24 down to /25; nobody has signed that.",
        ),
        ("192.0.2.0/24", 64497, "A local exception speaks for AS64496, not for AS64497; routers that check drop it."),
        ("192.0.2.0/26", 64496, "but this is a /26, which is more specific than the local exception lets it be;"),
        ("198.51.100.0/24", 1, "A local exception says that nobody may announce these addresses (AS0);"),
    ],
)
def test_what_is_not_signed_is_not_said_to_be(prefix: str, asn: int, sentence: str) -> None:
    """A local exception is the operator's own word, and no holder's."""
    assert sentence in explain(Vrps.of([LOCAL, LOCAL_NOBODY]), prefix, asn).sentence()


def test_what_is_signed_as_well_is_said_to_be() -> None:
    """A signature is the better reason."""
    signed = Vrp("192.0.2.0/24", 24, 64496, "ripe", 1773648000, "rsync://a/a.roa")
    told = explain(Vrps.of([LOCAL, signed]), "192.0.2.0/24", 64496).sentence()
    assert told == "The holder of 192.0.2.0/24 has signed that AS64496 may announce it."
