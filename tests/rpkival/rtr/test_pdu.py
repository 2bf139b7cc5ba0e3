"""The PDUs, octet by octet."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.limits import MAX_RTR_ENCAPSULATED_BYTES
from rpkival.rtr.errors import (
    FATAL,
    AspaProviderListError,
    CorruptDataError,
    DuplicateAnnouncementError,
    ErrorCode,
    InvalidRequestError,
    NoDataError,
    OrderingError,
    PduError,
    UnexpectedVersionError,
    UnknownWithdrawalError,
    UnsupportedTypeError,
    UnsupportedVersionError,
    code_in,
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
    ResetQuery,
    RouterKeyPdu,
    SerialNotify,
    SerialQuery,
    Timers,
    parse,
)

VERSION = st.sampled_from([0, 1, 2])
WITH_KEYS = st.sampled_from([1, 2])
U16 = st.integers(0, 2**16 - 1)
U32 = st.integers(0, 2**32 - 1)


def prefixes(kind: type[IPv4Prefix | IPv6Prefix]) -> st.SearchStrategy[Pdu]:
    """Prefix PDUs without host bits."""

    def build(version: int, announce: bool, address: int, lengths: list[int], asn: int) -> Pdu:
        length, max_length = sorted(lengths)
        host = kind.bits - length
        return kind(version, announce, address >> host << host, length, max_length, asn)

    lengths = st.lists(st.integers(0, kind.bits), min_size=2, max_size=2)
    return st.builds(build, VERSION, st.booleans(), st.integers(0, 2**kind.bits - 1), lengths, U32)


PDUS: st.SearchStrategy[Pdu] = st.one_of(
    st.builds(SerialNotify, VERSION, U16, U32),
    st.builds(SerialQuery, VERSION, U16, U32),
    st.builds(ResetQuery, VERSION),
    st.builds(CacheReset, VERSION),
    st.builds(CacheResponse, VERSION, U16),
    prefixes(IPv4Prefix),
    prefixes(IPv6Prefix),
    st.builds(EndOfData, st.just(0), U16, U32),
    st.builds(EndOfData, WITH_KEYS, U16, U32, U32, U32, U32),
    st.builds(AspaPdu, st.just(2), st.just(False), U32),
    st.builds(
        AspaPdu,
        st.just(2),
        st.just(True),
        U32,
        st.frozensets(st.integers(1, 2**32 - 1), min_size=1, max_size=20).map(sorted).map(tuple),
    ),
    st.builds(
        RouterKeyPdu,
        WITH_KEYS,
        st.booleans(),
        st.binary(min_size=20, max_size=20),
        U32,
        st.binary(min_size=1, max_size=99),
    ),
    st.builds(ErrorReport, VERSION, U16, st.binary(max_size=40), st.text(max_size=40)),
)


@given(PDUS)
def test_every_pdu_comes_back_as_it_was(pdu: Pdu) -> None:
    """`parse` undoes `serialize`, and the length in the header is the length."""
    octets = pdu.serialize()

    assert parse(octets) == pdu
    assert struct.unpack_from("!I", octets, 4) == (len(octets),)


@given(PDUS, st.data())
def test_a_torn_pdu_is_an_error(pdu: Pdu, data: st.DataObject) -> None:
    """Too few octets are told, wherever the PDU is torn, and so is one too many."""
    octets = pdu.serialize()
    end = data.draw(st.integers(0, len(octets) - 1))

    for broken in (octets[:end], octets + b"\0"):
        with pytest.raises(CorruptDataError):
            parse(broken)


@given(st.binary(max_size=80))
def test_noise_is_an_error_and_nothing_else(noise: bytes) -> None:
    """Whatever comes, the outcome is a PDU or a `PduError`."""
    try:
        parse(noise)
    except PduError:
        return


@given(PDUS, st.integers(0, 60), st.integers(0, 255))
def test_a_changed_octet_is_a_pdu_or_an_error(pdu: Pdu, at: int, octet: int) -> None:
    """No single octet makes the parser fail in an unforeseen way."""
    octets = bytearray(pdu.serialize())
    octets[at % len(octets)] = octet
    try:
        again = parse(bytes(octets))
    except PduError:
        return
    assert parse(again.serialize()) == again


@pytest.mark.parametrize(
    ("pdu", "octets"),
    [
        (SerialNotify(1, 0x0E1D, 7), "01 00 0e1d 0000000c 00000007"),
        (SerialQuery(0, 0x0E1D, 7), "00 01 0e1d 0000000c 00000007"),
        (ResetQuery(1), "01 02 0000 00000008"),
        (CacheResponse(1, 0x0E1D), "01 03 0e1d 00000008"),
        (IPv4Prefix(1, True, 0xC0000200, 24, 26, 64496), "01 04 0000 00000014 01 18 1a 00 c0000200 0000fbf0"),
        (
            IPv6Prefix(1, False, 0x20010DB8 << 96, 32, 48, 64496),
            "01 06 0000 00000020 00 20 30 00 20010db8 00000000 00000000 00000000 0000fbf0",
        ),
        (EndOfData(0, 0x0E1D, 7), "00 07 0e1d 0000000c 00000007"),
        (EndOfData(1, 0x0E1D, 7, 3600, 600, 7200), "01 07 0e1d 00000018 00000007 00000e10 00000258 00001c20"),
        (CacheReset(1), "01 08 0000 00000008"),
        (RouterKeyPdu(1, True, b"s" * 20, 64496, b"\x30\x00"), "01 09 0100 00000022" + "73" * 20 + "0000fbf0 3000"),
        (AspaPdu(2, True, 64496, (0,)), "02 0b 0100 00000010 0000fbf0 00000000"),
        (AspaPdu(2, True, 64496, (64497, 64498)), "02 0b 0100 00000014 0000fbf0 0000fbf1 0000fbf2"),
        (AspaPdu(2, False, 64496), "02 0b 0000 0000000c 0000fbf0"),
        (EndOfData(2, 0x0E1D, 7, 3600, 600, 7200), "02 07 0e1d 00000018 00000007 00000e10 00000258 00001c20"),
        (
            ErrorReport(1, 4, bytes.fromhex("0202000000000008"), "no"),
            "01 0a 0004 0000001a 00000008 02 02 0000 00000008 00000002 6e6f",
        ),
    ],
)
def test_layout_is_that_of_the_rfc(pdu: Pdu, octets: str) -> None:
    """Octets written by hand from the diagrams of RFC 8210 section 5 and of draft-ietf-sidrops-8210bis-26."""
    assert pdu.serialize() == bytes.fromhex(octets)
    assert parse(bytes.fromhex(octets)) == pdu


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        ("03 02 0000 00000008", UnsupportedVersionError),
        ("ff 02 0000 00000008", UnsupportedVersionError),
        ("01 05 0000 00000008", UnsupportedTypeError),
        ("01 0b 0000 00000010 00000000 00000000", UnsupportedTypeError),
        ("00 09 0100 00000021" + "00" * 25, UnsupportedTypeError),
        ("01 02 0000 00000000", CorruptDataError),
        ("01 02 0000 00000009 00", CorruptDataError),
        ("01 01 0000 00000008", CorruptDataError),
        ("00 07 0000 00000018" + "00" * 16, CorruptDataError),
        ("01 07 0000 0000000c" + "00" * 4, CorruptDataError),
        ("01 09 0100 00000020" + "00" * 24, CorruptDataError),
        ("01 04 0000 00000014 01 18 17 00 c0000200 0000fbf0", CorruptDataError),
        ("01 04 0000 00000014 01 18 21 00 c0000200 0000fbf0", CorruptDataError),
        ("01 06 0000 00000020 01 81 81 00" + "00" * 20, CorruptDataError),
        ("00 0b 0000 0000000c 00000001", UnsupportedTypeError),
        ("02 0b 0000 00000008", CorruptDataError),
        ("02 0b 0100 0000000e 00000001 0002", CorruptDataError),
        ("02 0b 0100 00010004" + "00000001" * 0x3FFF, CorruptDataError),
        # draft-ietf-sidrops-8210bis-26 section 5.12: none, one too many, out of order, twice, AS 0 beside another.
        ("02 0b 0100 0000000c 0000fbf0", AspaProviderListError),
        ("02 0b 0000 00000010 0000fbf0 0000fbf1", AspaProviderListError),
        ("02 0b 0100 00000014 0000fbf0 00000002 00000001", AspaProviderListError),
        ("02 0b 0100 00000014 0000fbf0 00000001 00000001", AspaProviderListError),
        ("02 0b 0100 00000014 0000fbf0 00000000 00000001", AspaProviderListError),
        # An encapsulated PDU or a text that is longer than the report: BIRD once read beyond the end there.
        ("01 0a 0000 00000010 ffffffff 00000000", CorruptDataError),
        ("01 0a 0000 00000010 00000001 00000000", CorruptDataError),
        ("01 0a 0000 00000010 00000000 00000001", CorruptDataError),
        ("01 0a 0000 00000011 00000000 00000000 41", CorruptDataError),
    ],
)
def test_what_breaks_the_rfc_is_named(octets: str, error: type[PduError]) -> None:
    """Versions, types, lengths and inner lengths are held to the RFC."""
    with pytest.raises(error):
        parse(bytes.fromhex(octets))


def test_bits_behind_the_length_do_not_count() -> None:
    """A cache that leaves host bits set is understood all the same."""
    pdu = parse(bytes.fromhex("01 04 0000 00000014 01 18 18 00 c00002ff 0000fbf0"))

    assert pdu == IPv4Prefix(1, True, 0xC0000200, 24, 24, 64496)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CorruptDataError, 0),
        (NoDataError, 2),
        (InvalidRequestError, 3),
        (UnsupportedVersionError, 4),
        (UnsupportedTypeError, 5),
        (UnknownWithdrawalError, 6),
        (DuplicateAnnouncementError, 7),
        (UnexpectedVersionError, 8),
        (AspaProviderListError, 9),
        (OrderingError, 11),
    ],
)
def test_each_error_has_its_code(error: type[PduError], code: int) -> None:
    """The codes are IANA's, and the report carries sentence and PDU."""
    report = ErrorReport.about(error("So it is."), 2, b"12345678")

    assert report == ErrorReport(2, code, b"12345678", "So it is.")


@pytest.mark.parametrize(
    ("version", "code", "sent"),
    [
        (0, ErrorCode.UNEXPECTED_VERSION, ErrorCode.UNSUPPORTED_VERSION),
        (1, ErrorCode.UNEXPECTED_VERSION, ErrorCode.UNEXPECTED_VERSION),
        (1, ErrorCode.ASPA_PROVIDER_LIST, ErrorCode.CORRUPT_DATA),
        (1, ErrorCode.ORDERING, ErrorCode.CORRUPT_DATA),
        (1, ErrorCode.CACHE_RESTART, ErrorCode.INTERNAL_ERROR),
        (2, ErrorCode.CACHE_SHUTDOWN, ErrorCode.CACHE_SHUTDOWN),
    ],
)
def test_a_report_uses_only_the_codes_of_its_version(version: int, code: ErrorCode, sent: ErrorCode) -> None:
    """RFC 6810 knows codes 0 to 7, RFC 8210 8 too, the draft 0 to 13; elsewhere the nearest word is used."""
    assert code_in(version, code) is sent


def test_what_is_fatal() -> None:
    """draft-ietf-sidrops-8210bis-26 section 12: all codes but 2, 4 and 12."""
    assert {code.value for code in ErrorCode} - {code.value for code in FATAL} == {2, 4, 12}


def test_a_report_repeats_only_the_start_of_a_long_pdu() -> None:
    """What a peer sends is not sent back in bulk."""
    report = ErrorReport.about(CorruptDataError("No."), 1, b"x" * 5000)

    assert len(report.pdu) == MAX_RTR_ENCAPSULATED_BYTES


def test_the_text_of_a_report_is_safe_to_log() -> None:
    """Control characters and endless texts of a peer do not reach the log."""
    report = ErrorReport(1, 99, b"", "a\x1b[2J\nb" + "x" * 10_000)

    assert report.sentence().startswith("error 99 (a code we do not know): a?[2J?bxxx")
    assert len(report.sentence()) < 300


@pytest.mark.parametrize(
    ("refresh", "retry", "expire"), [(0, 600, 7200), (86_401, 600, 172_800), (1, 7201, 7300), (3600, 600, 3600)]
)
def test_timers_are_held_to_the_rfc(refresh: int, retry: int, expire: int) -> None:
    """RFC 8210 section 6: ranges, and expire larger than the others."""
    with pytest.raises(ValueError, match="interval"):
        Timers(refresh, retry, expire)


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ((3600,), (3600, 600, 7200)),
        ((120,), (120, 120, 7200)),
        ((86_400,), (86_400, 600, 172_800)),
        ((1, 7200), (1, 7200, 14_400)),
        ((120, 30, 900), (120, 30, 900)),
    ],
)
def test_timers_that_nobody_chose_follow_those_chosen(chosen: tuple[int, ...], told: tuple[int, int, int]) -> None:
    """Any refresh and any retry of the RFC's ranges leads to timers that go together."""
    assert Timers.of(*chosen) == Timers(*told)


@given(U32, U32, U32)
def test_timers_of_a_cache_are_brought_into_range(refresh: int, retry: int, expire: int) -> None:
    """Whatever it tells becomes timers that the RFC allows; what was allowed stays."""
    timers = Timers.nearest(refresh, retry, expire)
    try:
        told = Timers(refresh, retry, expire)
    except ValueError:
        return
    assert timers == told
