"""Tests for rpkival.lab.served_tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpkival.lab.keys import KeyRing
from rpkival.lab.served_tree import ServedTree

NOW = 1_773_648_000


@pytest.mark.usefixtures("needs_rsync")
def test_each_version_replaces_the_one_before(lab_keys: KeyRing, tmp_path: Path) -> None:
    """By both ways, with names that do not come back; files that rsync serves are a second younger."""
    with ServedTree(tmp_path, lab_keys, NOW, roas=2) as tree:
        beta = tmp_path / tree.daemon.authority / "beta/beta"
        first = {path.name: path.stat().st_mtime for path in beta.iterdir()}
        assert tree.now_valid == {(64496, f"10.{member}.{roa}.0/24", 24) for member in (1, 2) for roa in (0, 1)}
        tree.publish()
        second = {path.name: path.stat().st_mtime for path in beta.iterdir()}
        assert first.keys() & second.keys() == {"beta.crl", "beta.mft"}
        assert second["beta.mft"] == first["beta.mft"] + 1
        assert {asn for asn, _, _ in tree.now_valid} == {64497}
        assert sum(uri.endswith(".roa") for uri in tree.rrdp.publication.files) == 2
        assert tree.rrdp.notify_uri.startswith("https://localhost:")
