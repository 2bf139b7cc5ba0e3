"""FRR's bgpd as our router."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind

pytestmark = pytest.mark.interop

CONFIGURATION = """
hostname router
rpki
 rpki polling_period 600
 rpki cache {host} {port} preference 1
 exit
router bgp 64500
 bgp router-id 192.0.2.1
"""


class Bgpd:
    """A running bgpd and its command socket."""

    def __init__(self, vtysh: str, directory: Path) -> None:
        self._vtysh = vtysh
        self._directory = directory

    def ask(self, command: str) -> str:
        """What vtysh prints for `command`; empty while bgpd is not up."""
        argv = [self._vtysh, "--vty_socket", str(self._directory), "-c", command]
        return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stdout

    def counts(self) -> tuple[int, int]:
        """VRPs of IPv4 and of IPv6."""
        printed = self.ask("show rpki prefix-table")
        found = {int(family): int(count) for family, count in re.findall(r"Number of IPv(\d) Prefixes: (\d+)", printed)}
        return found.get(4, 0), found.get(6, 0)

    def vrps(self, prefix: str) -> set[tuple[str, int]]:
        """The VRPs of one prefix: max_length and origin as bgpd prints them."""
        printed = self.ask(f"show rpki prefix {prefix}")
        rows = re.findall(r"^\S+\s+\d+ -\s+(\d+)\s+(\d+)", printed, re.MULTILINE)
        return {(max_length, int(asn)) for max_length, asn in rows}


@pytest.fixture
def bgpd(program: Callable[..., str], start: Callable[..., Any], live_cache: Any, tmp_path: Path) -> Callable[[], Bgpd]:
    """`bgpd()`: FRR's bgpd alone, with its RPKI module, connected to the live cache."""

    def run() -> Bgpd:
        executable, vtysh = program("/usr/lib/frr/bgpd"), program("vtysh")
        configuration = tmp_path / "bgpd.conf"
        configuration.write_text(CONFIGURATION.format(host=live_cache.host, port=live_cache.port))
        start(
            executable,
            *("--no_kernel", "--no_zebra", "--skip_runas", "-M", "rpki"),
            *("--bgp_port", "0", "--vty_port", "0", "--vty_socket", str(tmp_path)),
            *("--pid_file", str(tmp_path / "bgpd.pid"), "--config_file", str(configuration)),
        )
        return Bgpd(vtysh, tmp_path)

    return run


@pytest.mark.skipif(os.geteuid() != 0, reason="vtysh serves root and the group frrvty only")
def test_the_whole_table_and_a_delta(
    bgpd: Callable[[], Bgpd], live_cache: Any, world: Vrps, eventually: Callable[..., None]
) -> None:
    """bgpd takes the world and follows a change by a Serial Query that is answered with the delta."""
    live_cache.serve(world)
    router = bgpd()
    eventually(lambda: [(info.serial, info.state) for info in live_cache.sessions()], [(0, "open")])
    eventually(router.counts, (len(world.ipv4), len(world.ipv6)))
    (session,) = live_cache.sessions()
    assert (session.version, session.last_answer) == (1, AnswerKind.SNAPSHOT)
    assert router.vrps("192.0.2.0/24") == set()

    smaller = replace(world, ipv4=world.ipv4.take(slice(1000, None)))
    live_cache.serve(Vrps.concat([smaller, Vrps.of([Vrp("192.0.2.0/24", 25, 64496)])]))

    eventually(lambda: [info.serial for info in live_cache.sessions()], [1])
    eventually(router.counts, (len(world.ipv4) - 1000 + 1, len(world.ipv6)))
    assert router.vrps("192.0.2.0/24") == {("25", 64496)}
    (after,) = live_cache.sessions()
    assert (after.peer, after.last_answer) == (session.peer, AnswerKind.DELTA)
