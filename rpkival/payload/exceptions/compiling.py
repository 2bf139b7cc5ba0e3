"""From SLURM files to exceptions: prefixes and keys read, each fault told with its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from rpkival.errors import FormatError, LimitError, PrefixError
from rpkival.limits import MAX_ROUTER_KEY_BYTES, MAX_SLURM_FILES
from rpkival.payload.base64_text import decode_base64
from rpkival.payload.exceptions.exceptions import ExceptionFile, Exceptions
from rpkival.payload.exceptions.filters import KeyFilters, PrefixFilters
from rpkival.payload.exceptions.overlap import Claims, check_overlaps
from rpkival.payload.exceptions.slurm import SlurmFile, parse_slurm
from rpkival.payload.local_source import LocalSource
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.prefixes import ADDRESS_BITS, Prefixes, Rows, split_families

__all__ = ["compile_exceptions"]

_FILTERS = "$.validationOutputFilters"
_ASSERTIONS = "$.locallyAddedAssertions"
_KEY_ID_BYTES = 20
"""RFC 6487 section 4.8.2: a SHA-1."""

_T = TypeVar("_T")


def compile_exceptions(contents: Iterable[tuple[str, bytes]]) -> Exceptions:
    """From the name and content of each file. Raises `FormatError` with the fault's place, `LimitError`."""
    files = [_File(parse_slurm(data, name=name)) for name, data in contents]
    if len(files) > MAX_SLURM_FILES:
        raise LimitError(f"{len(files)} SLURM files are more than {MAX_SLURM_FILES}; put some of them together.")
    check_overlaps([file.claims for file in files])
    return Exceptions(
        tuple(file.about for file in files),
        PrefixFilters.concat([PrefixFilters.none(4), *(file.ipv4 for file in files)]),
        PrefixFilters.concat([PrefixFilters.none(6), *(file.ipv6 for file in files)]),
        np.array(sorted({asn for file in files for asn in file.asns}), np.uint32),
        KeyFilters(
            frozenset().union(*(file.keys.asns for file in files)),
            frozenset().union(*(file.keys.key_ids for file in files)),
            frozenset().union(*(file.keys.both for file in files)),
        ),
        frozenset().union(*(file.customers for file in files)),
        tuple(file.asserted for file in files),
    )


class _File:
    """One file, read whole."""

    def __init__(self, slurm: SlurmFile) -> None:
        self._slurm = slurm
        self.ipv4, self.ipv6, self.asns = self._prefix_filters()
        self.keys = self._key_filters()
        self.customers = frozenset(
            self._given(filter_.customer, f"{_FILTERS}.aspaFilters[{row}]", "customerAsn")
            for row, filter_ in enumerate(slurm.aspa_filters)
        )
        self.asserted = Payload(self._vrps(), self._aspas(), self._router_keys()).unique_sorted()
        filters = len(slurm.prefix_filters) + len(slurm.bgpsec_filters) + len(slurm.aspa_filters)
        assertions = len(slurm.prefix_assertions) + len(slurm.bgpsec_assertions) + len(slurm.aspa_assertions)
        self.about = ExceptionFile(slurm.name, slurm.version, filters, assertions)

    @property
    def claims(self) -> Claims:
        """What it speaks of."""
        vrps, keys = self.asserted.vrps, self.keys
        return Claims(
            self._slurm.name,
            Prefixes.concat([self.ipv4.prefixes, vrps.ipv4.prefixes]),
            Prefixes.concat([self.ipv6.prefixes, vrps.ipv6.prefixes]),
            keys.asns | {asn for asn, _ in keys.both} | {key.asn for key in self.asserted.router_keys},
            self.customers | {aspa.customer for aspa in self.asserted.aspas},
        )

    def _prefix_filters(self) -> tuple[PrefixFilters, PrefixFilters, frozenset[int]]:
        texts: list[str] = []
        asns: list[int] = []
        rows: list[int] = []
        everywhere: set[int] = set()
        for row, each in enumerate(self._slurm.prefix_filters):
            if each.prefix is not None:
                texts.append(each.prefix)
                asns.append(-1 if each.asn is None else each.asn)
                rows.append(row)
            elif each.asn is not None:
                everywhere.add(each.asn)
            else:
                raise self._fault(f"{_FILTERS}.prefixFilters[{row}]", "a filter needs a prefix, an asn or both")
        families = self._families(texts, rows, f"{_FILTERS}.prefixFilters")
        ipv4, ipv6 = (PrefixFilters(prefixes, np.array(asns, np.int64)[at]) for prefixes, at in families)
        return ipv4, ipv6, frozenset(everywhere)

    def _families(
        self, texts: list[str], rows: Sequence[int], where: str
    ) -> tuple[tuple[Prefixes, Rows], tuple[Prefixes, Rows]]:
        try:
            return split_families(texts)
        except PrefixError as error:
            raise self._fault(f"{where}[{rows[error.row]}].prefix", str(error)) from error

    def _key_filters(self) -> KeyFilters:
        asns, key_ids, both = set(), set(), set()
        for row, each in enumerate(self._slurm.bgpsec_filters):
            where = f"{_FILTERS}.bgpsecFilters[{row}]"
            key_id = None if each.ski is None else self._key_id(each.ski, where)
            if each.asn is not None and key_id is not None:
                both.add((each.asn, key_id))
            elif key_id is not None:
                key_ids.add(key_id)
            elif each.asn is not None:
                asns.add(each.asn)
            else:
                raise self._fault(where, "a filter needs an asn, an SKI or both")
        return KeyFilters(frozenset(asns), frozenset(key_ids), frozenset(both))

    def _vrps(self) -> Vrps:
        entries = self._slurm.prefix_assertions
        where = f"{_ASSERTIONS}.prefixAssertions"
        families = self._families([each.prefix for each in entries], range(len(entries)), where)
        for prefixes, rows in families:
            for row, length in zip(rows.tolist(), prefixes.length.tolist(), strict=True):
                longest = entries[row].max_prefix_length
                if longest is not None and not length <= longest <= ADDRESS_BITS[prefixes.family]:
                    raise self._fault(
                        f"{where}[{row}].maxPrefixLength", f"{longest} is no length for {entries[row].prefix}"
                    )
        return Vrps.of(
            Vrp(
                each.prefix,
                int(each.prefix.rpartition("/")[2]) if each.max_prefix_length is None else each.max_prefix_length,
                each.asn,
                source=self._source(each.comment),
            )
            for each in entries
        )

    def _aspas(self) -> tuple[Aspa, ...]:
        return tuple(self._aspa(row) for row in range(len(self._slurm.aspa_assertions)))

    def _aspa(self, row: int) -> Aspa:
        each, where = self._slurm.aspa_assertions[row], f"{_ASSERTIONS}.aspaAssertions[{row}]"
        customer = self._given(each.customer, where, "customerAsn")
        providers = sorted(set(self._given(each.provider_set, where, "providerAsns")))
        # draft-ietf-sidrops-8210bis-26 section 5.12: AS 0 stands alone.
        if customer in providers or (providers[0] == 0 and len(providers) > 1):
            wrong = "itself" if customer in providers else "AS0 and others"
            raise self._fault(f"{where}.providerAsns", f"AS{customer} cannot have {wrong} as providers")
        return Aspa(customer, tuple(providers), source=self._source(each.comment))

    def _router_keys(self) -> tuple[RouterKey, ...]:
        return tuple(self._router_key(row) for row in range(len(self._slurm.bgpsec_assertions)))

    def _router_key(self, row: int) -> RouterKey:
        each, where = self._slurm.bgpsec_assertions[row], f"{_ASSERTIONS}.bgpsecAssertions[{row}]"
        info = self._octets(each.router_public_key, f"{where}.routerPublicKey")
        if not 0 < len(info) <= MAX_ROUTER_KEY_BYTES:
            raise self._fault(f"{where}.routerPublicKey", f"a key of {len(info)} octets is none")
        return RouterKey(each.asn, self._key_id(each.ski, where), info, source=self._source(each.comment))

    def _key_id(self, text: str, where: str) -> bytes:
        key_id = self._octets(text, f"{where}.SKI")
        if len(key_id) != _KEY_ID_BYTES:
            raise self._fault(f"{where}.SKI", f"a key identifier has {_KEY_ID_BYTES} octets, not {len(key_id)}")
        return key_id

    def _octets(self, text: str, where: str) -> bytes:
        try:
            return decode_base64(text)
        except ValueError as error:
            raise self._fault(where, str(error)) from error

    def _given(self, value: _T | None, where: str, name: str) -> _T:
        if value is None:
            raise self._fault(where, f"it needs {name}, once")
        return value

    def _source(self, comment: str) -> str:
        return str(LocalSource(self._slurm.name, comment))

    def _fault(self, where: str, what: str) -> FormatError:
        return FormatError(f"{self._slurm.name} is wrong at {where}: {what}{'' if what.endswith(('.', '?')) else '.'}")
