"""SLURM files: RFC 8416, and version 2 with ASPAs (draft-ietf-sidrops-aspa-slurm-04), declared member by member.

RFC 8416 section 3.1: "JSON members that are not defined here MUST NOT be used in SLURM files. An RP MUST consider any
deviations from the specifications to be errors." Two habits of real files are taken all the same, since nothing else
can be meant: Base64 of either alphabet with or without padding, and `customerAsid` and `providers`, which earlier
drafts and other validators write for `customerAsn` and `providerAsns`.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Annotated, Any, TypeVar

import msgspec

from rpkival.errors import FormatError, LimitError
from rpkival.json_fault import json_fault
from rpkival.limits import MAX_ASN, MAX_ASPA_PROVIDERS, MAX_SLURM_ENTRIES

__all__ = [
    "AspaAssertion",
    "AspaFilter",
    "BgpsecAssertion",
    "BgpsecFilter",
    "PrefixAssertion",
    "PrefixFilter",
    "SlurmFile",
    "parse_slurm",
]

_T = TypeVar("_T")

Asn = Annotated[int, msgspec.Meta(ge=0, le=MAX_ASN)]


class _Object(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """A JSON object with these members and no others."""


class PrefixFilter(_Object, frozen=True):
    """Section 3.3.1: takes away VRPs whose prefix is within `prefix`, whose origin is `asn`, or both at once."""

    prefix: str | None = None
    asn: Asn | None = None
    comment: str = ""


class BgpsecFilter(_Object, frozen=True, rename={"ski": "SKI"}):
    """Section 3.3.2: takes away router keys of `asn`, of this identifier, or both at once."""

    asn: Asn | None = None
    ski: str | None = None
    comment: str = ""


class AspaFilter(_Object, frozen=True):
    """Takes away the ASPA of a customer."""

    customer_asn: Asn | None = None
    customer_asid: Asn | None = None
    comment: str = ""

    @property
    def customer(self) -> int | None:
        """By either name; None where both or none are given."""
        return _one(self.customer_asn, self.customer_asid)


class PrefixAssertion(_Object, frozen=True):
    """Section 3.4.1: a VRP."""

    asn: Asn
    prefix: str
    max_prefix_length: Annotated[int, msgspec.Meta(ge=0, le=128)] | None = None
    comment: str = ""


class BgpsecAssertion(_Object, frozen=True, rename={"ski": "SKI", "router_public_key": "routerPublicKey"}):
    """Section 3.4.2: a router key."""

    asn: Asn
    ski: str
    router_public_key: str
    comment: str = ""


class AspaAssertion(_Object, frozen=True):
    """Providers of a customer."""

    customer_asn: Asn | None = None
    customer_asid: Asn | None = None
    provider_asns: Annotated[list[Asn], msgspec.Meta(min_length=1, max_length=MAX_ASPA_PROVIDERS)] | None = None
    providers: Annotated[list[Asn], msgspec.Meta(min_length=1, max_length=MAX_ASPA_PROVIDERS)] | None = None
    comment: str = ""

    @property
    def customer(self) -> int | None:
        """By either name; None where both or none are given."""
        return _one(self.customer_asn, self.customer_asid)

    @property
    def provider_set(self) -> list[int] | None:
        """By either name; None where both or none are given."""
        return _one(self.provider_asns, self.providers)


class _Filters(_Object, frozen=True):
    prefix_filters: list[PrefixFilter]
    bgpsec_filters: list[BgpsecFilter]


class _Assertions(_Object, frozen=True):
    prefix_assertions: list[PrefixAssertion]
    bgpsec_assertions: list[BgpsecAssertion]


class _Version1(_Object, frozen=True):
    slurm_version: int
    validation_output_filters: _Filters
    locally_added_assertions: _Assertions


class _FiltersWithAspas(_Filters, frozen=True):
    aspa_filters: list[AspaFilter] = []


class _AssertionsWithAspas(_Assertions, frozen=True):
    aspa_assertions: list[AspaAssertion] = []


class _Version2(_Object, frozen=True):
    slurm_version: int
    validation_output_filters: _FiltersWithAspas
    locally_added_assertions: _AssertionsWithAspas


class SlurmFile(msgspec.Struct, frozen=True):
    """What a file says, in its order. Prefixes and keys are as they are written."""

    name: str
    version: int
    prefix_filters: list[PrefixFilter]
    bgpsec_filters: list[BgpsecFilter]
    aspa_filters: list[AspaFilter]
    prefix_assertions: list[PrefixAssertion]
    bgpsec_assertions: list[BgpsecAssertion]
    aspa_assertions: list[AspaAssertion]


class _Probe(msgspec.Struct, rename="camel"):
    slurm_version: Annotated[int, msgspec.Meta(ge=1, le=2)]


def parse_slurm(data: bytes, *, name: str) -> SlurmFile:
    """Raises `FormatError` that tells where in the document the fault is, `LimitError`."""
    kind: type[_Probe | _Version1 | _Version2] = _Probe
    try:
        kind = _Version1 if msgspec.json.decode(data, type=_Probe).slurm_version == 1 else _Version2
        document = msgspec.json.decode(data, type=kind)
        json.loads(data, object_pairs_hook=_distinct)
    except msgspec.ValidationError as error:
        raise FormatError(f"{name} is wrong at {json_fault(error, kind)}.") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise FormatError(f"{name} is not a SLURM file (RFC 8416): {error}.") from error
    filters, assertions = document.validation_output_filters, document.locally_added_assertions
    file = SlurmFile(
        name,
        document.slurm_version,
        filters.prefix_filters,
        filters.bgpsec_filters,
        filters.aspa_filters if isinstance(filters, _FiltersWithAspas) else [],
        assertions.prefix_assertions,
        assertions.bgpsec_assertions,
        assertions.aspa_assertions if isinstance(assertions, _AssertionsWithAspas) else [],
    )
    entries = sum(len(each) for each in msgspec.structs.astuple(file)[2:])
    if entries > MAX_SLURM_ENTRIES:
        raise LimitError(f"{name} has {entries} filters and assertions, more than {MAX_SLURM_ENTRIES}.")
    return file


def _distinct(members: list[tuple[str, Any]]) -> None:
    """Of two members of one name, readers take the one or the other, and half of the filters would be lost unseen."""
    name, times = Counter(key for key, _ in members).most_common(1)[0] if members else ("", 0)
    if times > 1:
        raise ValueError(f"an object has {times} members {name[:40]!r}")


def _one(first: _T | None, second: _T | None) -> _T | None:
    return second if first is None else first if second is None else None
