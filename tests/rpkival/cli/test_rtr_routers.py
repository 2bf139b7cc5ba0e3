"""`rpkival rtr routers` as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

RPKIVAL = (sys.executable, "-c", "from rpkival.cli.main import main; main()")
ROUTER = {
    "peer": "192.0.2.7:40122",
    "version": 1,
    "serial": 15,
    "connected_since": 1_773_647_940,
    "bytes_sent": 4096,
    "state": "open",
    "last_answer": "delta",
    "last_error": "",
    "transport": "tls",
    "bytes_received": 20,
    "lag": 0,
}


@contextmanager
def status(body: bytes) -> Iterator[str]:
    """A server whose every answer is `body`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    argv = (*RPKIVAL, "rtr", "routers", *arguments)
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)


def test_routers_are_listed_those_behind_first() -> None:
    """A table, and exit code 1 since one is behind."""
    behind = ROUTER | {"peer": "[2001:db8::1]:40001", "lag": 2, "version": None, "last_error": "It stalled."}
    with status(json.dumps({"serial": 17, "routers": [ROUTER, behind]}).encode()) as url:
        words, data = run("--url", url), run("--url", url + "/", "--format", "json")
    assert words.returncode == data.returncode == 1, words.stderr
    head, first, second = words.stdout.splitlines()
    assert head.split()[:5] == ["router", "transport", "version", "serial", "behind"]
    assert first.split()[:5] == ["[2001:db8::1]:40001", "tls", "-", "15", "2"]
    assert "It stalled." in first
    assert second.split()[:7] == ["192.0.2.7:40122", "tls", "1", "15", "0", "open", "2026-03-16T07:59:00Z"]
    assert [router["lag"] for router in json.loads(data.stdout)] == [2, 0]


@pytest.mark.parametrize("url", ["foo", "127.0.0.1:8323", "http://[bad", "http://127.0.0.1:99999"])
def test_what_is_no_address_is_told_as_it_was_written(url: str) -> None:
    """Not as what we would have asked for."""
    done = run("--url", url)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"rpkival: --url '{url}' is not the address of a page; write it as http://")


def test_nobody_and_nothing() -> None:
    """No router is no error; what is no status is one, and so is nobody who answers."""
    with status(b'{"routers": []}') as url:
        nobody = run("--url", url)
    with status(b"<html>") as url:
        nothing = run("--url", url)
    gone, wrong = run("--url", "http://127.0.0.1:1"), run("--format", "xml")
    assert (nobody.returncode, nobody.stdout) == (0, "No router is connected.\n")
    assert (nothing.returncode, gone.returncode, wrong.returncode) == (3, 3, 2)
    assert "is not the status of rpkival up" in nothing.stderr
    assert "does rpkival up run there?" in gone.stderr
    assert "Traceback" not in nothing.stderr + gone.stderr + wrong.stderr
