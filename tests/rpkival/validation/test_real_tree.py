"""A real registry's tree: exactly its VRPs, and of one with a flipped byte exactly what RFC 9286 leaves."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from rpkival.objects.manifest import parse_manifest
from rpkival.payload.collect import collect
from rpkival.validation.issuer import Issuer
from rpkival.validation.publication_point import PublicationPoint, judge_publication_point
from rpkival.validation.report import Tally, ValidationRun
from rpkival.validation.trust_anchor import open_trust_anchor
from rpkival.validation.walk import validate

Points = Mapping[str, tuple[Issuer, PublicationPoint]]
Memory = Callable[[Mapping[str, bytes]], Any]
CA_POINTS = 422


@pytest.fixture(scope="module")
def points(real_tree: Any, memory: Memory) -> Points:
    """Every publication point by its manifest, judged intact; some CAs share a directory."""
    source = memory(real_tree.files)
    anchor = open_trust_anchor(real_tree.tal, source, lambda: real_tree.now, Tally("twnic"))
    assert anchor is not None
    found: dict[str, tuple[Issuer, PublicationPoint]] = {}
    queue = deque([anchor])
    while queue:
        issuer = queue.popleft()
        read = partial(source.read, issuer.place)
        point = judge_publication_point(issuer, source.files.get(issuer.manifest), read, real_tree.now)
        found[issuer.manifest] = (issuer, point)
        queue.extend(point.children)
    return found


@pytest.fixture(scope="module")
def whole(real_tree: Any, memory: Memory) -> ValidationRun:
    """The run over the intact tree."""
    return validate([real_tree.tal], memory(real_tree.files), clock=lambda: real_tree.now)


def flipped(data: bytes, part: float) -> bytes:
    """`data` with the lowest bit changed of one octet, at this part of its length."""
    place = min(int(len(data) * part), len(data) - 1)
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def roa_uris(issuer: Issuer, point: PublicationPoint) -> list[str]:
    """Of all valid ROAs of a CA."""
    return [issuer.repository + name for name in point.roas.names.split("\n") if name]


def uris_under(points: Points, manifest: str) -> set[str]:
    """The ROAs at a publication point and at all below it."""
    key = points[manifest][0].subject_key_id
    return {uri for issuer, point in points.values() if key in issuer.chain for uri in roa_uris(issuer, point)}


def leaves_with_roas(points: Points) -> list[str]:
    """Manifests of CAs without children, those with most ROAs first."""
    leaves = [(len(point.roas), at) for at, (_, point) in points.items() if point.roas and not point.children]
    return [at for _, at in sorted(leaves, reverse=True)]


def test_the_tree_gives_exactly_its_vrps(real_tree: Any, whole: ValidationRun) -> None:
    """4,363 VRPs from 422 CAs, as rpki-client and FORT find them; nothing is rejected."""
    rows = {(f"AS{vrp.asn}", vrp.prefix, str(vrp.max_length)) for vrp in collect(whole).vrps}
    with real_tree.expected.open(newline="") as lines:
        expected = {(row["ASN"], row["IP Prefix"], row["Max Length"]) for row in csv.DictReader(lines)}
    assert rows == expected
    assert len(rows) == 4363
    assert whole.rejections == ()
    assert whole.fetch_problems == ()
    counts = whole.counts
    assert (counts.certificates_valid, counts.publication_points_valid, counts.roas_valid) == (
        CA_POINTS,
        CA_POINTS,
        4363,
    )


def test_vrps_expire_with_the_first_link_of_their_chain(whole: ValidationRun, points: Points) -> None:
    """No VRP outlives a certificate, manifest or CRL above it, and each names the ROA that it came from."""
    at = {uri: issuer for issuer, point in points.values() for uri in roa_uris(issuer, point)}
    end = {issuer.subject_key_id: issuer.expires for issuer, _ in points.values()}
    for roa in whole.roas:
        assert whole.now < roa.expires <= min(end[key] for key in at[roa.uri].chain)
        assert roa.uri.startswith(at[roa.uri].repository)


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_a_flipped_byte_costs_its_publication_point(
    real_tree: Any, memory: Memory, whole: ValidationRun, points: Points, part: float
) -> None:
    """In a ROA, a CRL, a manifest: all of that CA and nothing else is lost, and the record names the file."""
    roa_at, crl_at, mft_at = leaves_with_roas(points)[:3]
    listed = parse_manifest(real_tree.files[crl_at]).content.files
    crl = points[crl_at][0].repository + next(name for name in listed if name.endswith(".crl"))
    victims = [roa_uris(*points[roa_at])[0], crl, mft_at]
    files = dict(real_tree.files) | {uri: flipped(real_tree.files[uri], part) for uri in victims}
    run = validate([real_tree.tal], memory(files), clock=lambda: real_tree.now)
    lost = uris_under(points, roa_at) | uris_under(points, crl_at) | uris_under(points, mft_at)
    assert {roa.uri for roa in whole.roas} - {roa.uri for roa in run.roas} == lost
    assert {roa.uri for roa in run.roas} <= {roa.uri for roa in whole.roas}
    assert sorted(rejection.uri for rejection in run.rejections) == sorted(victims)
    assert {rejection.section for rejection in run.rejections if not rejection.uri.endswith(".mft")} == {
        "RFC 9286 section 6.5"
    }
    assert run.counts.publication_points_rejected == 3


@pytest.mark.parametrize("part", [0.0, 0.3, 0.7, 1.0])
def test_a_flipped_byte_in_a_ca_certificate_costs_the_parents_point(
    real_tree: Any, memory: Memory, whole: ValidationRun, points: Points, part: float
) -> None:
    """Its hash is on the parent's manifest, so the parent's whole publication point fails, with all below."""
    parent = max(points, key=lambda at: len(points[at][1].children))
    victim = points[parent][1].children[7].uri
    files = dict(real_tree.files) | {victim: flipped(real_tree.files[victim], part)}
    run = validate([real_tree.tal], memory(files), clock=lambda: real_tree.now)
    kept = {roa.uri for roa in whole.roas} - uris_under(points, parent)
    assert {roa.uri for roa in run.roas} == kept
    assert [(rejection.uri, rejection.section) for rejection in run.rejections] == [(victim, "RFC 9286 section 6.5")]


@pytest.mark.parametrize("part", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_a_flipped_byte_in_the_trust_anchor_costs_everything(real_tree: Any, memory: Memory, part: float) -> None:
    """Nothing is left, and the record names the file."""
    uri = real_tree.tal.uris[0]
    run = validate(
        [real_tree.tal],
        memory({**real_tree.files, uri: flipped(real_tree.files[uri], part)}),
        clock=lambda: real_tree.now,
    )
    assert not run.roas
    assert [rejection.uri for rejection in run.rejections] == [uri]
    assert run.trust_anchors[0].uri == ""


@pytest.mark.parametrize(
    ("now", "section"),
    [(1_577_836_800, "RFC 6487 section 7.2"), (4_102_444_800, "RFC 6487 section 7.2")],
    ids=["2020", "2100"],
)
def test_outside_its_time_nothing_of_it_holds(real_tree: Any, memory: Memory, now: int, section: str) -> None:
    """The trust anchor itself is not valid then."""
    run = validate([real_tree.tal], memory(real_tree.files), clock=lambda: now)
    assert not run.roas
    assert [rejection.section for rejection in run.rejections] == [section]


def test_a_month_later_the_manifests_are_stale(real_tree: Any, memory: Memory) -> None:
    """Stale publication points fail (RFC 9286 section 6.3), each with its own record."""
    run = validate([real_tree.tal], memory(real_tree.files), clock=lambda: real_tree.now + 30 * 86_400)
    assert not run.roas
    assert run.rejections
    assert all(rejection.uri.endswith(".mft") for rejection in run.rejections)
