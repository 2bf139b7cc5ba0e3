"""A cache over the end of its process: what routers have goes on, or is not claimed to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpkival.errors import StateError
from rpkival.payload.payload import Aspa, Payload
from rpkival.payload.snapshot import Snapshot
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind, Cache
from rpkival.rtr.kept import KeptCache
from rpkival.rtr.pdu import SerialQuery

ONE = Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "lab", 9000, "rsync://lab.example/a.roa")]))
TWO = Payload(Vrps.of([*ONE.vrps, Vrp("2001:db8::/32", 48, 64497)]), (Aspa(64496, (64497,)),))
NAME = "state"


def answers(cache: Cache) -> dict[tuple[int, int], tuple[AnswerKind, bytes]]:
    """What a router gets, by its version and the serial that it has."""
    found = {}
    for version in (0, 1, 2):
        for serial in (*cache.deltas, cache.serial, cache.serial + 1):
            answer = cache.respond(SerialQuery(version, cache.session_id_of(version), serial % 2**32))
            found[version, serial] = answer.kind, b"".join(answer.buffers)
    return found


def restarted(path: Path) -> KeptCache:
    """The next process, with the set of the last."""
    kept = KeptCache(path, 1)
    assert kept.last is not None
    kept.update(kept.last.payload, kept.last.generated)
    return kept


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.data())
def test_every_router_gets_the_same_octets_after_a_restart(
    few_vrps: st.SearchStrategy[Vrps], tmp_path: Path, data: st.DataObject
) -> None:
    """Whatever serial it has, however far behind it lags: the new process answers as the old one would have."""
    path = tmp_path / NAME
    path.unlink(missing_ok=True)
    kept = KeptCache(path, 4242)
    for number, vrps in enumerate(data.draw(st.lists(few_vrps, min_size=1, max_size=6))):
        kept.update(Payload(vrps, (Aspa(64496, (number % 3 + 1,)),)), 1000)

    again = restarted(path)

    assert (again.cache.session_id, again.cache.serial) == (4242, kept.cache.serial)
    assert answers(again.cache) == answers(kept.cache)


def test_what_changed_meanwhile_is_a_delta(tmp_path: Path) -> None:
    """Also for a router that was gone over two restarts."""
    KeptCache(tmp_path / NAME, 4242).update(ONE, 1000)
    restarted(tmp_path / NAME).update(TWO, 2000)
    third = restarted(tmp_path / NAME)

    assert third.last is not None
    assert (third.cache.serial, third.last.generated) == (1, 2000)
    answer = third.cache.respond(SerialQuery(1, 4242, 0))
    assert (answer.kind, answer.serial) == (AnswerKind.DELTA, 1)


def test_new_dates_are_kept_under_the_same_serial(tmp_path: Path) -> None:
    """With the history as it is."""
    kept = KeptCache(tmp_path / NAME, 4242)
    kept.update(ONE, 1000)
    kept.update(TWO, 2000)

    kept.renew(TWO, 3000)

    again = restarted(tmp_path / NAME)
    assert again.last is not None
    assert (again.last.generated, again.cache.serial, again.cache.deltas) == (3000, 1, (0,))


@pytest.mark.parametrize(
    "spoil",
    [lambda content: content[:-1], lambda content: b"?" + content, lambda content: b""],
    ids=["cut off", "shifted", "empty"],
)
def test_what_cannot_be_read_is_a_new_session(tmp_path: Path, spoil: Callable[[bytes], bytes]) -> None:
    """Whose id is that which was given, so that routers fetch everything."""
    path = tmp_path / NAME
    KeptCache(path, 4242).update(ONE, 1000)
    path.write_bytes(spoil(path.read_bytes()))

    again = KeptCache(path, 1)

    assert (again.last, again.cache.session_id, again.cache.serial) == (None, 1, 0)


def test_a_disk_that_refuses_is_told_of_and_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is served and not saved must not be continued from an older state; the disk may come back."""
    kept = KeptCache(tmp_path / NAME, 4242)
    kept.update(ONE, 1000)

    def full(path: Path, snapshot: Snapshot) -> None:
        raise StateError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr("rpkival.rtr.kept.save_snapshot", full)
        assert kept.update(TWO, 2000)
    assert (kept.trouble, kept.cache.serial) == ("The disk is full.", 1)
    assert KeptCache(tmp_path / NAME, 1).last is None

    kept.update(ONE, 3000)
    assert (kept.trouble, restarted(tmp_path / NAME).cache.serial) == ("", 2)


def test_nothing_is_written_without_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own life only."""
    monkeypatch.chdir(tmp_path)
    kept = KeptCache(None, 4242)
    assert kept.update(ONE, 1000)
    assert (kept.cache.session_id, kept.last, kept.trouble) == (4242, None, "")
    assert not list(tmp_path.iterdir())
