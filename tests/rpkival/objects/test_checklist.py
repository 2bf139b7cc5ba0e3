"""Tests for rpkival.objects.checklist: those that others have signed, and the lab's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import LimitError, ObjectError
from rpkival.lab import der
from rpkival.lab.attestations import CHECKLIST, checklist_content
from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import INHERIT, Resources
from rpkival.objects.checklist import parse_checklist, parse_checklist_content

RESOURCES = Resources(["10.1.0.0/16", "2001:db8::/48"], [64500])
VALID = Validity(0, 2_000_000_000)
SHA256 = der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"))


@pytest.fixture
def anchor(lab_keys: KeyRing) -> CertificateAuthority:
    """Who signs."""
    return trust_anchor("anchor", Resources(["10.0.0.0/8", "2001:db8::/32"], [64500]), VALID, lab_keys)


@pytest.mark.parametrize(
    ("archive", "name", "files"),
    [
        ("objects/misc-objects", "rpki-client-regress/rpki-client/rsc/rsc-deployment-test-3.sig", ["test.txt"]),
        ("objects/misc-objects", "rpki-prover/checklist.sig", ["b42_ipv6_loa.png", ""]),
        (
            "conformance/rpki-commons",
            "rpki-commons/interop/openbsd-regress/checklist-08.sig",
            ["b42_ipv6_loa.png", ""],
        ),
    ],
)
def test_real_ones_are_read(unpacked: Callable[[str], Path], archive: str, name: str, files: list[str]) -> None:
    """The names of the files that they vouch for."""
    content = parse_checklist((unpacked(f"{archive}.tar.xz") / name).read_bytes()).content
    assert [name for name, _ in content.files] == files


@pytest.mark.parametrize(
    ("archive", "name", "section"),
    [
        ("objects/misc-objects", "rpki-prover/checklist.sig.1", "RFC 6487 section 4.2"),
        (
            "conformance/rpki-commons",
            "rpki-commons/interop/openbsd-regress/c6938fc00af6496d9d4e6e2d876e4b4811887b60f4f1bc9cd0b3cdb7c57c6d5e.sig",
            "RFC 6488 section 2.1.6.5",
        ),
    ],
)
def test_older_ones_are_refused(unpacked: Callable[[str], Path], archive: str, name: str, section: str) -> None:
    """A serial number of zero; an rsaEncryption without the NULL that RFC 3370 section 3.2 demands."""
    with pytest.raises(ObjectError) as caught:
        parse_checklist((unpacked(f"{archive}.tar.xz") / name).read_bytes(), require_signing_time=False)
    assert caught.value.section == section


def test_the_labs_is_read(anchor: CertificateAuthority) -> None:
    """What was signed, and with which resources."""
    content = parse_checklist(anchor.checklist(RESOURCES, {"a.txt": b"one", "b.txt": b"one"})).content
    digest = hashlib.sha256(b"one").digest()
    assert content.files == (("a.txt", digest), ("b.txt", digest))
    assert content.resources.asn == ((64500, 64500),)


def test_its_certificate_must_have_what_it_speaks_for(anchor: CertificateAuthority) -> None:
    """RFC 9323 section 5, and no place in a repository (section 2)."""
    content = checklist_content(RESOURCES, {"a.txt": b"one"})
    for resources, sentence in (
        (Resources(["10.1.0.0/16", "2001:db8::/48"]), "AS64500"),
        (Resources(["2001:db8::/48"], [64500]), "10.1.0.0/16"),
        (Resources(["10.1.0.0/16"], [64500]), "2001:db8::/48"),
        (INHERIT, "inherits"),
    ):
        with pytest.raises(ObjectError, match=sentence) as caught:
            parse_checklist(anchor.sign("", CHECKLIST, content, resources, VALID, 7).content)
        assert caught.value.section == "RFC 9323 section 5"
    with pytest.raises(ObjectError, match="subject information access"):
        parse_checklist(anchor.sign("x.sig", CHECKLIST, content, RESOURCES, VALID, 7).content)


def entry(name: str | None, digest: bytes = bytes(32)) -> bytes:
    """FileNameAndHash."""
    return der.sequence(*([] if name is None else [der.ia5_string(name)]), der.octet_string(digest))


def content_of(*entries: bytes, block: bytes | None = None, algorithm: bytes = SHA256) -> bytes:
    """RpkiSignedChecklist of AS64500, unless told."""
    numbers = der.sequence(der.explicit(0, der.sequence(der.explicit(0, der.sequence(der.integer(64500))))))
    return der.sequence(block or numbers, algorithm, der.sequence(*entries))


def test_a_hash_twice_is_fine_where_names_tell_which_is_which() -> None:
    """RFC 9323 section 4.4.1."""
    assert len(parse_checklist_content(content_of(entry("a"), entry("b"), entry(None))).files) == 3


@pytest.mark.parametrize(
    ("content", "section"),
    [
        (content_of(), "4.4.1"),
        (content_of(entry("a"), entry("a", b"x" * 32)), "4.4.1"),
        (content_of(entry(None), entry(None)), "4.4.1"),
        (content_of(entry("../passwd")), "4.4.1"),
        (content_of(entry("a", b"short")), "4.4.1"),
        (content_of(entry("a"), block=der.sequence()), "4.2"),
        (content_of(entry("a"), algorithm=der.sequence(der.object_identifier("1.3.14.3.2.26"))), "4.3"),
        (der.sequence(der.explicit(0, der.integer(1)), content_of(entry("a"))[2:]), "4.1"),
        (b"", "4"),
    ],
)
def test_broken_content_is_refused(content: bytes, section: str) -> None:
    """Nothing listed, the same twice, a name with a path, a hash that is none, no resources, SHA-1, other DER."""
    with pytest.raises(ObjectError) as caught:
        parse_checklist_content(content)
    assert caught.value.section == f"RFC 9323 section {section}"


def test_inherited_addresses_are_refused() -> None:
    """They are to be listed."""
    families = der.sequence(der.sequence(der.octet_string(b"\0\1"), der.NULL))
    with pytest.raises(ObjectError, match="inherits"):
        parse_checklist_content(content_of(entry("a"), block=der.sequence(der.explicit(1, families))))


def test_more_files_than_anybody_signs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they are looked at."""
    monkeypatch.setattr("rpkival.objects.checklist.MAX_CHECKLIST_ENTRIES", 1)
    with pytest.raises(LimitError, match="2 files"):
        parse_checklist_content(content_of(entry("a"), entry("b")))
