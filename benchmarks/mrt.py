"""MRT reading against bgpdump, on the same files in one run.

    python benchmarks/mrt.py [--data ../shared/data] [--rounds 3]

The first table reads: bgpdump -m prints every route to /dev/null, ours makes every route a row of columns with its
path. The second is the command line from start to end: `rpkival classify` judges every route, bgpdump only prints it.
"cold" parses the VRP file, "warm" finds it remembered. The best of the rounds counts. Wall clock and CPU seconds are
both shown: ours uses a second core where there is one, and on a busy machine only CPU seconds mean anything.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from feeds.mrt import MrtReader

FILES = (
    "updates.et-header.2015.gz",
    "updates.20160811.1600.gz",
    "rib.20260730.1400_first2MB.bz2",
    "routeviews.route-views.jinx.ribs.1401487200.bz2",
    "bview.20020722.2337.gz",
)
UPDATES = FILES[0]
VRPS = "rpkiclient_20250720T0931.json.bz2"


class Cost(NamedTuple):
    """Seconds."""

    wall: float
    cpu: float


def best(rounds: int, work: Callable[[], object]) -> Cost:
    """What the fastest of some rounds cost, child processes included."""
    costs = []
    for _ in range(rounds):
        before, start = os.times(), time.perf_counter()
        work()
        after = os.times()
        costs.append(Cost(time.perf_counter() - start, sum(after[:4]) - sum(before[:4])))
    return Cost(min(cost.wall for cost in costs), min(cost.cpu for cost in costs))


def read(path: Path) -> int:
    """Decode a whole file; the number of its routes."""
    return sum(len(batch) for batch in MrtReader(path).batches())


def run(*argv: str | Path, **environment: str) -> None:
    """Run a program to its end, its output thrown away."""
    subprocess.run(
        argv,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
        check=False,
    )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    bgpdump = shutil.which("bgpdump")
    if bgpdump is None:
        sys.exit("bgpdump is not installed; there is nothing to compare with.")

    print(f"{'':<48}{'':>9}{'bgpdump':>16}{'rpkival':>16}{'ratio':>14}")
    print(
        f"{'reading':<48}{'routes':>9}" + f"{'wall':>9}{'cpu':>7}" * 2 + f"{'wall':>8}{'cpu':>6}{'M routes/cpu s':>16}"
    )
    for name in FILES:
        path = arguments.data / "mrt" / name
        routes = read(path)
        theirs = best(arguments.rounds, partial(run, bgpdump, "-m", path))
        ours = best(arguments.rounds, partial(read, path))
        costs = "".join(f"{cost.wall:>9.2f}{cost.cpu:>7.2f}" for cost in (theirs, ours))
        ratios = f"{theirs.wall / ours.wall:>7.1f}x{theirs.cpu / ours.cpu:>5.1f}x"
        print(f"{name:<48}{routes:>9,}{costs}{ratios}{routes / ours.cpu / 1e6:>16.2f}")

    updates, vrps = arguments.data / "mrt" / UPDATES, arguments.data / "vrps" / VRPS
    rpkival = Path(sys.executable).parent / "rpkival"
    with tempfile.TemporaryDirectory() as cache:
        command = (rpkival, "classify", updates, "--vrps", vrps)
        theirs = best(arguments.rounds, lambda: run(bgpdump, "-m", updates))
        cold = best(arguments.rounds, lambda: run(*command, RPKIVAL_NO_MEMO="1"))
        run(*command, XDG_CACHE_HOME=cache)
        warm = best(arguments.rounds, lambda: run(*command, XDG_CACHE_HOME=cache))
    print(f"\n{'from start to end: ' + UPDATES:<57}{'wall':>9}{'cpu':>7}{'ratio':>8}")
    print(f"{'bgpdump -m':<57}{theirs.wall:>9.2f}{theirs.cpu:>7.2f}")
    for label, ours in (("rpkival classify, warm", warm), ("rpkival classify, cold", cold)):
        print(f"{label:<57}{ours.wall:>9.2f}{ours.cpu:>7.2f}{theirs.wall / ours.wall:>7.2f}x")


if __name__ == "__main__":
    main()
