"""Signed objects that break their profile, or the parser that trusts them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from rpkival.lab import der
from rpkival.lab.certificates import AUTHORITY_KEY, KEY_USAGE, Validity, certificate
from rpkival.lab.hostile.ground import Case, Ground
from rpkival.lab.keys import SigningKey
from rpkival.lab.number_resources import Resources
from rpkival.lab.signed_objects import ROA, roa_content, signed_attributes, signed_object

__all__ = ["OBJECTS"]

_NAME: Final = "hostile.roa"
_SERIAL: Final = 1_000_000
_RSA: Final = der.sequence(der.object_identifier("1.2.840.113549.1.1.1"), der.NULL)


def _roa(
    ground: Ground,
    *,
    content: bytes | None = None,
    encapsulated: bytes | None = None,
    attributes: bytes | None = None,
    replaced: Mapping[str, bytes] | None = None,
    key: SigningKey | None = None,
) -> None:
    """A ROA that would be right but for what is given."""
    attacker = ground.attacker
    said = _content(ground) if content is None else content
    signer = attacker.signer(_NAME, Resources([ground.block.prefix]), attacker.validity, _SERIAL)
    signer = replace(signer, replaced=replaced or {}, subject_key=key or attacker.signer_key)
    signed = signed_object(
        ROA,
        said,
        certificate(signer, attacker.key),
        attacker.signer_key,
        attacker.validity.not_before,
        encapsulated=encapsulated,
        attributes=attributes,
    )
    ground.publish(_NAME, signed)


def _content(ground: Ground) -> bytes:
    return roa_content(ground.block.asn, [(ground.block.prefix, 24)])


def _of_ipv4(ground: Ground, bits: Iterable[bytes], *version: bytes) -> bytes:
    """The content of a ROA for BIT STRINGs, whatever they are, in place of prefixes."""
    family = der.sequence(der.octet_string(b"\x00\x01"), der.sequence(*map(der.sequence, bits)))
    return der.sequence(*version, der.integer(ground.block.asn), der.sequence(family))


def _nul(ground: Ground) -> None:
    ground.publish(_NAME, b"\0")


def _profile(ground: Ground) -> None:
    bits = der.bit_string(bytes((10, ground.block.number)))
    _roa(ground, content=_of_ipv4(ground, [bits], der.explicit(0, der.integer(1))))


def _max_length(ground: Ground) -> None:
    _roa(ground, content=roa_content(ground.block.asn, [(ground.block.prefix, 200)]))


def _address_bits(ground: Ground) -> None:
    _roa(ground, content=_of_ipv4(ground, [der.bit_string(bytes((10, ground.block.number, 0, 0, 0)))]))


def _many_asns(ground: Ground) -> None:
    for each in range(ground.size):
        vrp = (ground.block.asn + each, ground.block.prefix, 24)
        ground.attacker.issue_roa(vrp[0], [vrp[1:]])
        ground.expected.add(vrp)


def _many_prefixes(ground: Ground) -> None:
    prefixes = [(f"10.{ground.block.number}.{each // 16}.{each % 16 * 16}/28", 28) for each in range(ground.size)]
    ground.attacker.issue_roa(ground.block.asn, prefixes)
    ground.expected |= {(ground.block.asn, *prefix) for prefix in prefixes}


def _too_many_prefixes(ground: Ground) -> None:
    number = ground.block.number
    addresses = (bytes((10, number, each >> 8 & 255, each & 255)) for each in range(ground.size))
    _roa(ground, content=_of_ipv4(ground, map(der.bit_string, addresses)))


def _huge_aspa(ground: Ground) -> None:
    ground.attacker.issue_aspa(ground.block.asn, range(1, ground.size + 1))


def _key_usage(ground: Ground) -> None:
    _roa(ground, replaced={KEY_USAGE: der.bit_string(b"\x80" + bytes(999))})


def _more_key_usage(ground: Ground) -> None:
    _roa(ground, replaced={KEY_USAGE: der.named_bits(0, 5, 6)})


def _no_attributes(ground: Ground) -> None:
    _roa(ground, attributes=der.set_of())


def _unsorted_attributes(ground: Ground) -> None:
    attributes = sorted(signed_attributes(ROA, _content(ground), ground.attacker.validity.not_before), reverse=True)
    _roa(ground, attributes=b"\x31" + der.sequence(*attributes)[1:])


def _no_key_identifier(ground: Ground) -> None:
    _roa(ground, replaced={AUTHORITY_KEY: der.sequence()})


def _public_key(ground: Ground) -> None:
    broken = der.sequence(_RSA, der.bit_string(b"\xff" * 20))
    _roa(ground, key=replace(ground.attacker.signer_key, public_key_info=broken))


def _no_content(ground: Ground) -> None:
    _roa(ground, encapsulated=b"")


def _null_content(ground: Ground) -> None:
    _roa(ground, encapsulated=der.explicit(0, der.NULL))


def _ber_bomb(ground: Ground) -> None:
    ground.publish(_NAME, b"\x30\x80" * ground.size + b"\0\0" * ground.size)


def _nested(ground: Ground) -> None:
    content = der.NULL
    for _ in range(ground.size):
        content = der.sequence(content)
    ground.publish(_NAME, content)


def _lying_length(ground: Ground) -> None:
    ground.publish(_NAME, b"\x30\x84\xff\xff\xff\xff" + bytes(100))


def _asn(ground: Ground) -> None:
    _roa(ground, content=roa_content(2**32, [(ground.block.prefix, 24)]))


def _huge_number(ground: Ground) -> None:
    _roa(ground, content=roa_content(1 << 8 * ground.size, [(ground.block.prefix, 24)]))


def _object_identifier(ground: Ground) -> None:
    attacker = ground.attacker
    kind = "1.2" + ".840" * ground.size
    ground.publish(
        _NAME, attacker.sign(_NAME, kind, b"", Resources([ground.block.prefix]), attacker.validity, _SERIAL).content
    )


def _reversed_validity(ground: Ground) -> None:
    start, end = ground.attacker.validity
    ground.attacker.issue_roa(ground.block.asn + 1, [(ground.block.prefix, 24)], validity=Validity(end, start))


def _unknown_type(ground: Ground) -> None:
    ground.publish("novelty.xyz", b"of a kind that nobody knows yet")


_SIGNED_ATTRIBUTES = "Signed attributes are decoded as the SET that DER has them be, and compared with the content."

OBJECTS: Final = (
    Case(
        "nul-roa",
        "A ROA that is a single NUL octet.",
        ("RPRP F", "CVE-2021-3910"),
        "Whatever is no DER ends in `ObjectError`, and costs that object.",
        "ends too early",
        _nul,
        keeps=True,
    ),
    Case(
        "profile-roa",
        "A ROA of a version that does not exist.",
        ("RPRP I",),
        "The profile is followed to the letter (RFC 9582 section 4).",
        "version",
        _profile,
        keeps=True,
    ),
    Case(
        "max-length-overflow",
        "A ROA whose maxLength is longer than its family's addresses, to make PDUs that end routers' sessions.",
        ("CVE-2021-41531", "CVE-2021-3761"),
        "maxLength is held against the family (RFC 9582 section 4.3.2.2).",
        "maxLength 200 for a prefix of 16 bits",
        _max_length,
        keeps=True,
    ),
    Case(
        "address-bits-overflow",
        "A ROA with an IPv4 prefix of 40 bits.",
        ("CVE-2021-3911",),
        "A prefix has no more bits than its family (RFC 3779 section 2.1.1).",
        "40 bits, but the family has only 32",
        _address_bits,
        keeps=True,
    ),
    Case(
        "one-prefix-many-asns",
        "2,200 ROAs for one prefix, each for another AS.",
        ("RPRP J",),
        "They are taken, below `MAX_POINT_VRPS`; each is a PDU of its own, so none grows.",
        "",
        _many_asns,
        keeps=True,
        size=2_200,
    ),
    Case(
        "roa-2200-prefixes",
        "One ROA with 2,200 prefixes.",
        ("RPRP K",),
        "It is taken, below `MAX_ROA_PREFIXES`.",
        "",
        _many_prefixes,
        keeps=True,
        size=2_200,
    ),
    Case(
        "roa-too-many-prefixes",
        "One ROA with more prefixes than half of all the world's.",
        ("RPRP K",),
        "`MAX_ROA_BYTES`, `MAX_ROA_PREFIXES`.",
        "ROA has 100001 prefixes; 100000 are allowed",
        _too_many_prefixes,
        keeps=True,
        size=100_001,
    ),
    Case(
        "huge-aspa",
        "An ASPA with 30,000 providers, which no PDU can tell.",
        ("RPRP Q",),
        "`MAX_ASPA_PROVIDERS`.",
        "30000 providers; 16380 are allowed",
        _huge_aspa,
        keeps=True,
        size=30_000,
    ),
    Case(
        "keyusage-overlong",
        "A key usage of a thousand octets, where two are enough for all bits that there are.",
        ("CVE-2024-45237",),
        "The extension must be the one value that is right (RFC 6487 section 4.8.4).",
        "key usage is not exactly digitalSignature",
        _key_usage,
        keeps=True,
    ),
    Case(
        "keyusage-surplus",
        "An end-entity certificate whose key may sign certificates and CRLs as well.",
        ("Routinator 0.15.0",),
        "The extension must be the one value that is right (RFC 6487 section 4.8.4).",
        "key usage is not exactly digitalSignature",
        _more_key_usage,
        keeps=True,
    ),
    Case(
        "empty-signed-attrs",
        "A signature over no attributes at all.",
        ("CVE-2024-45236",),
        _SIGNED_ATTRIBUTES,
        "signed attributes lack",
        _no_attributes,
        keeps=True,
    ),
    Case(
        "unsorted-signed-attrs",
        "Signed attributes out of DER's order.",
        ("CVE-2024-45234",),
        _SIGNED_ATTRIBUTES,
        "a SET is not in order",
        _unsorted_attributes,
        keeps=True,
    ),
    Case(
        "aki-without-key-id",
        "An authority key identifier that identifies no key.",
        ("CVE-2024-45235",),
        "The identifier must be there, and be the issuer's (RFC 6487 section 4.8.3).",
        "does not have a key identifier of 20 octets",
        _no_key_identifier,
        keeps=True,
    ),
    Case(
        "malformed-public-key",
        "A public key that is twenty octets of ones.",
        ("CVE-2024-45238",),
        "A key is checked before it is used (RFC 7935 section 3).",
        "public key is not RSA",
        _public_key,
        keeps=True,
    ),
    Case(
        "absent-econtent",
        "A signed object without content.",
        ("CVE-2024-45239",),
        "Content is no option (RFC 6488 section 2.1.3.2).",
        "has no content",
        _no_content,
        keeps=True,
    ),
    Case(
        "null-econtent",
        "A signed object whose content is a NULL.",
        ("CVE-2024-45239",),
        "Content is an OCTET STRING (RFC 6488 section 2.1.3.2).",
        "an element has another type",
        _null_content,
        keeps=True,
    ),
    Case(
        "ber-bomb",
        "Indefinite lengths, one in another, a hundred thousand deep.",
        ("CVE-2023-39914", "CVE-2023-39915"),
        "`MAX_BER_DEPTH` and `MAX_BER_ELEMENTS` bound what is rewritten as DER.",
        "nests deeper than 32",
        _ber_bomb,
        keeps=True,
        size=100_000,
    ),
    Case(
        "der-nesting",
        "Sequences, one in another, ten thousand deep.",
        ("CVE-2023-39914",),
        "`MAX_BER_DEPTH`; declarations say what may be in what, so nothing is followed deeper than they are.",
        "nests deeper than 32",
        _nested,
        keeps=True,
        size=10_000,
    ),
    Case(
        "lying-length",
        "A sequence that says it has four GiB, in a hundred octets.",
        ("CVE-2023-39914",),
        "Nothing is set aside for a length before the octets are there.",
        "ends too early",
        _lying_length,
        keeps=True,
    ),
    Case(
        "asn-overflow",
        "A ROA for an AS number of 33 bits.",
        ("CVE-2021-3761",),
        "`MAX_ASN`.",
        "AS numbers end at 4294967295",
        _asn,
        keeps=True,
    ),
    Case(
        "huge-number",
        "A ROA for an AS number of 100,000 octets, which takes long to be written in decimals.",
        ("arXiv 2312.01872",),
        "Numbers are compared before they are written, and of huge ones only the size is told.",
        "a number of [0-9]+ bits",
        _huge_number,
        keeps=True,
        size=100_000,
    ),
    Case(
        "oid-bomb",
        "A content type of 50,000 arcs.",
        ("arXiv 2312.01872",),
        "Object identifiers beyond the decoder's bound of 63 octets are none.",
        "an object identifier is too long",
        _object_identifier,
        keeps=True,
        size=50_000,
    ),
    Case(
        "reversed-validity",
        "A certificate that ends before it begins.",
        ("arXiv 2605.26986",),
        "The validity of every certificate is a span of time (RFC 6487 section 4.6).",
        "ends before it starts",
        _reversed_validity,
        keeps=True,
    ),
    Case(
        "unknown-object-type",
        "A file of a type that nobody knows, well on the manifest.",
        ("FORT 1.6.6", "rpki-client portable#76"),
        "It is fetched, compared with its hash, counted, and otherwise left alone.",
        "",
        _unknown_type,
        keeps=True,
    ),
)
