"""The cache's state machine: every state and PDU, versions, session ids, and what routers do wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.limits import MAX_RTR_ENCAPSULATED_BYTES, MAX_RTR_ROUTER_PDU_BYTES
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind, Cache
from rpkival.rtr.download import Download
from rpkival.rtr.errors import ErrorCode
from rpkival.rtr.pdu import (
    AspaPdu,
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorReport,
    IPv4Prefix,
    IPv6Prefix,
    Pdu,
    PduType,
    ResetQuery,
    RouterKeyPdu,
    SerialNotify,
    SerialQuery,
    parse,
)
from rpkival.rtr.session import MAX_WAITING_BYTES, TRANSITIONS, Outgoing, Session, State

Key = tuple[str, int, int]
ONE = Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])
TWO = Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64497)])
SAMPLES: dict[PduType, Pdu] = {
    pdu.type: pdu
    for pdu in (
        SerialNotify(1, 7, 0),
        SerialQuery(1, 7, 0),
        ResetQuery(1),
        CacheResponse(1, 7),
        IPv4Prefix(1, True, 0, 0, 0, 0),
        IPv6Prefix(1, True, 0, 0, 0, 0),
        EndOfData(1, 7, 0),
        CacheReset(1),
        RouterKeyPdu(1, True, bytes(20), 0, b"\0"),
        ErrorReport(1, 1),
        AspaPdu(2, True, 1, (2,)),
    )
}


@pytest.fixture
def cache() -> Cache:
    """A cache with one VRP, session id 7 and serial 0."""
    cache = Cache(7)
    cache.update(Payload(ONE))
    return cache


def ask(session: Session, data: bytes) -> list[Outgoing]:
    """All that is sent for `data`."""
    session.receive(data)
    return list(iter(session.next_answer, None))


def error_of(session: Session, data: bytes) -> tuple[int, int, bool]:
    """The version and code of the one Error Report that `data` is answered with, and whether the session ends."""
    (outgoing,) = ask(session, data)
    report = parse(b"".join(outgoing.buffers))
    assert isinstance(report, ErrorReport)
    assert report.text
    return report.version, report.code, outgoing.close


def opened(cache: Cache, version: int = 1) -> Session:
    """A session that has got everything."""
    session = Session(cache)
    ask(session, ResetQuery(version).serialize())
    return session


@pytest.mark.parametrize("kind", PduType, ids=lambda kind: kind.name)
@pytest.mark.parametrize("state", [State.NEW, State.OPEN])
def test_every_pdu_in_every_state(cache: Cache, state: State, kind: PduType) -> None:
    """Queries are answered, an Error Report ends the session in silence, all else is an Invalid Request."""
    version = SAMPLES[kind].version
    session = Session(cache) if state is State.NEW else opened(cache, version)
    assert session.state is state

    (outgoing,) = ask(session, SAMPLES[kind].serialize())

    if kind in (PduType.RESET_QUERY, PduType.SERIAL_QUERY):
        assert parse(outgoing.buffers[0]) == CacheResponse(1, 7)
        assert not outgoing.close
    elif kind == PduType.ERROR_REPORT:
        assert outgoing == Outgoing((), close=True)
    else:
        report = parse(outgoing.buffers[0])
        assert isinstance(report, ErrorReport)
        assert (report.code, report.pdu) == (ErrorCode.INVALID_REQUEST, SAMPLES[kind].serialize())
        assert outgoing.close
    assert session.state is TRANSITIONS[state].get(kind, State.CLOSED)


def test_after_the_end_nothing_is_answered(cache: Cache) -> None:
    """The table has no way out of CLOSED."""
    session = Session(cache)
    ask(session, ErrorReport(1, 1).serialize())

    assert ask(session, ResetQuery(1).serialize()) == []
    assert not session.hungry
    assert session.notification() is None


@given(st.lists(st.integers(1, 30), max_size=20), st.data())
def test_octets_may_come_in_any_pieces(
    few_vrps: st.SearchStrategy[Vrps], keys: Callable[[Vrps], list[Key]], pieces: list[int], data: st.DataObject
) -> None:
    """A router and a cache over a wire that tears everything: the sets are the same, first whole, then by delta."""
    cache = Cache(7)
    cache.update(Payload(data.draw(few_vrps)))
    session = Session(cache)
    sizes = [*pieces, 10**6]

    def exchange(query: ResetQuery | SerialQuery) -> Download:
        question, answer, download = query.serialize(), b"", Download(query)
        for size in sizes:
            answer += b"".join(buffer for outgoing in ask(session, question[:size]) for buffer in outgoing.buffers)
            question = question[size:]
        for size in sizes:
            download.receive(answer[:size])
            answer = answer[size:]
        return download

    first = exchange(ResetQuery(1))
    assert first.kind is AnswerKind.SNAPSHOT
    assert keys(first.changes().announced.vrps) == keys(cache.vrps)
    assert first.end is not None

    before = set(keys(cache.vrps))
    cache.update(Payload(data.draw(few_vrps)))
    second = exchange(SerialQuery(1, first.end.session_id, first.end.serial))
    assert second.kind is AnswerKind.DELTA
    changes = second.changes()
    assert before - set(keys(changes.withdrawn.vrps)) | set(keys(changes.announced.vrps)) == set(keys(cache.vrps))
    assert session.serial == cache.serial


@pytest.mark.parametrize("at_once", [True, False])
def test_a_serial_query_asked_twice_in_one_breath_is_no_delta_twice(cache: Cache, at_once: bool) -> None:
    """The second answer is from where the first leaves the router; asked later it is the same delta once more."""
    session = Session(cache)
    since = cache.serial
    cache.update(Payload(Vrps.of([Vrp("203.0.113.0/24", 24, 1)])))
    query = SerialQuery(1, cache.session_id_of(1), since).serialize()

    if at_once:
        session.receive(query * 3)
        answers = [session.next_answer() for _ in range(3)]
    else:
        answers = []
        for _ in range(3):
            session.receive(query)
            answers.append(session.next_answer())

    told = [b"".join(answer.buffers) for answer in answers if answer]
    whole = b"".join(cache.respond(SerialQuery(1, cache.session_id_of(1), since)).buffers)
    empty = b"".join(cache.respond(SerialQuery(1, cache.session_id_of(1), cache.serial)).buffers)
    assert told == ([whole, empty, empty] if at_once else [whole] * 3)
    assert session.serial == cache.serial


def test_queries_in_a_burst_are_answered_one_by_one(cache: Cache) -> None:
    """The second answer is not made before somebody asks for it."""
    session = Session(cache)
    session.receive(ResetQuery(1).serialize() * 3)

    answers = [session.next_answer() for _ in range(4)]

    assert [answer is not None for answer in answers] == [True, True, True, False]


@given(st.binary(max_size=200))
def test_noise_ends_in_an_error_or_in_waiting(noise: bytes) -> None:
    """Whatever a router sends, the session answers by the rules or waits for more."""
    cache = Cache(7)
    cache.update(Payload(ONE))
    session = Session(cache)

    for outgoing in ask(session, noise):
        assert outgoing.close is (session.state is State.CLOSED)
        for buffer in outgoing.buffers:
            if buffer:
                parse(buffer[: int.from_bytes(buffer[4:8])])


# --- versions ---


@pytest.mark.parametrize("version", [0, 1, 2])
def test_the_first_query_fixes_the_version(cache: Cache, version: int) -> None:
    """All PDUs of a session bear its version."""
    session = Session(cache)

    (outgoing,) = ask(session, ResetQuery(version).serialize())

    assert session.version == version
    assert {buffer[0] for buffer in outgoing.buffers} == {version}


@pytest.mark.parametrize("version", [3, 4, 255])
def test_a_higher_version_is_offered_ours(cache: Cache, version: int) -> None:
    """Error 4 in our highest version; the router may come down on the same connection."""
    session = Session(cache)

    assert error_of(session, ResetQuery(version).serialize()) == (2, ErrorCode.UNSUPPORTED_VERSION, False)
    (outgoing,) = ask(session, ResetQuery(2).serialize())
    assert parse(outgoing.buffers[0]) == CacheResponse(2, cache.session_id_of(2))


def test_who_insists_on_a_higher_version_is_dropped(cache: Cache) -> None:
    """One offer is enough; otherwise two programs could repeat themselves for ever."""
    session = Session(cache)
    ask(session, ResetQuery(3).serialize())

    assert error_of(session, ResetQuery(3).serialize()) == (2, ErrorCode.UNSUPPORTED_VERSION, True)


@pytest.mark.parametrize(
    ("version", "other", "code"),
    [(1, 0, ErrorCode.UNEXPECTED_VERSION), (1, 2, ErrorCode.UNEXPECTED_VERSION), (0, 1, ErrorCode.UNSUPPORTED_VERSION)],
)
def test_another_version_later_is_an_error(cache: Cache, version: int, other: int, code: int) -> None:
    """RFC 8210 section 7: Error 8, in the session's version; version 0 has no such code."""
    session = opened(cache, version)

    assert error_of(session, ResetQuery(other).serialize()) == (version, code, True)


def test_an_error_report_of_another_version_is_not_answered(cache: Cache) -> None:
    """Never an error in answer to an error, in any version, new or open."""
    for session in (Session(cache), opened(cache)):
        for version in (0, 2, 9):
            assert all(outgoing.buffers == () for outgoing in ask(session, ErrorReport(version, 4).serialize()))


def test_a_broken_error_report_is_not_answered(cache: Cache) -> None:
    """Its inner lengths lie, its header lies: the session just ends."""
    for octets in ("01 0a 0000 00000010 ffffffff 00000000", "01 0a 0000 ffffffff", "01 0a 0000 00000008"):
        session = opened(cache)
        assert ask(session, bytes.fromhex(octets)) == [Outgoing((), close=True)]
        assert session.last_error


# --- session ids and serials ---


def test_a_router_of_an_earlier_life_gets_cache_reset(cache: Cache) -> None:
    """It asks at first with an id that we do not know: it is told to start over, and may."""
    session = Session(cache)

    (outgoing,) = ask(session, SerialQuery(1, 999, 5).serialize())

    assert parse(outgoing.buffers[0]) == CacheReset(1)
    (outgoing,) = ask(session, ResetQuery(1).serialize())
    assert parse(outgoing.buffers[0]) == CacheResponse(1, 7)


def test_a_router_that_changes_the_session_id_is_confused(cache: Cache) -> None:
    """RFC 8210 section 5.1: Error 0 and the end, once we have told it our id."""
    session = opened(cache)

    assert error_of(session, SerialQuery(1, 8, 0).serialize()) == (1, ErrorCode.CORRUPT_DATA, True)


def test_the_session_id_of_version_1_is_not_that_of_version_0(cache: Cache) -> None:
    """Serials of two versions are not commensurate."""
    session = Session(cache)

    (outgoing,) = ask(session, SerialQuery(0, 7, 0).serialize())

    assert parse(outgoing.buffers[0]) == CacheReset(0)


def test_an_unknown_serial_gets_cache_reset_and_no_harm_is_done(cache: Cache) -> None:
    """The history may be gone; the session goes on."""
    session = opened(cache)

    (outgoing,) = ask(session, SerialQuery(1, 7, 99).serialize())

    assert parse(outgoing.buffers[0]) == CacheReset(1)
    assert (session.state, session.last_answer) == (State.OPEN, AnswerKind.CACHE_RESET)


def test_no_data_is_not_the_end() -> None:
    """Error 2 without a PDU; the same session is served when data has come."""
    cache = Cache(7)
    session = Session(cache)

    (outgoing,) = ask(session, ResetQuery(0).serialize())
    report = parse(b"".join(outgoing.buffers))
    assert isinstance(report, ErrorReport)
    assert (report.version, report.code, report.pdu) == (0, ErrorCode.NO_DATA_AVAILABLE, b"")
    assert not outgoing.close

    cache.update(Payload(ONE))
    (outgoing,) = ask(session, ResetQuery(0).serialize())
    assert not outgoing.close
    assert session.serial == 0


def test_a_patient_session_waits_for_data() -> None:
    """The query is answered when there is something to answer with, and nothing overtakes it."""
    cache = Cache(7)
    session = Session(cache, patient=True)
    assert ask(session, ResetQuery(1).serialize()) == []
    assert session.held
    assert ask(session, SerialQuery(1, 7, 0).serialize()) == []

    cache.update(Payload(ONE))
    answers = [session.next_answer(), session.next_answer(), session.next_answer()]

    assert [session.last_answer, answers[2]] == [AnswerKind.DELTA, None]
    assert session.serial == 0
    assert not session.held


def test_patience_ends() -> None:
    """Whoever has waited long enough is told that there are no data, and may ask again."""
    cache = Cache(7)
    session = Session(cache, patient=True)
    ask(session, ResetQuery(1).serialize())

    session.give_up()
    outgoing = session.next_answer()

    assert outgoing is not None
    report = parse(b"".join(outgoing.buffers))
    assert isinstance(report, ErrorReport)
    assert (report.code, outgoing.close) == (ErrorCode.NO_DATA_AVAILABLE, False)


# --- notifications ---


def test_only_who_holds_older_data_is_notified(cache: Cache) -> None:
    """Not before the version is known, not without data, not without news."""
    new, session = Session(cache), opened(cache, 0)
    assert session.notification() is None

    cache.update(Payload(TWO))

    assert new.notification() is None
    notification = session.notification()
    assert notification is not None
    assert parse(notification) == SerialNotify(0, cache.session_id_of(0), 1)
    ask(session, SerialQuery(0, cache.session_id_of(0), 0).serialize())
    assert session.notification() is None


# --- farewell ---


@pytest.mark.parametrize("code", [ErrorCode.CACHE_RESTART, ErrorCode.CACHE_SHUTDOWN])
def test_only_version_2_has_words_for_a_farewell(cache: Cache, code: ErrorCode) -> None:
    """Errors 12 and 13; older versions and routers without a version hear nothing. Nothing comes afterwards."""
    for session, told in ((opened(cache, 2), True), (opened(cache, 1), False), (Session(cache), False)):
        report = session.farewell(code)

        assert (report is not None) is told
        if report is not None:
            pdu = parse(report)
            assert isinstance(pdu, ErrorReport)
            assert (pdu.version, pdu.code, pdu.pdu) == (2, code, b"")
        assert ask(session, ResetQuery(2).serialize()) == []


# --- bounds ---


@pytest.mark.parametrize("length", [0, 7, MAX_RTR_ROUTER_PDU_BYTES + 1, 2**32 - 1])
def test_an_impossible_length_is_refused_at_the_header(cache: Cache, length: int) -> None:
    """Nothing of such a PDU is waited for; what there is of it goes into the report."""
    session = Session(cache)
    octets = bytes.fromhex("01020000") + length.to_bytes(4)

    assert error_of(session, octets) == (1, ErrorCode.CORRUPT_DATA, True)


@pytest.mark.parametrize("length", [0, 3, 7])
def test_the_first_octets_go_back_with_an_error_whatever_their_length_says(cache: Cache, length: int) -> None:
    """Section 5.11: the first four at least."""
    session = Session(cache)
    octets = bytes.fromhex("01020000") + length.to_bytes(4)
    session.receive(octets)
    answer = session.next_answer()
    assert answer is not None
    report = parse(b"".join(answer.buffers))
    assert isinstance(report, ErrorReport)
    assert report.pdu == octets


def test_an_unknown_type_is_refused_at_the_header(cache: Cache) -> None:
    """Error 5 as soon as eight octets are there; ASPA (type 11) belongs to version 2."""
    session = Session(cache)

    assert error_of(session, bytes.fromhex("010b000000000fff")) == (1, ErrorCode.UNSUPPORTED_TYPE, True)


def test_a_report_has_the_version_that_the_router_used(cache: Cache) -> None:
    """Also before the session is open: a router of version 0 must be able to read what was wrong."""
    session = Session(cache)

    assert error_of(session, CacheReset(0).serialize()) == (0, ErrorCode.INVALID_REQUEST, True)


def test_a_report_repeats_the_pdu(cache: Cache) -> None:
    """Whole where it is short, cut where it is long."""
    for pdu in (SerialNotify(1, 1, 1).serialize(), RouterKeyPdu(1, True, bytes(20), 1, b"k" * 500).serialize()):
        (outgoing,) = ask(Session(cache), pdu)
        report = parse(outgoing.buffers[0])
        assert isinstance(report, ErrorReport)
        assert report.pdu == pdu[:MAX_RTR_ENCAPSULATED_BYTES]


def test_what_waits_is_bounded(cache: Cache) -> None:
    """A session with a full plate says so."""
    session = Session(cache)
    assert session.hungry

    session.receive(ResetQuery(1).serialize() * (MAX_WAITING_BYTES // 8))

    assert not session.hungry
    session.next_answer()
    assert session.hungry
