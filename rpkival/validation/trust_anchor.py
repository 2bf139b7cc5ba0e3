"""From a locator to a trust anchor's certificate (RFC 8630 section 3, RFC 10097)."""

from __future__ import annotations

from collections.abc import Callable

from rpkival.errors import LimitError, ObjectError
from rpkival.objects.certificate import Certificate, Role, parse_certificate
from rpkival.objects.keys import load_key, verifies
from rpkival.objects.resources import Resources
from rpkival.objects.tal import Tal
from rpkival.validation.issuer import Issuer, check_terms, check_validity
from rpkival.validation.report import Tally
from rpkival.validation.source import Source

__all__ = ["open_trust_anchor"]

_SECTION = "RFC 8630 section 3"
_OUTDONE = "The certificate accepted before was issued later, or at the same time for a shorter one; it is used on."


def open_trust_anchor(tal: Tal, source: Source, clock: Callable[[], int], tally: Tally) -> Issuer | None:
    """The trust anchor from the first of the locator's URIs that gives a good certificate, or None and records why.

    Of what was fetched there and what was accepted from there last, the one issued later counts: neither an old
    certificate that is served again nor one that is withdrawn by mistake takes away what is newer.
    `clock` (unix seconds) is asked when a certificate is there.
    """
    answered = False
    for uri in tal.uris:
        good: list[tuple[Certificate, bytes]] = []
        for data in source.trust_anchor(uri):
            answered = True
            try:
                good.append((_judge(tal, data, clock()), data))
            except (ObjectError, LimitError) as error:
                tally.count("certificates_rejected")
                tally.reject(uri, data, error)
        if good:
            best = max(good, key=_preference)
            for _, outdone in good[: good.index(best)]:
                tally.count("certificates_rejected")
                tally.reject(uri, outdone, ObjectError("RFC 10097", _OUTDONE))
            certificate, data = best
            tally.count("certificates_valid")
            source.accept_trust_anchor(uri, data)
            return Issuer.of(certificate, uri, tal.name, certificate.resources.under(_EVERYTHING), tal.terms)
    if not answered:
        sentence = f"The trust anchor's certificate could not be had from any URI of the locator {tal.name}."
        tally.reject(tal.uris[0], None, ObjectError(_SECTION, sentence))
    return None


def _preference(candidate: tuple[Certificate, bytes]) -> tuple[int, int]:
    """Highest for the certificate issued last and, of several, for the one that ends first (RFC 10097)."""
    certificate = candidate[0]
    return certificate.not_before, -certificate.not_after


def _judge(tal: Tal, data: bytes, now: int) -> Certificate:
    certificate = parse_certificate(data, Role.TRUST_ANCHOR)
    if certificate.key_info != tal.key_info:
        raise ObjectError(_SECTION, f"The certificate's key is not the one in the locator {tal.name}.")
    if not verifies(load_key(certificate.key_info), certificate.signature, certificate.signed):
        raise ObjectError(_SECTION, "The trust anchor's signature does not verify with its own key.")
    check_validity(certificate, now)
    check_terms(certificate, tal.terms)
    return certificate


_EVERYTHING = Resources(((0, 2**32 - 1),), ((0, 2**128 - 1),), ((0, 2**32 - 1),))
