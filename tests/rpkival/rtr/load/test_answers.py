"""Octets of a cache, however they are cut: the same events, the same count."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.payload import Payload
from rpkival.rtr.cache import Cache
from rpkival.rtr.errors import CorruptDataError, UnsupportedTypeError
from rpkival.rtr.load.answers import Answers
from rpkival.rtr.pdu import CacheResponse, EndOfData, Pdu, PduType, ResetQuery, SerialNotify

SESSION = 7


def answer_of(payload: Payload, version: int) -> bytes:
    """Cache Response, everything, End of Data, and a Serial Notify behind it."""
    cache = Cache(SESSION)
    cache.update(payload)
    octets = b"".join(cache.respond(ResetQuery(version)).buffers)
    return octets + SerialNotify(version, SESSION, 5).serialize()


def test_any_cut_gives_the_same(
    few_payloads: st.SearchStrategy[Payload], split_pdus: Callable[[bytes], list[Pdu]]
) -> None:
    """Held against the codec that makes an object of each PDU."""

    @given(few_payloads, st.integers(0, 2), st.integers(1, 100))
    def check(payload: Payload, version: int, cut: int) -> None:
        octets = answer_of(payload, version)
        pdus = split_pdus(octets)
        answers, events = Answers(), []
        for at in range(0, len(octets), cut):
            events += answers.receive(octets[at : at + cut])

        assert [event.type for event in events] == [
            PduType.CACHE_RESPONSE,
            PduType.END_OF_DATA,
            PduType.SERIAL_NOTIFY,
        ]
        assert events == [pdu for pdu in pdus if isinstance(pdu, CacheResponse | EndOfData | SerialNotify)]
        assert answers.records == len(pdus) - 3

    check()


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (bytes([1, 4, 0, 0, 0, 0, 0, 21]) + bytes(13), CorruptDataError),
        (bytes([1, 6, 0, 0, 0, 1, 0, 32]) + bytes(24), CorruptDataError),
        (bytes([1, 77, 0, 0, 0, 0, 0, 8]), UnsupportedTypeError),
    ],
    ids=["an IPv4 prefix of 21 octets", "an IPv6 prefix of 65,568 octets", "no such type"],
)
def test_what_breaks_the_protocol_is_seen(octets: bytes, error: type[Exception]) -> None:
    """At the header, before anything is counted."""
    answers = Answers()
    with pytest.raises(error):
        answers.receive(octets)
    assert answers.records == 0


def test_a_broken_length_amid_a_run_is_seen() -> None:
    """The run ends where a PDU has another length, and that PDU is judged alone."""
    good = bytes([1, 4, 0, 0, 0, 0, 0, 20]) + bytes(12)
    bad = bytes([1, 4, 0, 0, 0, 0, 0, 24]) + bytes(16)
    answers = Answers()
    with pytest.raises(CorruptDataError, match="24 octets"):
        answers.receive(good * 3 + bad + good)
    assert answers.records == 3
