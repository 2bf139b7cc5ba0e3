"""The router's side of one answer: what it takes, what it passes over, what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import LimitError
from rpkival.payload.payload import Aspa, RouterKey
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr import download as module
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.columns import ANNOUNCE, encode_prefixes
from rpkival.rtr.download import Download
from rpkival.rtr.errors import (
    AspaProviderListError,
    BrokenReportError,
    CorruptDataError,
    DuplicateAnnouncementError,
    InvalidRequestError,
    OrderingError,
    PduError,
    UnexpectedVersionError,
    UnsupportedVersionError,
)
from rpkival.rtr.pdu import (
    AspaPdu,
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorReport,
    IPv4Prefix,
    IPv6Prefix,
    Pdu,
    PeerError,
    ResetQuery,
    RouterKeyPdu,
    SerialNotify,
    SerialQuery,
)

Key = tuple[str, int, int]
BEGIN, END = CacheResponse(1, 7), EndOfData(1, 7, 9)
FOUR, SIX = IPv4Prefix(1, True, 0xC0000200, 24, 24, 64496), IPv6Prefix(1, True, 0x20010DB8 << 96, 32, 48, 64497)


def octets(*pdus: Pdu) -> bytes:
    """On the wire."""
    return b"".join(pdu.serialize() for pdu in pdus)


@given(st.data(), st.lists(st.integers(1, 400), max_size=30))
def test_prefixes_in_any_order_and_pieces(
    any_vrps: st.SearchStrategy[Vrps], keys: Callable[[Vrps], list[Key]], data: st.DataObject, pieces: list[int]
) -> None:
    """Caches need not sort: IPv4 and IPv6 may alternate, with other PDUs between them."""
    vrps = data.draw(any_vrps)
    prefixes = encode_prefixes(vrps, ANNOUNCE, 1)
    boundary = len(vrps.ipv4) * 20
    pdus = [prefixes[at : at + 20] for at in range(0, boundary, 20)]
    pdus += [prefixes[at : at + 32] for at in range(boundary, len(prefixes), 32)]
    pdus += [SerialNotify(1, 7, 8).serialize(), RouterKeyPdu(1, True, bytes(20), 1, b"key").serialize()]
    wire = octets(BEGIN) + b"".join(data.draw(st.permutations(pdus))) + octets(END)

    download = Download(ResetQuery(1))
    for size in [*pieces, len(wire)]:
        download.receive(wire[:size])
        wire = wire[size:]

    assert download.kind is AnswerKind.SNAPSHOT
    assert download.end == END
    assert keys(download.changes().announced.vrps) == keys(vrps.unique_sorted())
    assert len(download.changes().withdrawn) == 0


def test_a_delta_has_both() -> None:
    """Flags tell announcements from withdrawals."""
    gone = IPv4Prefix(1, False, 0xC6336400, 24, 24, 64498)
    download = Download(SerialQuery(1, 7, 8))

    download.receive(octets(BEGIN, FOUR, gone, SIX, END))

    assert download.kind is AnswerKind.DELTA
    assert list(download.changes().announced.vrps) == [Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64497)]
    assert list(download.changes().withdrawn.vrps) == [Vrp("198.51.100.0/24", 24, 64498)]


def test_cache_reset_is_an_answer_to_a_serial_query() -> None:
    """The client then asks for everything."""
    download = Download(SerialQuery(1, 7, 8))

    download.receive(octets(CacheReset(1)))

    assert download.kind is AnswerKind.CACHE_RESET


def test_an_older_cache_may_answer_in_its_version() -> None:
    """RFC 8210 section 7; notifications before that may have any version."""
    download = Download(ResetQuery(1))

    download.receive(octets(SerialNotify(0, 3, 3), CacheResponse(0, 7), IPv4Prefix(0, True, 0, 0, 0, 1)))
    download.receive(octets(EndOfData(0, 7, 9)))

    assert download.version == 0
    assert download.end == EndOfData(0, 7, 9)
    assert len(download.changes().announced) == 1


@pytest.mark.parametrize(
    ("query", "wire", "error"),
    [
        (ResetQuery(1), octets(ErrorReport(1, 2, b"", "wait")), PeerError),
        (ResetQuery(1), octets(BEGIN, FOUR, ErrorReport(1, 1)), PeerError),
        (ResetQuery(1), octets(END), InvalidRequestError),
        (ResetQuery(1), octets(FOUR), InvalidRequestError),
        (ResetQuery(1), octets(BEGIN, BEGIN), InvalidRequestError),
        (ResetQuery(1), octets(CacheReset(1)), InvalidRequestError),
        (ResetQuery(1), octets(ResetQuery(1)), InvalidRequestError),
        (ResetQuery(1), octets(BEGIN, EndOfData(1, 8, 9)), CorruptDataError),
        (ResetQuery(1), octets(BEGIN, EndOfData(0, 7, 9)), UnexpectedVersionError),
        (ResetQuery(1), octets(BEGIN, IPv4Prefix(0, True, 0, 0, 0, 1)), UnexpectedVersionError),
        (ResetQuery(0), octets(CacheResponse(1, 7)), UnexpectedVersionError),
        (SerialQuery(1, 7, 8), octets(CacheResponse(0, 7)), UnexpectedVersionError),
        (SerialQuery(1, 7, 8), octets(CacheResponse(1, 6)), CorruptDataError),
        (ResetQuery(1), bytes.fromhex("01 03 0007 ffffffff"), CorruptDataError),
        (ResetQuery(1), octets(BEGIN) + bytes.fromhex("01 04 0000 00000015"), CorruptDataError),
        (ResetQuery(1), bytes.fromhex("485454502f312e31203430302042"), UnexpectedVersionError),
    ],
)
def test_what_breaks_the_protocol_is_refused(
    query: ResetQuery | SerialQuery, wire: bytes, error: type[Exception]
) -> None:
    """Each in its own class, and never taken for an answer."""
    download = Download(query)

    with pytest.raises(error):
        download.receive(wire)
    assert download.kind is None


def test_impossible_lengths_are_found_in_the_columns() -> None:
    """Prefixes are judged when the set is made."""
    download = Download(ResetQuery(1))
    download.receive(octets(BEGIN, FOUR, IPv4Prefix(1, True, 0, 24, 23, 1), END))

    with pytest.raises(CorruptDataError, match="length 24 with max length 23"):
        download.changes()


def test_the_number_of_prefixes_is_bounded() -> None:
    """A cache that never ends its answer is left."""
    download = Download(ResetQuery(1))

    with patch.object(module, "MAX_VRPS", 10), pytest.raises(LimitError, match="more than 10 prefixes"):
        download.receive(octets(BEGIN, *[FOUR] * 11))


GONE = IPv4Prefix(2, False, 0xC6336400, 24, 24, 64498)
KEY, OTHER_KEY = RouterKeyPdu(2, True, b"a" * 20, 1, b"key"), RouterKeyPdu(2, True, b"b" * 20, 1, b"key")
LOW, HIGH = IPv4Prefix(2, True, 0x0A000000, 8, 8, 1), IPv4Prefix(2, True, 0x0B000000, 8, 8, 1)
ORDERED: tuple[Pdu, ...] = (
    HIGH,
    LOW,
    GONE,
    IPv6Prefix(2, True, 0, 0, 0, 0),
    KEY,
    OTHER_KEY,
    AspaPdu(2, True, 1, (2,)),
    AspaPdu(2, False, 3),
)


def delta(*pdus: Pdu, strict_order: bool = False) -> Download:
    """What a Serial Query of version 2 is answered with."""
    download = Download(SerialQuery(2, 7, 8), strict_order=strict_order)
    download.receive(octets(CacheResponse(2, 7), *pdus, EndOfData(2, 7, 9)))
    return download


def test_the_order_of_version_2_is_accepted() -> None:
    """One of each kind, as draft-ietf-sidrops-8210bis-26 section 11.2 has them."""
    changes = delta(*ORDERED, strict_order=True).changes()

    assert (len(changes.announced), len(changes.withdrawn)) == (6, 2)
    assert changes.announced.aspas == (Aspa(1, (2,)),)
    assert changes.announced.router_keys == (RouterKey(1, b"a" * 20, b"key"), RouterKey(1, b"b" * 20, b"key"))
    assert changes.withdrawn.aspas == (Aspa(3, ()),)


@pytest.mark.parametrize("at", range(len(ORDERED) - 1))
def test_any_two_exchanged_are_an_ordering_error(at: int) -> None:
    """Error 11 where somebody wants to know; otherwise the order does no harm."""
    pdus: list[Pdu] = list(ORDERED)
    pdus[at : at + 2] = reversed(pdus[at : at + 2])

    with pytest.raises(OrderingError):
        delta(*pdus, strict_order=True).changes()
    assert len(delta(*pdus).changes()) == len(ORDERED)


@pytest.mark.parametrize(
    "pdu",
    [LOW, GONE, KEY, AspaPdu(2, True, 1, (2,)), AspaPdu(2, False, 1)],
    ids=["ipv4", "ipv4-gone", "key", "aspa", "aspa-gone"],
)
def test_what_is_told_twice_in_one_answer_is_an_error(pdu: Pdu) -> None:
    """draft-ietf-sidrops-8210bis-26 section 5.3: Error 7, also for withdrawals."""
    with pytest.raises(DuplicateAnnouncementError):
        delta(pdu, pdu).changes()


def test_an_aspa_cannot_come_and_go_in_one_answer() -> None:
    """Which of the two would hold, nobody could say."""
    with pytest.raises(CorruptDataError, match="one customer"):
        delta(AspaPdu(2, True, 1, (2,)), AspaPdu(2, False, 1)).changes()


def test_a_reset_withdraws_nothing() -> None:
    """Section 5.5: there the flag must be 1."""
    download = Download(ResetQuery(2))
    download.receive(octets(CacheResponse(2, 7), GONE, EndOfData(2, 7, 9)))

    with pytest.raises(CorruptDataError, match="Reset Query"):
        download.changes()


def test_the_octets_of_aspas_are_bounded() -> None:
    """A cache that never ends its answer is left."""
    with patch.object(module, "MAX_RTR_RECORD_BYTES", 100), pytest.raises(LimitError, match="more than 100 octets"):
        delta(*(AspaPdu(2, True, customer, (1,)) for customer in range(7)))


def test_a_bad_list_of_providers_ends_the_answer() -> None:
    """Error 9."""
    with pytest.raises(AspaProviderListError, match="do not ascend"):
        delta(AspaPdu(2, True, 1, (3, 2)))


@pytest.mark.parametrize(
    "report",
    ["02 0a 0000 00000010 ffffffff 00000000", "02 0a 0000 ffffffff", "03 0a 0004 00000010 00000000 00000000"],
    ids=["inner length", "length", "version"],
)
def test_a_broken_error_report_is_no_error_to_report(report: str) -> None:
    """Whoever sees it must not answer it, so it is in a class of its own."""
    with pytest.raises(BrokenReportError, match="Error Report is broken"):
        Download(ResetQuery(2)).receive(bytes.fromhex(report))


@given(st.binary(max_size=100))
def test_noise_is_refused_or_waited_on(noise: bytes) -> None:
    """Any octets after a good beginning."""
    download = Download(ResetQuery(1))
    try:
        download.receive(octets(BEGIN) + noise)
    except (PduError, PeerError, BrokenReportError):
        return
    assert download.kind in (None, AnswerKind.SNAPSHOT)


def test_versions_nobody_speaks_are_named() -> None:
    """An answer in version 2 to a query in version 1."""
    with pytest.raises((UnexpectedVersionError, UnsupportedVersionError), match="version 1, not 2"):
        Download(ResetQuery(1)).receive(bytes.fromhex("02 03 0007 00000008"))
