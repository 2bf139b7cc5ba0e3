"""The rsync program, held on a short leash: fixed arguments, a clean environment, its own process group, a deadline.

It is given a URI and an empty place, and either fills the place or fails; what to do with either is `mirror`'s to say.
"""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rpkival.errors import LimitError, UsageError
from rpkival.limits import (
    MAX_OBJECT_BYTES,
    MAX_RSYNC_MODULE_BYTES,
    MAX_RSYNC_MODULE_FILES,
    RSYNC_CONNECT_SECONDS,
    RSYNC_OUTPUT_BYTES,
    RSYNC_STALL_SECONDS,
    RSYNC_TOTAL_SECONDS,
)

__all__ = ["Rsync", "RsyncResult"]

_PROGRESS = re.compile(rb"\r *([0-9]{1,19}) +[0-9]{1,3}% .{0,60}?chk=[0-9]{1,19}/([0-9]{1,19})\)")
"""`--info=progress2`: bytes transferred so far, and files and directories known so far."""

_TOTAL = re.compile(rb"^Total file size: ([0-9]{1,19})", re.MULTILINE)
_RECEIVED = re.compile(rb"^Total bytes received: ([0-9]{1,19})", re.MULTILINE)
"""`--info=stats2`, at the end."""


@dataclass(frozen=True, slots=True)
class RsyncResult:
    """How one run of the program ended.

    `error` is a sentence, None where all went well. `exit_code` is the program's, negative where a signal ended it.
    `received` is in bytes on the wire, None where the program did not say. `seconds` is wall time.
    """

    uri: str
    error: str | None
    exit_code: int
    seconds: float
    received: int | None
    protocol: str = "rsync"


class Rsync:
    """Runs the installed rsync, in any number of threads. Raises `UsageError` where there is none."""

    def __init__(self, program: str = "rsync", *, total_seconds: float = RSYNC_TOTAL_SECONDS) -> None:
        found = shutil.which(program)
        if found is None:
            raise UsageError(f"The program {program} is not installed; install it, or use --offline or --no-rsync.")
        self._program = found
        self._total_seconds = total_seconds
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._stopped = False

    def stop(self) -> None:
        """Kill all that runs, and let nothing more begin: at the end of this process, nobody would look after it."""
        with self._lock:
            self._stopped = True
            for group in self._running:
                with suppress(ProcessLookupError):
                    os.killpg(group, signal.SIGKILL)

    def fetch(self, uri: str, destination: Path, *, known: Sequence[Path] = ()) -> RsyncResult:
        """Copy `uri` (checked by the caller) to `destination`, or into it if `uri` ends in a slash.

        Files that are the same in a directory of `known` become hard links to them instead of being transferred.
        """
        started = time.monotonic()
        with self._lock:
            if self._stopped:
                return RsyncResult(uri, f"rsync of {uri} was not begun: rpkival ends.", -signal.SIGKILL, 0.0, None)
            begun = self._begin(uri, destination, known)
            self._running.add(begun.pid)
        with begun as process:
            try:
                said = _last_words(process, started + self._total_seconds)
                exit_code = process.wait(max(0.0, started + self._total_seconds - time.monotonic()))
                error = None if exit_code == 0 else f"rsync of {uri} failed: {_complaint(said, exit_code)}"
            except (TimeoutError, subprocess.TimeoutExpired):
                said, exit_code = b"", -signal.SIGKILL
                error = f"rsync of {uri} was stopped: it took longer than {self._total_seconds:g} seconds."
            except LimitError as limit:
                said, exit_code = b"", -signal.SIGKILL
                error = f"rsync of {uri} was stopped: {limit}"
            finally:
                # rsync forks a child that would go on writing alone, so the whole group goes.
                with self._lock:
                    self._running.discard(process.pid)
                    if process.returncode is None:
                        os.killpg(process.pid, signal.SIGKILL)
        return RsyncResult(uri, error, exit_code, time.monotonic() - started, _received(said))

    def _begin(self, uri: str, destination: Path, known: Sequence[Path]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._arguments(uri, destination, known),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,
        )

    def _arguments(self, uri: str, destination: Path, known: Sequence[Path]) -> list[str]:
        # No links, devices, owners or permissions are taken over (CVE-2021-3978), and nothing is left out by the end of
        # its name: an object of an unknown type is on its manifest too.
        options = [
            "--recursive" if uri.endswith("/") else "--no-recursive",
            "--times",
            "--chmod=D755,F644",
            "--no-motd",
            f"--contimeout={RSYNC_CONNECT_SECONDS}",
            f"--timeout={RSYNC_STALL_SECONDS}",
            f"--max-size={MAX_OBJECT_BYTES}",
            "--info=stats2,nonreg0,progress2",
            "--no-human-readable",
            *(f"--link-dest={directory}" for directory in known),
        ]
        return [self._program, *options, "--", uri, str(destination)]


def _environment() -> dict[str, str]:
    """PATH and a proxy pass; RSYNC_RSH, RSYNC_CONNECT_PROG and whatever else makes rsync run programs does not."""
    passed = {name: value for name in ("PATH", "RSYNC_PROXY") if (value := os.environ.get(name))}
    return passed | {"LC_ALL": "C"}


def _last_words(process: subprocess.Popen[bytes], deadline: float) -> bytes:
    """The end of what the program says until it closes its output. Raises `TimeoutError`, `LimitError`."""
    assert process.stdout is not None
    said = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            # Asked for no time, select still reports output that is there, and there may always be some.
            if left <= 0 or not selector.select(left):
                raise TimeoutError
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                return said
            said = (said + chunk)[-RSYNC_OUTPUT_BYTES:]
            _check_progress(said)


def _check_progress(said: bytes) -> None:
    """Raise `LimitError` where what rsync told last is beyond what a module may have."""
    octets, files = map(int, (_PROGRESS.findall(said) or [(0, 0)])[-1])
    # What did not need to be transferred counts in the end, else a module could grow by the limit at each run.
    if total := _TOTAL.search(said):
        octets = int(total[1])
    if octets > MAX_RSYNC_MODULE_BYTES:
        raise LimitError(f"it has more than {MAX_RSYNC_MODULE_BYTES} bytes.")
    if files > MAX_RSYNC_MODULE_FILES:
        raise LimitError(f"it has more than {MAX_RSYNC_MODULE_FILES} files.")


def _complaint(said: bytes, exit_code: int) -> str:
    """The first line of rsync's own, without control characters: a daemon chooses part of that text."""
    lines = said.decode("ascii", "replace").splitlines()
    complaints = [line for line in lines if line.startswith(("rsync", "@ERROR"))] or lines[-1:]
    text = "".join(character for character in " ".join(complaints[:1]) if character.isprintable())
    return f"{text[:200] or 'it did not say why'} (exit code {exit_code})."


def _received(said: bytes) -> int | None:
    match = _RECEIVED.search(said)
    return int(match[1]) if match else None
