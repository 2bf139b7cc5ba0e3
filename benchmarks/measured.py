"""What a command costs: time, time of processors, and memory, with all processes that it starts."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cost", "cost_of"]


@dataclass(frozen=True)
class Cost:
    """Seconds, seconds of CPU, octets of memory resident at once."""

    wall: float
    cpu: float
    memory: int


def cost_of(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Cost:
    """Run it; ends the benchmark with what it said where it fails."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(
        command, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    most = _Most(process.pid)
    said, _ = process.communicate()
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    most.stop()
    if process.returncode:
        sys.exit(f"{command[0]} ended with {process.returncode}:\n{said}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, most.octets)


class _Most:
    """The most memory that a process and its children have resident together (proportional set size)."""

    def __init__(self, pid: int) -> None:
        self.octets = 0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        pause = 0.01  # some programs are done before the first quarter of a second
        while not self._ended.wait(pause):
            pause = min(0.25, pause * 1.5)
            self.octets = max(self.octets, sum(map(_resident, _family(self._pid))))


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(each for child in children for each in _family(int(child)))]


def _resident(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
