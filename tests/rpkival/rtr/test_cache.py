"""The cache's state: serials, deltas, and what is kept of them."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.changes import Changes
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr import cache as module
from rpkival.rtr.cache import Answer, AnswerKind, Cache
from rpkival.rtr.download import Download
from rpkival.rtr.errors import NoDataError
from rpkival.rtr.pdu import (
    VERSIONS,
    CacheReset,
    CacheResponse,
    EndOfData,
    IPv4Prefix,
    IPv6Prefix,
    Pdu,
    ResetQuery,
    SerialQuery,
    Timers,
    parse,
)

Key = tuple[str, int, int]
ONE = Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])
TWO = Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64497)])


def octets(answer: Answer) -> bytes:
    """All that goes to the router."""
    return b"".join(answer.buffers)


@given(st.data(), st.sampled_from([0, 1, 2]), st.sampled_from([0, 2**32 - 3]))
def test_from_any_serial_a_router_arrives_at_the_same_set(
    few_vrps: st.SearchStrategy[Vrps],
    keys: Callable[[Vrps], list[Key]],
    split_pdus: Callable[[bytes], list[Pdu]],
    data: st.DataObject,
    version: int,
    first_serial: int,
) -> None:
    """A history of random sets, over the end of the serials: every kept serial plus its delta is the set of now."""
    history = {}
    cache = Cache(7, first_serial)
    for vrps in data.draw(st.lists(few_vrps, min_size=2, max_size=8)):
        cache.update(Payload(vrps))
        history[cache.serial] = set(keys(vrps))
    now = set(keys(cache.vrps))
    assert set(cache.deltas) == set(history) - {cache.serial}

    for serial, known in history.items():
        answer = cache.respond(SerialQuery(version, cache.session_id_of(version), serial))

        begin, *payload, end = split_pdus(octets(answer))
        assert answer.kind is AnswerKind.DELTA
        assert begin == CacheResponse(version, cache.session_id_of(version))
        assert end == EndOfData(version, cache.session_id_of(version), cache.serial)
        announced: set[tuple[int, ...]] = set()
        withdrawn: set[tuple[int, ...]] = set()
        for pdu in payload:
            assert isinstance(pdu, IPv4Prefix | IPv6Prefix)
            key = (pdu.address, pdu.length, pdu.max_length, pdu.asn)
            (announced if pdu.announce else withdrawn).add(key)
        assert len(announced) + len(withdrawn) == len(payload), "a VRP is told twice"
        assert not announced & withdrawn
        download = Download(SerialQuery(version, cache.session_id_of(version), serial))
        download.receive(octets(answer))
        changes = download.changes()
        assert set(keys(changes.announced.vrps)) == now - known
        assert set(keys(changes.withdrawn.vrps)) == known - now


@pytest.mark.parametrize("version", [0, 1, 2])
def test_a_reset_gives_everything(version: int, split_pdus: Callable[[bytes], list[Pdu]]) -> None:
    """Cache Response, one PDU for each VRP, End of Data with serial and timers."""
    cache = Cache(7, 41, timers=Timers(60, 30, 600))
    cache.update(Payload(ONE))
    cache.update(Payload(TWO))

    answer = cache.respond(ResetQuery(version))

    assert answer.serial == 42
    timers = (60, 30, 600) if version else ()
    assert split_pdus(octets(answer)) == [
        CacheResponse(version, cache.session_id_of(version)),
        IPv4Prefix(version, True, 0xC0000200, 24, 24, 64496),
        IPv6Prefix(version, True, 0x20010DB8 << 96, 32, 48, 64497),
        EndOfData(version, cache.session_id_of(version), 42, *timers),
    ]


def test_before_the_first_set_there_is_no_data() -> None:
    """An empty answer would make routers forget; none makes them wait."""
    cache = Cache(7)

    assert not cache.ready
    with pytest.raises(NoDataError):
        cache.respond(ResetQuery(1))
    assert cache.update(Payload(Vrps.empty()))
    assert cache.ready
    assert cache.respond(ResetQuery(1)).kind is AnswerKind.SNAPSHOT


def test_the_first_set_keeps_the_serial() -> None:
    """A cache that restarts with the data of its snapshot goes on as if nothing had been."""
    cache = Cache(7, 41)

    assert cache.update(Payload(ONE))
    assert cache.serial == 41
    answer = cache.respond(SerialQuery(1, 7, 41))
    assert (answer.kind, answer.serial) == (AnswerKind.DELTA, 41)
    assert len(octets(answer)) == 8 + 24


def test_no_change_is_no_serial() -> None:
    """The same VRPs in another order, twice, or with another expiry wake nobody."""
    cache = Cache(7)
    cache.update(Payload(TWO))

    same = Vrps.of([Vrp("2001:db8::/32", 48, 64497, "ripe", 5), *ONE, *ONE])

    assert not cache.update(Payload(same))
    assert cache.serial == 0
    assert not cache.deltas


def test_a_serial_is_saved_before_it_is_served() -> None:
    """After a crash in between, the disk is ahead of the routers and never behind; no change saves nothing."""
    cache = Cache(7)
    saved: list[tuple[int, int, int, bool, int]] = []

    for vrps in (ONE, TWO, TWO):
        cache.update(
            Payload(vrps),
            save=lambda served, serial, history: saved.append(
                (len(served), serial, len(history), cache.ready, cache.serial)
            ),
        )

    assert saved == [(1, 0, 0, False, 0), (2, 1, 1, True, 0)]


def test_a_set_that_cannot_be_saved_is_not_served() -> None:
    """Whoever saves decides whether that matters; what it raises comes through, and nothing has changed."""
    cache = Cache(7)
    cache.update(Payload(ONE))

    def full_disk(payload: Payload, serial: int, history: tuple[Changes, ...]) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        cache.update(Payload(TWO), save=full_disk)
    assert (cache.serial, len(cache.vrps)) == (0, 1)


def test_serials_go_round() -> None:
    """RFC 1982: after 2^32 - 1 comes 0."""
    cache = Cache(7, 2**32 - 1)
    cache.update(Payload(ONE))
    cache.update(Payload(TWO))

    assert cache.serial == 0
    assert cache.respond(SerialQuery(1, 7, 2**32 - 1)).kind is AnswerKind.DELTA


@pytest.mark.parametrize(("session_id", "serial"), [(8, 1), (7, 2), (7, 2**32 - 1)])
def test_what_is_not_known_is_answered_with_cache_reset(session_id: int, serial: int) -> None:
    """Another life's session id, a serial to come, one long gone."""
    cache = Cache(7)
    cache.update(Payload(ONE))
    cache.update(Payload(TWO))

    answer = cache.respond(SerialQuery(1, session_id, serial))

    assert answer.kind is AnswerKind.CACHE_RESET
    assert answer.serial is None
    assert parse(octets(answer)) == CacheReset(1)


def test_session_ids_of_versions_differ() -> None:
    """RFC 8210 section 5.1, also where the number goes round."""
    for session_id in (0, 7, 2**16 - 1):
        cache = Cache(session_id)
        assert cache.session_id_of(1) == cache.session_id == session_id
        assert len({cache.session_id_of(version) for version in VERSIONS}) == len(VERSIONS)
        assert all(0 <= cache.session_id_of(version) < 2**16 for version in VERSIONS)


def changing(rounds: int) -> Cache:
    """A cache whose set has changed `rounds` times, by two IPv4 VRPs each time."""
    cache = Cache(7)
    cache.update(Payload(ONE))
    for number in range(rounds):
        cache.update(Payload(Vrps.of([Vrp(f"10.{number}.0.0/16", 16, 1)])))
    return cache


def test_the_number_of_deltas_is_bounded() -> None:
    """The oldest serials go first, and routers that come from there are reset."""
    with patch.object(module, "MAX_RTR_DELTAS", 3):
        cache = changing(5)

    assert cache.deltas == (2, 3, 4)
    assert cache.respond(SerialQuery(1, 7, 1)).kind is AnswerKind.CACHE_RESET
    assert cache.respond(SerialQuery(1, 7, 2)).kind is AnswerKind.DELTA


def test_the_octets_of_deltas_are_bounded() -> None:
    """Each delta here has 40 octets; 100 are room for two."""
    with patch.object(module, "MAX_RTR_DELTA_BYTES", 100):
        cache = changing(5)

    assert cache.deltas == (3, 4)


def test_one_huge_delta_leaves_none() -> None:
    """Where a delta is too large to keep, the older ones are of no use either."""
    with patch.object(module, "MAX_RTR_DELTA_BYTES", 10):
        cache = changing(2)

    assert cache.deltas == ()
    assert cache.respond(SerialQuery(1, 7, 1)).kind is AnswerKind.CACHE_RESET


def test_serialised_answers_are_shared() -> None:
    """All routers read the same octets."""
    cache = changing(5)
    first = cache.respond(ResetQuery(1)).buffers[1]
    assert cache.respond(ResetQuery(1)).buffers[1] is first
    for serial in range(5):
        delta = cache.respond(SerialQuery(1, 7, serial)).buffers[1]
        assert cache.respond(SerialQuery(1, 7, serial)).buffers[1] is delta


def test_merging_is_bounded_between_updates() -> None:
    """Each delta here has two changes: ten pay for a merge of two deltas and one of three, and not for one of four.

    What was merged is still there, the newest delta costs nothing, and the next update brings a new allowance.
    """
    with patch.object(module, "MAX_RTR_MERGED_ROWS", 10):
        cache = changing(6)
        kinds = {serial: cache.respond(SerialQuery(1, 7, serial)).kind for serial in (4, 3, 2, 4, 3, 5)}
        assert kinds == {4: "delta", 3: "delta", 2: "cache-reset", 5: "delta"}

        cache.update(Payload(ONE))

        assert cache.respond(SerialQuery(1, 7, 2)).kind is AnswerKind.DELTA


def test_an_answer_outlives_an_update(split_pdus: Callable[[bytes], list[Pdu]]) -> None:
    """A router that reads slowly gets the set of one serial, whole."""
    cache = Cache(7)
    cache.update(Payload(ONE))
    answer = cache.respond(ResetQuery(1))
    cache.update(Payload(TWO))

    _, *prefixes, end = split_pdus(octets(answer))

    assert len(prefixes) == 1
    assert isinstance(end, EndOfData)
    assert end.serial == answer.serial == 0
