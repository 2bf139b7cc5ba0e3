"""From one manifest of a CA to the next."""

from __future__ import annotations

from typing import Any

import pytest

from rpkival.objects.place import Accepted
from rpkival.validation.numbering import leaves_gap, rollback
from rpkival.validation.report import ValidationRun
from rpkival.validation.walk import validate

LAST = Accepted(b"1" * 32, 7, 1_000)


@pytest.mark.parametrize(
    ("new", "follows", "gap"),
    [
        (LAST, True, False),
        (Accepted(b"2" * 32, 8, 1_000), True, False),
        (Accepted(b"2" * 32, 9, 1_000), True, True),
        (Accepted(b"2" * 32, 8, 999), False, False),
        (Accepted(b"2" * 32, 7, 1_001), False, False),
        (Accepted(b"2" * 32, 6, 1_001), False, False),
    ],
)
def test_what_may_follow(new: Accepted, follows: bool, gap: bool) -> None:
    """A larger number, signed no earlier; the same is no step."""
    assert (rollback(LAST, new) is None) is follows
    assert leaves_gap(LAST, new) is gap


@pytest.mark.parametrize("remembers", [False, True])
def test_a_gap_is_told_by_the_run_that_finds_it(lab: Any, memory: Any, notes: Any, remembers: bool) -> None:
    """And by no other: neither a first one, nor one after which nothing has changed, whatever a memo kept."""
    memo = notes() if remembers else None
    source = memory(lab.files, revisions=remembers)

    def gaps() -> tuple[int, dict[str, int]]:
        run: ValidationRun = validate([lab.tal], source, clock=lambda: lab.now, memo=memo)
        (anchor,) = run.trust_anchors
        return anchor.manifest_gaps, {each.uri: each.manifest_gaps for each in run.repositories}

    repository = lab.anchor.repository.removesuffix("anchor/")
    assert gaps() == (0, {repository: 0})
    source.files = lab.files
    assert gaps() == (0, {repository: 0})
    lab.beta.publication_point(lab.day)
    lab.customer.publication_point(lab.day)
    source.files = lab.files
    assert gaps() == (2, {repository: 2})
    assert gaps() == (0, {repository: 0})
