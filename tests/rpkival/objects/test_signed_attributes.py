"""Tests for rpkival.objects.signed_attributes: all forms that they can have."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.asn1 import TLV, SetOf, UTCTime
from cryptography.x509 import ObjectIdentifier

from rpkival.errors import ObjectError
from rpkival.objects import oids, signed_attributes
from rpkival.objects.asn1 import cms as asn1
from rpkival.objects.asn1.der import contents_of, decode, encode, tlv_bytes
from rpkival.objects.times import format_time

CONTENT = b"content"
ROA = oids.ROUTE_ORIGIN_AUTHZ
TIME = bytes.fromhex("170d") + b"260316080000Z"
LATER_TIME = bytes.fromhex("180f") + b"20510316080000Z"


def attribute(oid: ObjectIdentifier, *values: bytes) -> asn1.Attribute:
    """One attribute."""
    return asn1.Attribute(attr_type=oid, attr_values=SetOf([decode(TLV, value, "", "value") for value in values]))


def attributes(*parts: asn1.Attribute) -> bytes:
    """DER of the SET."""
    data = encode(asn1.SignedAttributes(attributes=SetOf(list(parts))))
    return data[contents_of(data) :]


TYPE = attribute(oids.CONTENT_TYPE, encode(ROA))
DIGEST = attribute(oids.MESSAGE_DIGEST, b"\x04\x20" + hashlib.sha256(CONTENT).digest())
SIGNED_AT = attribute(oids.SIGNING_TIME, TIME)


def judge(data: bytes) -> int | None:
    """The signing time, as both ways through the code find it; they must agree, errors included."""
    outcomes: list[int | str | None] = []
    for check in (signed_attributes.check_attributes, signed_attributes._check_other_attributes):
        try:
            outcomes.append(check(data, ROA, CONTENT))
        except ObjectError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
    if isinstance(outcomes[0], str):
        raise ObjectError("RFC 6488", outcomes[0])
    return outcomes[0]


def test_the_usual_form_is_read() -> None:
    """As nearly all objects have it."""
    data = attributes(TYPE, SIGNED_AT, DIGEST)
    assert len(data) == signed_attributes._USUAL_SIZE
    assert data.startswith(signed_attributes._usual_start(ROA))
    time = judge(data)
    assert time is not None
    assert format_time(time) == "2026-03-16T08:00:00Z"


def test_a_time_after_2049_is_read() -> None:
    """GeneralizedTime then."""
    time = judge(attributes(TYPE, attribute(oids.SIGNING_TIME, LATER_TIME), DIGEST))
    assert time is not None
    assert format_time(time) == "2051-03-16T08:00:00Z"


def test_without_signing_time_there_is_none() -> None:
    """Whether that is allowed is for others to say."""
    assert judge(attributes(TYPE, DIGEST)) is None


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ((SIGNED_AT, DIGEST), "lack content-type"),
        ((TYPE, SIGNED_AT), "lack content-type or message-digest"),
        ((TYPE, TYPE, SIGNED_AT, DIGEST), "content-type appears twice"),
        ((TYPE, SIGNED_AT, DIGEST, attribute(oids.BINARY_SIGNING_TIME, b"\x02\x01\x01")), "binary-signing-time"),
        ((TYPE, SIGNED_AT, DIGEST, attribute(oids.COMMON_NAME, b"\x05\x00")), "is not allowed"),
        ((TYPE, attribute(oids.SIGNING_TIME, TIME, LATER_TIME), DIGEST), "has not one value"),
        ((TYPE, attribute(oids.SIGNING_TIME), DIGEST), "has not one value"),
        ((TYPE, attribute(oids.SIGNING_TIME, b"\x05\x00"), DIGEST), "signing-time"),
        ((attribute(oids.CONTENT_TYPE, encode(oids.RPKI_MANIFEST)), SIGNED_AT, DIGEST), "is not the type"),
        ((TYPE, SIGNED_AT, attribute(oids.MESSAGE_DIGEST, b"\x04\x20" + bytes(32))), "is not the SHA-256"),
        ((TYPE, SIGNED_AT, attribute(oids.MESSAGE_DIGEST, b"\x04\x01\x00")), "is not the SHA-256"),
    ],
)
def test_other_attributes_are_refused(parts: tuple[asn1.Attribute, ...], sentence: str) -> None:
    """RFC 6488 section 2.1.6.4 and RFC 9589: exactly these three, once each, with one value."""
    with pytest.raises(ObjectError, match=sentence):
        judge(attributes(*parts))


def test_both_ways_agree_on_every_changed_octet(
    octet_changes: Callable[[bytes], Iterator[tuple[int, bytes]]],
) -> None:
    """The short way accepts nothing that the long way would not, and reads the same from it."""
    accepted = set()
    for place, changed in octet_changes(attributes(TYPE, SIGNED_AT, DIGEST)):
        try:
            judge(changed)
        except ObjectError:
            continue
        accepted.add(place)
    # Only digits of the signing time may differ.
    assert accepted <= set(range(47, 59))


def test_real_attributes_are_usual(real_objects: Callable[[str], list[bytes]]) -> None:
    """What the short way is for."""
    for kind, content_type in (("roa", ROA), ("mft", oids.RPKI_MANIFEST)):
        for data in real_objects(kind)[::50]:
            signer = decode(asn1.ContentInfo, data, "", "").content.signer_infos.as_list()[0]
            assert tlv_bytes(signer.signed_attrs, 0x31).startswith(signed_attributes._usual_start(content_type))


def test_utc_times_are_of_their_century() -> None:
    """RFC 5280 section 4.1.2.5.1: 50 to 99 are 1950 to 1999."""
    assert decode(UTCTime, b"\x17\x0d500101000000Z", "", "").as_datetime().year == 1950
    assert decode(UTCTime, b"\x17\x0d491231235959Z", "", "").as_datetime().year == 2049
