"""Following routes for hijacks: ours against a lookup per route, on the same routes in one run.

    python benchmarks/monitor.py [--data ../shared/data] [--rounds 3]

The routes are a full table of 2015, the VRPs those of a day in 2025, what is watched is all that an AS has ROAs for.
The other way is what alerters commonly do: for each route, look for a covering own prefix in a dictionary per prefix
length, and judge those that have one. Both must charge the same announcements. The last column adds what an incident
costs: judging it, and writing it with its event to a database in memory. CPU seconds; the best of the rounds counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from feeds.mrt import read_mrt
from feeds.route_batch import OriginKind, RouteBatch
from rpkival.monitor.detectors import DETECTORS
from rpkival.monitor.expectations import Expectations, Own
from rpkival.monitor.judgement import judge
from rpkival.monitor.monitor import Monitor
from rpkival.monitor.store import IncidentStore
from rpkival.origin.index import OriginIndex
from rpkival.payload.formats import read_vrps
from rpkival.storage import open_database

OWN = ("AS3333", "AS13335", "AS16509")


def one_by_one(batch: RouteBatch, expectations: Expectations, index: OriginIndex) -> set[int]:
    """Rows that are charged, each route looked up by itself."""
    cover = expectations.cover(batch.prefixes.family)
    bits = 32 if batch.prefixes.family == 4 else 128
    mine: dict[int, dict[int, int]] = {}
    prefixes = cover.prefixes
    for row, (address, length) in enumerate(zip(prefixes.integers(), prefixes.length.tolist(), strict=True)):
        mine.setdefault(length, {})[address >> (bits - length)] = row
    lengths = sorted(mine, reverse=True)
    near = []
    addresses = batch.prefixes.integers()
    for row, (address, length) in enumerate(zip(addresses, batch.prefixes.length.tolist(), strict=True)):
        for own in lengths:
            if own <= length and address >> (bits - own) in mine[own]:
                near.append(row)
                break
    rows = np.array(near, np.int64)
    return {int(rows[row]) for row in charged(batch.take(rows), expectations, index)}


def at_once(batch: RouteBatch, expectations: Expectations, index: OriginIndex) -> set[int]:
    """Rows that are charged, all routes looked up together."""
    return set(charged(batch, expectations, index))


def charged(batch: RouteBatch, expectations: Expectations, index: OriginIndex) -> Iterator[int]:
    """Rows of which a detector has something to say."""
    has_origin = batch.announced & (batch.origin_kind == OriginKind.AS)
    judgement = judge(batch.prefixes, batch.origin, has_origin, expectations, index)
    for detect in DETECTORS.values():
        yield from judgement.rows[detect(judgement)].tolist()


def follow(batch: RouteBatch, expectations: Expectations, index: OriginIndex) -> None:
    """All of it: a monitor over an empty database."""
    store = IncidentStore(open_database(None))
    Monitor(store, expectations=expectations, index=index).process(batch, float(batch.time.max()))
    store.database.close()


def best(rounds: int, work: Callable[[], object]) -> float:
    """CPU seconds of the fastest of some rounds."""
    moments = [time.process_time()]
    for _ in range(rounds):
        work()
        moments.append(time.process_time())
    return min(after - before for before, after in pairwise(moments))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    file = arguments.data / "vrps" / "rpkiclient_20250720T0931.json.bz2"
    vrps = read_vrps(file.read_bytes(), name=file.name).vrps
    index = OriginIndex.build(vrps)
    batches = read_mrt(arguments.data / "mrt" / "updates.et-header.2015.gz")
    (batch,) = [part for part in batches if part.prefixes.family == 4 and len(part)]
    print(f"{len(batch):,} routes, {len(vrps):,} VRPs")
    names = ("watched", "prefixes", "charged", "at once", "one by one", "ratio", "with incidents")
    print("{:<9} {:>8} {:>8} {:>9} {:>11} {:>7} {:>15}".format(*names))
    for name in OWN:
        expectations = Expectations.build(vrps, Own.of([name]))
        found = at_once(batch, expectations, index)
        if found != one_by_one(batch, expectations, index):
            raise SystemExit(f"{name}: the two ways do not agree")

        def cost(work: Callable[..., object], expectations: Expectations = expectations) -> float:
            return best(arguments.rounds, lambda: work(batch, expectations, index))

        ours, theirs, whole = cost(at_once), cost(one_by_one), cost(follow)
        print(
            f"{name:<9} {len(expectations):>8,} {len(found):>8,} {ours:>8.3f}s {theirs:>10.3f}s {theirs / ours:>6.0f}x"
            f" {whole:>14.3f}s"
        )


if __name__ == "__main__":
    main()
