"""A snapshot of any size applied from a server on loopback: megabytes a second, and how memory grows with the size.

    python benchmarks/rrdp.py [MEGABYTES]

Each size runs in a process of its own, once a fifth and once the whole, and the ratio of the peaks is printed: near 1
is constant memory. SQLite's page cache has filled by the fifth of the default. The server's process is not counted.
"""

from __future__ import annotations

import base64
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from aiohttp import web

from rpkival.lab.rrdp_server import RrdpServer
from rpkival.repository.http import Http
from rpkival.repository.rrdp import Rrdp
from rpkival.repository.store import Store

OBJECT_BYTES = 1_900
"""The mean of the world's objects."""


def snapshot(path: Path, size: int, session: str) -> bytes:
    """Write a snapshot of about `size` octets; returns its SHA-256."""
    digest = sha256()

    def pieces() -> Iterator[bytes]:
        yield (
            f'<snapshot xmlns="http://www.ripe.net/rpki/rrdp" version="1" session_id="{session}" serial="1">\n'
        ).encode()
        for number in range(size // (OBJECT_BYTES * 4 // 3 + 80)):
            content = base64.b64encode(os.urandom(OBJECT_BYTES)).decode()
            yield f'<publish uri="rsync://r.example.net/repository/{number:08}/a.roa">{content}</publish>\n'.encode()
        yield b"</snapshot>\n"

    with path.open("wb") as file:
        for piece in pieces():
            digest.update(piece)
            file.write(piece)
    return digest.digest()


def apply(
    notify_uri: str, ca_file: Path, directory: Path, results: multiprocessing.Queue[tuple[float, int, str]]
) -> None:
    """Take it into a new store, in this process."""
    store = Store(directory)
    began = time.monotonic()
    result = Rrdp(Http(ca_file=ca_file, allow_dubious_hosts=True), allow_dubious_hosts=True).update(notify_uri, store)
    seconds = time.monotonic() - began
    known = store.repository(notify_uri)
    told = result.error or f"{known.objects if known else 0} objects"
    results.put((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, told))
    store.close()


def run(megabytes: float, directory: Path) -> tuple[float, int, str]:
    """Seconds, peak of resident kB, and what was taken."""
    session = str(uuid.uuid4())
    path = directory / "snapshot.xml"
    digest = snapshot(path, int(megabytes * 1e6), session)
    context = multiprocessing.get_context("spawn")
    with RrdpServer() as server:
        notification = (
            f'<notification xmlns="http://www.ripe.net/rpki/rrdp" version="1" session_id="{session}" serial="1">'
            f'<snapshot uri="{server.base}/snapshot.xml" hash="{digest.hex()}"/></notification>'
        ).encode()

        async def told(_request: web.Request) -> web.StreamResponse:
            return web.Response(body=notification)

        async def sent(_request: web.Request) -> web.StreamResponse:
            return web.FileResponse(path)

        server.misbehave = {"/notification.xml": told, "/snapshot.xml": sent}
        results: multiprocessing.Queue[tuple[float, int, str]] = context.Queue()
        process = context.Process(target=apply, args=(server.notify_uri, server.ca_file, directory / "store", results))
        (directory / "store").mkdir()
        process.start()
        outcome = results.get(timeout=1200)
        process.join()
    return outcome


def main() -> None:
    """Print both runs and their ratio."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 500.0
    peaks = []
    for size in (megabytes / 5, megabytes):
        with tempfile.TemporaryDirectory(prefix="rpkival-rrdp-") as place:
            seconds, peak, told = run(size, Path(place))
        peaks.append(peak)
        print(
            f"{size:8.0f} MB: {told}, {seconds:.1f} s, {size / seconds:.1f} MB/s, peak {peak / 1024:.0f} MiB",
            flush=True,
        )
    print(f"memory for {megabytes:.0f} MB / memory for {megabytes / 5:.0f} MB = {peaks[1] / peaks[0]:.2f}")


if __name__ == "__main__":
    main()
