"""Certification authorities that sign real RPKI trees: what a registry and its members do, in one page.

    anchor = trust_anchor("lab", Resources(["10.0.0.0/8"], [(64496, 64511)]), Validity(start, end), KeyRing())
    member = anchor.issue_ca("member", Resources(["10.1.0.0/16"], [64500]))
    member.issue_roa(64500, [("10.1.0.0/16", 24)])
    files = anchor.tree(Validity(now, now + 86400))      # by URI; `publisher` puts them where validators look

An authority here signs what it is asked to, as a careless or hostile one does: more than it holds, or for a time that
is over. Nothing is checked. Broken trees for tests come from such requests, or from changing `products` or the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from rpkival.lab.certificates import CertificateContent, Validity, certificate, revocation_list
from rpkival.lab.keys import KeyRing, RouterKey, SigningKey
from rpkival.lab.number_resources import INHERIT, Resources
from rpkival.lab.signed_objects import (
    ASPA,
    MANIFEST,
    ROA,
    aspa_content,
    manifest_content,
    roa_content,
    signed_object,
)

__all__ = ["CertificateAuthority", "Product", "trust_anchor"]

REPOSITORY = "rsync://rpki.lab.example/repository/"


@dataclass(frozen=True, slots=True)
class Product:
    """A file that an authority signed: a CA certificate or a signed object. `serial` is its certificate's."""

    content: bytes
    serial: int


@dataclass(slots=True, eq=False)
class CertificateAuthority:
    """One key, its certificate, and its publication point.

    `repository` is the directory of the publication point, an rsync URI with a slash at its end; `certificate_uri` is
    where its own certificate is published. `products` are published under their names until withdrawn, and valid until
    revoked. `revoked` has the moment for each serial number.

    All end-entity certificates share one key. RFC 6487 section 3 wants a new key for each, which hides nothing from a
    validator and would cost 100 ms a ROA.
    """

    name: str
    key: SigningKey
    certificate: bytes
    validity: Validity
    repository: str
    certificate_uri: str
    keys: KeyRing
    products: dict[str, Product] = field(default_factory=dict)
    children: list[CertificateAuthority] = field(default_factory=list)
    revoked: dict[int, int] = field(default_factory=dict)
    _serials: Iterator[int] = field(default_factory=lambda: count(1))
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def issue_ca(
        self, name: str, resources: Resources, *, validity: Validity | None = None, repository: str | None = None
    ) -> CertificateAuthority:
        """A subordinate authority, valid as long as this one unless told, in a directory of its own beside this one's.

        `name` is also its file name, so letters, digits, hyphens, and unique in the tree.
        """
        place = repository or f"{self.repository.removesuffix('/').rpartition('/')[0]}/{name}/"
        key = self.keys.key(name)
        valid = validity or self.validity
        serial = next(self._serials)
        signed = certificate(
            CertificateContent(
                serial=serial,
                validity=valid,
                subject_key=key,
                resources=resources,
                is_ca=True,
                subject_info=(place, f"{place}{name}.mft"),
                crl_uri=self._crl_uri,
                issuer_uri=self.certificate_uri,
            ),
            self.key,
        )
        self.products[f"{name}.cer"] = Product(signed, serial)
        child = CertificateAuthority(name, key, signed, valid, place, f"{self.repository}{name}.cer", self.keys)
        self.children.append(child)
        return child

    def issue_roa(self, asn: int, prefixes: Sequence[tuple[str, int]], *, validity: Validity | None = None) -> str:
        """A ROA for prefixes and their max_length; returns its file name."""
        serial = next(self._serials)
        name = f"AS{asn}-{serial}.roa"
        resources = Resources([prefix for prefix, _ in prefixes])
        content = roa_content(asn, prefixes)
        self.products[name] = self.sign(name, ROA, content, resources, validity or self.validity, serial)
        return name

    def issue_aspa(self, customer: int, providers: Sequence[int], *, validity: Validity | None = None) -> str:
        """An ASPA with the providers as they are given; returns its file name."""
        serial = next(self._serials)
        name = f"AS{customer}-{serial}.asa"
        content = aspa_content(customer, providers)
        resources = Resources((), [customer])
        self.products[name] = self.sign(name, ASPA, content, resources, validity or self.validity, serial)
        return name

    def issue_router_key(self, asn: int, *, validity: Validity | None = None) -> str:
        """A certificate (RFC 8209) for a new key of a router; returns its file name."""
        serial = next(self._serials)
        name = f"router-{serial}.cer"
        signed = certificate(
            CertificateContent(
                serial=serial,
                validity=validity or self.validity,
                subject_key=RouterKey.new(),
                resources=Resources((), [asn]),
                is_ca=False,
                subject_info=(),
                crl_uri=self._crl_uri,
                issuer_uri=self.certificate_uri,
            ),
            self.key,
        )
        self.products[name] = Product(signed, serial)
        return name

    def revoke(self, name: str, when: int) -> None:
        """Put the certificate of the file `name` on the CRL. The file stays until withdrawn."""
        self.revoked[self.products[name].serial] = when

    def withdraw(self, name: str) -> None:
        """Publish the file `name` no more."""
        del self.products[name]

    def sign(
        self, name: str, content_type: str, content: bytes, resources: Resources, valid: Validity, serial: int
    ) -> Product:
        """A signed object of any type, with an end-entity certificate of its own."""
        key = self.keys.key(f"{self.name}-ee")
        signer = certificate(
            CertificateContent(
                serial=serial,
                validity=valid,
                subject_key=key,
                resources=resources,
                is_ca=False,
                subject_info=(f"{self.repository}{name}",),
                crl_uri=self._crl_uri,
                issuer_uri=self.certificate_uri,
            ),
            self.key,
        )
        return Product(signed_object(content_type, content, signer, key, valid.not_before), serial)

    def publication_point(self, current: Validity) -> dict[str, bytes]:
        """Everything in the directory by file name, under a new CRL and a new manifest that hold for `current`."""
        number = next(self._numbers)
        files = {name: product.content for name, product in self.products.items()}
        files[f"{self.name}.crl"] = revocation_list(self.key, number, current, self.revoked)
        # The manifest's certificate holds exactly as long as the manifest (RFC 9286 section 4.2.1).
        manifest = f"{self.name}.mft"
        content = manifest_content(number, current, files)
        files[manifest] = self.sign(manifest, MANIFEST, content, INHERIT, current, next(self._serials)).content
        return files

    def tree(self, current: Validity) -> dict[str, bytes]:
        """All publication points from here down, by URI, with this authority's own certificate."""
        files = {self.certificate_uri: self.certificate}
        for authority in self.descendants():
            files |= {authority.repository + name: data for name, data in authority.publication_point(current).items()}
        return files

    def descendants(self) -> Iterator[CertificateAuthority]:
        """This authority and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.descendants()

    @property
    def _crl_uri(self) -> str:
        return f"{self.repository}{self.name}.crl"


def trust_anchor(
    name: str, resources: Resources, validity: Validity, keys: KeyRing, *, repository: str = REPOSITORY
) -> CertificateAuthority:
    """An authority that vouches for itself (RFC 8630); its certificate lies at the top of `repository`."""
    key = keys.key(name)
    place = f"{repository}{name}/"
    signed = certificate(
        CertificateContent(
            serial=1,
            validity=validity,
            subject_key=key,
            resources=resources,
            is_ca=True,
            subject_info=(place, f"{place}{name}.mft"),
            crl_uri=None,
            issuer_uri=None,
        ),
        key,
    )
    return CertificateAuthority(name, key, signed, validity, place, f"{repository}{name}.cer", keys)
