"""Entries of JSON files that are no VRPs: router keys, ASPAs, and where jsonext says that something comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from rpkival.asn import parse_asn
from rpkival.errors import AsnError, FormatError, LimitError
from rpkival.limits import MAX_ASPA_PROVIDERS, MAX_ROUTER_KEY_BYTES, MAX_UNIX_TIME, MAX_VRP_FILE_RECORDS
from rpkival.payload.base64_text import decode_base64
from rpkival.payload.local_source import LocalSource
from rpkival.payload.payload import Aspa, RouterKey, unite_aspas, unite_router_keys

__all__ = ["AspaEntry", "KeyEntry", "Source", "aspas_of", "router_keys_of"]

_KEY_ID_BYTES = 20
"""RFC 8210 section 5.10: the SHA-1 of the key."""


class _Interval(msgspec.Struct, gc=False, rename="camel"):
    not_after: datetime | None = None


class Source(msgspec.Struct, gc=False, rename="camel"):
    """Where Routinator's jsonext says something comes from: a signed object or a local exception."""

    type: str = ""
    tal: str = ""
    uri: str | None = None
    path: str | None = None
    comment: str = ""
    validity: _Interval | None = None
    chain_validity: _Interval | None = None
    stale: datetime | None = None

    def expires(self) -> int:
        """The end of the chain's certificates, manifests and CRLs; an older Routinator tells only the object's."""
        interval = self.chain_validity or self.validity
        ends = (interval.not_after if interval else None, self.stale)
        return min((int(end.timestamp()) for end in ends if end), default=0)

    def name(self) -> str:
        """As a payload has its sources."""
        if self.type == "exception":
            return str(LocalSource(self.path or "", self.comment))
        return self.uri or ""


class _Entry(msgspec.Struct, gc=False):
    ta: str = ""
    expires: int = 0
    source: tuple[Source, ...] = ()

    def origin(self) -> tuple[str, int, str]:
        """Trust anchor, end, and source."""
        if not self.source:
            return _known(self.ta), self.expires, ""
        anchor = next((source.tal for source in self.source if source.tal), self.ta)
        name = next((name for source in self.source if (name := source.name())), "")
        return _known(anchor), max(source.expires() for source in self.source), name


class KeyEntry(_Entry, kw_only=True, gc=False, rename={"capital_ski": "SKI", "router_public_key": "routerPublicKey"}):
    """Routinator's `SKI` and `routerPublicKey`, rpki-client's `ski` and `pubkey`."""

    asn: int | str
    capital_ski: str = ""
    ski: str = ""
    router_public_key: str = ""
    pubkey: str = ""


class AspaEntry(_Entry, kw_only=True, gc=False):
    """Routinator's `customer`, rpki-client's `customer_asid`."""

    customer: int | str = ""
    customer_asid: int | str = ""
    providers: list[int | str]


def router_keys_of(entries: Sequence[KeyEntry], *, name: str) -> tuple[RouterKey, ...]:
    """Sorted and unique. Raises `FormatError` that names a bad one (counted from 1), `LimitError`."""
    _check_number(entries, "router keys", name)
    return unite_router_keys(_router_key(entry, f"{name}, router key {row + 1}") for row, entry in enumerate(entries))


def aspas_of(entries: Sequence[AspaEntry], *, name: str) -> tuple[Aspa, ...]:
    """Each customer once. Raises `FormatError` that names a bad one (counted from 1), `LimitError`."""
    _check_number(entries, "ASPAs", name)
    return unite_aspas(_aspa(entry, f"{name}, ASPA {row + 1}") for row, entry in enumerate(entries))


def _router_key(entry: KeyEntry, where: str) -> RouterKey:
    try:
        key_id = bytes.fromhex(entry.capital_ski or entry.ski)
        info = decode_base64(entry.router_public_key or entry.pubkey)
    except ValueError as error:
        raise FormatError(f"{where} is not written as a key is: {error}.") from error
    if len(key_id) != _KEY_ID_BYTES:
        raise FormatError(f"{where}: its identifier has {len(key_id)} octets, not {_KEY_ID_BYTES}.")
    if not 0 < len(info) <= MAX_ROUTER_KEY_BYTES:
        raise FormatError(f"{where}: a key of {len(info)} octets is none; up to {MAX_ROUTER_KEY_BYTES} can be.")
    return RouterKey(_asn(entry.asn, where), key_id, info, *_origin(entry, where))


def _aspa(entry: AspaEntry, where: str) -> Aspa:
    if not 0 < len(entry.providers) <= MAX_ASPA_PROVIDERS:
        raise FormatError(f"{where} has {len(entry.providers)} providers; 1 to {MAX_ASPA_PROVIDERS} can be.")
    customer = _asn(entry.customer if entry.customer != "" else entry.customer_asid, where)
    providers = sorted({_asn(provider, where) for provider in entry.providers})
    return Aspa(customer, tuple(providers), *_origin(entry, where))


def _origin(entry: _Entry, where: str) -> tuple[str, int, str]:
    anchor, expires, source = entry.origin()
    if not 0 <= expires <= MAX_UNIX_TIME:
        raise FormatError(f"{where}: {expires} is not a time.")
    return anchor, expires, source


def _asn(value: int | str, where: str) -> int:
    try:
        return parse_asn(value)
    except AsnError as error:
        raise FormatError(f"{where}: {error}") from error


def _known(anchor: str) -> str:
    return "" if anchor == "N/A" else anchor


def _check_number(entries: Sequence[object], what: str, name: str) -> None:
    if len(entries) > MAX_VRP_FILE_RECORDS:
        raise LimitError(f"{name} has {len(entries)} {what}, more than {MAX_VRP_FILE_RECORDS}.")
