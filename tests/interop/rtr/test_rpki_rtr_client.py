"""The package rpki-rtr-client as our router: the whole table, a delta, a restart of the cache.

Its last release is of 2020, and it needs a compiled package and Python 3.11 at most: it lives in an environment of its
own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.pdu import Timers

pytestmark = pytest.mark.interop

Row = tuple[str, int, int]
FIVE_SECONDS = "5"
"""How long it waits before it looks whether it is time to ask again; it takes multiples of five only."""
A_TABLE_OF_THE_WORLD = 240.0
"""Seconds. It computes for half a minute until it has one in its file."""


def rows(vrps: Vrps) -> list[Row]:
    """Prefix, max_length and ASN."""
    return sorted((vrp.prefix, vrp.max_length, vrp.asn) for vrp in vrps)


class Table:
    """The file that the client writes whenever it has come to another serial, after the first."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read: tuple[int, int] | None = None
        self._rows: list[Row] = []

    def rows(self) -> list[Row]:
        """What is in it; what is there twice is here twice, and of a file half written nothing is."""
        try:
            status = self._path.stat()
            if self._read != (status.st_mtime_ns, status.st_size):
                families = json.loads(self._path.read_text())["routes"]
                self._read = status.st_mtime_ns, status.st_size
                self._rows = sorted(
                    (prefix, int(max_length), int(asn))
                    for by_prefix in families.values()
                    for by_length in by_prefix.values()
                    for max_length, entries in by_length.items()
                    for entry in entries
                    for asn, prefix in entry.items()
                )
        except (FileNotFoundError, json.JSONDecodeError):
            return []
        return self._rows


@pytest.fixture
def table(start: Callable[..., Any], live_cache: Any, tmp_path: Path) -> Table:
    """What the client has, which is connected to the live cache; it may ask each second."""
    client = os.environ.get("RPKIVAL_PYTHON_RTR_CLIENT")
    if not client:
        pytest.skip(
            "rpki-rtr-client is not named: install lock/peers.txt into a virtual environment of Python 3.11, "
            "and let RPKIVAL_PYTHON_RTR_CLIENT be the path of its rtr_client"
        )
    live_cache.cache.timers = Timers(1, 1, 7200)
    live_cache.serve(Vrps.of([Vrp("192.0.2.0/24", 24, 1)]))
    live_cache.serve(Vrps.empty())  # of serial 1 from here on: at serial 0 the client writes nothing
    start(client, "-h", live_cache.host, "-p", str(live_cache.port), "-t", FIVE_SECONDS)
    return Table(tmp_path / "data/routingtable.json")


def test_the_whole_table_and_a_delta(
    table: Table, live_cache: Any, world: Vrps, eventually: Callable[..., None]
) -> None:
    """Each VRP is there once, and after a change what is withdrawn is not."""
    live_cache.serve(world)
    expected = rows(world)
    eventually(lambda: table.rows() == expected, True, seconds=A_TABLE_OF_THE_WORLD)

    fewer = replace(world, ipv4=world.ipv4.take(slice(500, None)), ipv6=world.ipv6.take(slice(0, -200)))
    live_cache.serve(Vrps.concat([fewer, Vrps.of([Vrp("192.0.2.0/24", 24, 0)])]))
    expected = sorted([*rows(fewer), ("192.0.2.0/24", 24, 0)])
    eventually(lambda: table.rows() == expected, True, seconds=A_TABLE_OF_THE_WORLD)
    (session,) = live_cache.sessions()
    assert (session.version, session.serial, session.last_answer) == (1, 3, AnswerKind.DELTA)


def test_a_restart_goes_unnoticed(table: Table, live_cache: Any, eventually: Callable[..., None]) -> None:
    """It comes back with its serial and takes a delta; it never forgets, so a table told anew would be there twice."""
    some = [Vrp(f"10.{number}.0.0/16", 24, 64496 + number) for number in range(200)]
    live_cache.serve(Vrps.of([*some, Vrp("2001:db8::/32", 48, 64497)]))
    before = rows(live_cache.cache.payload.vrps)
    eventually(table.rows, before)
    (session,) = live_cache.sessions()

    live_cache.restart(away=1.0)
    eventually(lambda: [(info.serial, info.last_answer) for info in live_cache.sessions()], [(2, AnswerKind.DELTA)])
    (again,) = live_cache.sessions()
    assert again.peer != session.peer
    assert table.rows() == before

    live_cache.serve(Vrps.of([*some[10:], Vrp("2001:db8::/32", 47, 64497), Vrp("203.0.113.0/24", 24, 0)]))
    eventually(table.rows, rows(live_cache.cache.payload.vrps))
    (session,) = live_cache.sessions()
    assert (session.peer, session.serial, session.last_answer) == (again.peer, 3, AnswerKind.DELTA)
