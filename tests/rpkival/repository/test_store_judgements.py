"""Tests for rpkival.repository.store_judgements: kept, bounded, and never believed where the disk has changed them."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from pathlib import Path

import pytest

from rpkival.repository.store import STORE_NAME, Store


def test_judgements_are_kept_until_they_are_forgotten(tmp_path: Path) -> None:
    """They are there before they are written, and after the store is opened again."""
    store = Store(tmp_path)
    keys = [sha256(bytes([number])).digest() for number in range(5)]
    for key in keys:
        store.judgements.put(key, b"record of " + key)
    store.judgements.put(keys[0], b"better")
    assert store.judgements.get(keys[0]) == b"better"
    found = store.judgements.all(1_000)
    assert found is not None
    assert found[keys[0]] == b"better"
    store.judgements.flush()
    store.judgements.put(keys[0], b"best")
    store.judgements.forget_unused(keys[:2])
    store.close()

    store = Store(tmp_path)
    assert store.judgements.all(1_000) == {keys[0]: b"best", keys[1]: b"record of " + keys[1]}
    assert store.judgements.all(10) is None
    assert store.judgements.get(keys[2]) is None
    store.close()


def test_it_is_said_when_enough_waits_to_be_written(tmp_path: Path) -> None:
    """Five hundred records, or one that is worth a transaction alone."""
    store = Store(tmp_path)
    assert [number for number in range(1, 1001) if store.judgements.put(b"%d" % number, b"")] == [500, 1000]
    assert store.judgements.put(b"a tree", bytes(1024**2))
    store.close()


def test_a_judgement_too_large_to_be_kept_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that wait are written together."""
    monkeypatch.setattr("rpkival.repository.store_judgements.MAX_MEMO_BYTES", 10)
    store = Store(tmp_path)
    store.judgements.put(b"small", b"record")
    store.judgements.put(b"large", b"record" * 2)
    store.judgements.flush()
    assert store.judgements.all(100) == {b"small": b"record"}
    store.close()


def test_a_judgement_that_the_disk_has_changed_is_not_there(tmp_path: Path) -> None:
    """Nor one that got under another key."""
    store = Store(tmp_path)
    store.judgements.put(b"k" * 32, b"good")
    store.judgements.put(b"l" * 32, b"good")
    store.judgements.flush()
    with sqlite3.connect(tmp_path / STORE_NAME) as connection:
        connection.execute("UPDATE judgement SET record=? WHERE key=?", (b"goof", b"k" * 32))
        connection.execute("UPDATE judgement SET key=? WHERE key=?", (b"m" * 32, b"l" * 32))
    connection.close()
    assert store.judgements.get(b"k" * 32) is None
    assert store.judgements.all(1_000) == {}
    store.close()
