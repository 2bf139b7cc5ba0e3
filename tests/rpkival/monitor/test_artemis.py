"""Detector scenarios of ARTEMIS (synthetic prefixes), message by message, where they ask what we answer.

Left out are those about what we do not do yet or decide otherwise, each with its reason in `LEFT_OUT`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpkival.payload.vrps import Vrp

KINDS = {"E": "origin-hijack", "S": "more-specific-hijack", "Q": "origin-hijack"}
"""By the first letter of ARTEMIS' type: exact, sub-prefix, squatting."""

SCENARIOS = {
    # own prefixes with their VRPs, as the ARTEMIS configuration of the scenario has them: prefix, origin
    "simple_exact_type0": [("10.0.0.0/8", 1)],
    "simple_sub_type0": [("10.0.0.0/8", 1), ("2001:db8:abcd:12::/64", 8522)],
    "mult_exact_type0": [("10.0.0.0/8", 1), ("2001:db8:abcd:11::/64", 8522)],
    "implicit_withdrawal": [("10.0.0.0/8", 1)],
    "withdrawn_inorder": [("10.0.0.0/8", 1)],
    "withdrawn_complex": [("10.0.4.0/24", 1)],
    "withdrawn_threshold": [("10.0.0.0/8", 1)],
    "out_of_order_withdraw": [("10.0.0.0/8", 1)],
    "out_of_order_withdraw_same_peer": [("10.0.0.0/8", 1)],
    "prepend_loops": [("10.0.0.0/8", 1)],
    "rfc2622": [("10.10.1.0/24", 1), ("10.11.1.0/24", 1), ("10.12.1.0/24", 1), ("10.13.1.0/24", 1)],
    "community_annotation": [("10.0.20.0/24", 1)],
    "squatting_type0": [("10.0.0.0/16", None)],
    "legit_updates": [
        ("10.0.1.0/24", 200),
        ("10.0.2.0/24", 242),
        ("10.0.3.0/24", 243),
        ("2001:db8:abcd:10::/64", 777),
    ],
}
LEFT_OUT = {
    "as_range_tests": "about neighbours of the origin (type 1), which need ASPA or configuration",
    "as_set": "about a legitimate AS_SET; the origin of such a path is nobody (RFC 6811), see test_monitor",
    "implicit_withdrawal_subprefix": "about rules for ranges of prefixes that are one incident there",
    "mult_exact_type1": "type 1",
    "multirule_prefix": "type 1 and no-export policy",
    "simple_exact_no_export_violation": "no-export policy",
    "simple_exact_type1": "type 1",
    "simple_sub_type1": "type 1",
    "single_sub_unknown": "there any unlisted more-specific is a hijack; here only one that no VRP allows, see below",
    "wildcard_checks": "rules with wildcards for origins, and type 1",
}
# ARTEMIS ends a hijack when a part of its peers (configured there) has withdrawn; we wait for all.
ENDS_LATER = {"withdrawn_inorder", "withdrawn_threshold"}


def _messages(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())  # type: ignore[no-any-return]


@pytest.fixture
def scenarios(shared_data: Path) -> Path:
    """The folder of the scenarios."""
    return shared_data / "live" / "artemis_testfiles" / "detection" / "testfiles"


def test_every_scenario_is_accounted_for(scenarios: Path) -> None:
    """Each file is used, or left out with a reason."""
    assert {path.stem for path in scenarios.glob("*.json")} == SCENARIOS.keys() | LEFT_OUT.keys()


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario(name: str, scenarios: Path, desk: Callable[..., Any]) -> None:
    """After each message, who hijacks what and who has seen it is as ARTEMIS says."""
    mine = SCENARIOS[name]
    vrps = [Vrp(prefix, int(prefix.partition("/")[2]), origin) for prefix, origin in mine if origin]
    at = desk(vrps, [prefix for prefix, _ in mine])

    for case in _messages(scenarios / f"{name}.json"):
        sent = case["send"]
        at.at(sent["timestamp"], sent["prefix"], sent["peer_asn"], sent["path"] if sent["type"] == "A" else None)
        verdict = case.get("database_hijack_response")
        incidents = {(i.prefix, i.observed.origin): i for i in at.store.list()}
        if isinstance(verdict, list):  # what is in the database after each of several writes
            verdict = verdict[-1]
        if not verdict:
            assert name != "legit_updates" or not incidents
            continue
        prefix, origin = sent["prefix"], verdict.get("hijack_as", 100 if "10.0.0.0" in sent["prefix"] else 110)
        incident = incidents[prefix, origin]
        if "type" in verdict:
            assert incident.kind == KINDS[verdict["type"][0]]
        if "peers_seen" in verdict:
            assert {peer.asn for peer in incident.observed.peers} == set(verdict["peers_seen"])
        if name not in ENDS_LATER:
            assert incident.state == ("resolved" if verdict.get("withdrawn") else "open")


def test_the_last_withdrawal_ends_it(scenarios: Path, desk: Callable[..., Any]) -> None:
    """The withdrawal scenarios, to their end: resolved when all six, or three, have withdrawn."""
    for name in sorted(ENDS_LATER):
        at = desk([Vrp("10.0.0.0/8", 8, 1)], ["10.0.0.0/8"])
        seen: set[int] = set()
        for case in _messages(scenarios / f"{name}.json"):
            sent = case["send"]
            path = sent["path"] if sent["type"] == "A" else None
            changes = at.at(sent["timestamp"], sent["prefix"], sent["peer_asn"], path)
            (seen.add if path else seen.discard)(sent["peer_asn"])
            assert ("resolved 10.0.0.0/8 AS100" in changes) == (not seen)


@pytest.mark.parametrize(
    ("name", "kind", "state", "reason"),
    [
        ("test_IA", "origin-hijack", "invalid", "as"),
        ("test_IL", "more-specific-unauthorised", "invalid", "length"),
        ("test_NF", "more-specific-hijack", "not-found", ""),
    ],
)
def test_rpki_states(
    name: str, kind: str, state: str, reason: str, shared_data: Path, desk: Callable[..., Any]
) -> None:
    """ARTEMIS labels its alerts IA, IL and NF: invalid by AS or length, and not found."""
    at = desk([Vrp("139.91.0.0/16", 16, 8522)], ["AS8522", "10.0.0.0/8"])
    path = shared_data / "live" / "artemis_testfiles" / "rpki" / "testfiles" / f"{name}.json"
    sent = _messages(path)[0]["send"]

    at.at(sent["timestamp"], sent["prefix"], sent["peer_asn"], sent["path"])

    (incident,) = at.store.list()
    assert (incident.kind, incident.rpki.state, incident.rpki.reason) == (kind, state, reason)
