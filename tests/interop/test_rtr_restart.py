"""The cache restarts: no router loses or doubles a VRP, none fetches everything again, and all follow on."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.pdu import Timers

pytestmark = pytest.mark.interop

Row = tuple[str, int, int]
Look = Callable[[], object]
BEFORE = frozenset(
    [*((f"10.{number}.0.0/16", 24, 64496 + number) for number in range(50)), ("2001:db8::/32", 48, 64497)]
)
AFTER = BEFORE - {("10.0.0.0/16", 24, 64496)} | {("203.0.113.0/24", 24, 0), ("198.51.100.0/24", 25, 0)}
AWAY_SECONDS = 1.0

BIRD = """
router id 192.0.2.1;
roa4 table r4;
roa6 table r6;
protocol device {{}}
protocol rpki cache {{
  roa4 {{ table r4; }};
  roa6 {{ table r6; }};
  remote {host} port {port};
  retry keep 1;
  refresh keep 600;
  expire keep 7200;
}}
"""
FRR = """
hostname router
rpki
 rpki polling_period 600
 rpki retry_interval 1
 rpki cache {host} {port} preference 1
 exit
router bgp 64500
 bgp router-id 192.0.2.1
"""
GOBGP = """
[global.config]
  as = 64500
  router-id = "192.0.2.1"
  port = -1
[[rpki-servers]]
  [rpki-servers.config]
    address = "{host}"
    port = {port}
"""


def printed(*argv: str) -> str:
    """What a command prints, whatever it thinks of it."""
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stdout


def rows(text: str, pattern: str) -> frozenset[Row]:
    """VRPs as prefix, max_length, ASN, from lines that match."""
    found = re.findall(pattern, text, re.MULTILINE)
    assert len(found) == len(set(found)), f"something is there twice: {found}"
    return frozenset((prefix, int(max_length), int(asn)) for prefix, max_length, asn in found)


@pytest.fixture
def bird(program: Callable[..., str], start: Callable[..., Any], live_cache: Any, tmp_path: Path) -> Look:
    """BIRD."""
    config, control, birdc = tmp_path / "bird.conf", tmp_path / "bird.ctl", program("birdc")
    config.write_text(BIRD.format(host=live_cache.host, port=live_cache.port))
    start(program("bird"), "-f", "-c", str(config), "-s", str(control), "-P", str(tmp_path / "bird.pid"))

    def look() -> frozenset[Row]:
        texts = (printed(birdc, "-s", str(control), "show", "route", "table", table) for table in ("r4", "r6"))
        return rows("".join(texts), r"^(\S+/\d+)-(\d+) AS(\d+)\s")

    return look


@pytest.fixture
def frr(program: Callable[..., str], start: Callable[..., Any], live_cache: Any, tmp_path: Path) -> Look:
    """FRR's bgpd."""
    if os.geteuid() != 0:
        pytest.skip("vtysh serves root and the group frrvty only")
    config, vtysh = tmp_path / "bgpd.conf", program("vtysh")
    config.write_text(FRR.format(host=live_cache.host, port=live_cache.port))
    start(
        *(program("/usr/lib/frr/bgpd"), "--no_kernel", "--no_zebra", "--skip_runas", "-M", "rpki"),
        *("--bgp_port", "0", "--vty_port", "0", "--vty_socket", str(tmp_path)),
        *("--pid_file", str(tmp_path / "bgpd.pid"), "--config_file", str(config)),
    )

    def look() -> frozenset[Row]:
        text = printed(vtysh, "--vty_socket", str(tmp_path), "-c", "show rpki prefix-table")
        found = re.findall(r"^(\S+)\s+(\d+) -\s+(\d+)\s+(\d+)", text, re.MULTILINE)
        assert len(found) == len(set(found))
        return frozenset((f"{address}/{length}", int(longest), int(asn)) for address, length, longest, asn in found)

    return look


@pytest.fixture
def gobgp(program: Callable[..., str], start: Callable[..., Any], live_cache: Any, tmp_path: Path) -> Look:
    """GoBGP."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        control = free.getsockname()[1]
    config, client = tmp_path / "gobgpd.toml", program("gobgp")
    config.write_text(GOBGP.format(host=live_cache.host, port=live_cache.port))
    start(program("gobgpd"), "-f", str(config), "--api-hosts", f"127.0.0.1:{control}")

    def look() -> frozenset[Row]:
        families = (printed(client, "-p", str(control), "rpki", "table", "-a", family) for family in ("ipv4", "ipv6"))
        return rows("".join(families), r"^(\S+/\d+)\s+(\d+)\s+(\d+)\s")

    return look


@pytest.fixture
def openbgpd(program: Callable[..., str], openbgpd_at: Callable[..., Look], live_cache: Any) -> Look:
    """OpenBGPD, which only tells how many there are."""
    return openbgpd_at(program("/usr/sbin/bgpd"), program("bgpctl"), live_cache.host, live_cache.port)


def themselves(vrps: frozenset[Row]) -> object:
    """What most routers show."""
    return vrps


def counts(vrps: frozenset[Row]) -> object:
    """What OpenBGPD shows: how many prefixes of IPv4, how many of IPv6, and no ASPA."""
    ipv6 = sum(":" in prefix for prefix, _, _ in vrps)
    return len(vrps) - ipv6, ipv6, 0


@pytest.mark.parametrize(
    ("router", "shown", "back_by"),
    [
        ("bird", themselves, AnswerKind.DELTA),
        ("frr", themselves, AnswerKind.DELTA),
        # GoBGP begins each connection with a Reset Query, whatever it has, and waits half a minute before it.
        ("gobgp", themselves, AnswerKind.SNAPSHOT),
        ("openbgpd", counts, AnswerKind.DELTA),
    ],
)
def test_a_restart_goes_unnoticed(
    router: str,
    shown: Callable[[frozenset[Row]], object],
    back_by: AnswerKind,
    request: pytest.FixtureRequest,
    live_cache: Any,
    eventually: Callable[..., None],
) -> None:
    """While the cache is away and when it is back, a router has exactly what it had; then it takes a delta."""
    live_cache.cache.timers = Timers(3600, 1, 7200)
    live_cache.serve(Vrps.of([Vrp("192.0.2.0/24", 24, 1)]))
    live_cache.serve(Vrps.of(Vrp(*row) for row in BEFORE))
    look: Look = request.getfixturevalue(router)
    eventually(look, shown(BEFORE))
    (before,) = live_cache.sessions()
    assert before.serial == 1

    others: set[object] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            others.add(look())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        live_cache.restart(away=AWAY_SECONDS)
        eventually(lambda: [(info.serial, info.last_answer) for info in live_cache.sessions()], [(1, back_by)])
    finally:
        over.set()
        watcher.join()
    assert others == {shown(BEFORE)}

    live_cache.serve(Vrps.of(Vrp(*row) for row in AFTER))
    eventually(look, shown(AFTER))
    (after,) = live_cache.sessions()
    assert (after.serial, after.last_answer) == (2, AnswerKind.DELTA)
    assert after.peer != before.peer


@pytest.mark.parametrize(("router", "shown"), [("bird", themselves), ("frr", themselves), ("openbgpd", counts)])
def test_what_changed_meanwhile_is_a_delta(
    router: str,
    shown: Callable[[frozenset[Row]], object],
    request: pytest.FixtureRequest,
    live_cache: Any,
    eventually: Callable[..., None],
) -> None:
    """A router that lags behind when the cache is back takes a delta too, on its first connection."""
    live_cache.cache.timers = Timers(3600, 1, 7200)
    live_cache.serve(Vrps.of(Vrp(*row) for row in BEFORE))
    look: Look = request.getfixturevalue(router)
    eventually(look, shown(BEFORE))

    live_cache.restart(away=AWAY_SECONDS, served=Vrps.of(Vrp(*row) for row in AFTER))

    eventually(look, shown(AFTER))
    (info,) = live_cache.sessions()
    assert (info.serial, info.last_answer, info.last_error) == (1, AnswerKind.DELTA, "")
