"""A CA that goes on under another name of its manifest, and whether anybody hears of it."""

from __future__ import annotations

from typing import Any

import pytest

from rpkival.lab.keys import KeyRing, SigningKey
from rpkival.lab.number_resources import Resources
from rpkival.validation.report import RenamedManifest
from rpkival.validation.walk import validate


class BetasKey:
    """Keys by name, of which gamma's is beta's."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def key(self, name: str) -> SigningKey:
        """One of them."""
        return self._keys.key("beta" if name == "gamma" else name)


def rename(lab: Any, lab_keys: KeyRing, *, stays: bool = False) -> Any:
    """Beta's key in its directory again, under the name of gamma, which begins to count its manifests anew."""
    for _ in range(5):
        lab.beta.publication_point(lab.day)
    lab.anchor.keys = BetasKey(lab_keys)
    gamma = lab.anchor.issue_ca("gamma", Resources(["10.2.0.0/16"], [64501]), repository=lab.beta.repository)
    gamma.issue_roa(64510, [("10.2.0.0/16", 16)])
    if not stays:
        lab.anchor.withdraw("beta.cer")
        lab.anchor.children.remove(lab.beta)
    return gamma


def test_a_manifest_under_another_name_is_told_of_once(lab: Any, lab_keys: KeyRing, memory: Any, notes: Any) -> None:
    """With both names, and its lower number is taken."""
    memo, source = notes(), memory({}, revisions=True)

    def run() -> Any:
        source.files = lab.files
        return validate([lab.tal], source, clock=lambda: lab.now, memo=memo)

    assert run().renamed_manifests == ()
    rename(lab, lab_keys)
    found = run()
    assert 64510 in {roa.asn for roa in found.roas}
    place = lab.beta.repository
    (renamed,) = found.renamed_manifests
    assert renamed == RenamedManifest("lab", f"{place}beta.mft", f"{place}gamma.mft")
    assert found.report.renamed_manifests == (renamed,)
    assert renamed.sentence.startswith(f"A CA under lab publishes its manifest at {place}gamma.mft and no longer at")
    assert run().renamed_manifests == ()


def test_what_comes_and_goes_is_not_renamed(lab: Any, lab_keys: KeyRing, memory: Any, notes: Any) -> None:
    """A CA that goes while another comes, and one that has a second name beside the first."""
    memo, source = notes(), memory({}, revisions=True)
    for change in (
        lambda: None,
        lambda: rename(lab, lab_keys, stays=True),
        lambda: lab.alpha.withdraw("customer.cer") or lab.alpha.children.clear(),
        lambda: lab.alpha.issue_ca("newcomer", Resources(["10.1.128.0/17"])),
    ):
        change()
        source.files = lab.files
        found = validate([lab.tal], source, clock=lambda: lab.now, memo=memo)
        assert found.renamed_manifests == ()


def test_no_more_are_told_of_than_anybody_reads(
    lab: Any, lab_keys: KeyRing, memory: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of however many."""
    monkeypatch.setattr("rpkival.validation.renaming.MAX_RENAMED_MANIFESTS", 0)
    memo, source = notes(), memory(lab.files)
    validate([lab.tal], source, clock=lambda: lab.now, memo=memo)
    rename(lab, lab_keys)
    source.files = lab.files
    assert validate([lab.tal], source, clock=lambda: lab.now, memo=memo).renamed_manifests == ()
