"""A cache that a benchmark of RTR starts and ends."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rpkival.errors import RpkivalError
from rpkival.rtr.client import RtrClient

__all__ = ["HOST", "PATIENCE", "running"]

HOST = "127.0.0.1"
PATIENCE = 120.0
"""Seconds for whatever a cache is asked."""


@contextmanager
def running(
    command: Callable[[Path, int], tuple[str, ...]], file: Path
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A cache that has loaded the file and serves it."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(command(file, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + PATIENCE
        while not has_data(port):
            if process.poll() is not None or time.monotonic() > end:
                sys.exit(f"{process.args!r} does not serve any VRPs.")
            time.sleep(0.2)
        yield process, port
    finally:
        process.terminate()
        process.wait()


def has_data(port: int) -> bool:
    """Whether the cache has loaded its file."""
    try:
        with RtrClient(HOST, port, timeout=PATIENCE, version=1) as client:
            client.sync()
            return len(client.payload) > 0
    except RpkivalError:
        return False
