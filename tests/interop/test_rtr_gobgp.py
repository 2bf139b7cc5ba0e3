"""GoBGP as our router."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind

pytestmark = pytest.mark.interop

CONFIGURATION = """
[global.config]
  as = 64500
  router-id = "192.0.2.1"
  port = -1
[[rpki-servers]]
  [rpki-servers.config]
    address = "{host}"
    port = {port}
"""


def test_a_table_and_a_delta(
    program: Callable[..., str],
    start: Callable[..., Any],
    live_cache: Any,
    eventually: Callable[..., None],
    tmp_path: Path,
) -> None:
    """GoBGP takes the VRPs and follows a change by a Serial Query that is answered with the delta."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        control = free.getsockname()[1]
    configuration = tmp_path / "gobgpd.toml"
    configuration.write_text(CONFIGURATION.format(host=live_cache.host, port=live_cache.port))
    gobgp = program("gobgp")
    live_cache.serve(Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("198.51.100.0/24", 25, 64497)]))
    start(program("gobgpd"), "-f", str(configuration), "--api-hosts", f"127.0.0.1:{control}")

    def table() -> set[tuple[str, int, int]]:
        argv = [gobgp, "-p", str(control), "rpki", "table"]
        printed = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stdout
        rows = re.findall(r"^(\S+/\d+)\s+(\d+)\s+(\d+)\s", printed, re.MULTILINE)
        return {(prefix, int(max_length), int(asn)) for prefix, max_length, asn in rows}

    eventually(table, {("192.0.2.0/24", 24, 64496), ("198.51.100.0/24", 25, 64497)})
    live_cache.serve(Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("203.0.113.0/24", 24, 0)]))
    eventually(table, {("192.0.2.0/24", 24, 64496), ("203.0.113.0/24", 24, 0)})
    (session,) = live_cache.sessions()
    assert (session.serial, session.last_answer) == (1, AnswerKind.DELTA)
