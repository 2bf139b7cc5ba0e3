"""`rpkival rtr load` as a user meets it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

import pytest

from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import Cache
from rpkival.rtr.server import RtrServer

RPKIVAL = (sys.executable, "-c", "from rpkival.cli.main import main; main()")
DEADLINE = 60.0


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    argv = (*RPKIVAL, "rtr", "load", *arguments)
    return subprocess.run(argv, capture_output=True, text=True, timeout=DEADLINE, check=False)


def test_a_cache_is_loaded() -> None:
    """In words and as JSON; nothing went wrong, so the exit code is 0."""

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64497)])))
        server = RtrServer(cache)
        host, port = await server.start("127.0.0.1", 0)
        options = (f"{host}:{port}", "--routers", "10", "--duration", "1.5", "--every", "0.3", "--mix")
        words = await asyncio.to_thread(run, *options, "follow=8,reset=2")
        data = await asyncio.to_thread(run, *options, "follow", "--format", "json")
        await server.close()

        assert (words.returncode, words.stderr) == (0, "")
        assert "Routers: 8 follow, 2 reset; 1.5 s." in words.stdout
        assert "No errors." in words.stdout
        assert data.returncode == 0
        told = json.loads(data.stdout)
        assert told["durations"]["full_sync"]["count"] == 10
        assert told["records"] == 20
        assert told["durations"]["poll"]["count"] > 0

    asyncio.run(main())


def test_a_cache_that_is_not_there_is_bad_news() -> None:
    """Exit code 1, and the reason with a count."""
    done = run("127.0.0.1:1", "--routers", "3", "--duration", "0.5")
    assert done.returncode == 1
    assert "Errors:" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("127.0.0.1:3323", "--mix", "dance=1"), "dance=1"),
        (("127.0.0.1:3323", "--mix", "follow=0"), "not all 0"),
        (("127.0.0.1:3323", "--mix", "follow=-1,reset=2"), "from 0 on"),
        (("127.0.0.1:3323", "--format", "xml"), "xml"),
        (("127.0.0.1:3323", "--source", "here"), "here"),
        (("127.0.0.1:3323", "--ca-file", "ca.pem"), "tls://"),
        (("127.0.0.1",), "127.0.0.1"),
    ],
)
def test_what_cannot_be_asked_is_told(arguments: tuple[str, ...], word: str) -> None:
    """One sentence, exit code 2."""
    done = run(*arguments)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr
