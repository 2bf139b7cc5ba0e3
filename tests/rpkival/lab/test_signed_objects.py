"""Tests for rpkival.lab.signed_objects: contents and envelopes, read by asn1crypto."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from asn1crypto import algos, cms, core
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.signed_objects import ROA, manifest_content, roa_content, signed_object

DAY = Validity(1_773_648_000, 1_773_734_400)


class RoaAddress(core.Sequence):
    _fields: ClassVar = [("address", core.BitString), ("max_length", core.Integer, {"optional": True})]


class RoaAddresses(core.SequenceOf):
    _child_spec = RoaAddress


class RoaFamily(core.Sequence):
    _fields: ClassVar = [("address_family", core.OctetString), ("addresses", RoaAddresses)]


class RoaFamilies(core.SequenceOf):
    _child_spec = RoaFamily


class Roa(core.Sequence):
    """RFC 9582 section 4, declared once more."""

    _fields: ClassVar = [
        ("version", core.Integer, {"explicit": 0, "default": 0}),
        ("as_id", core.Integer),
        ("ip_addr_blocks", RoaFamilies),
    ]


class FileAndHash(core.Sequence):
    _fields: ClassVar = [("file", core.IA5String), ("hash", core.OctetBitString)]


class FileList(core.SequenceOf):
    _child_spec = FileAndHash


class Manifest(core.Sequence):
    """RFC 9286 section 4.2, declared once more."""

    _fields: ClassVar = [
        ("version", core.Integer, {"explicit": 0, "default": 0}),
        ("manifest_number", core.Integer),
        ("this_update", core.GeneralizedTime),
        ("next_update", core.GeneralizedTime),
        ("file_hash_alg", core.ObjectIdentifier),
        ("file_list", FileList),
    ]


def rows(content: bytes) -> list[tuple[int, str, Any]]:
    """Family, bits and max_length of each address of a ROA."""
    return [
        (family["address_family"].native[1], "".join(map(str, address["address"].native)), address["max_length"].native)
        for family in Roa.load(content, strict=True)["ip_addr_blocks"]
        for address in family["addresses"]
    ]


def test_roas_are_in_canonical_order() -> None:
    """IPv4 first, by address and length, each once; max_length only where it says something (RFC 9582 section 4.3)."""
    content = roa_content(
        64500, [("2001:db8::/32", 48), ("10.128.0.0/9", 9), ("10.0.0.0/8", 24), ("10.0.0.0/9", 9), ("10.0.0.0/8", 24)]
    )

    assert Roa.load(content)["as_id"].native == 64500
    assert rows(content) == [
        (1, "00001010", 24),
        (1, "000010100", None),
        (1, "000010101", None),
        (2, f"{0x20010DB8:032b}", 48),
    ]


def test_a_roa_of_one_family_has_no_trace_of_the_other() -> None:
    """An empty family would be wrong (RFC 9582 section 4.3.1)."""
    assert [family for family, _, _ in rows(roa_content(0, [("2001:db8::/32", 32)]))] == [2]


def test_manifests_have_names_in_order() -> None:
    """With the SHA-256 of each file, and both times as GeneralizedTime (RFC 9286 section 4.2)."""
    manifest = Manifest.load(manifest_content(5, DAY, {"b.roa": b"b", "a.cer": b"a"}), strict=True)

    assert manifest["manifest_number"].native == 5
    assert manifest["this_update"].native.timestamp() == DAY.not_before
    assert manifest["next_update"].native.timestamp() == DAY.not_after
    assert manifest["file_hash_alg"].dotted == "2.16.840.1.101.3.4.2.1"
    assert [(entry["file"].native, entry["hash"].native) for entry in manifest["file_list"]] == [
        ("a.cer", hashlib.sha256(b"a").digest()),
        ("b.roa", hashlib.sha256(b"b").digest()),
    ]


def test_the_envelope_is_what_rfc_6488_allows(lab_keys: KeyRing) -> None:
    """Version 3 twice, one signer by key, three attributes, and a signature over the attributes under their own tag."""
    key = lab_keys.key("lab")

    data = cms.ContentInfo.load(signed_object(ROA, b"content", b"\x30\x00", key, DAY.not_before), strict=True)[
        "content"
    ]

    (signer,) = data["signer_infos"]
    assert (data["version"].native, signer["version"].native) == ("v3", "v3")
    assert data["encap_content_info"]["content_type"].dotted == ROA
    assert signer["sid"].native == key.identifier
    assert [algorithm["algorithm"].native for algorithm in data["digest_algorithms"]] == ["sha256"]
    assert isinstance(signer["signature_algorithm"], algos.SignedDigestAlgorithm)
    attributes = {attribute["type"].native: attribute["values"][0] for attribute in signer["signed_attrs"]}
    assert set(attributes) == {"content_type", "message_digest", "signing_time"}
    assert attributes["message_digest"].native == hashlib.sha256(b"content").digest()
    assert attributes["signing_time"].native.timestamp() == DAY.not_before
    signed = signer["signed_attrs"].untag().dump()
    key.private.public_key().verify(signer["signature"].native, signed, padding.PKCS1v15(), hashes.SHA256())
