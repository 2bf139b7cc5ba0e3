"""One signed registry for all tests of the daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rpkival.daemon.job import Job
from rpkival.daemon.lab import LabRepository


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabRepository]:
    """The lab's registry, served as the machine can."""
    repository = LabRepository(tmp_path_factory.mktemp("registry"))
    yield repository
    repository.close()


@pytest.fixture
def job(registry: LabRepository, tmp_path: Path) -> Job:
    """The validation of that registry with a cache of its own."""
    return registry.job(tmp_path / "repository")
