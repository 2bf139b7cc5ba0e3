"""A validator and its enemies, all of them real: servers on loopback, our store on disk, and one run after another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from rpkival.lab.hostile.ground import Case
from rpkival.lab.hostile.stage import KeysInOrder, Stage
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.objects.tal import parse_tal
from rpkival.payload.collect import collect
from rpkival.repository.opening import Fetching, open_source
from rpkival.repository.stored_source import StoredSource
from rpkival.validation.report import ValidationRun
from rpkival.validation.walk import validate

AT = 1_773_648_000
Vrps = set[tuple[int, str, int]]


def vrps(run: ValidationRun) -> Vrps:
    """What routers would be told."""
    return {(vrp.asn, str(vrp.prefix), vrp.max_length) for vrp in collect(run).vrps}


@dataclass
class Visit:
    """One run: its payload, and every sentence that was said in it."""

    vrps: Vrps
    run: ValidationRun
    said: list[str]

    def says(self, pattern: str) -> bool:
        """Whether any sentence has the pattern."""
        return any(re.search(pattern, sentence) for sentence in self.said)


@dataclass
class Theatre:
    """A stage for one case, and the state that a validator keeps from run to run."""

    stage: Stage
    state: Path

    def visit(self, *, workers: int = 0) -> Visit:
        """Fetch and validate all of it."""
        directory = self.stage.directory
        tal = parse_tal((directory / "lab.tal").read_bytes(), "lab")
        ca_file = directory / "ca.pem"
        fetching = Fetching(allow_dubious_hosts=True, ca_file=ca_file if ca_file.exists() else None)
        with open_source(self.state, fetching) as source:
            assert isinstance(source, StoredSource)
            run = validate([tal], source, clock=lambda: AT, memo=source, workers=workers)
            told = [result.error for result in source.results if result.error]
        said = [f"{each.uri} {each.sentence} ({each.section})" for each in run.rejections]
        return Visit(vrps(run), run, said + [each.sentence for each in run.fetch_problems] + told)


@pytest.fixture(scope="session")
def hostile_keys() -> KeysInOrder:
    """Once for all cases."""
    return KeysInOrder()


@pytest.fixture
def hostile_stage(
    tmp_path: Path, hostile_keys: KeysInOrder, rsync_daemon: RsyncDaemon
) -> Iterator[Callable[..., Stage]]:
    """`hostile_stage(cases, sizes)`: published once, and served."""
    with ExitStack() as servers:

        def set_up(cases: Sequence[Case], sizes: Mapping[str, int]) -> Stage:
            stage = Stage(
                tmp_path / "lab",
                cases,
                at=AT,
                keys=hostile_keys,
                authority=rsync_daemon.authority,
                sizes=sizes,
                open_server=servers.enter_context,
            )
            stage.publish()
            for module in sorted((tmp_path / "lab/rsync").glob("*/*")):
                rsync_daemon.serve(module.name, module)
            return stage

        yield set_up


@pytest.fixture
def theatre(tmp_path: Path, hostile_stage: Callable[..., Stage]) -> Callable[..., Theatre]:
    """`theatre(case, sizes)`: the stage of one attack, and a validator that has seen nothing yet."""
    return lambda case, sizes: Theatre(hostile_stage([case], sizes), tmp_path / "state")
