"""What was judged is not judged again; a run with a memo gives what one without gives, at any time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpkival.lab.certificates import Validity
from rpkival.lab.number_resources import Resources
from rpkival.limits import MAX_TREE_AGE_SECONDS
from rpkival.validation import workers
from rpkival.validation.lifetime import Lifetime
from rpkival.validation.walk import validate

NO_EXTRA = [HealthCheck.function_scoped_fixture]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The manifests that are judged, as they are."""
    seen: list[str] = []
    judge = workers.judge_publication_point

    def note(issuer: Any, *rest: Any, **options: Any) -> Any:
        seen.append(issuer.manifest.rpartition("/")[2])
        return judge(issuer, *rest, **options)

    monkeypatch.setattr(workers, "judge_publication_point", note)
    return seen


def test_only_what_changed_is_judged(lab: Any, memory: Any, notes: Any, judged: list[str]) -> None:
    """A CA that renews its manifest moves the expiry of all below it, and nobody is judged for that."""
    memo, files = notes(), lab.files
    first = validate([lab.tal], memory(files), clock=lambda: lab.now, memo=memo)
    assert sorted(judged) == ["alpha.mft", "anchor.mft", "beta.mft", "customer.mft"]
    judged.clear()
    assert validate([lab.tal], memory(files), clock=lambda: lab.now, memo=memo) == first
    assert judged == []

    longer = type(lab.day)(lab.now - 10, lab.now + 200_000)
    files |= {lab.alpha.repository + name: data for name, data in lab.alpha.publication_point(longer).items()}
    again = validate([lab.tal], memory(files), clock=lambda: lab.now, memo=memo)
    assert judged == ["alpha.mft"]
    assert again == validate([lab.tal], memory(files), clock=lambda: lab.now)


@pytest.mark.parametrize("revisions", [False, True])
def test_a_renewed_certificate_counts_for_all_that_is_remembered_below(
    lab: Any, memory: Any, notes: Any, judged: list[str], revisions: bool
) -> None:
    """When the chain begins, ends and gets stale; nothing below its issuer is judged for that."""
    memo, source = notes(), memory(lab.files, revisions=revisions)
    validate([lab.tal], source, clock=lambda: lab.now, memo=memo)
    judged.clear()
    sooner = Validity(lab.now - 60, lab.now + 5_000)
    resources = Resources(["10.1.0.0/16", "2001:db8:1::/48"], [64500])
    lab.anchor.issue_ca("alpha", resources, validity=sooner, repository=lab.alpha.repository)
    anchors = {lab.anchor.repository + name: data for name, data in lab.anchor.publication_point(lab.day).items()}
    source.files = {**source.files, **anchors}

    again = validate([lab.tal], source, clock=lambda: lab.now, memo=memo)

    assert judged == ["anchor.mft"]
    assert again == validate([lab.tal], memory(source.files), clock=lambda: lab.now)
    lifetimes = {roa.asn: roa.lifetime for roa in again.roas}
    year, day = (lab.year.not_before, lab.year.not_after), (lab.day.not_before, *[lab.day.not_after] * 2)
    below = Lifetime(*year, sooner.not_before, sooner.not_after, sooner.not_after)
    assert lifetimes == {64499: below, 64500: below, 64502: below, 64501: Lifetime(*year, *day)}


def test_what_failed_for_a_missing_file_is_judged_again(lab: Any, memory: Any, notes: Any, judged: list[str]) -> None:
    """It may be there the next time."""
    memo, files = notes(), lab.files
    whole = dict(files)
    del files[f"{lab.beta.repository}{lab.beta_roa}"]
    assert len(validate([lab.tal], memory(files), clock=lambda: lab.now, memo=memo).roas) == 3
    judged.clear()
    assert len(validate([lab.tal], memory(whole), clock=lambda: lab.now, memo=memo).roas) == 4
    assert judged == ["beta.mft"]


@pytest.mark.parametrize("meanwhile", [b"broken", None])
def test_what_changes_under_a_run_is_not_remembered_as_what_was_there(
    lab: Any, memory: Any, notes: Any, meanwhile: bytes | None
) -> None:
    """Another run on the same store may fetch between the look at a manifest's digest and that at its content."""
    memo, files = notes(), lab.files

    class Changing(memory):  # type: ignore[misc]
        def read(self, place: Any, name: str, sha256: bytes) -> Any:
            return meanwhile if name == "beta.mft" else super().read(place, name, sha256)

    assert len(validate([lab.tal], Changing(files), clock=lambda: lab.now, memo=memo).roas) == 3
    source = memory(files)
    assert validate([lab.tal], source, clock=lambda: lab.now, memo=memo) == lab.validate()

    source.files = {uri: b"" if uri.endswith("beta.mft") else data for uri, data in files.items()}
    lost = Changing(source.files, versions=source.versions, kept=source.kept)
    memo.clear()
    assert len(validate([lab.tal], lost, clock=lambda: lab.now, memo=memo).roas) == 3
    assert len(validate([lab.tal], source, clock=lambda: lab.now, memo=memo).roas) == 4


def test_nothing_is_made_ready_for_a_memo_that_is_not_there(lab: Any, memory: Any, notes: Any) -> None:
    """What each repository is at is asked for the tree that is kept, and for nothing else."""
    asked: list[str] = []

    class Asked(memory):  # type: ignore[misc]
        def revision(self, place: Any) -> bytes | None:
            asked.append(place.source)
            return b"1"

    validate([lab.tal], Asked(lab.files), clock=lambda: lab.now)
    assert asked == []
    validate([lab.tal], Asked(lab.files), clock=lambda: lab.now, memo=notes())
    assert asked


def test_what_is_gone_is_forgotten(lab: Any, memory: Any, notes: Any) -> None:
    """A whole run in which all was looked at leaves what it used; one whose anchor was out of reach forgets nothing."""
    memo = notes()
    validate([lab.tal], memory(lab.files), clock=lambda: lab.now, memo=memo)
    validate([lab.tal], memory({}), clock=lambda: lab.now, memo=memo)
    assert len(memo) == 5  # of four CAs, and one for the whole tree
    lab.anchor.withdraw("beta.cer")
    validate([lab.tal], memory(lab.files), clock=lambda: lab.now, memo=memo)
    later = lab.now + MAX_TREE_AGE_SECONDS
    validate([lab.tal], memory(lab.files), clock=lambda: later, memo=memo)
    assert len(memo) == 4


@settings(suppress_health_check=NO_EXTRA, max_examples=25, deadline=None)
@given(moments=st.lists(st.integers(-5_000, 100_000), min_size=2, max_size=5), data=st.data())
def test_a_memo_changes_nothing(
    lab: Any, lab_keys: Any, memory: Any, notes: Any, moments: list[int], data: st.DataObject
) -> None:
    """At whatever times in whatever order: it is the interval of each point that decides whether it is judged again."""
    lab = type(lab)(lab_keys)
    start = lab.now + data.draw(st.integers(-1_000, 3_000))
    lab.beta.issue_roa(64506, [("10.2.6.0/24", 24)], validity=Validity(start, start + 10_000))
    lab.alpha.revoke(lab.alpha_other, lab.now - 60)
    files = lab.files
    memo = notes()
    for moment in moments:
        now = lab.now + moment
        with_memo = validate([lab.tal], memory(files), clock=lambda now=now: now, memo=memo)
        assert with_memo == validate([lab.tal], memory(files), clock=lambda now=now: now)
