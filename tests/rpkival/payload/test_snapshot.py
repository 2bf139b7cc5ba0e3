"""The snapshot on disk: it comes back as it was, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpkival.errors import AccessError, StateError
from rpkival.payload.changes import Changes
from rpkival.payload.column_file import encode_columns
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.snapshot import Snapshot, load_snapshot, save_snapshot
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.validation.lifetime import LIFETIME, Lifetime

LIFE = Lifetime(1, 9, 2, 8, 7)
SMALL = Snapshot(
    Payload(
        Vrps.of([Vrp("192.0.2.0/24", 24, 64496, "ripe", 1773648000, "rsync://a/a.roa"), Vrp("2001:db8::/32", 48, 0)]),
        (Aspa(64496, (64497, 64498), "ripe", 1773648000, "rsync://a/a.asa"),),
        (RouterKey(64496, bytes(20), b"key", "ripe", 1773648000, "rsync://a/a.cer"),),
    ),
    generated=1773647000,
    serial=4294967295,
    session_id=65535,
    history=(
        Changes(Payload(Vrps.of([Vrp("2001:db8::/32", 48, 0)]), (Aspa(64496, (64497,)),)), Payload.empty()),
        Changes(Payload(Vrps.empty(), (Aspa(64496, (64497, 64498)),)), Payload(Vrps.empty(), (Aspa(64496, (64497,)),))),
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_what_is_saved_comes_back(vrp_sets: st.SearchStrategy[Vrps], tmp_path: Path, data: st.DataObject) -> None:
    """Every VRP with its names, and the numbers that RTR goes on with."""
    vrps = data.draw(vrp_sets)
    path = tmp_path / "snapshot.rpkival"

    save_snapshot(path, Snapshot(Payload(vrps), 7, 8, 9))
    loaded = load_snapshot(path)

    assert list(loaded.vrps) == list(vrps)
    assert (loaded.generated, loaded.serial, loaded.session_id) == (7, 8, 9)
    assert [file.name for file in tmp_path.iterdir()] == ["snapshot.rpkival"]


def test_lifetimes_come_back(tmp_path: Path) -> None:
    """Of VRPs, ASPAs and router keys."""
    path, payload = tmp_path / "snapshot.rpkival", SMALL.payload
    signed = Payload(
        replace(payload.vrps, lifetimes=np.array([LIFE], LIFETIME)),
        (replace(payload.aspas[0], lifetime=LIFE),),
        (replace(payload.router_keys[0], lifetime=LIFE),),
    )
    save_snapshot(path, replace(SMALL, payload=signed))

    loaded = load_snapshot(path).payload

    assert loaded.vrps.lifetime_table.tolist() == [LIFE, (0,) * 5]
    assert (loaded.aspas, loaded.router_keys) == (signed.aspas, signed.router_keys)


def test_one_without_lifetimes_as_they_once_were_is_read(tmp_path: Path) -> None:
    """So that the session goes on over an upgrade; the layout is that of today without what it lacks."""
    path = tmp_path / "snapshot.rpkival"
    magic, _, *body = encode_columns(SMALL.payload, {"generated": 7, "serial": 8, "session_id": 9})
    size, head, *columns = body
    head = head.replace(b',"lifetime":[0,0,0,0,0]', b"").replace(b',"lifetimes":false', b"")
    assert b"lifetime" not in head
    body = [len(head).to_bytes(len(size), "little"), head, *columns]
    before = magic[:-4] + (2).to_bytes(4, "little")
    path.write_bytes(b"".join((before, hashlib.sha256(b"".join(body)).digest(), *body)))

    loaded = load_snapshot(path)

    assert (loaded.serial, list(loaded.vrps), loaded.payload.aspas) == (8, list(SMALL.vrps), SMALL.payload.aspas)
    assert loaded.vrps.lifetimes is None


def test_the_history_comes_back_too(tmp_path: Path) -> None:
    """Each change in its order, so that routers which lag behind get a delta after the restart."""
    path = tmp_path / "snapshot.rpkival"
    save_snapshot(path, SMALL)

    loaded = load_snapshot(path).history

    assert [described(changes) for changes in loaded] == [described(changes) for changes in SMALL.history]


def described(changes: Changes) -> object:
    """What compares by value."""
    return [(list(each.vrps), each.aspas, each.router_keys) for each in (changes.announced, changes.withdrawn)]


def test_a_snapshot_of_before_there_was_a_history_is_read(tmp_path: Path) -> None:
    """An upgrade resets no router."""
    path = tmp_path / "snapshot.rpkival"
    path.write_bytes(b"".join(encode_columns(SMALL.payload, {"generated": 7, "serial": 8, "session_id": 9})))

    loaded = load_snapshot(path)

    assert list(loaded.vrps) == list(SMALL.vrps)
    assert (loaded.generated, loaded.serial, loaded.session_id, loaded.history) == (7, 8, 9, ())


def test_a_history_that_lacks_a_change_is_refused(tmp_path: Path) -> None:
    """Cut between two of its parts, each of which is whole."""
    path = tmp_path / "snapshot.rpkival"
    save_snapshot(path, SMALL)
    whole = len(path.read_bytes())
    save_snapshot(path, replace(SMALL, history=SMALL.history[:1]))
    last = whole - len(path.read_bytes())
    save_snapshot(path, SMALL)
    path.write_bytes(path.read_bytes()[:-last])

    with pytest.raises(StateError, match="its history is not whole"):
        load_snapshot(path)


def test_one_flipped_bit_anywhere_is_noticed(tmp_path: Path) -> None:
    """A damaged snapshot is refused, never served."""
    path = tmp_path / "snapshot.rpkival"
    save_snapshot(path, SMALL)
    good = path.read_bytes()

    for place in range(len(good)):
        path.write_bytes(good[:place] + bytes([good[place] ^ 4]) + good[place + 1 :])
        with pytest.raises(StateError, match=r"is damaged .*; remove it and validate again"):
            load_snapshot(path)


def test_a_torn_snapshot_is_refused(tmp_path: Path) -> None:
    """Any shorter file than was written is no snapshot."""
    path = tmp_path / "snapshot.rpkival"
    save_snapshot(path, SMALL)
    good = path.read_bytes()

    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(StateError, match="is damaged"):
            load_snapshot(path)


def test_a_missing_or_unwritable_place_is_named(tmp_path: Path) -> None:
    """The sentence has the path and what the system says of it."""
    with pytest.raises(StateError, match=r"missing/s cannot be read: No such file"):
        load_snapshot(tmp_path / "missing" / "s")
    with pytest.raises(StateError, match=r"missing/s cannot be written: No such file"):
        save_snapshot(tmp_path / "missing" / "s", SMALL)


def test_a_failed_write_leaves_the_old_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk costs the new snapshot, not the last good one."""
    path = tmp_path / "snapshot.rpkival"
    save_snapshot(path, SMALL)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StateError, match="No space left on device"):
        save_snapshot(path, Snapshot(Payload.empty(), 1, 2, 3))

    loaded = load_snapshot(path)
    assert list(loaded.vrps) == list(SMALL.vrps)
    assert (loaded.payload.aspas, loaded.payload.router_keys) == (SMALL.payload.aspas, SMALL.payload.router_keys)
    assert [file.name for file in tmp_path.iterdir()] == ["snapshot.rpkival"]


def test_a_file_with_a_right_checksum_and_wrong_counts_is_refused(tmp_path: Path) -> None:
    """The checksum tells damage, not sense: counts that do not fit the columns are found on their own."""
    path = tmp_path / "snapshot.rpkival"
    good = b"".join(encode_columns(SMALL.payload, {"generated": 7, "serial": 8, "session_id": 9}))
    magic, body = good[:20], good[52:]

    for wrong in (b'"ipv4":2', b'"ipv4":0', b'"ipv4":-', b'"ipv4":x'):
        forged = body.replace(b'"ipv4":1', wrong)
        path.write_bytes(magic + hashlib.sha256(forged).digest() + forged)
        with pytest.raises(StateError, match="columns do not fit"):
            load_snapshot(path)


def test_another_users_snapshot_is_no_fault_of_ours(
    tmp_path: Path, no_permission: Callable[[Path], AbstractContextManager[None]]
) -> None:
    """What to do is told; whoever can go on without the snapshot does so as with a damaged one."""
    path = tmp_path / "snapshot.rpkival"
    save_snapshot(path, SMALL)
    with no_permission(tmp_path):
        with pytest.raises(AccessError, match=r"no permission for the snapshot .* run as the user of rpkival up"):
            load_snapshot(path)
        with pytest.raises(AccessError, match=r"no permission for the snapshot"):
            save_snapshot(path, SMALL)
    assert AccessError.exit_code == 2
