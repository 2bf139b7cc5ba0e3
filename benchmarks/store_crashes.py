"""Kills a process that writes to a store, at random instants, and looks each time whether anything is torn.

    python benchmarks/store_crashes.py DIRECTORY [ROUNDS]

Each update replaces all of a repository or a part of it, together with its state; between updates a version is
accepted, and the store is swept. After each SIGKILL, the next process must find every one of them whole, never older
than what the killed one had said it was done with, and SQLite must find nothing wrong with the file.
"""

from __future__ import annotations

import argparse
import random
import signal
import sqlite3
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

from rpkival.objects.place import Accepted
from rpkival.repository.store import STORE_NAME, Kept, Store

URI = "https://rrdp.example.net/notification.xml"
PLACE = b"p" * 32
OBJECTS = 40


def content(name: int, serial: int) -> bytes:
    """An object's content at a serial; every fourth object changes."""
    return b"%d %d " % (name, serial if name % 4 == 0 else 0) * 500


def write(directory: Path) -> None:
    """For ever: the next serial, the next accepted version, a sweep; each is told when it is done."""
    store = Store(directory)
    serial = int(store.state(URI) or b"0")
    while True:
        serial += 1
        with store.update(URI) as update:
            if serial % 2:
                update.replace_all()
            for name in range(OBJECTS):
                update.publish(f"rsync://rpki.example.net/repo/{name}", content(name, serial))
            update.commit(b"%d" % serial)
        print(serial, flush=True)
        digests = b"".join(sha256(content(name, serial)).digest() for name in range(OBJECTS))
        store.accept([Kept(PLACE, Accepted(b"m" * 32, serial, serial), digests)])
        store.sweep(thoroughly=serial % 3 == 0)


def check(directory: Path, told: int) -> int:
    """The serial that the store has; at least what was told. Asserts that nothing is torn."""
    store = Store(directory)
    assert store.trouble is None, store.trouble
    serial = int(store.state(URI) or b"0")
    assert serial >= told, f"serial {told} was committed, {serial} is there"
    known = store.repository(URI)
    if known is not None:
        assert known.objects == OBJECTS
        for name in range(OBJECTS):
            found = store.published(known.id, f"rsync://rpki.example.net/repo/{name}")
            assert found is not None, f"object {name} is gone"
            assert found[1] == content(name, serial), f"object {name} is not of serial {serial}"
    version = store.accepted(PLACE)
    assert version is not None or told <= 1
    if version is not None:
        accepted, digests, _ = version
        assert told - 1 <= accepted.number <= serial
        for name in range(OBJECTS):
            kept = store.content(digests[name * 32 : name * 32 + 32])
            assert kept == content(name, accepted.number), f"object {name} of version {accepted.number} is gone"
    store.close()
    connection = sqlite3.connect(directory / STORE_NAME)
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    connection.close()
    return serial


def main() -> None:
    """Rounds of a write that is killed, and a check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="for what is made; new or empty")
    parser.add_argument("rounds", type=int, nargs="?", default=200)
    options = parser.parse_args()
    directory, rounds = options.directory, options.rounds
    chance = random.Random()
    serial = 0
    for number in range(rounds):
        with subprocess.Popen([sys.executable, __file__, "--write", directory], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            told = [writer.stdout.readline()]
            time.sleep(chance.uniform(0.0, 0.05))
            writer.send_signal(signal.SIGKILL)
            told += writer.stdout.readlines()
        # A line that was cut off tells nothing.
        last = max(int(line) for line in told if line.endswith(b"\n"))
        before, serial = serial, check(directory, last)
        assert serial > before
        print(f"{number + 1}: serial {serial}", end="\r", file=sys.stderr)
    print(f"killed {rounds} times, {serial} serials, nothing torn")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(Path(sys.argv[2]))
    else:
        main()
