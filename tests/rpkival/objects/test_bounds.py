"""Objects with values of absurd size: encoded correctly, and refused in a short sentence."""

from __future__ import annotations

import tracemalloc

import pytest
from cryptography.hazmat.asn1 import BitString, GeneralizedTime, IA5String

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import (
    MAX_CERTIFICATE_BYTES,
    MAX_CRL_BYTES,
    MAX_MANIFEST_BYTES,
    MAX_MANIFEST_FILES,
    MAX_ROA_PREFIXES,
)
from rpkival.objects import oids
from rpkival.objects.asn1 import ip_resources, manifest, roa
from rpkival.objects.asn1.der import decode, encode
from rpkival.objects.bounds import shown, shown_octets
from rpkival.objects.certificate import is_router_certificate
from rpkival.objects.crl import parse_crl
from rpkival.objects.extensions import ca_issuers, crl_uris, subject_locations
from rpkival.objects.manifest import parse_manifest_content
from rpkival.objects.resources import parse_as_identifiers
from rpkival.objects.roa import parse_roa_content
from rpkival.objects.times import generalized_seconds, seconds

HUGE = 1 << 100_000
"""Python refuses to write out numbers of 4,300 digits, so a sentence with this one would be a ValueError."""
NET = [roa.ROAIPAddress(address=BitString(b"\x0a", 0))]


def time(text: bytes) -> GeneralizedTime:
    """A GeneralizedTime from its characters."""
    return decode(GeneralizedTime, bytes((0x18, len(text))) + text, "", "time")


def make_roa(version: int = 0, asn: int = 1, family: bytes = b"\x00\x01", max_length: int | None = None) -> bytes:
    """ROA content."""
    entry = roa.ROAIPAddress(address=BitString(b"\x0a", 0), max_length=max_length)
    blocks = [roa.ROAIPAddressFamily(address_family=family, addresses=[entry])]
    return encode(roa.RouteOriginAttestation(version=version, as_id=asn, ip_addr_blocks=blocks))


def make_manifest(version: int = 0, number: int = 1, files: int = 1) -> bytes:
    """Manifest content."""
    entries = [manifest.FileAndHash(file=IA5String(f"{at}.roa"), hash=BitString(bytes(32), 0)) for at in range(files)]
    return encode(
        manifest.Manifest(
            version=version,
            manifest_number=number,
            this_update=time(b"20260316080000Z"),
            next_update=time(b"20260317080000Z"),
            file_hash_alg=oids.SHA256,
            file_list=entries,
        )
    )


@pytest.mark.parametrize("number", [HUGE, -HUGE], ids=["positive", "negative"])
def test_huge_numbers_get_short_sentences(number: int) -> None:
    """Wherever a content has a number."""
    contents = [make_roa(version=number), make_roa(asn=number), make_roa(max_length=number)]
    for content in contents:
        with pytest.raises(ObjectError) as caught:
            parse_roa_content(content)
        assert len(str(caught.value)) < 200
    for content in (make_manifest(version=number), make_manifest(number=number)):
        with pytest.raises(ObjectError) as caught:
            parse_manifest_content(content)
        assert len(str(caught.value)) < 200
    for asnum in ([number], [ip_resources.ASRange(min=0, max=number)], [ip_resources.ASRange(min=number, max=0)]):
        with pytest.raises(ObjectError) as caught:
            parse_as_identifiers(encode(ip_resources.ASIdentifiers(asnum=asnum)))
        assert len(str(caught.value)) < 250


def test_long_families_get_short_sentences() -> None:
    """Only their start is shown."""
    with pytest.raises(ObjectError) as caught:
        parse_roa_content(make_roa(family=bytes(1_000_000)))
    assert "0000000000000000..." in str(caught.value)
    assert len(str(caught.value)) < 200


def test_too_many_prefixes_are_a_limit() -> None:
    """RFC 9455 asks for one."""
    blocks = [roa.ROAIPAddressFamily(address_family=b"\x00\x01", addresses=NET * (MAX_ROA_PREFIXES + 1))]
    with pytest.raises(LimitError, match="100001 prefixes; 100000 are allowed"):
        parse_roa_content(encode(roa.RouteOriginAttestation(version=0, as_id=1, ip_addr_blocks=blocks)))


def test_a_prefix_that_a_roa_repeats_is_one() -> None:
    """Else one small ROA could fill what a whole tree may hold."""
    blocks = [roa.ROAIPAddressFamily(address_family=b"\x00\x01", addresses=NET * 1_000)]
    content = parse_roa_content(encode(roa.RouteOriginAttestation(version=0, as_id=1, ip_addr_blocks=blocks)))
    assert len(content.ipv4) == 1


def test_too_many_files_are_a_limit() -> None:
    """The largest real manifest has a third of it."""
    with pytest.raises(LimitError, match="100001 files; 100000 are allowed"):
        parse_manifest_content(make_manifest(files=MAX_MANIFEST_FILES + 1))


def test_huge_manifests_are_refused_unread() -> None:
    """A million entries of seven octets take hundreds of megabytes, before anybody counts them."""
    with pytest.raises(LimitError, match="8000001 octets; 8000000 are allowed"):
        parse_manifest_content(bytes(MAX_MANIFEST_BYTES + 1))


def test_huge_crls_are_refused_unread() -> None:
    """The same with a million revoked certificates."""
    with pytest.raises(LimitError, match="12000001 octets; 12000000 are allowed"):
        parse_crl(bytes(MAX_CRL_BYTES + 1))


def test_huge_certificates_are_refused_unread() -> None:
    """Also where one only asks what it is."""
    tracemalloc.start()
    assert not is_router_certificate(bytes(MAX_CERTIFICATE_BYTES + 1))
    assert tracemalloc.get_traced_memory()[1] < 2 * MAX_CERTIFICATE_BYTES
    tracemalloc.stop()


def test_the_year_0_is_refused() -> None:
    """ASN.1 has it, Python has not."""
    with pytest.raises(ObjectError, match="year 0 is out of range"):
        time(b"00000101000000Z")


def test_the_year_9999_is_read() -> None:
    """RFC 5280 section 4.1.2.5: no well-defined end."""
    assert seconds(time(b"99991231235959Z"), "RFC 5280 section 4.1.2.5", "notAfter") == 253_402_300_799


def test_fractions_of_a_second_are_refused() -> None:
    """RFC 5280 section 4.1.2.5.2, and RFC 9286 by it."""
    with pytest.raises(ObjectError, match="fractions of a second"):
        generalized_seconds(time(b"20260316080000.5Z"), "RFC 9286 section 4.2.1", "thisUpdate")


def test_what_is_small_is_shown_whole() -> None:
    """As people expect it."""
    assert shown(4294967296) == "4294967296"
    assert shown(1 << 64) == "(a number of 65 bits)"
    assert shown_octets(b"\x00\x03") == "0003"


def test_extensions_full_of_uris_are_a_limit() -> None:
    """They are kept in memory for the siblings of a certificate."""
    for parse in (crl_uris, ca_issuers, subject_locations):
        with pytest.raises(LimitError, match="octets; 16384 are allowed"):
            parse(bytes(16_385))
