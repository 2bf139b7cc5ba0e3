"""`rpkival watch ris-live` as a process, against a server on loopback."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from rpkival.http_server import listen
from rpkival.storage import hold_directory

PREFIX = "192.0.2.0/25"


class Server:
    """Says what it is told to all who have subscribed."""

    def __init__(self) -> None:
        self.url = ""
        self.subscribed = asyncio.Event()
        self._sockets: list[web.WebSocketResponse] = []

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Keep a client that subscribes."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            assert json.loads(message.data)["type"] == "ris_subscribe"
            self._sockets.append(socket)
            self.subscribed.set()
        return socket

    async def say(self, **data: Any) -> None:
        """One message of a peer."""
        common = {"timestamp": 1.0, "peer": "192.0.2.9", "peer_asn": "64500", "host": "rrc00", "type": "UPDATE"}
        for socket in self._sockets:
            await socket.send_json({"type": "ris_message", "data": common | data})


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """One that listens."""
    server = Server()
    app = web.Application()
    app.router.add_get("/", server.serve)
    http = await listen(app, "127.0.0.1", 0, "RIS Live")
    server.url = f"{http.url}/".replace("http", "ws")
    yield server
    await http.close()


async def test_an_incident_opens_and_ends(server: Server, tmp_path: Path) -> None:
    """Printed as it happens; SIGINT ends the watch with an exit code that tells of it; the directory is free again."""
    vrps, state = tmp_path / "vrps.csv", tmp_path / "state"
    vrps.write_text("ASN,IP Prefix,Max Length,Trust Anchor\nAS64496,192.0.2.0/24,24,test\n")
    words = ["watch", "ris-live", "--ris-live-url", server.url, "--own", "AS64496", "--vrps", str(vrps)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", "from rpkival.cli.main import main; main()"),
        *(*words, "--data-dir", str(state), "--format", "ndjson"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    async with asyncio.timeout(60):
        await server.subscribed.wait()
        await server.say(path=[64500, 64666], announcements=[{"next_hop": "192.0.2.9", "prefixes": [PREFIX]}])
        opened = json.loads(await process.stdout.readline())
        await server.say(withdrawals=[PREFIX])
        resolved = json.loads(await process.stdout.readline())
        process.send_signal(signal.SIGINT)
        _, err = await process.communicate()

    assert (opened["type"], resolved["type"]) == ("incident.opened", "incident.resolved")
    assert opened["data"]["prefix"] == PREFIX
    assert opened["data"]["observed"]["collectors"] == ["rrc00"]
    assert resolved["data"]["id"] == opened["data"]["id"]
    assert process.returncode == 1, err
    assert b"1 incident opened, 1 resolved" in err
    assert b"Traceback" not in err
    hold_directory(state).close()
