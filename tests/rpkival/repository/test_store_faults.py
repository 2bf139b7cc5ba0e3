"""Tests for rpkival.repository.store where the machine fails it: killed processes, full disks, several writers."""

from __future__ import annotations

import os
import resource
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rpkival.errors import StateError
from rpkival.repository.store import STORE_NAME, Store

ROOT = Path(__file__).parents[3]
ONE = "https://one.example/notification.xml"
X = "rsync://one.example/repo/x"


def fill(store: Store, objects: int, mark: bytes) -> None:
    """Let a repository publish so many objects of 2 kB, and nothing else."""
    with store.update(ONE) as update:
        update.replace_all()
        for number in range(objects):
            update.publish(f"{X}{number}", mark + b"%d " % number + os.urandom(2_000))
        update.commit(mark)


def assert_whole(store: Store, objects: int, mark: bytes) -> None:
    """The repository is as `fill` has left it."""
    assert store.state(ONE) == mark
    known = store.repository(ONE)
    assert known is not None
    assert known.objects == objects
    for number in range(objects):
        found = store.published(known.id, f"{X}{number}")
        assert found is not None
        assert found[1].startswith(mark + b"%d " % number)


def test_a_writer_killed_at_any_instant_tears_nothing(tmp_path: Path) -> None:
    """Twenty times, with updates, accepted versions and sweeps under way; `benchmarks/store_crashes.py` tries 200."""
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks/store_crashes.py", tmp_path, "20"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "nothing torn" in done.stdout


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB; only root can make one."""
    place, sudo = tmp_path / "small", [] if os.geteuid() == 0 else ["sudo", "-n"]
    place.mkdir()
    try:
        subprocess.run(
            [*sudo, "mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place], capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run([*sudo, "umount", "-l", place], check=True)


def occupy(place: Path) -> Path:
    """Fill a disk to its last byte."""
    filler = place / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return filler


def test_a_full_disk_is_survived(small_disk: Path) -> None:
    """In the middle of an update, at a start, and at a start after a crash with no room even for shared memory."""
    store = Store(small_disk)
    fill(store, 50, b"first")
    with pytest.raises(StateError, match="is full"):
        fill(store, 5_000, b"too many")
    assert_whole(store, 50, b"first")
    store.close()

    filler = occupy(small_disk)
    store = Store(small_disk)
    assert_whole(store, 50, b"first")
    with pytest.raises(StateError, match="is full"):
        fill(store, 5_000, b"too many")
    store.close()
    filler.unlink(missing_ok=True)

    code = f"""
        import os, pathlib
        from rpkival.repository.store import Store
        with Store(pathlib.Path({str(small_disk)!r})).update({ONE!r}) as update:
            update.commit(b"first")
        os._exit(9)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(code)], timeout=60).returncode == 9
    (small_disk / f"{STORE_NAME}-shm").unlink()
    occupy(small_disk)
    store = Store(small_disk)
    assert_whole(store, 50, b"first")
    with pytest.raises(StateError, match="its disk is full; make room"):
        fill(store, 1, b"x")
    store.close()

    filler.unlink(missing_ok=True)
    store = Store(small_disk)
    assert store.trouble is None
    fill(store, 60, b"second")
    assert_whole(store, 60, b"second")
    store.close()


def test_a_limit_on_the_size_of_files_is_survived(tmp_path: Path) -> None:
    """What a quota gives is an I/O error of another kind."""
    store = Store(tmp_path)
    fill(store, 50, b"first")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
    try:
        with pytest.raises(StateError, match=r"is full|cannot be used"):
            fill(store, 2_000, b"too many")
        assert_whole(store, 50, b"first")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    fill(store, 60, b"second")
    assert_whole(store, 60, b"second")
    store.close()


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    """Into one repository and into their own, opening and sweeping as they go; nothing is lost and nothing torn."""
    code = """
        import os, pathlib, sys
        from rpkival.repository.store import Store
        name = sys.argv[1]
        for number in range(10):
            store = Store(pathlib.Path(sys.argv[2]))
            for uri in ("https://shared.example/", f"https://{name}.example/"):
                with store.update(uri) as update:
                    for index in range(20):
                        update.publish(f"rsync://rpki.example/{name}/{number}/{index}", os.urandom(1000))
                    update.commit(b"")
            store.sweep(thoroughly=True)
            store.close()
    """
    processes = [
        subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), name, str(tmp_path)]) for name in ("a", "b")
    ]
    assert [process.wait(120) for process in processes] == [0, 0]
    store = Store(tmp_path)
    assert store.trouble is None
    counts = {}
    for uri in ("https://shared.example/", "https://a.example/", "https://b.example/"):
        known = store.repository(uri)
        assert known is not None
        with store.update(uri) as update:
            uris = list(update.uris())
        assert all(store.published(known.id, each) for each in uris)
        counts[uri] = (known.objects, len(uris))
    assert list(counts.values()) == [(400, 400), (200, 200), (200, 200)]
    store.close()
    with sqlite3.connect(tmp_path / STORE_NAME) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()
