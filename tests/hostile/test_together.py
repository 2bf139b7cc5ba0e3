"""All attacks at once, on the command as people run it: memory is what the system says it was."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rpkival.lab.hostile.table import CASES

AT = 1_773_648_000
LARGE = {"crl-huge", "drip-feed", "endless-continue", "endless-snapshot", "rsync-drip-feed", "tls-silence"}
"""Left to `test_attacks.py`, where bounds are lower: at their own they take minutes, or 2 GiB."""

SIZES = {"infinite-chain": 5, "many-children": 2, "many-repositories": 5, "one-prefix-many-asns": 300}

RESIDENT_BYTES = 512 * 1024**2
"""Of the largest process."""

MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
"""What Linux says of a process has in it what its parent had before; so that has to be a small one."""


def test_all_at_once(hostile_stage: Callable[..., Any], tmp_path: Path) -> None:
    """One run finds all that is expected of all of them, and says why it refuses the rest."""
    cases = [case for name, case in CASES.items() if name not in LARGE]
    stage = hostile_stage(cases, SIZES)
    command = (
        sys.executable, "-c", MEASURED, sys.executable, "-m", "rpkival", "validate",
        "--tal", stage.directory / "lab.tal", "--allow-dubious-hosts",
        "--ca-file", stage.directory / "ca.pem", "--repository-dir", tmp_path / "state", "--workers", "2",
        "--at", datetime.fromtimestamp(AT, UTC).isoformat(), "--format", "csv", "--output", tmp_path / "vrps.csv",
        "--report", tmp_path / "report.json",
    )  # fmt: skip
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    found = {tuple(line.split(",")[:3]) for line in (tmp_path / "vrps.csv").read_text().splitlines()[1:]}
    expected = {tuple(line.split(",")) for line in (stage.directory / "expected.csv").read_text().splitlines()[1:]}
    assert found == expected
    assert len(found) > 2_500
    report = json.loads((tmp_path / "report.json").read_text())
    told = " ".join(each["sentence"] for each in report["rejections"])
    for case in cases:
        if case.reason and not case.served and case.visits == 1 and case.name not in SIZES:
            assert re.search(case.reason, told), case.name
    assert int(done.stdout) * 1024 < RESIDENT_BYTES
