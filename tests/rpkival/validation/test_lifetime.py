"""How long chains and objects hold, one by one and in columns."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rpkival.validation.lifetime import CHAIN, Chain, Lifetime, chains_under, lifetimes_under
from rpkival.validation.walk import validate

TIMES = st.integers(0, 253_402_300_799)
CHAINS = st.builds(Chain, TIMES, TIMES, TIMES)


def test_what_holds_is_what_all_of_a_chain_does() -> None:
    """From the last beginning to the first end; the object's own certificate says nothing of its publication point."""
    anchor, member = Chain(10, 900, 900), Chain(30, 400, 300)
    lifetime = Lifetime.of(20, 500, member.under(anchor))
    assert lifetime == Lifetime(20, 500, 30, 400, 300)
    assert lifetime.expires == member.under(anchor).expires == 300
    assert Lifetime.of(40, 200, member).under(anchor) == Lifetime(40, 200, 40, 200, 300)
    assert Lifetime.of(40, 200, member).expires == 200


@given(st.lists(st.tuples(CHAINS, CHAINS, TIMES, TIMES), max_size=5))
def test_columns_are_as_their_rows(rows: list[tuple[Chain, Chain, int, int]]) -> None:
    """Both ways to reckon give the same."""
    chains, above = (np.array([row[side] for row in rows], CHAIN) for side in (0, 1))
    certificates = np.array([row[2:] for row in rows], [("not_before", "<i8"), ("not_after", "<i8")])
    under = chains_under(chains, above)
    assert under.tolist() == [chain.under(other) for chain, other, _, _ in rows]
    assert lifetimes_under(certificates, under).tolist() == [
        Lifetime.of(start, end, chain.under(other)) for chain, other, start, end in rows
    ]


def test_every_link_counts(lab: Any, memory: Any) -> None:
    """The ROA's, its manifest's, those above, for a ROA below a member; and for the member's own ASPA and key."""
    validity = type(lab.day)
    own = validity(lab.now - 40_000, lab.now + 90_000_000)
    roa = lab.customer.issue_roa(64503, [("10.1.129.0/24", 24)], validity=own)
    aspa = lab.alpha.issue_aspa(64500, [64501], validity=own)
    key = lab.alpha.issue_router_key(64500, validity=own)
    files = lab.files
    for authority, start, end in ((lab.alpha, -500, 70_000), (lab.customer, -900, 80_000)):
        current = validity(lab.now + start, lab.now + end)
        files |= {authority.repository + name: data for name, data in authority.publication_point(current).items()}
    run = validate([lab.tal], memory(files), clock=lambda: lab.now)

    expected = Lifetime(own.not_before, own.not_after, lab.now - 500, lab.now + 70_000, lab.now + 70_000)
    found = {each.uri: each.lifetime for each in (*run.roas, *run.aspas, *run.router_keys)}
    assert found[lab.customer.repository + roa] == expected
    assert [found[lab.alpha.repository + name] for name in (aspa, key)] == [expected] * 2
    other = found[lab.alpha.repository + lab.alpha_roa]
    assert other[2:] == (lab.now - 500, lab.now + 70_000, lab.now + 70_000)
    assert found[lab.beta.repository + lab.beta_roa][2:] == (lab.day.not_before, lab.day.not_after, lab.day.not_after)
