"""Tests for rpkival.objects.inspection: named samples, and objects broken in one part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from rpkival.objects.inspection import Inspection, inspect_object

SAMPLES = {
    "rpki-rs/repository/ta.cer": ("trust anchor", []),
    "rpki-rs/repository/ca1.cer": ("CA certificate", []),
    "rpki-rs/repository/ta.crl": ("CRL", []),
    "rpki-rs/repository/router.cer": ("router certificate", []),
    "rpki-rs/repository/ripe.tal": ("trust anchor locator", []),
    "rpki-rs/repository/example-ripe.roa": ("signed object", ["RFC 6488 section 2.1"]),
    "rpki-rs/repository/ta.mft": ("signed object", ["RFC 6488 section 2.1"]),
    "rpki-rs/repository/maxlen-overflow.roa": ("ROA", ["RFC 9589", "RFC 9582 section 4.3.2.2"]),
    "rpki-rs/repository/maxlen-underflow.roa": ("ROA", ["RFC 9589", "RFC 9582 section 4.3.2.2"]),
    "rpki-rs/repository/prefix-len-overflow.roa": ("ROA", ["RFC 3779 section 2.2.3.8", "RFC 9582 section 4.3.2.1"]),
    "rpki-rs/repository/signature-alg-mismatch.mft": ("manifest", ["RFC 6487 section 4.3"]),
    "rpki-prover/extra_extensions.cer": ("CA certificate", ["RFC 6487 section 8"]),
    "rpki-prover/bgp_router_cert.cer": ("router certificate", []),
    "rpki-prover/big_cert.cer": ("CA certificate", []),
    "rpki-prover/afrinic_mft1.mft": ("manifest", []),
    "rpki-client-regress/rpki-client/roa/4DAr1VXnjh69GoQkxjmIQdkRVtQ.roa": ("ROA", []),
    "rpki-client-regress/rpki-client/ta/apnic-rpki-root-iana-origin.cer": ("trust anchor", []),
    "rpki-client-regress/rpki-client/ta/ripe-ncc-ta.cer": ("trust anchor", []),
    "rpki-client-regress/rpki-client/ta/AfriNIC.cer": ("trust anchor", []),
    "rpkitouch/yqgF26w2R0m5sRVZCrbvD5cM29g.mft": ("manifest", []),
}
"""Type and sections of what is wrong. Old objects of RIPE are BER, which RFC 6488 section 2 does not allow."""


def sections(found: Inspection) -> list[str]:
    """The sections of all problems."""
    return [problem.section for problem in found.problems]


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_named_samples_are_judged_as_their_names_say(unpacked: Callable[[str], Path], name: str) -> None:
    """Real and broken objects from the tests of other validators."""
    path = unpacked("objects/misc-objects.tar.xz") / name
    found = inspect_object(path.read_bytes(), path.name)
    assert (found.kind, sections(found)) == SAMPLES[name]


def test_every_sample_can_be_taken_apart_and_told(unpacked: Callable[[str], Path]) -> None:
    """Whatever it is: no exception, and JSON that can be written."""
    paths = [path for path in unpacked("objects/misc-objects.tar.xz").rglob("*") if path.is_file()]
    assert len(paths) > 100
    for path in paths:
        if path.stat().st_size < 1_000_000:
            assert msgspec.json.encode(inspect_object(path.read_bytes(), path.name).fields)


def test_a_roa_is_told(real_objects: Callable[[str], list[bytes]]) -> None:
    """Its AS number, its prefixes, its times."""
    found = inspect_object(real_objects("roa")[0], "x.roa")
    assert found.problems == []
    assert found.fields["content"]["asn"].startswith("AS")
    assert found.fields["content"]["prefixes"][0]["max_length"] >= 8
    assert found.valid_from is not None
    assert found.valid_until is not None
    assert found.valid_from < found.valid_until


def test_a_broken_signature_hides_nothing(real_objects: Callable[[str], list[bytes]]) -> None:
    """Content and certificate are still told."""
    data = real_objects("roa")[0]
    found = inspect_object(data[:-1] + bytes([data[-1] ^ 1]), "x.roa")
    assert sections(found) == ["RFC 6488 section 3"]
    assert found.fields["content"]["prefixes"]
    assert found.fields["certificate"]["serial"]


def test_faults_in_different_parts_are_all_told(real_objects: Callable[[str], list[bytes]]) -> None:
    """A certificate with another version, and a content with another AS number than was signed."""
    data = bytearray(real_objects("roa")[0])
    version = data.index(bytes.fromhex("a003020102"))
    data[version + 4] = 1
    asn = data.index(bytes.fromhex("0202"))
    data[asn + 2] ^= 1
    found = inspect_object(bytes(data), "x.roa")
    assert "RFC 6487 section 4.1" in sections(found)
    assert found.fields["content"]["asn"].startswith("AS")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("x.roa", "signed object"), ("x.cer", "certificate"), ("x.crl", "CRL"), ("x.tal", "trust anchor locator")],
)
def test_what_cannot_be_decoded_is_named_by_its_extension(name: str, kind: str) -> None:
    """The content says nothing."""
    found = inspect_object(b"\x00", name)
    assert found.kind == kind
    assert found.problems


def test_anything_else_is_unknown() -> None:
    """A picture, say."""
    found = inspect_object(b"\x89PNG", "x.png")
    assert found.kind == "unknown"
    assert len(found.problems) == 1
