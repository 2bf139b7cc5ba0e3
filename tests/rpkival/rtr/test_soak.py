"""Some seconds of bad weather; `benchmarks/rtr_soak.py` runs as long as one likes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[3] / "benchmarks" / "rtr_soak.py"


def test_routers_have_what_is_served_whatever_happens() -> None:
    """Changes, restarts and cuts at random; every set of every router is compared with what was served."""
    argv = (sys.executable, str(SOAK), "--seconds", "10", "--routers", "6", "--vrps", "500")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    compared = [int(count) for count in re.findall(r"(\d+) comparisons", done.stdout)]
    assert sum(compared) >= 6, done.stdout
