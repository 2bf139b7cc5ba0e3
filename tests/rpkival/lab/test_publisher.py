"""Tests for rpkival.lab.publisher."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.publisher import Publisher, trust_anchor_locator

URI = "rsync://rpki.lab.example/repository/"


@pytest.fixture
def anchor(lab_keys: KeyRing) -> CertificateAuthority:
    """A trust anchor."""
    return trust_anchor("lab", Resources(["10.0.0.0/8"]), Validity(1_767_225_600, 1_798_761_600), lab_keys)


def test_the_locator_has_the_address_and_the_key(anchor: CertificateAuthority) -> None:
    """A line of each URI, an empty line, and the key in base64 (RFC 8630 section 2.2)."""
    uris, _, key = trust_anchor_locator(anchor).partition("\n\n")

    assert uris == f"{URI}lab.cer"
    assert base64.b64decode(key) == anchor.key.public_key_info


def test_files_lie_where_their_uris_say(anchor: CertificateAuthority, tmp_path: Path) -> None:
    """Under rsync/host/module/path, beside the locator."""
    publisher = Publisher(tmp_path / "lab")

    locators = publisher.publish(anchor, files={f"{URI}a/x.roa": b"x"})

    assert (tmp_path / "lab/rsync/rpki.lab.example/repository/a/x.roa").read_bytes() == b"x"
    assert locators == [tmp_path / "lab/lab.tal"]
    assert locators[0].read_text() == trust_anchor_locator(anchor)


def test_a_reader_sees_one_tree_until_it_looks_again(anchor: CertificateAuthority, tmp_path: Path) -> None:
    """What it resolved stays whole through one change; the tree before that is gone."""
    publisher = Publisher(tmp_path)
    publisher.publish(anchor, files={f"{URI}first.roa": b"1"})
    seen = publisher.rsync.resolve()

    publisher.publish(anchor, files={f"{URI}second.roa": b"2"})

    assert [path.name for path in seen.rglob("*.roa")] == ["first.roa"]
    assert [path.name for path in publisher.rsync.resolve().rglob("*.roa")] == ["second.roa"]
    publisher.publish(anchor, files={f"{URI}third.roa": b"3"})
    assert not seen.exists()
    assert len(list(tmp_path.glob("tree-*"))) == 2


def test_a_publisher_goes_on_where_the_last_one_stopped(anchor: CertificateAuthority, tmp_path: Path) -> None:
    """A second one on the same directory replaces what is there."""
    Publisher(tmp_path).publish(anchor, files={f"{URI}first.roa": b"1"})

    Publisher(tmp_path).publish(anchor, files={f"{URI}second.roa": b"2"})

    assert [path.name for path in (tmp_path / "rsync").resolve().rglob("*.roa")] == ["second.roa"]


def test_each_tree_is_a_second_younger_than_the_last(anchor: CertificateAuthority, tmp_path: Path) -> None:
    """However soon they follow, so rsync, which looks at size and second, does not take one for the other."""

    def second() -> int:
        Publisher(tmp_path).publish(anchor, files={f"{URI}same.roa": b"x"})
        (path,) = (tmp_path / "rsync").resolve().rglob("*.roa")
        return int(path.stat().st_mtime)

    seconds = [second() for _ in range(4)]

    assert seconds == sorted(set(seconds))
