"""Kills `rpkival validate` at random instants, and looks each time at what the next run makes of what is left.

    python benchmarks/validation_crashes.py DIRECTORY [ROUNDS]

Each round, two CAs publish a new version, one by RRDP and one by rsync; a validation starts and is killed by SIGKILL.
What is then on disk must give, for each CA, its former version or its new one as a whole; and the next run that comes
to its end must give the new one.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from ipaddress import IPv4Network
from pathlib import Path

from rpkival.lab.keys import KeyRing
from rpkival.lab.plan import Vrp
from rpkival.lab.served_tree import ServedTree
from rpkival.objects.tal import parse_tal
from rpkival.repository.opening import Fetching, open_source
from rpkival.repository.stored_source import StoredSource
from rpkival.validation.walk import validate

RPKIVAL = (sys.executable, "-m", "rpkival")


def found(tree: ServedTree, store: Path, *, offline: bool) -> frozenset[Vrp]:
    """What a run comes to that nobody kills."""
    fetching = Fetching(offline=offline, allow_dubious_hosts=True, ca_file=tree.ca_file)
    with open_source(store, fetching) as source:
        assert isinstance(source, StoredSource)
        run = validate([parse_tal(tree.tal.read_bytes(), "lab")], source, clock=lambda: int(time.time()), memo=source)
    return frozenset(
        (roa.asn, str(IPv4Network((address, length))), max_length)
        for roa in run.roas
        for address, length, max_length in roa.ipv4
    )


def killed(tree: ServedTree, store: Path, after: float) -> bool:
    """Start a validation and kill it; whether it was still at work."""
    command: list[str | Path] = [
        *RPKIVAL,
        "validate",
        "--tal",
        tree.tal,
        "--repository-dir",
        store,
        "--ca-file",
        tree.ca_file,
    ]
    with subprocess.Popen(
        [*command, "--allow-dubious-hosts", "--quiet", "--workers", "2"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.kill()
            return True
    return False


def main() -> None:
    """Rounds of a version, a kill, and two looks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="for what is made; new or empty")
    parser.add_argument("rounds", type=int, nargs="?", default=200)
    options = parser.parse_args()
    directory, rounds = options.directory, options.rounds
    store, chance, at_work = directory / "store", random.Random(), 0
    with ServedTree(directory / "tree", KeyRing(), int(time.time())) as tree:
        began = time.monotonic()
        killed(tree, store, 600)
        usual = time.monotonic() - began
        assert found(tree, store, offline=True) == tree.now_valid
        for number in range(rounds):
            before = tree.version
            tree.publish()
            at_work += killed(tree, store, chance.uniform(0.3, 1.1) * usual)
            left = found(tree, store, offline=True)
            for member in (1, 2):
                of_member = {vrp for vrp in left if vrp[1].startswith(f"10.{member}.")}
                assert of_member in (tree.vrps(member, before), tree.vrps(member, tree.version)), of_member
            assert found(tree, store, offline=False) == tree.now_valid
            print(f"{number + 1}: version {tree.version}", end="\r", file=sys.stderr)
    print(f"{rounds} rounds, {at_work} killed at work, nothing lost")


if __name__ == "__main__":
    main()
