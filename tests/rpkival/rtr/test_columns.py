"""Whole columns as PDUs, against the codec of single PDUs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.changes import diff_vrps
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.columns import (
    ANNOUNCE,
    RECORD,
    WITHDRAW,
    decode_prefixes,
    encode_changes,
    encode_prefixes,
    leading_records,
    with_version,
)
from rpkival.rtr.errors import CorruptDataError
from rpkival.rtr.pdu import IPv4Prefix, IPv6Prefix, Pdu

Key = tuple[str, int, int]


def order(pdu: Pdu) -> tuple[int, int, tuple[int, ...]]:
    """draft-ietf-sidrops-8210bis-26 section 11.2.1, as it is written there."""
    assert isinstance(pdu, IPv4Prefix | IPv6Prefix)
    element = (pdu.address, pdu.max_length, pdu.length, pdu.asn)
    if pdu.announce:
        return (pdu.type, 0, tuple(-value for value in element))
    return (pdu.type, 1, element)


@given(st.data(), st.sampled_from([0, 1]), st.sampled_from([ANNOUNCE, WITHDRAW]))
def test_columns_say_what_single_pdus_say(
    any_vrps: st.SearchStrategy[Vrps],
    keys: Callable[[Vrps], list[Key]],
    split_pdus: Callable[[bytes], list[Pdu]],
    data: st.DataObject,
    version: int,
    flags: int,
) -> None:
    """Each VRP is one PDU of the right version and flag, in the order of the protocol, and can be read back."""
    vrps = data.draw(any_vrps)

    octets = encode_prefixes(vrps, flags, version)

    pdus = split_pdus(octets)
    assert len(pdus) == len(vrps)
    assert {(pdu.version, getattr(pdu, "announce", None)) for pdu in pdus} <= {(version, bool(flags))}
    assert pdus == sorted(pdus, key=order)
    boundary = len(vrps.ipv4) * 20
    ipv4 = leading_records(memoryview(octets), 4, version)
    ipv6 = leading_records(memoryview(octets)[boundary:], 6, version)
    back = Vrps(decode_prefixes(ipv4, 4)[1 - flags], decode_prefixes(ipv6, 6)[1 - flags])
    assert sorted(keys(back)) == sorted(keys(vrps))


@given(st.data())
def test_a_delta_is_in_order(
    any_vrps: st.SearchStrategy[Vrps], split_pdus: Callable[[bytes], list[Pdu]], data: st.DataObject
) -> None:
    """IPv4 before IPv6, announcements before withdrawals, each in its own direction."""
    changes = diff_vrps(data.draw(any_vrps), data.draw(any_vrps))

    pdus = split_pdus(encode_changes(changes, 1))

    assert len(pdus) == len(changes)
    assert pdus == sorted(pdus, key=order)


@given(st.data())
def test_only_the_version_octet_differs(any_vrps: st.SearchStrategy[Vrps], data: st.DataObject) -> None:
    """A snapshot turned to another version equals one encoded in it."""
    vrps = data.draw(any_vrps)

    octets = encode_prefixes(vrps, ANNOUNCE, 1)

    assert with_version(octets, len(vrps.ipv4), len(vrps.ipv6), 0) == encode_prefixes(vrps, ANNOUNCE, 0)


def test_as_0_comes_last_among_equals(split_pdus: Callable[[bytes], list[Pdu]]) -> None:
    """So no router drops a route for the moment between two PDUs (section 11.2.1)."""
    vrps = Vrps.of(Vrp("192.0.2.0/24", 24, asn) for asn in (0, 64496, 64497))

    pdus = split_pdus(encode_prefixes(vrps, ANNOUNCE, 1))

    assert [pdu.asn for pdu in pdus if isinstance(pdu, IPv4Prefix)] == [64497, 64496, 0]


@pytest.mark.parametrize("run", [0, 1, 15, 16, 17, 48, 1000])
def test_a_run_ends_where_something_else_begins(run: int) -> None:
    """Runs of any length are found, whatever comes behind them; a torn PDU at the end is not taken."""
    records = np.zeros(run + 1, RECORD[4])
    records["version"], records["type"], records["pdu_length"] = 1, 4, 20
    records["type"][run] = 7
    octets = records.tobytes()

    assert len(leading_records(memoryview(octets), 4, 1)) == run
    assert len(leading_records(memoryview(octets), 4, 0)) == 0
    assert len(leading_records(memoryview(octets)[: run * 20 - 1] if run else memoryview(b""), 4, 1)) == max(run - 1, 0)


@pytest.mark.parametrize(("length", "max_length"), [(25, 24), (24, 33), (33, 33)])
def test_impossible_lengths_are_refused(length: int, max_length: int) -> None:
    """One bad PDU among many is found and named."""
    records = np.zeros(100, RECORD[4])
    records["length"], records["max_length"] = 24, 24
    records["length"][70], records["max_length"][70] = length, max_length

    with pytest.raises(CorruptDataError, match=f"length {length} with max length {max_length}"):
        decode_prefixes(records, 4)
