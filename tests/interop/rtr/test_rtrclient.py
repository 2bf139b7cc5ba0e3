"""rtrlib's rtrclient as our router."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind

pytestmark = pytest.mark.interop

Row = tuple[str, int, int, int]


def expected_rows(vrps: Vrps) -> set[Row]:
    """Address, length, max_length and ASN as rtrclient prints them."""
    rows = set()
    for vrp in vrps:
        address, length = vrp.prefix.split("/")
        rows.add((address, int(length), vrp.max_length, vrp.asn))
    return rows


def test_the_whole_table_is_what_rtrlib_has(
    program: Callable[..., str], live_cache: Any, world: Vrps, tmp_path: Path
) -> None:
    """Every row that rtrclient exports is one of ours, once."""
    executable = program("rtrclient")
    live_cache.serve(world)
    table = tmp_path / "table.csv"

    argv = [executable, "-e", "-t", "csv", "-o", str(table), "tcp", live_cache.host, str(live_cache.port)]
    subprocess.run(argv, capture_output=True, check=True, timeout=60)

    rows = []
    for line in table.read_text().splitlines():
        if fields := re.fullmatch(r"([0-9a-f.:]+), (\d+), (\d+), (-?\d+)", line.strip()):
            # rtrclient prints AS numbers above 2^31 as negative ones.
            rows.append((fields[1], int(fields[2]), int(fields[3]), int(fields[4]) % 2**32))
    assert len(rows) == len(world)
    assert set(rows) == expected_rows(world)


def test_a_change_is_followed_by_a_delta(
    program: Callable[..., str],
    start: Callable[..., Any],
    live_cache: Any,
    world: Vrps,
    eventually: Callable[..., None],
    tmp_path: Path,
) -> None:
    """The updates that rtrlib reports are the changes, and no more."""
    first = replace(world, ipv4=world.ipv4.take(slice(0, 5000)), ipv6=world.ipv6.take(slice(0, 2000)))
    live_cache.serve(first)
    # Without stdbuf the last updates stay in a buffer of rtrclient's.
    argv = [program("stdbuf"), "-oL", program("rtrclient"), "-p", "tcp", live_cache.host, str(live_cache.port)]
    start(*argv)
    log = tmp_path / "stdbuf.log"

    def updates() -> Counter[str]:
        return Counter(re.findall(r"^([+-]) ", log.read_text(errors="replace"), re.MULTILINE))

    eventually(lambda: [info.serial for info in live_cache.sessions()], [0])
    live_cache.serve(
        Vrps.concat([replace(first, ipv4=first.ipv4.take(slice(10, None))), Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])])
    )
    eventually(lambda: [info.serial for info in live_cache.sessions()], [1])
    (session,) = live_cache.sessions()
    assert (session.version, session.last_answer) == (1, AnswerKind.DELTA)
    eventually(updates, Counter({"+": 7001, "-": 10}))
