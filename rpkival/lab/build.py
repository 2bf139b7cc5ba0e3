"""Signed repositories of any size on disk, with what a validator has to find in them; and their next version.

DIR/lab.tal                     the trust anchor
DIR/rsync/HOST/MODULE/...       every object, laid out as validators leave it
DIR/expected.csv, expected.json what is to be found
DIR/lab.json                    what it is made of, and the secret primes of its keys, to change it later
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from rpkival.errors import FormatError, UsageError
from rpkival.lab.directory import make_empty
from rpkival.lab.expected import write_expected
from rpkival.lab.plan import Host, Plan, seeded
from rpkival.lab.point_signer import PointSigner
from rpkival.lab.prime_keys import make_primes
from rpkival.lab.publisher import trust_anchor_locator

__all__ = ["Built", "Progress", "build", "change"]

Progress = Callable[[int, int], None]
"""Told how many publication points are signed, of how many."""

_POINTS_A_TASK: Final = 32
_STATE: Final = "lab.json"


@dataclass(frozen=True, slots=True)
class Built:
    """How much was signed: publication points, files in them, and the VRPs of the whole repository."""

    points: int
    files: int
    vrps: int


@dataclass(frozen=True, slots=True)
class _State:
    """What `change` has to know; `versions` holds the CAs that are not in their first one."""

    plan: Plan
    hosts: tuple[Host, ...]
    primes: tuple[int, ...]
    at: int
    days: int
    generation: int = 0
    versions: dict[int, int] = field(default_factory=dict)

    def signer(self, directory: Path) -> PointSigner:
        return PointSigner(self.plan, self.hosts, self.primes, self.at, self.days, directory)


def build(
    directory: Path,
    plan: Plan,
    *,
    at: int,
    days: int = 30,
    hosts: tuple[Host, ...] = (),
    workers: int = 1,
    on_progress: Progress | None = None,
) -> Built:
    """Sign all of `plan` into a directory that is new or empty. Raises `UsageError` where it is not.

    `hosts` are in place of those that the plan makes up.
    """
    make_empty(directory)
    # One for each CA, the trust anchor and the end entities.
    state = _State(plan, hosts or plan.hosts_by_name(), make_primes(plan.cas + 2), at, days)
    anchor = state.signer(directory).anchor()
    (directory / f"{plan.name}.tal").write_text(trust_anchor_locator(anchor), "ascii")
    return _sign(directory, state, range(plan.cas + 1), workers, on_progress)


def change(directory: Path, percent: float, *, workers: int = 1, on_progress: Progress | None = None) -> Built:
    """Publish a new version, with other ROAs, of so many of a hundred CAs of what `build` has left in a directory.

    Raises `UsageError` where nothing is, `FormatError` where it cannot be understood.
    """
    if not 0 < percent <= 100:
        raise UsageError(f"{percent:g} % of the CAs cannot change; give more than 0 and at most 100.")
    before = _read_state(directory)
    generation = before.generation + 1
    plan = before.plan
    number = max(1, round(plan.cas * percent / 100))
    chosen = sorted(seeded(f"{plan.seed} change {generation}").sample(range(1, plan.cas + 1), number))
    versions = before.versions | dict.fromkeys(chosen, generation)
    state = replace(before, generation=generation, versions=versions)
    return _sign(directory, state, chosen, workers, on_progress)


def _sign(directory: Path, state: _State, cas: Sequence[int], workers: int, on_progress: Progress | None) -> Built:
    points = [(ca, state.versions.get(ca, 0)) for ca in cas]
    done = files = 0
    for signed, written in _results(state.signer(directory), points, workers):
        done, files = done + signed, files + written
        if on_progress is not None:
            on_progress(done, len(points))
    vrps = write_expected(directory, state.plan, state.versions)
    _write_state(directory, state)
    return Built(len(points), files, vrps)


def _results(signer: PointSigner, points: Sequence[tuple[int, int]], workers: int) -> Iterator[tuple[int, int]]:
    """Publication points and files, as they are written."""
    tasks = [points[at : at + _POINTS_A_TASK] for at in range(0, len(points), _POINTS_A_TASK)]
    if workers == 1:
        for task in tasks:
            yield _published(signer, task)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _start, (signer,)) as pool:
        yield from pool.map(_published_here, tasks)


def _published(signer: PointSigner, points: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return len(points), sum(signer.publish(ca, version) for ca, version in points)


_signer: PointSigner
"""That of a process which does nothing but sign; sending it with every task would send the whole plan."""


def _start(signer: PointSigner) -> None:
    global _signer
    _signer = signer


def _published_here(points: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return _published(_signer, points)


def _write_state(directory: Path, state: _State) -> None:
    path = directory / _STATE
    path.touch(mode=0o600)
    document = {
        "plan": asdict(state.plan),
        "hosts": state.hosts,
        "at": state.at,
        "days": state.days,
        "generation": state.generation,
        "versions": {str(ca): version for ca, version in state.versions.items()},
        "primes": [f"{prime:x}" for prime in state.primes],
    }
    path.write_text(json.dumps(document), "ascii")


def _read_state(directory: Path) -> _State:
    path = directory / _STATE
    try:
        document = json.loads(path.read_text("ascii"))
        return _State(
            Plan(**document["plan"]),
            tuple(Host(*host) for host in document["hosts"]),
            tuple(int(prime, 16) for prime in document["primes"]),
            document["at"],
            document["days"],
            document["generation"],
            {int(ca): version for ca, version in document["versions"].items()},
        )
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; build a repository there first.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FormatError(f"{path} is not what a build has left there; build the repository again.") from None
