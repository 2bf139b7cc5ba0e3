"""One object taken apart for people: what it says, as far as it can be decoded, and everything that is wrong with it.

Validation stops at the first fault. Here each part (wrapper, certificate, content) is decoded and judged by itself, so
that a broken one hides neither the others' faults nor their fields.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

from rpkival.errors import LimitError, ObjectError
from rpkival.limits import MAX_OUTLINE_LINES, MAX_REVOKED_CERTIFICATES
from rpkival.objects import oids
from rpkival.objects.asn1 import ccr, cms, pkix
from rpkival.objects.asn1.ber import ber_to_der
from rpkival.objects.asn1.der import decode, tlv_bytes
from rpkival.objects.asn1.misfit import misfit
from rpkival.objects.asn1.outline import outline, outline_lines
from rpkival.objects.ccr import parse_ccr
from rpkival.objects.certificate import Role, is_router_certificate, parse_certificate
from rpkival.objects.cms import parse_signed_object
from rpkival.objects.crl import parse_crl
from rpkival.objects.described import SIGNED_KINDS, Fields, SignedKind, ccr_fields, number_text
from rpkival.objects.extensions import (
    authority_key_identifier,
    ca_issuers,
    crl_uris,
    subject_key_identifier,
    subject_locations,
)
from rpkival.objects.keys import load_key, verifies
from rpkival.objects.names import format_name
from rpkival.objects.resources import INHERIT, Claim, format_ranges, parse_as_identifiers, parse_ip_blocks
from rpkival.objects.salvage import SignedParts, extensions_of, signed_parts
from rpkival.objects.tal import parse_tal
from rpkival.objects.times import format_time, seconds
from rpkival.objects.wrapper import unwrapped

__all__ = ["Inspection", "Problem", "inspect_object"]

T = TypeVar("T")

_ENCODING: Final = "X.690 section 8.1"


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


def inspect_object(data: bytes, name: str, *, strict: bool = False) -> Inspection:
    """Take an object apart. Its type follows from its content, and from the file `name` where that says nothing.

    If `strict`, a signed object that is BER and no DER is bad for that alone.
    """
    kind = _kind_by_content(data) or _KIND_BY_EXTENSION.get(name.rpartition(".")[2].lower(), "unknown")
    found = Inspection(kind, hashlib.sha256(data).hexdigest())
    if kind == "signed object":
        _inspect_signed_object(found, data, strict=strict)
    else:
        _INSPECTORS[kind](found, data)
    return found


def _inspect_signed_object(found: Inspection, data: bytes, *, strict: bool) -> None:
    parts = _parts_of(found, data, strict=strict)
    kind = SIGNED_KINDS.get(parts.content_type) if parts.content_type is not None else None
    found.kind = kind.name if kind is not None else found.kind
    if parts.content_type is not None:
        found.fields["content_type"] = parts.content_type.dotted_string
    role = Role.END_ENTITY if kind is None else kind.role
    if parts.certificate is not None:
        certificate = parts.certificate
        found.fields["certificate"] = _certificate_fields(found, certificate)
        found.attempt("certificate", lambda: parse_certificate(certificate, role))
    if parts.content_type is not None:
        content_type = parts.content_type
        signed = found.attempt("object", lambda: parse_signed_object(data, content_type, role=role, strict=strict))
        if signed is not None and signed.signing_time is not None:
            found.fields["signing_time"] = format_time(signed.signing_time)
    if parts.content is not None:
        found.fields["content"] = _content_fields(found, kind, parts.content)
    if kind is not None:
        found.attempt("object", lambda: kind.parse(data, require_signing_time=False, strict=strict))


def _parts_of(found: Inspection, data: bytes, *, strict: bool) -> SignedParts:
    """The parts of the wrapper, or what is left of it."""
    opened = found.attempt("object", lambda: unwrapped(data, strict=strict))
    if opened is not None:
        wrapper, is_der = opened
        found.fields |= {} if is_der else {"encoding": "BER"}
        return SignedParts.of(wrapper)
    _blame(found, data, cms.ContentInfo if strict or _is_der(data) else None)
    return signed_parts(data)


def _is_der(data: bytes) -> bool:
    try:
        return ber_to_der(data) == data
    except (ObjectError, LimitError):
        return False


def _content_fields(found: Inspection, kind: SignedKind | None, content: bytes) -> Fields:
    """What the content says; of one that cannot be read its elements."""
    described = None if kind is None else found.attempt("content", lambda: kind.describe(content))
    if described is None:
        if kind is not None:
            _blame(found, content, kind.declaration)
        return _elements(content)
    if described.holds is not None:
        found.holds(*described.holds)
    return described.fields


def _elements(data: bytes) -> Fields:
    lines = list(islice(outline_lines(data), MAX_OUTLINE_LINES + 1))
    return {"elements": [*lines[:MAX_OUTLINE_LINES], *(["..."] if len(lines) > MAX_OUTLINE_LINES else [])]}


def _blame(found: Inspection, data: bytes, declaration: type | None = None) -> None:
    """Say at which octet or, of what is DER, at which field of its type it goes wrong, if that can be said."""
    if fault := outline(data).fault:
        found.problems.append(Problem("encoding", _ENCODING, fault))
    elif declaration is not None and (fault := misfit(declaration, data)):
        found.problems.append(Problem("field", found.problems[-1].section, fault))


def _inspect_certificate(found: Inspection, data: bytes) -> None:
    found.fields |= _certificate_fields(found, data)
    if "issuer" not in found.fields:
        return
    if is_router_certificate(data):
        role = Role.ROUTER
    else:
        role = Role.TRUST_ANCHOR if found.fields["issuer"] == found.fields["subject"] else Role.CA
    found.kind = role.value
    found.attempt("certificate", lambda: parse_certificate(data, role))
    if role is Role.TRUST_ANCHOR:
        found.attempt("signature", lambda: _check_own_signature(data))


def _inspect_crl(found: Inspection, data: bytes) -> None:
    section = "RFC 5280 section 5.1"
    outer = found.attempt("crl", lambda: decode(pkix.CertificateList, data, section, "CRL"))
    if outer is None:
        _blame(found, data, pkix.CertificateList)
        found.fields |= _elements(data)
        return
    inner = outer.tbs_cert_list
    found.fields["issuer"] = format_name(tlv_bytes(inner.issuer))
    times = [
        None if time is None else found.attempt("crl", partial(seconds, time, f"{section}.2", name))
        for name, time in (("thisUpdate", inner.this_update), ("nextUpdate", inner.next_update))
    ]
    start, end = times
    found.fields |= {
        name: format_time(time) for name, time in (("this_update", start), ("next_update", end)) if time is not None
    }
    if start is not None and end is not None:
        found.holds(start, end)
    revoked = inner.revoked_certificates or []
    found.fields["revoked"] = [number_text(entry.user_certificate) for entry in revoked[:MAX_REVOKED_CERTIFICATES]]
    crl = found.attempt("crl", lambda: parse_crl(data))
    if crl is not None:
        found.fields |= {
            "number": number_text(crl.number),
            "authority_key_id": crl.authority_key_id.hex(),
            "revoked": [number_text(serial) for serial in sorted(crl.revoked)],
        }


def _inspect_ccr(found: Inspection, data: bytes) -> None:
    read = found.attempt("content", lambda: parse_ccr(data))
    if read is None:
        _blame(found, data, ccr.ContentInfo)
        found.fields |= _elements(data)
    else:
        found.fields |= ccr_fields(read)


def _inspect_locator(found: Inspection, data: bytes) -> None:
    tal = found.attempt("locator", lambda: parse_tal(data, "The locator"))
    if tal is not None:
        key_id = hashlib.sha256(tal.key_info).hexdigest()
        found.fields |= {"uris": list(tal.uris), "key_sha256": key_id}


def _inspect_unknown(found: Inspection, data: bytes) -> None:
    sentence = "This is no certificate, CRL, signed object, trust anchor locator or canonical cache representation."
    found.problems.append(Problem("object", "RFC 6481 section 2.2", sentence))
    if not outline(data).fault:
        found.fields |= _elements(data)


def _certificate_fields(found: Inspection, data: bytes) -> Fields:
    """What a certificate says, whether or not the profile lets it; what cannot be decoded is left out and recorded."""
    outer = found.attempt("certificate", lambda: decode(pkix.Certificate, data, "RFC 6487 section 4", "certificate"))
    if outer is None:
        _blame(found, data, pkix.Certificate)
        return _told_by(found, extensions_of(data)) or _elements(data)
    inner = outer.tbs_certificate
    fields: Fields = {
        "serial": number_text(inner.serial_number),
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
    return fields | _told_by(found, inner.extensions or ())


def _told_by(found: Inspection, extensions: Iterable[pkix.Extension]) -> Fields:
    fields: Fields = {}
    for extension in extensions:
        fields |= found.attempt("certificate", partial(_extension_fields, extension)) or {}
    return fields


def _extension_fields(extension: pkix.Extension) -> Fields:
    describe = _EXTENSIONS.get(extension.extn_id)
    return {} if describe is None else describe(extension.extn_value)


def _locations(value: bytes) -> Fields:
    found = subject_locations(value)._asdict()
    signed_objects = list(found.pop("signed_objects"))
    return {name: uri for name, uri in [*found.items(), ("signed_objects", signed_objects)] if uri}


def _addresses(value: bytes) -> Fields:
    ipv4, ipv6 = parse_ip_blocks(value)
    return {"ipv4": _claim(ipv4, 4), "ipv6": _claim(ipv6, 6)}


def _as_numbers(value: bytes) -> Fields:
    return {"asn": _claim(parse_as_identifiers(value), 0)}


def _reconsidered(describe: Callable[[bytes], Fields]) -> Callable[[bytes], Fields]:
    """The same of RFC 8360."""
    return lambda value: describe(value) | {"reconsidered": True}


def _claim(claim: Claim, family: Any) -> list[str] | str | None:
    if claim is None:
        return None
    return "inherit" if claim is INHERIT else format_ranges(claim, family)


_EXTENSIONS: Final[dict[Any, Callable[[bytes], Fields]]] = {
    oids.SUBJECT_KEY_IDENTIFIER: lambda value: {"subject_key_id": subject_key_identifier(value).hex()},
    oids.AUTHORITY_KEY_IDENTIFIER: lambda value: {"authority_key_id": authority_key_identifier(value).hex()},
    oids.AUTHORITY_INFO_ACCESS: lambda value: {"issuer_uri": ca_issuers(value)},
    oids.CRL_DISTRIBUTION_POINTS: lambda value: {"crl_uris": list(crl_uris(value))},
    oids.SUBJECT_INFO_ACCESS: _locations,
    oids.IP_ADDR_BLOCKS: _addresses,
    oids.AUTONOMOUS_SYS_IDS: _as_numbers,
    oids.IP_ADDR_BLOCKS_V2: _reconsidered(_addresses),
    oids.AUTONOMOUS_SYS_IDS_V2: _reconsidered(_as_numbers),
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
        ("canonical cache representation", ccr.ContentInfo),
    ):
        try:
            decode(declaration, data, "", kind)
        except ObjectError:
            continue
        return kind
    try:
        parse_tal(data, "it")
    except (ObjectError, LimitError):
        return "signed object" if signed_parts(data).content_type is not None else None
    return "trust anchor locator"


_KIND_BY_EXTENSION: Final = {
    "tal": "trust anchor locator",
    "cer": "certificate",
    "crl": "CRL",
    "ccr": "canonical cache representation",
    **dict.fromkeys(("roa", "mft", "asa", "gbr", "tak", "sig", "spl"), "signed object"),
}
_INSPECTORS: Final[dict[str, Callable[[Inspection, bytes], None]]] = {
    "trust anchor locator": _inspect_locator,
    "certificate": _inspect_certificate,
    "CRL": _inspect_crl,
    "canonical cache representation": _inspect_ccr,
    "unknown": _inspect_unknown,
}
