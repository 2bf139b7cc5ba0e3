"""Certification authorities that sign real RPKI trees: what a registry and its members do, in one page.

    anchor = trust_anchor("lab", Resources(["10.0.0.0/8"], [(64496, 64511)]), Validity(start, end), KeyRing())
    member = anchor.issue_ca("member", Resources(["10.1.0.0/16"], [64500]))
    member.issue_roa(64500, [("10.1.0.0/16", 24)])
    files = anchor.tree(Validity(now, now + 86400))      # by URI; `publisher` puts them where validators look

An authority here signs what it is asked to, as a careless or hostile one does: more than it holds, or for a time that
is over. Nothing is checked. Broken trees for tests come from such requests, or from changing `products` or the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from rpkival.lab.attestations import (
    ASPA,
    CHECKLIST,
    GHOSTBUSTERS,
    PREFIX_LIST,
    TRUST_ANCHOR_KEY,
    aspa_content,
    checklist_content,
    prefix_list_content,
    trust_anchor_key_content,
    vcard,
)
from rpkival.lab.certificates import CertificateContent, Validity, certificate, revocation_list
from rpkival.lab.keys import Keys, RouterKey, SigningKey
from rpkival.lab.number_resources import INHERIT, Resources
from rpkival.lab.signed_objects import MANIFEST, ROA, manifest_content, roa_content, signed_object

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
    keys: Keys
    products: dict[str, Product] = field(default_factory=dict)
    children: list[CertificateAuthority] = field(default_factory=list)
    revoked: dict[int, int] = field(default_factory=dict)
    is_reconsidered: bool = False
    """Whether the certificates that it issues from now on are of RFC 8360."""
    _serials: Iterator[int] = field(default_factory=lambda: count(1))
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def issue_ca(
        self,
        name: str,
        resources: Resources,
        *,
        validity: Validity | None = None,
        repository: str | None = None,
        notify: str | None = None,
    ) -> CertificateAuthority:
        """A subordinate authority, valid as long as this one unless told, in a directory of its own beside this one's.

        `name` is also its file name, so letters, digits, hyphens, and unique in the tree. `notify` is the https URI of
        the RRDP notification file of its repository.
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
                subject_info=(place, f"{place}{name}.mft", *([notify] if notify else [])),
                crl_uri=self.crl_uri,
                issuer_uri=self.certificate_uri,
                is_reconsidered=self.is_reconsidered,
            ),
            self.key,
        )
        self.products[f"{name}.cer"] = Product(signed, serial)
        child = CertificateAuthority(name, key, signed, valid, place, f"{self.repository}{name}.cer", self.keys)
        self.children.append(child)
        return child

    def issue_roa(self, asn: int, prefixes: Sequence[tuple[str, int]], *, validity: Validity | None = None) -> str:
        """A ROA for prefixes and their max_length; returns its file name."""
        resources = Resources([prefix for prefix, _ in prefixes])
        return self.issue(f"AS{asn}", "roa", ROA, roa_content(asn, prefixes), resources, validity)

    def issue_aspa(self, customer: int, providers: Sequence[int], *, validity: Validity | None = None) -> str:
        """An ASPA with the providers as they are given; returns its file name."""
        content = aspa_content(customer, providers)
        return self.issue(f"AS{customer}", "asa", ASPA, content, Resources((), [customer]), validity)

    def issue_prefix_list(self, asn: int, prefixes: Sequence[str], *, validity: Validity | None = None) -> str:
        """A signed prefix list: all prefixes that an AS may originate; returns its file name."""
        content = prefix_list_content(asn, prefixes)
        return self.issue(f"AS{asn}", "spl", PREFIX_LIST, content, Resources((), [asn]), validity)

    def issue_ghostbusters(self, name: str, email: str, *, validity: Validity | None = None) -> str:
        """Whom to call (RFC 6493); returns its file name."""
        return self.issue("contact", "gbr", GHOSTBUSTERS, vcard(name, email), INHERIT, validity)

    def issue_trust_anchor_key(
        self,
        *,
        successor: CertificateAuthority | None = None,
        predecessor: CertificateAuthority | None = None,
        validity: Validity | None = None,
    ) -> str:
        """What a trust anchor says of its own key and of the next or the last one (RFC 9691); returns its file name."""
        current, before, after = (
            None if each is None else ((each.certificate_uri,), each.key.public_key_info, f"The key of {each.name}")
            for each in (self, predecessor, successor)
        )
        assert current is not None
        content = trust_anchor_key_content(current, before, after)
        return self.issue("key", "tak", TRUST_ANCHOR_KEY, content, INHERIT, validity)

    def checklist(self, resources: Resources, files: Mapping[str, bytes], *, validity: Validity | None = None) -> bytes:
        """A signed checklist (RFC 9323) of files by name; it travels with them and is not published."""
        valid = validity or self.validity
        content = checklist_content(resources, files)
        return self.sign("", CHECKLIST, content, resources, valid, next(self._serials)).content

    def issue(
        self,
        stem: str,
        extension: str,
        content_type: str,
        content: bytes,
        resources: Resources,
        validity: Validity | None = None,
    ) -> str:
        """A signed object of any type and content; returns its file name, `STEM-SERIAL.EXTENSION`."""
        serial = next(self._serials)
        name = f"{stem}-{serial}.{extension}"
        self.products[name] = self.sign(name, content_type, content, resources, validity or self.validity, serial)
        return name

    def issue_router_key(
        self, asn: int | tuple[int, int], key: RouterKey | None = None, *, validity: Validity | None = None
    ) -> str:
        """A certificate (RFC 8209) for a router's key, a new one unless given; returns its file name.

        `asn` may be the first and the last of several AS numbers.
        """
        serial = next(self._serials)
        name = f"router-{serial}.cer"
        signed = certificate(
            CertificateContent(
                serial=serial,
                validity=validity or self.validity,
                subject_key=key or RouterKey.new(),
                resources=Resources((), [asn]),
                is_ca=False,
                subject_info=(),
                crl_uri=self.crl_uri,
                issuer_uri=self.certificate_uri,
                is_reconsidered=self.is_reconsidered,
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
        """A signed object of any type, with an end-entity certificate of its own; what has no name is not published."""
        signer = certificate(self.signer(name, resources, valid, serial), self.key)
        return Product(signed_object(content_type, content, signer, self.signer_key, valid.not_before), serial)

    def signer(self, name: str, resources: Resources, valid: Validity, serial: int) -> CertificateContent:
        """The end-entity certificate of a signed object, still to be signed."""
        return CertificateContent(
            serial=serial,
            validity=valid,
            subject_key=self.signer_key,
            resources=resources,
            is_ca=False,
            subject_info=(f"{self.repository}{name}",) if name else (),
            crl_uri=self.crl_uri,
            issuer_uri=self.certificate_uri,
            is_reconsidered=self.is_reconsidered,
        )

    @property
    def signer_key(self) -> SigningKey:
        """Of all its end-entity certificates."""
        return self.keys.key(f"{self.name}-ee")

    def publication_point(self, current: Validity) -> dict[str, bytes]:
        """Everything in the directory by file name, under a new CRL and a new manifest that hold for `current`."""
        number = next(self._numbers)
        files = {name: product.content for name, product in self.products.items()}
        files[f"{self.name}.crl"] = revocation_list(self.key, number, current, self.revoked)
        files[self.manifest] = self.sign_manifest(manifest_content(number, current, files), current)
        return files

    def sign_manifest(self, content: bytes, current: Validity) -> bytes:
        """A manifest of this content, with a certificate that holds exactly as long (RFC 9286 section 4.2.1)."""
        return self.sign(self.manifest, MANIFEST, content, INHERIT, current, next(self._serials)).content

    def count_from(self, number: int) -> None:
        """Number manifests and CRLs from here on, and certificates in a range of their own: this one is not new."""
        self._numbers = count(number)
        self._serials = count((number << 32) + 1)

    @property
    def manifest(self) -> str:
        """The file name of its manifest."""
        return f"{self.name}.mft"

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
    def crl_uri(self) -> str:
        """Where its CRL is."""
        return f"{self.repository}{self.name}.crl"


def trust_anchor(
    name: str, resources: Resources, validity: Validity, keys: Keys, *, repository: str = REPOSITORY
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
