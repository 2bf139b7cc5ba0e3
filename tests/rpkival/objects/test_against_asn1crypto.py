"""Every field of real objects, read by us and by asn1crypto, an implementation that shares nothing with ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

import pytest
from asn1crypto import cms, core, crl, x509

from rpkival.objects.certificate import Certificate, Role, parse_certificate
from rpkival.objects.crl import parse_crl
from rpkival.objects.manifest import parse_manifest
from rpkival.objects.resources import INHERIT, Claim
from rpkival.objects.roa import parse_roa

STEP = 40
"""asn1crypto takes milliseconds an object, so every fortieth is compared."""

Spec = list[tuple[Any, ...]]
RealObjects = Callable[[str], list[bytes]]


class IPAddressRange(core.Sequence):
    """RFC 3779 section 2.2.3.9."""

    _fields: ClassVar[Spec] = [("min", core.BitString), ("max", core.BitString)]


class IPAddressOrRange(core.Choice):
    """RFC 3779 section 2.2.3.7."""

    _alternatives: ClassVar[Spec] = [("prefix", core.BitString), ("range", IPAddressRange)]


class AddressesOrRanges(core.SequenceOf):
    """RFC 3779 section 2.2.3.6."""

    _child_spec = IPAddressOrRange


class IPAddressChoice(core.Choice):
    """RFC 3779 section 2.2.3.4."""

    _alternatives: ClassVar[Spec] = [("inherit", core.Null), ("list", AddressesOrRanges)]


class IPAddressFamily(core.Sequence):
    """RFC 3779 section 2.2.3.2."""

    _fields: ClassVar[Spec] = [("family", core.OctetString), ("choice", IPAddressChoice)]


class IPAddrBlocks(core.SequenceOf):
    """RFC 3779 section 2.2.3.1."""

    _child_spec = IPAddressFamily


class FileAndHash(core.Sequence):
    """RFC 9286 section 4.2.1."""

    _fields: ClassVar[Spec] = [("file", core.IA5String), ("hash", core.BitString)]


class FileList(core.SequenceOf):
    """RFC 9286 section 4.2.1."""

    _child_spec = FileAndHash


class ManifestContent(core.Sequence):
    """RFC 9286 section 4.2."""

    _fields: ClassVar[Spec] = [
        ("version", core.Integer, {"explicit": 0, "default": 0}),
        ("number", core.Integer),
        ("this_update", core.GeneralizedTime),
        ("next_update", core.GeneralizedTime),
        ("algorithm", core.ObjectIdentifier),
        ("files", FileList),
    ]


class RoaAddress(core.Sequence):
    """RFC 9582 section 4.3.2."""

    _fields: ClassVar[Spec] = [("address", core.BitString), ("max_length", core.Integer, {"optional": True})]


class RoaAddresses(core.SequenceOf):
    """RFC 9582 section 4.3.2."""

    _child_spec = RoaAddress


class RoaFamily(core.Sequence):
    """RFC 9582 section 4.3."""

    _fields: ClassVar[Spec] = [("family", core.OctetString), ("addresses", RoaAddresses)]


class RoaFamilies(core.SequenceOf):
    """RFC 9582 section 4.3."""

    _child_spec = RoaFamily


class RoaContent(core.Sequence):
    """RFC 9582 section 4."""

    _fields: ClassVar[Spec] = [
        ("version", core.Integer, {"explicit": 0, "default": 0}),
        ("asn", core.Integer),
        ("families", RoaFamilies),
    ]


def seconds(moment: datetime) -> int:
    """Unix seconds."""
    return int(moment.timestamp())


def bits_to_prefix(bits: tuple[int, ...], family_bits: int, fill: int = 0) -> int:
    """An address from its leading bits."""
    text = "".join(map(str, bits)) + str(fill) * (family_bits - len(bits))
    return int(text, 2)


def claim_of(choice: IPAddressChoice, family_bits: int) -> Claim:
    """The claim in one IPAddressChoice."""
    if choice.name == "inherit":
        return INHERIT
    ranges = []
    for each in choice.chosen:
        low, high = (each.chosen, each.chosen) if each.name == "prefix" else (each.chosen["min"], each.chosen["max"])
        ranges.append((bits_to_prefix(low.native, family_bits), bits_to_prefix(high.native, family_bits, 1)))
    return tuple(ranges)


def compare_certificate(mine: Certificate, theirs: x509.Certificate) -> None:
    """All fields of one certificate."""
    inner = theirs["tbs_certificate"]
    assert mine.serial == theirs.serial_number
    assert mine.issuer == theirs.issuer.dump()
    assert mine.subject == theirs.subject.dump()
    assert mine.not_before == seconds(theirs.not_valid_before)
    assert mine.not_after == seconds(theirs.not_valid_after)
    assert mine.key_info == theirs.public_key.dump()
    assert mine.subject_key_id == theirs.key_identifier
    assert mine.authority_key_id == theirs.authority_key_identifier
    assert mine.signed == inner.dump()
    assert mine.signature == theirs.signature
    assert mine.crl_uris == tuple(
        name.native for point in theirs.crl_distribution_points for name in point["distribution_point"].chosen
    )
    assert mine.issuer_uri == theirs.authority_information_access_value[0]["access_location"].native
    by_id = {each["extn_id"].dotted: each["extn_value"].contents for each in inner["extensions"]}
    locations = {
        each["access_method"].dotted.rpartition(".")[2]: each["access_location"].native
        for each in x509.AuthorityInfoAccessSyntax.load(by_id["1.3.6.1.5.5.7.1.11"], strict=True)
    }
    *one_each, signed_objects = mine.locations
    assert one_each == [locations.get(number, "") for number in ("5", "10", "13")]
    assert signed_objects == ((locations["11"],) if "11" in locations else ())
    claims = {
        bytes(family["family"].native): claim_of(family["choice"], 32 if family["family"].native[1] == 1 else 128)
        for family in IPAddrBlocks.load(by_id.get("1.3.6.1.5.5.7.1.7", b"\x30\x00"), strict=True)
    }
    assert mine.resources.ipv4 == claims.get(b"\x00\x01")
    assert mine.resources.ipv6 == claims.get(b"\x00\x02")


def open_cms(data: bytes) -> tuple[x509.Certificate, bytes, int]:
    """Certificate, content and signing time of a signed object."""
    signed = cms.ContentInfo.load(data, strict=True)["content"]
    times = [
        attribute["values"][0].native
        for attribute in signed["signer_infos"][0]["signed_attrs"]
        if attribute["type"].native == "signing_time"
    ]
    return signed["certificates"][0].chosen, signed["encap_content_info"]["content"].native, seconds(times[0])


def test_certificates_agree(real_objects: RealObjects) -> None:
    """CA certificates."""
    for data in real_objects("cer")[::STEP]:
        compare_certificate(parse_certificate(data, Role.CA), x509.Certificate.load(data, strict=True))


def test_crls_agree(real_objects: RealObjects) -> None:
    """CRLs with their entries."""
    revoked = 0
    for data in real_objects("crl")[::STEP]:
        mine, theirs = parse_crl(data), crl.CertificateList.load(data, strict=True)
        inner = theirs["tbs_cert_list"]
        entries = inner["revoked_certificates"]
        assert mine.issuer == inner["issuer"].dump()
        assert mine.this_update == seconds(inner["this_update"].native)
        assert mine.next_update == seconds(inner["next_update"].native)
        assert mine.number == theirs.crl_number_value.native
        assert mine.authority_key_id == theirs.authority_key_identifier_value["key_identifier"].native
        assert mine.revoked == {entry["user_certificate"].native for entry in entries}
        assert mine.signed == inner.dump()
        assert mine.signature == theirs["signature"].native
        revoked += len(mine.revoked)
    assert revoked > 0


def test_manifests_agree(real_objects: RealObjects) -> None:
    """Numbers, times, file names and hashes."""
    for data in real_objects("mft")[::STEP]:
        certificate, content, signing_time = open_cms(data)
        mine, theirs = parse_manifest(data), ManifestContent.load(content, strict=True)
        compare_certificate(mine.certificate, certificate)
        assert mine.signing_time == signing_time
        assert mine.content.number == theirs["number"].native
        assert mine.content.this_update == seconds(theirs["this_update"].native)
        assert mine.content.next_update == seconds(theirs["next_update"].native)
        assert mine.content.files == {
            entry["file"].native: bits_to_prefix(entry["hash"].native, 256).to_bytes(32, "big")
            for entry in theirs["files"]
        }


@pytest.mark.parametrize("family", [4, 6])
def test_roas_agree(real_objects: RealObjects, family: int) -> None:
    """AS number, prefixes, lengths and maxLengths."""
    bits = 32 if family == 4 else 128
    compared = 0
    for data in real_objects("roa")[::STEP]:
        certificate, content, signing_time = open_cms(data)
        mine, theirs = parse_roa(data), RoaContent.load(content, strict=True)
        compare_certificate(mine.certificate, certificate)
        assert mine.signing_time == signing_time
        assert mine.content.asn == theirs["asn"].native
        expected = [
            (
                bits_to_prefix(entry["address"].native, bits),
                len(entry["address"].native),
                len(entry["address"].native) if entry["max_length"].native is None else entry["max_length"].native,
            )
            for block in theirs["families"]
            if block["family"].native[1] == (1 if family == 4 else 2)
            for entry in block["addresses"]
        ]
        assert list(mine.content.ipv4 if family == 4 else mine.content.ipv6) == expected
        compared += len(expected)
    assert compared > 5
