"""From a locator to a trust anchor's certificate (RFC 8630 section 3, RFC 10097)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A certificate that is good by itself, and where it is from."""

    uri: str
    data: bytes
    certificate: Certificate

    @property
    def preference(self) -> tuple[int, int]:
        """Highest for the certificate issued last and, of several, for the one that ends first (RFC 10097)."""
        return self.certificate.not_before, -self.certificate.not_after


def open_trust_anchor(tal: Tal, source: Source, clock: Callable[[], int], tally: Tally) -> Issuer | None:
    """The trust anchor of the locator, or None and records why.

    Of the first good certificate that is at one of its URIs now and of all that were accepted from them before, the one
    issued last counts: neither an old certificate that is served again nor one that is withdrawn by mistake takes away
    what is newer. `clock` (unix seconds) is asked when a certificate is there.
    """
    faults: list[tuple[str, bytes, ObjectError | LimitError]] = []
    fetched = next(_good(tal, source.trust_anchor, clock, faults), None)
    for fault in faults:
        _reject(tally, *fault)
    faults.clear()
    candidates = [*([fetched] if fetched else []), *_good(tal, source.accepted_trust_anchor, clock, faults)]
    if not candidates:
        # Of what was good once and is no more, nobody needs to hear while something else is good.
        for fault in faults:
            _reject(tally, *fault)
        if not tally.counts.certificates_rejected:
            sentence = f"The trust anchor's certificate could not be had from any URI of the locator {tal.name}."
            tally.reject(tal.uris[0], None, ObjectError(_SECTION, sentence))
        return None
    best = max(candidates, key=lambda candidate: candidate.preference)
    if fetched is not None and best is not fetched:
        _reject(tally, fetched.uri, fetched.data, ObjectError("RFC 10097", _OUTDONE))
    tally.count("certificates_valid")
    source.accept_trust_anchor(best.uri, best.data)
    certificate = best.certificate
    return Issuer.of(certificate, best.uri, tal.name, certificate.resources.under(_EVERYTHING), tal.terms)


def _good(
    tal: Tal,
    ask: Callable[[str], bytes | None],
    clock: Callable[[], int],
    faults: list[tuple[str, bytes, ObjectError | LimitError]],
) -> Iterator[_Candidate]:
    """What is good of what each URI gives, asked one after the other; the rest goes to `faults`."""
    for uri in tal.uris:
        data = ask(uri)
        if data is None:
            continue
        try:
            yield _Candidate(uri, data, _judge(tal, data, clock()))
        except (ObjectError, LimitError) as error:
            faults.append((uri, data, error))


def _reject(tally: Tally, uri: str, data: bytes, error: ObjectError | LimitError) -> None:
    tally.count("certificates_rejected")
    tally.reject(uri, data, error)


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
