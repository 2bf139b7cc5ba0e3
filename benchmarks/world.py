"""A repository as large as the world's, validated from a store: at first, with nothing changed, with a few changed.

    rpkival lab build world --cas 50000 --roas 350000 --depth 4 --hosts 50
    python benchmarks/world.py world [--workers 2] [--change 1]

The store is filled from the files first, which is not measured. Then `rpkival validate` runs in a process of its own
each time: what counts is wall time, CPU time with that of all children, and the most memory that was resident at once
in all of them. Each run must find what `expected.csv` lists. With --change the repository gets new versions of so many
per cent of its CAs, which are put into the store before the last run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measured import Cost, cost_of

from rpkival.repository.store import Store


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("world", type=Path, help="made by rpkival lab build")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--change", type=float, default=1, metavar="PERCENT")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rpkival-world-") as name:
        data = Path(name)
        objects = fill(options.world / "rsync", data)
        print(f"{objects} objects", flush=True)
        cold = validate(options.world, data, options.workers)
        report("cold", cold, objects)
        report("nothing changed", validate(options.world, data, options.workers), objects, cold)
        if options.change:
            change = ["lab", "build", str(options.world), "--change", str(options.change), "--quiet"]
            subprocess.run([sys.executable, "-m", "rpkival", *change], check=True)
            fill(options.world / "rsync", data)
            last = validate(options.world, data, options.workers)
            report(f"{options.change:g} % of the points changed", last, objects, cold)


def fill(tree: Path, data: Path) -> int:
    """Put a tree laid out `host/module/path` into the store, a repository a module; how many objects it has."""
    objects = 0
    store = Store(data)
    for module in sorted(path for host in tree.iterdir() for path in host.iterdir()):
        with store.update(f"rsync://{module.relative_to(tree).as_posix()}/") as update:
            gone = set(update.uris())
            for directory, _, names in os.walk(module):
                base = f"rsync://{Path(directory).relative_to(tree).as_posix()}/"
                for file_name in names:
                    update.publish(base + file_name, Path(directory, file_name).read_bytes())
                    gone.discard(base + file_name)
                objects += len(names)
            for uri in gone:
                update.withdraw(uri)
            update.commit(b"")
        for certificate in module.glob("*.cer"):
            store.accept_trust_anchor(f"rsync://{certificate.relative_to(tree).as_posix()}", certificate.read_bytes())
    store.close()
    return objects


def validate(world: Path, data: Path, workers: int) -> Cost:
    """One run, which must find what there is."""
    output = data / "found.csv"
    command = [sys.executable, "-m", "rpkival", "validate", "--tal", str(world / "lab.tal"), "--offline", "--quiet"]
    command += ["--repository-dir", str(data), "--workers", str(workers), "--format", "csv", "--output", str(output)]
    cost = cost_of(
        command, env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    )
    found = {row.rpartition(",")[0] for row in output.read_text().splitlines()[1:]}
    expected = set((world / "expected.csv").read_text().splitlines()[1:])
    if found != expected:
        sys.exit(f"{len(found)} VRPs instead of {len(expected)}")
    return cost


def report(what: str, run: Cost, objects: int, cold: Cost | None = None) -> None:
    """One line."""
    share = "" if cold is None else f", {run.wall / cold.wall:.1%} of cold"
    each = f"{run.cpu / objects * 1e6:.0f} us of CPU an object"
    figures = f"{run.wall:7.2f} s, {run.cpu:7.2f} s of CPU, {run.memory / 2**20:5.0f} MiB"
    print(f"{what:32} {figures}, {each}{share}", flush=True)


if __name__ == "__main__":
    main()
