"""The last good version of a publication point counts while a new one is broken, and nothing older ever comes back."""

from __future__ import annotations

from typing import Any

import pytest

from rpkival.validation.report import ValidationRun
from rpkival.validation.walk import validate


def asns(run: ValidationRun) -> set[int]:
    return {roa.asn for roa in run.roas}


@pytest.fixture
def source(lab: Any, memory: Any) -> Any:
    """A source that has accepted the whole lab."""
    source = memory(lab.files)
    assert len(validate([lab.tal], source, clock=lambda: lab.now).roas) == 4
    assert len(source.versions) == 4
    return source


def run(lab: Any, source: Any, *, now: int | None = None) -> ValidationRun:
    return validate([lab.tal], source, clock=lambda: now or lab.now)


@pytest.mark.parametrize("broken", ["manifest gone", "manifest garbage", "file gone", "file changed", "all gone"])
def test_what_was_good_counts_while_what_is_new_is_broken(lab: Any, source: Any, broken: str) -> None:
    """RFC 9286 section 6.6; the report says what is wrong."""
    manifest = f"{lab.beta.repository}beta.mft"
    lab.beta.issue_roa(64505, [("10.2.5.0/24", 24)])
    source.files = lab.files
    match broken:
        case "manifest gone":
            del source.files[manifest]
        case "manifest garbage":
            source.files[manifest] = b"garbage"
        case "file gone":
            del source.files[f"{lab.beta.repository}beta.crl"]
        case "file changed":
            source.files[f"{lab.beta.repository}beta.crl"] = b"garbage"
        case "all gone":
            source.files = {uri: data for uri, data in source.files.items() if not uri.startswith(lab.beta.repository)}
    again = run(lab, source)
    assert asns(again) == {64499, 64500, 64501, 64502}
    assert again.rejections
    assert all(each.uri.startswith(lab.beta.repository) for each in again.rejections)
    assert again.counts.publication_points_rejected == 0

    source.files = lab.files
    mended = run(lab, source)
    assert asns(mended) == {64499, 64500, 64501, 64502, 64505}
    assert mended.rejections == ()


def test_it_counts_until_it_is_stale(lab: Any, source: Any) -> None:
    """By the manifest's own word."""
    source.files = {uri: data for uri, data in source.files.items() if not uri.startswith(lab.beta.repository)}
    later = type(lab.day)(lab.now + 10, lab.now + 200_000)
    source.files |= {uri: data for uri, data in lab.anchor.tree(later).items() if lab.beta.repository not in uri}
    end = lab.day.not_after
    assert 64501 in asns(run(lab, source, now=end))
    assert asns(run(lab, source, now=end + 1)) == {64499, 64500, 64502}


def test_a_trust_anchor_that_is_gone_is_the_last_one(lab: Any, source: Any) -> None:
    """And one that is broken."""
    uri = lab.anchor.certificate_uri
    source.files = {**source.files, uri: b"garbage"}
    again = run(lab, source)
    assert len(again.roas) == 4
    assert [each.uri for each in again.rejections] == [uri]
    del source.files[uri]
    assert run(lab, source).rejections == ()


def test_an_older_manifest_is_a_replay(lab: Any, source: Any) -> None:
    """RFC 9286 section 4.2.1, CVE-2024-56170: what was withdrawn must not come back with yesterday's manifest."""
    yesterday = dict(source.files)
    lab.beta.withdraw(lab.beta_roa)
    source.files = lab.files
    assert 64501 not in asns(run(lab, source))

    source.files = yesterday
    replayed = run(lab, source)
    assert 64501 not in asns(replayed)
    assert {each.section for each in replayed.rejections} == {"RFC 9286 section 4.2.1"}
    assert "was accepted before" in replayed.rejections[0].sentence


def test_a_number_is_used_once(lab: Any, source: Any) -> None:
    """Another manifest of the same number is not it."""
    number = next(lab.beta._numbers)
    lab.beta._numbers = iter(range(number - 1, number + 10))
    lab.beta.withdraw(lab.beta_roa)
    source.files = lab.files
    again = run(lab, source)
    assert 64501 in asns(again)
    assert {each.section for each in again.rejections} == {"RFC 9286 section 4.2.1"}


def test_keys_do_not_stand_in_for_each_other(lab: Any, source: Any) -> None:
    """What was accepted is the word of one key."""
    places = list(source.versions)
    assert len({place.key for place in places}) == 4
