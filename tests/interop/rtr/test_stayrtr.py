"""StayRTR as the cache of our client, and its rtrdump as the client of our cache."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpkival.errors import FetchError
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.client import fetch_payload

pytestmark = pytest.mark.interop

VRPS = [Vrp("192.0.2.0/24", 24, 64496), Vrp("198.51.100.0/24", 25, 4200000000), Vrp("2001:db8::/32", 48, 64497)]


def test_we_fetch_what_stayrtr_serves(
    program: Callable[..., str], start: Callable[..., Any], eventually: Callable[..., None], tmp_path: Path
) -> None:
    """Reset Query, version 1, against a cache that is not ours."""
    file = tmp_path / "vrps.json"
    roas = [{"prefix": vrp.prefix, "maxLength": vrp.max_length, "asn": f"AS{vrp.asn}", "ta": "x"} for vrp in VRPS]
    file.write_text(json.dumps({"metadata": {"buildtime": "2026-03-16T08:00:00Z"}, "roas": roas}))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    start(
        program("stayrtr"),
        *("-cache", str(file), "-checktime=false", "-bind", f"127.0.0.1:{port}", "-metrics.addr", "127.0.0.1:0"),
    )

    def fetched() -> list[Vrp]:
        try:
            return list(fetch_payload("127.0.0.1", port, timeout=20).vrps)
        except FetchError:
            return []

    eventually(fetched, VRPS)


@pytest.mark.parametrize("version", [0, 1])
def test_rtrdump_takes_what_we_serve(
    program: Callable[..., str], live_cache: Any, tmp_path: Path, version: int
) -> None:
    """In both versions."""
    live_cache.serve(Vrps.of(VRPS))
    output = tmp_path / "dump.json"

    cache = f"{live_cache.host}:{live_cache.port}"
    argv = [program("rtrdump"), "-connect", cache, "-rtr.version", str(version), "-file", str(output)]
    subprocess.run(argv, capture_output=True, timeout=60, check=True)

    roas = json.loads(output.read_text())["roas"]
    found = {(roa["prefix"], roa["maxLength"], int(str(roa["asn"]).removeprefix("AS"))) for roa in roas}
    assert found == {(vrp.prefix, vrp.max_length, vrp.asn) for vrp in VRPS}
