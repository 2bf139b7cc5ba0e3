"""Routes a second against the world's VRPs: rtrlib (C) and rpkival, the same VRPs and routes, in one run.

    python benchmarks/classification.py VRPS ROUTES... [--rounds 5] [--shuffle]

VRPS is a VRP file. Each of ROUTES is an MRT file, or a table of "prefix origin" lines (gz too), such as
vrps/rpkiclient_20250720T0931.json.bz2, mrt/updates.et-header.2015.gz and table/ipasn_20260730.dat.gz of the real data.
Routes without a single origin are left out, as rtrlib knows no such thing. Both sides have everything in memory before
the clock starts, the best round counts, and the counts of verdicts must be equal. Needs gcc and librtr-dev.
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from feeds.mrt import read_mrt
from feeds.route_batch import OriginKind
from rpkival.origin.index import OriginIndex
from rpkival.origin.verdict import State
from rpkival.payload.formats import read_vrps
from rpkival.payload.vrps import Vrps
from rpkival.prefixes import Prefixes, split_families

Routes = list[tuple[Prefixes, NDArray[np.uint32]]]


@dataclass(frozen=True)
class Result:
    """Seconds to build the table, seconds of the best round, and how many routes are valid, not-found, invalid."""

    build: float
    classify: float
    counts: tuple[int, int, int]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vrps", type=Path)
    parser.add_argument("routes", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shuffle", action="store_true", help="ask in random order, the worst for every cache")
    options = parser.parse_args()
    vrps = read_vrps(options.vrps.read_bytes(), name=str(options.vrps)).vrps
    print(f"{len(vrps)} VRPs\n{'routes':<40}{'':<9}{'build':>8}{'classify':>10}{'routes/s':>12}")
    for path in options.routes:
        routes = list(read_table(path) if ".dat" in path.suffixes else read_routes(path))
        if options.shuffle:
            routes = [shuffled(prefixes, origin) for prefixes, origin in routes]
        ours, theirs = with_rpkival(vrps, routes, options.rounds), with_rtrlib(vrps, routes, options.rounds)
        for name, result in (("rpkival", ours), ("rtrlib", theirs)):
            speed = sum(result.counts) / result.classify
            print(f"{path.name:<40}{name:<9}{result.build:>7.2f}s{result.classify:>9.3f}s{speed:>12,.0f}")
        valid, not_found, invalid = ours.counts
        print(
            f"  {valid:,} valid, {not_found:,} not-found, {invalid:,} invalid; rpkival is "
            f"{theirs.classify / ours.classify:.1f} times as fast, {theirs.build / ours.build:.1f} times in building"
        )
        if ours.counts != theirs.counts:
            sys.exit(f"rtrlib counts otherwise: {theirs.counts}")


def read_routes(path: Path) -> Iterator[tuple[Prefixes, NDArray[np.uint32]]]:
    """The announcements of an MRT file that have a single origin."""
    for batch in read_mrt(path):
        chosen = batch.announced & (batch.origin_kind == OriginKind.AS)
        yield batch.prefixes.take(chosen), batch.origin[chosen]


def read_table(path: Path) -> Iterator[tuple[Prefixes, NDArray[np.uint32]]]:
    """Lines of prefix and origin; a semicolon begins a comment."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        pairs = [line.split() for line in lines if not line.startswith(";")]
    origins = np.array([int(origin) for _, origin in pairs], np.uint32)
    for prefixes, rows in split_families([prefix for prefix, _ in pairs]):
        yield prefixes, origins[rows]


def shuffled(prefixes: Prefixes, origin: NDArray[np.uint32]) -> tuple[Prefixes, NDArray[np.uint32]]:
    """The same routes in an order that is random and always the same."""
    rows = np.random.default_rng(1).permutation(len(prefixes))
    return prefixes.take(rows), origin[rows]


def with_rpkival(vrps: Vrps, routes: Routes, rounds: int) -> Result:
    """In this process, on one core."""
    build = classify = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        index = OriginIndex.build(vrps)
        build = min(build, time.perf_counter() - start)
        start = time.perf_counter()
        verdicts = [index.classify(prefixes, origin) for prefixes, origin in routes]
        classify = min(classify, time.perf_counter() - start)
    counts = sum(np.bincount(verdict.state, minlength=3) for verdict in verdicts)
    assert isinstance(counts, np.ndarray)
    return Result(build, classify, (int(counts[State.VALID]), int(counts[State.NOT_FOUND]), int(counts[State.INVALID])))


def with_rtrlib(vrps: Vrps, routes: Routes, rounds: int) -> Result:
    """In a C program of its own, compiled on the spot."""
    with tempfile.TemporaryDirectory(prefix="rpkival-benchmark-") as name:
        place = Path(name)
        source = Path(__file__).with_name("rtrlib_classify.c")
        subprocess.run(["gcc", "-O2", "-o", place / "classify", source, "-lrtr"], check=True)
        with (place / "vrps").open("wb") as file:
            for columns in (vrps.ipv4, vrps.ipv6):
                file.write(records(columns.prefixes, columns.asn, columns.max_length))
        with (place / "routes").open("wb") as file:
            for prefixes, origin in routes:
                file.write(records(prefixes, origin, prefixes.length))
        command: list[str | Path] = [place / "classify", place / "vrps", place / "routes", str(rounds)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    build, classify, valid, not_found, invalid = output.split()
    return Result(float(build), float(classify), (int(valid), int(not_found), int(invalid)))


def records(prefixes: Prefixes, asn: NDArray[np.uint32], max_length: NDArray[np.uint8]) -> bytes:
    """What the C program reads: version, four address words, length, max_length, ASN."""
    table = np.zeros((len(prefixes), 8), np.uint32)
    table[:, 0] = prefixes.family
    if prefixes.family == 4:
        table[:, 1] = prefixes.words[0]
    else:
        for place, word in enumerate(prefixes.words):
            table[:, 1 + 2 * place] = word >> np.uint64(32)
            table[:, 2 + 2 * place] = word & np.uint64(0xFFFFFFFF)
    table[:, 5], table[:, 6], table[:, 7] = prefixes.length, max_length, asn
    return table.tobytes()


if __name__ == "__main__":
    main()
