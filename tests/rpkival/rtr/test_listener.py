"""Sockets that a service manager has opened, taken over by a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from rpkival.rtr.client import fetch_payload

HOST = "127.0.0.1"
DEADLINE = 30.0

INHERITING = """
import asyncio, os, sys
os.dup2(int(sys.argv[1]), 3)
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import Cache
from rpkival.rtr.listener import inherited_sockets
from rpkival.rtr.server import RtrServer

async def main():
    cache = Cache(7)
    cache.update(Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])))
    server = RtrServer(cache)
    environment = os.environ | {"LISTEN_PID": str(os.getpid())}
    assert inherited_sockets(environment, os.getpid() + 1) == {}
    for name, listening in inherited_sockets(environment, os.getpid()).items():
        print(name, await server.serve(listening), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_sockets_of_systemd() -> None:
    """A socket that the parent opened and listens on, passed as descriptor 3, is served."""
    with socket.create_server((HOST, 0)) as listening:
        process = subprocess.Popen(
            (sys.executable, "-c", INHERITING, str(listening.fileno())),
            pass_fds=(listening.fileno(),),
            env=os.environ | {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "rtr"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            port = listening.getsockname()[1]
            assert len(fetch_payload(HOST, port, timeout=DEADLINE)) == 1
        finally:
            process.kill()
            told, _ = process.communicate()
        assert f"rtr ('{HOST}', {port})" in told
