"""From the configuration to what is validated."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpkival.config import Validation
from rpkival.daemon.job import run
from rpkival.daemon.lab import LabRepository
from rpkival.daemon.live import job_of
from rpkival.lab.topology import LAB
from rpkival.objects.asn1.der import contents_of
from rpkival.repository.opening import Fetching


def in_ber(der: bytes) -> bytes:
    """The same with an outermost element of indefinite length."""
    return bytes([der[0], 0x80]) + der[contents_of(der) :] + b"\0\0"


@pytest.mark.parametrize("strict", [False, True])
def test_objects_in_ber_are_refused_if_so_configured(tmp_path: Path, *, strict: bool) -> None:
    """`strict` goes from `[validation]` to the judge."""
    repository = LabRepository(tmp_path)
    repository.close()
    manifests = list(tmp_path.glob("tree-*/**/*.mft"))
    for manifest in manifests:
        manifest.write_bytes(in_ber(manifest.read_bytes()))
    [locator] = tmp_path.glob("*.tal")
    config = Validation(tals=(locator,), repository_dir=tmp_path / "rsync", offline=True, strict=strict)

    outcome = run(job_of(config, tmp_path))

    assert len(outcome.payload.vrps) == (0 if strict else len(LAB.roas))
    assert any("BER" in each.sentence for each in outcome.report.rejections) is strict


def test_every_key_of_how_to_validate_counts(tmp_path: Path) -> None:
    """None of them is taken and forgotten."""
    (tmp_path / "ca.pem").touch()
    config = Validation(
        reconsidered=True,
        refresh=5,
        repository_dir=tmp_path / "store",
        offline=True,
        workers=3,
        rsync=False,
        rrdp=False,
        rrdp_fallback="never",
        ca_file=tmp_path / "ca.pem",
        allow_dubious_hosts=True,
    )

    job = job_of(config, tmp_path)

    assert job.directory == tmp_path / "store"
    assert job.workers == 3
    assert all(tal.terms.reconsidered for tal in job.tals)
    assert job.fetching == Fetching(
        offline=True,
        rsync=False,
        rrdp=False,
        fallback="never",
        refresh=5,
        allow_dubious_hosts=True,
        ca_file=tmp_path / "ca.pem",
    )
    assert job_of(Validation(offline=True), tmp_path).directory == tmp_path / "repository"
