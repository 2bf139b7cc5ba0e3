"""Real routers at the lab's BGP speaker: they take the table, and see the hijack come and go."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from rpkival.lab.internet import LabInternet
from rpkival.lab.scenario import Scenario
from rpkival.lab.topology import LAB
from rpkival.payload.vrps import Vrp, Vrps

pytestmark = pytest.mark.interop

HIJACK = str(LAB.hijack.prefix)
START, END = islice(Scenario(LAB.hijack).events(), 2)
EVERYTHING = {str(announced.prefix) for announced in LAB.announcements()}


@contextmanager
def running(command: list[str], log: Path) -> Iterator[None]:
    """A daemon in the foreground, ended by its own process id."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def ask(*command: str) -> str:
    """What a control program prints; nothing while the daemon is not up yet."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    output, _ = await process.communicate()
    return output.decode(errors="replace") if process.returncode == 0 else ""


@dataclass
class Router:
    """A daemon and how to ask it for its routes: prefix to origin AS."""

    routes: Callable[[], Awaitable[dict[str, int]]]
    log: Path

    async def until(self, holds: Callable[[dict[str, int]], bool]) -> dict[str, int]:
        """Poll its table until it is so."""
        deadline = time.monotonic() + 60
        while not holds(table := await self.routes()):
            assert time.monotonic() < deadline, (table, self.log.read_text(errors="replace")[-2000:])
            await asyncio.sleep(0.1)
        return dict(table)


@pytest.fixture
async def lab() -> AsyncIterator[LabInternet]:
    """The lab, its events applied by hand."""
    async with LabInternet() as lab:
        yield lab


async def see_the_hijack_come_and_go(lab: LabInternet, router: Router) -> None:
    """What every router must learn, over one session."""
    quiet = await router.until(lambda table: table.keys() >= EVERYTHING)
    assert quiet.keys() == EVERYTHING
    assert quiet["198.18.64.0/20"] == LAB.victim
    [session] = lab.sessions()
    assert session.asn == 65550

    lab.apply(START)
    assert (await router.until(lambda table: HIJACK in table))[HIJACK] == LAB.hijack.origin
    lab.apply(END)
    assert await router.until(lambda table: HIJACK not in table) == quiet
    assert lab.sessions() == (session,)


BIRD = """
log stderr all;
router id 192.0.2.50;
roa4 table roas;
protocol device {{ }}
protocol static signed {{ roa4 {{ table roas; }}; route 198.18.64.0/20 max 20 as 64505; }}
filter checked {{ if {check} then reject; accept; }}
protocol bgp lab {{
  local 127.0.0.1 as 65550;
  neighbor 127.0.0.1 port {port} as 64496;
  multihop;
  connect delay time 1;
  ipv4 {{ import filter checked; import keep filtered; export none; }};
  ipv6 {{ import all; export none; }};
}}
"""


@contextmanager
def bird(program: Callable[..., str], directory: Path, port: int, check: str) -> Iterator[Router]:
    """An unprivileged BIRD that checks IPv4 routes so."""
    config, control, log = directory / "bird.conf", directory / "bird.ctl", directory / "bird.log"
    config.write_text(BIRD.format(port=port, check=check))
    birdc = program("birdc")

    async def routes() -> dict[str, int]:
        # 198.18.64.0/20  unreachable [lab 23:19:04.438 from 127.0.0.1] * (100) [AS64505i]
        lines = (await ask(birdc, "-s", str(control), "show", "route", "protocol", "lab")).splitlines()
        return {line.split()[0]: int(line.rsplit("[AS")[-1].rstrip("i?e]")) for line in lines if "[AS" in line}

    command = [program("bird"), "-f", "-c", str(config), "-s", str(control), "-P", str(directory / "bird.pid")]
    with running(command, log):
        yield Router(routes, log)


async def test_bird(lab: LabInternet, program: Callable[..., str], tmp_path: Path) -> None:
    """Without a check the hijack is believed."""
    addresses = await lab.start()
    with bird(program, tmp_path, addresses.bgp[1], "false") as router:
        await see_the_hijack_come_and_go(lab, router)


async def test_bird_with_roas_drops_the_hijack(lab: LabInternet, program: Callable[..., str], tmp_path: Path) -> None:
    """It is received, found invalid, and not taken; the victim's route stays."""
    addresses = await lab.start()
    birdc = program("birdc")
    with bird(program, tmp_path, addresses.bgp[1], "roa_check(roas, net, bgp_path.last) = ROA_INVALID") as router:
        quiet = await router.until(lambda table: table.keys() >= EVERYTHING)
        lab.apply(START)

        async def filtered() -> dict[str, int]:
            show = ("show", "route", "filtered", "protocol", "lab")
            lines = await ask(birdc, "-s", str(tmp_path / "bird.ctl"), *show)
            return {HIJACK: LAB.hijack.origin} if HIJACK in lines else {}

        await Router(filtered, router.log).until(lambda table: HIJACK in table)
        assert await router.routes() == quiet
        lab.apply(END)
        await Router(filtered, router.log).until(lambda table: not table)
        assert await router.routes() == quiet


async def test_documented_bird_drops_what_came_before_the_vrps(
    lab: LabInternet, live_cache: Any, program: Callable[..., str], tmp_path: Path
) -> None:
    """The configuration of docs/lab.md: believed at first, invalid routes go as soon as the VRPs come over RTR."""
    addresses = await lab.start()
    text = (Path(__file__).parents[2] / "docs" / "lab.md").read_text("utf-8").split("```")[1]
    assert text.count("port 3323;") == text.count("port 11790 ") == 1
    config, control, log = tmp_path / "bird.conf", tmp_path / "bird.ctl", tmp_path / "bird.log"
    text = text.replace("port 11790 ", f"port {addresses.bgp[1]} ").replace("port 3323;", f"port {live_cache.port};")
    config.write_text(f"log stderr all;\n{text}")
    birdc = program("birdc")

    async def prefixes(*which: str) -> dict[str, int]:
        lines = (await ask(birdc, "-s", str(control), "show", "route", *which, "protocol", "transit")).splitlines()
        return {line.split()[0]: 0 for line in lines if "[AS" in line and "." in line.split("/")[0]}

    command = [program("bird"), "-f", "-c", str(config), "-s", str(control), "-P", str(tmp_path / "bird.pid")]
    with running(command, log):
        lab.apply(START)
        taken, filtered = Router(prefixes, log), Router(lambda: prefixes("filtered"), log)
        believed = await taken.until(lambda table: len(table) == 13)
        assert HIJACK in believed

        live_cache.serve(Vrps.of(Vrp(roa.prefix, roa.max_length, roa.asn) for roa in LAB.roas))

        dropped = await filtered.until(lambda table: len(table) == 3)
        kept = await taken.until(lambda table: len(table) == 10)
    assert dropped.keys() == {HIJACK, "198.18.129.0/24", "198.18.131.0/24"}
    assert kept.keys() == believed.keys() - dropped.keys()


FRR = """
hostname lab
router bgp 65550
 bgp router-id 192.0.2.50
 no bgp ebgp-requires-policy
 neighbor 127.0.0.1 remote-as 64496
 neighbor 127.0.0.1 port {port}
 neighbor 127.0.0.1 ebgp-multihop 5
 neighbor 127.0.0.1 timers connect 1
 address-family ipv6 unicast
  neighbor 127.0.0.1 activate
 exit-address-family
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="vtysh serves root and the group frrvty only")
async def test_frr(lab: LabInternet, program: Callable[..., str], tmp_path: Path) -> None:
    """FRR's bgpd alone; it tells all routes back, which costs us nothing."""
    addresses = await lab.start()
    config = tmp_path / "bgpd.conf"
    config.write_text(FRR.format(port=addresses.bgp[1]))
    vtysh = program("vtysh")

    async def routes() -> dict[str, int]:
        found: dict[str, int] = {}
        for family in ("ipv4", "ipv6"):
            text = await ask(vtysh, "--vty_socket", str(tmp_path), "-c", f"show bgp {family} unicast json")
            for prefix, paths in (json.loads(text)["routes"] if text.startswith("{") else {}).items():
                found[prefix] = int(paths[0]["path"].split()[-1])
        return found

    command = [
        *(
            program("/usr/lib/frr/bgpd"),
            "--no_kernel",
            "--no_zebra",
            "--skip_runas",
            "--bgp_port",
            "0",
            "--vty_port",
            "0",
        ),
        *("--vty_socket", str(tmp_path), "--pid_file", str(tmp_path / "bgpd.pid"), "--config_file", str(config)),
    ]
    log = tmp_path / "bgpd.log"
    with running(command, log):
        await see_the_hijack_come_and_go(lab, Router(routes, log))


async def test_gobgp(
    lab: LabInternet, gobgp_configuration: Callable[..., str], program: Callable[..., str], tmp_path: Path
) -> None:
    """GoBGP, asked over a socket in the test's directory."""
    addresses = await lab.start()
    config, log, api = tmp_path / "gobgpd.toml", tmp_path / "gobgpd.log", f"unix://{tmp_path}/api"
    config.write_text(gobgp_configuration("192.0.2.50", *addresses.bgp))
    gobgp = program("gobgp")

    async def routes() -> dict[str, int]:
        found: dict[str, int] = {}
        for family in ("ipv4", "ipv6"):
            text = await ask(gobgp, "--target", api, "-j", "global", "rib", "-a", family)
            for prefix, paths in (json.loads(text) if text.startswith("{") else {}).items():
                [as_path] = [attribute for attribute in paths[0]["attrs"] if attribute["type"] == 2]
                found[prefix] = as_path["as_paths"][-1]["asns"][-1]
        return found

    with running([program("gobgpd"), "-f", str(config), "--api-hosts", api], log):
        await see_the_hijack_come_and_go(lab, Router(routes, log))


INVALID = {HIJACK, "198.18.129.0/24", "198.18.131.0/24", "2001:db8:801::/48", "2001:db8:803::/48"}


def configuration(vendor: str, live_cache: Any) -> str:
    """What `rpkival router` prints for the live cache."""
    command = [sys.executable, "-m", "rpkival", "router", vendor, "--server", f"{live_cache.host}:{live_cache.port}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


async def drops_the_invalid_and_nothing_else(lab: LabInternet, live_cache: Any, router: Router) -> None:
    """With the VRPs there before the routes come, as a router that is started anew has them."""
    lab.apply(START)
    live_cache.serve(Vrps.of(Vrp(roa.prefix, roa.max_length, roa.asn) for roa in LAB.roas))
    taken = await router.until(lambda table: table.keys() >= EVERYTHING - INVALID and not table.keys() & INVALID)
    assert taken.keys() == EVERYTHING - INVALID
    # It was the VRPs: without them all are taken.
    live_cache.serve(Vrps.empty())


BIRD_SESSION = """
log stderr all;
router id 192.0.2.50;
protocol device {{ }}
{router}
protocol bgp lab {{
  local 127.0.0.1 as 65550; neighbor 127.0.0.1 port {port} as 64496; multihop; connect delay time 5;
  ipv4 {{ import table; import filter rpkival_in; export none; }};
  ipv6 {{ import table; import filter rpkival_in; export none; }};
}}
"""


async def test_printed_bird(lab: LabInternet, live_cache: Any, program: Callable[..., str], tmp_path: Path) -> None:
    """`rpkival router bird`, with a session."""
    addresses = await lab.start()
    config, control, log = tmp_path / "bird.conf", tmp_path / "bird.ctl", tmp_path / "bird.log"
    config.write_text(BIRD_SESSION.format(router=configuration("bird", live_cache), port=addresses.bgp[1]))
    birdc = program("birdc")

    async def routes() -> dict[str, int]:
        lines = (await ask(birdc, "-s", str(control), "show", "route", "protocol", "lab")).splitlines()
        return {line.split()[0]: 0 for line in lines if "[AS" in line}

    command = [program("bird"), "-f", "-c", str(config), "-s", str(control), "-P", str(tmp_path / "bird.pid")]
    with running(command, log):
        router = Router(routes, log)
        await drops_the_invalid_and_nothing_else(lab, live_cache, router)
        await router.until(lambda table: table.keys() >= INVALID)


FRR_SESSION = """
hostname lab
{router}
router bgp 65550
 bgp router-id 192.0.2.50
 neighbor 127.0.0.1 remote-as 64496
 neighbor 127.0.0.1 port {port}
 neighbor 127.0.0.1 ebgp-multihop 5
 neighbor 127.0.0.1 timers connect 1
 address-family ipv4 unicast
  neighbor 127.0.0.1 soft-reconfiguration inbound
  neighbor 127.0.0.1 route-map RPKIVAL-IN in
 exit-address-family
 address-family ipv6 unicast
  neighbor 127.0.0.1 activate
  neighbor 127.0.0.1 soft-reconfiguration inbound
  neighbor 127.0.0.1 route-map RPKIVAL-IN in
 exit-address-family
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="vtysh serves root and the group frrvty only")
async def test_printed_frr(lab: LabInternet, live_cache: Any, program: Callable[..., str], tmp_path: Path) -> None:
    """`rpkival router frr`, with a session."""
    addresses = await lab.start()
    config = tmp_path / "bgpd.conf"
    config.write_text(FRR_SESSION.format(router=configuration("frr", live_cache), port=addresses.bgp[1]))
    vtysh = program("vtysh")

    async def routes() -> dict[str, int]:
        found: dict[str, int] = {}
        for family in ("ipv4", "ipv6"):
            text = await ask(vtysh, "--vty_socket", str(tmp_path), "-c", f"show bgp {family} unicast json")
            found |= dict.fromkeys(json.loads(text)["routes"] if text.startswith("{") else (), 0)
        return found

    command = [
        *(program("/usr/lib/frr/bgpd"), "--no_kernel", "--no_zebra", "--skip_runas", "-M", "rpki"),
        *("--bgp_port", "0", "--vty_port", "0", "--vty_socket", str(tmp_path)),
        *("--pid_file", str(tmp_path / "bgpd.pid"), "--config_file", str(config)),
    ]
    with running(command, tmp_path / "bgpd.log"):
        router = Router(routes, tmp_path / "bgpd.log")
        await drops_the_invalid_and_nothing_else(lab, live_cache, router)

        async def judged_again() -> dict[str, int]:
            # Of what it rejected, FRR 8.4 does not always think again by itself when VRPs go.
            for family in ("ipv4", "ipv6"):
                await ask(vtysh, "--vty_socket", str(tmp_path), "-c", f"clear bgp {family} unicast * soft in")
            return await routes()

        await Router(judged_again, router.log).until(lambda table: table.keys() >= INVALID)


async def test_printed_gobgp(
    lab: LabInternet,
    live_cache: Any,
    gobgp_configuration: Callable[..., str],
    program: Callable[..., str],
    tmp_path: Path,
) -> None:
    """`rpkival router gobgp`, with a session. GoBGP does not judge again what it has, so the VRPs come first."""
    addresses = await lab.start()
    live_cache.serve(Vrps.of(Vrp(roa.prefix, roa.max_length, roa.asn) for roa in LAB.roas))
    config, log, api = tmp_path / "gobgpd.toml", tmp_path / "gobgpd.log", f"unix://{tmp_path}/api"
    printed = configuration("gobgp", live_cache)
    config.write_text(gobgp_configuration("192.0.2.50", *addresses.bgp, rpki=printed))
    gobgp = program("gobgp")

    async def routes() -> dict[str, int]:
        found: dict[str, int] = {}
        for family in ("ipv4", "ipv6"):
            text = await ask(gobgp, "--target", api, "-j", "global", "rib", "-a", family)
            found |= dict.fromkeys(json.loads(text) if text.startswith("{") else (), 0)
        return found

    lab.apply(START)
    with running([program("gobgpd"), "-f", str(config), "--api-hosts", api], log):
        taken = await Router(routes, log).until(lambda table: table.keys() >= EVERYTHING - INVALID)
    assert not taken.keys() & INVALID


OPENBGPD_SESSION = """
AS 65550
router-id 192.0.2.50
fib-update no
socket "{socket}"
listen on 127.0.0.1 port {own}
neighbor 127.0.0.1 {{
	remote-as 64496
	port {port}
	multihop 5
	announce IPv6 unicast
}}
allow from ebgp
{router}
"""


@pytest.fixture
def openbgpd_home() -> None:
    """Where bgpd locks itself in; its unit would have made it."""
    Path("/run/openbgpd").mkdir(exist_ok=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="OpenBGPD starts as root only")
@pytest.mark.usefixtures("openbgpd_home")
async def test_printed_openbgpd(lab: LabInternet, live_cache: Any, program: Callable[..., str], tmp_path: Path) -> None:
    """`rpkival router openbgpd`, with a session; judged again as soon as VRPs change."""
    bgpd, bgpctl = program("/usr/sbin/bgpd"), program("bgpctl")
    addresses = await lab.start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        own = free.getsockname()[1]
    # A path of a socket is short.
    with tempfile.TemporaryDirectory(prefix="rpkival-") as short:
        control, config = Path(short) / "ctl", tmp_path / "bgpd.conf"
        config.write_text(
            OPENBGPD_SESSION.format(
                router=configuration("openbgpd", live_cache), port=addresses.bgp[1], own=own, socket=control
            )
        )
        config.chmod(0o600)

        async def routes() -> dict[str, int]:
            text = await ask(bgpctl, "-s", str(control), "-j", "show", "rib")
            found = json.loads(text).get("rib", []) if text.startswith("{") else []
            return {entry["prefix"]: 0 for entry in found}

        with running([bgpd, "-d", "-v", "-f", str(config)], tmp_path / "bgpd.log"):
            router = Router(routes, tmp_path / "bgpd.log")
            await drops_the_invalid_and_nothing_else(lab, live_cache, router)
            await router.until(lambda table: table.keys() >= INVALID)
