"""Runs targets, two at a time, each in a process of its own: `python -m fuzz [TARGET...] [--seconds N]`."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
TARGETS = sorted(path.stem for path in (HERE / "targets").glob("*.py"))
FOUND = HERE.parent / "fuzz-found"
"""Where inputs go that were not borne."""

SLICE_SECONDS = 100
"""The most that one process fuzzes. What atheris keeps of each run for good, of some targets 800 octets, would fill the
memory of a longer one; the next process begins with what this one has found out."""


def run(target: str, seconds: int, seed: int) -> str | None:
    """Fuzz one target; what it printed where it found something, else None."""
    corpus = FOUND / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    runs = spent = 0
    for number, start in enumerate(range(0, seconds, SLICE_SECONDS)):
        command = [
            *(sys.executable, "-m", "fuzz.atheris_driver", target),
            *(str(corpus), str(HERE / "seeds" / target)),
            f"-max_total_time={min(SLICE_SECONDS, seconds - start)}",
            f"-seed={seed and seed + number}",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-max_len=16384",
            f"-artifact_prefix={FOUND}/{target}-",
        ]
        done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode != 0:
            return done.stdout[-4000:] + done.stderr[-1000:]  # the traceback, and the fuzzer's last words
        for count, taken in re.findall(r"^Done (\d+) runs in (\d+) second", done.stderr, re.MULTILINE)[-1:]:
            runs, spent = runs + int(count), spent + int(taken)
    print(f"{target}: {runs} runs in {spent} seconds, nothing found", flush=True)
    return None


def main() -> int:
    """The exit code: 1 where something was found."""
    arguments = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    arguments.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    arguments.add_argument("--seconds", type=int, default=int(os.environ.get("FUZZ_SECONDS", "60")), help="for each")
    arguments.add_argument(
        "--seed", type=int, default=int(os.environ.get("FUZZ_SEED", "0")), help="of all chance; 0: another each time"
    )
    chosen = arguments.parse_args()
    targets = chosen.targets or TARGETS
    if unknown := set(targets) - set(TARGETS):
        arguments.error(f"there is no target {', '.join(sorted(unknown))}")
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(lambda target: run(target, chosen.seconds, chosen.seed), targets)
        finds = [(target, find) for target, find in zip(targets, outcomes, strict=True)]
    for target, find in finds:
        if find is not None:
            print(f"--- {target} ---\n{find}\nThe input is in {FOUND}.")
    return int(any(find is not None for _, find in finds))


if __name__ == "__main__":
    sys.exit(main())
