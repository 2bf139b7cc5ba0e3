"""One object taken apart for people: what it says, as far as it can be decoded, and everything that is wrong with it.

Validation stops at the first fault. Here each part (wrapper, certificate, content) is decoded and judged by itself, so
that a broken one hides neither the others' faults nor their fields.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from rpkival.errors import LimitError, ObjectError
from rpkival.objects import oids
from rpkival.objects.asn1 import cms, pkix
from rpkival.objects.asn1.der import decode, tlv_bytes
from rpkival.objects.certificate import Role, is_router_certificate, parse_certificate
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.crl import parse_crl
from rpkival.objects.extensions import crl_uris, subject_key_identifier, subject_locations
from rpkival.objects.keys import load_key, verifies
from rpkival.objects.manifest import parse_manifest, parse_manifest_content
from rpkival.objects.names import format_name
from rpkival.objects.resources import INHERIT, Claim, format_ranges, parse_as_identifiers, parse_ip_blocks
from rpkival.objects.roa import RoaPrefix, parse_roa, parse_roa_content
from rpkival.objects.tal import parse_tal
from rpkival.objects.times import format_time, seconds

__all__ = ["Inspection", "Problem", "inspect_object"]

T = TypeVar("T")
Fields = dict[str, Any]

SIGNED_KINDS: Final = {oids.ROUTE_ORIGIN_AUTHZ: "ROA", oids.RPKI_MANIFEST: "manifest"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: in which part, by which section, in words."""

    part: str
    section: str
    sentence: str


@dataclass(slots=True)
class Inspection:
    """One object. `fields` nests dictionaries, lists and plain values, in the order of reading.

    `valid_from` and `valid_until` are unix seconds where the object has such times.
    """

    kind: str
    sha256: str
    fields: Fields = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    valid_from: int | None = None
    valid_until: int | None = None

    def attempt(self, part: str, judge: Callable[[], T]) -> T | None:
        """What `judge` returns, or None and one more problem; a fault that is known already is not told twice."""
        try:
            return judge()
        except LimitError as error:
            problem = Problem(part, "limit of this validator", str(error))
        except ObjectError as error:
            problem = Problem(part, error.section, error.sentence)
        if all((known.section, known.sentence) != (problem.section, problem.sentence) for known in self.problems):
            self.problems.append(problem)
        return None

    def holds(self, start: int, end: int) -> None:
        """Narrow the time in which the object is valid."""
        self.valid_from = start if self.valid_from is None else max(start, self.valid_from)
        self.valid_until = end if self.valid_until is None else min(end, self.valid_until)


def inspect_object(data: bytes, name: str) -> Inspection:
    """Take an object apart. Its type follows from its content, and from the file `name` where that says nothing."""
    kind = _kind_by_content(data) or _KIND_BY_EXTENSION.get(name.rpartition(".")[2].lower(), "unknown")
    found = Inspection(kind, hashlib.sha256(data).hexdigest())
    _INSPECTORS[kind](found, data)
    return found


def _inspect_signed_object(found: Inspection, data: bytes) -> None:
    wrapper = found.attempt("object", lambda: decode(cms.ContentInfo, data, "RFC 6488 section 2.1", "signed object"))
    if wrapper is None:
        return
    inner = wrapper.content.encap_content_info
    found.kind = SIGNED_KINDS.get(inner.e_content_type, "signed object")
    found.fields["content_type"] = inner.e_content_type.dotted_string
    certificates = wrapper.content.certificates.as_list() if wrapper.content.certificates is not None else []
    if certificates:
        certificate = tlv_bytes(certificates[0])
        found.fields["certificate"] = _certificate_fields(found, certificate)
        found.attempt("certificate", lambda: parse_certificate(certificate, Role.END_ENTITY))
    signed = found.attempt("object", lambda: parse_signed_object(data, inner.e_content_type))
    if signed is not None and signed.signing_time is not None:
        found.fields["signing_time"] = format_time(signed.signing_time)
    content = inner.e_content
    if content is None:
        return
    if inner.e_content_type == oids.ROUTE_ORIGIN_AUTHZ:
        found.fields["content"] = found.attempt("content", lambda: _roa_fields(content))
        found.attempt("object", lambda: parse_roa(data, require_signing_time=False))
    elif inner.e_content_type == oids.RPKI_MANIFEST:
        found.fields["content"] = found.attempt("content", lambda: _manifest_fields(found, content))
        found.attempt("object", lambda: parse_manifest(data, require_signing_time=False))


def _inspect_certificate(found: Inspection, data: bytes) -> None:
    found.fields |= _certificate_fields(found, data)
    if not found.fields:
        return
    if is_router_certificate(data):
        found.kind = "router certificate"
        found.fields["note"] = "BGPsec router certificates are shown, but not judged yet."
        return
    role = Role.TRUST_ANCHOR if found.fields["issuer"] == found.fields["subject"] else Role.CA
    found.kind = role.value
    found.attempt("certificate", lambda: parse_certificate(data, role))
    if role is Role.TRUST_ANCHOR:
        found.attempt("signature", lambda: _check_own_signature(data))


def _inspect_crl(found: Inspection, data: bytes) -> None:
    crl = found.attempt("crl", lambda: parse_crl(data))
    if crl is None:
        return
    found.holds(crl.this_update, crl.next_update)
    found.fields |= {
        "issuer": format_name(crl.issuer),
        "number": _number(crl.number),
        "this_update": format_time(crl.this_update),
        "next_update": format_time(crl.next_update),
        "authority_key_id": crl.authority_key_id.hex(),
        "revoked": [_number(serial) for serial in sorted(crl.revoked)],
    }


def _inspect_locator(found: Inspection, data: bytes) -> None:
    tal = found.attempt("locator", lambda: parse_tal(data, "The locator"))
    if tal is not None:
        key_id = hashlib.sha256(tal.key_info).hexdigest()
        found.fields |= {"uris": list(tal.uris), "key_sha256": key_id}


def _inspect_unknown(found: Inspection, _data: bytes) -> None:
    sentence = "This is neither a certificate, a CRL, a signed object nor a trust anchor locator."
    found.problems.append(Problem("object", "RFC 6481 section 2.2", sentence))


def _certificate_fields(found: Inspection, data: bytes) -> Fields:
    """What a certificate says, whether or not the profile lets it; what cannot be decoded is left out and recorded."""
    outer = found.attempt("certificate", lambda: decode(pkix.Certificate, data, "RFC 6487 section 4", "certificate"))
    if outer is None:
        return {}
    inner = outer.tbs_certificate
    fields: Fields = {
        "serial": _number(inner.serial_number),
        "issuer": format_name(tlv_bytes(inner.issuer)),
        "subject": format_name(tlv_bytes(inner.subject)),
    }
    start, end = (
        found.attempt("certificate", partial(seconds, time, "RFC 5280 section 4.1.2.5", name))
        for name, time in (("notBefore", inner.validity.not_before), ("notAfter", inner.validity.not_after))
    )
    if start is not None and end is not None:
        found.holds(start, end)
        fields |= {"not_before": format_time(start), "not_after": format_time(end)}
    for extension in inner.extensions or ():
        fields |= found.attempt("certificate", partial(_extension_fields, extension)) or {}
    return fields


def _extension_fields(extension: pkix.Extension) -> Fields:
    describe = _EXTENSIONS.get(extension.extn_id)
    return {} if describe is None else describe(extension.extn_value)


def _locations(value: bytes) -> Fields:
    found = subject_locations(value)
    return {name: uri for name, uri in found._asdict().items() if uri}


def _addresses(value: bytes) -> Fields:
    ipv4, ipv6 = parse_ip_blocks(value)
    return {"ipv4": _claim(ipv4, 4), "ipv6": _claim(ipv6, 6)}


def _number(number: int) -> str:
    """A number of up to 20 octets: hex, for JSON's numbers are smaller."""
    return f"{number:X}"


def _claim(claim: Claim, family: Any) -> list[str] | str | None:
    if claim is None:
        return None
    return "inherit" if claim is INHERIT else format_ranges(claim, family)


_EXTENSIONS: Final[dict[Any, Callable[[bytes], Fields]]] = {
    oids.SUBJECT_KEY_IDENTIFIER: lambda value: {"subject_key_id": subject_key_identifier(value).hex()},
    oids.CRL_DISTRIBUTION_POINTS: lambda value: {"crl_uris": list(crl_uris(value))},
    oids.SUBJECT_INFO_ACCESS: _locations,
    oids.IP_ADDR_BLOCKS: _addresses,
    oids.AUTONOMOUS_SYS_IDS: lambda value: {"asn": _claim(parse_as_identifiers(value), 0)},
}


def _roa_fields(content: bytes) -> Fields:
    roa = parse_roa_content(content)
    return {"asn": f"AS{roa.asn}", "prefixes": _prefix_texts(roa.ipv4, 4) + _prefix_texts(roa.ipv6, 6)}


def _prefix_texts(prefixes: tuple[RoaPrefix, ...], family: Any) -> list[Fields]:
    bits = 32 if family == 4 else 128
    return [
        {
            "prefix": format_ranges(((address, address + (1 << (bits - length)) - 1),), family)[0],
            "max_length": max_length,
        }
        for address, length, max_length in prefixes
    ]


def _manifest_fields(found: Inspection, content: bytes) -> Fields:
    manifest = parse_manifest_content(content)
    found.holds(manifest.this_update, manifest.next_update)
    return {
        "number": _number(manifest.number),
        "this_update": format_time(manifest.this_update),
        "next_update": format_time(manifest.next_update),
        "files": {name: digest.hex() for name, digest in manifest.files.items()},
    }


def _check_own_signature(data: bytes) -> None:
    certificate = parse_certificate(data, Role.TRUST_ANCHOR)
    if not verifies(load_key(certificate.key_info), certificate.signature, certificate.signed):
        raise ObjectError("RFC 8630 section 3", "The trust anchor's signature does not verify with its own key.")


def _kind_by_content(data: bytes) -> str | None:
    for kind, declaration in (
        ("signed object", cms.ContentInfo),
        ("certificate", pkix.Certificate),
        ("CRL", pkix.CertificateList),
    ):
        try:
            decode(declaration, data, "", kind)
        except ObjectError:
            continue
        return kind
    try:
        parse_tal(data, "it")
    except ObjectError:
        return None
    return "trust anchor locator"


_KIND_BY_EXTENSION: Final = {
    "tal": "trust anchor locator",
    "cer": "certificate",
    "crl": "CRL",
    **dict.fromkeys(("roa", "mft", "asa", "gbr", "tak", "sig", "spl"), "signed object"),
}
_INSPECTORS: Final[dict[str, Callable[[Inspection, bytes], None]]] = {
    "trust anchor locator": _inspect_locator,
    "certificate": _inspect_certificate,
    "CRL": _inspect_crl,
    "signed object": _inspect_signed_object,
    "unknown": _inspect_unknown,
}
