"""A member of a registry that makes CAs without end."""

from __future__ import annotations

from typing import Any

import pytest

from rpkival.lab.number_resources import Resources


def test_a_member_with_too_many_cas_loses_those_alone(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not all of its own, and nothing of the others'; the trust anchor's tree is whole all the same."""
    monkeypatch.setattr("rpkival.validation.admission.MAX_SUBTREE_POINTS", 2)
    for number in range(5):
        below = lab.customer.issue_ca(f"below-{number}", Resources(["10.1.128.0/17"]))
        below.issue_roa(65000 + number, [("10.1.128.0/17", 17)])
    other = lab.alpha.issue_ca("other", Resources(["10.1.0.0/17"]))
    for number in range(2):
        other.issue_ca(f"other-{number}", Resources(["10.1.0.0/17"])).issue_roa(64600 + number, [("10.1.0.0/17", 17)])
    run = lab.validate()
    asns = {roa.asn for roa in run.roas}
    assert {64499, 64500, 64501, 64502, 64600, 64601} <= asns
    assert len([asn for asn in asns if asn >= 65000]) == 2
    assert run.trust_anchors[0].complete
    assert ["CAs below one member" in each.sentence for each in run.rejections] == [True]
