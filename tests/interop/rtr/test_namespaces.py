"""All routers at once in a network namespace of their own, and ours in another: links fail, and the cache dies.

What each router makes of the set is tested on loopback beside this file; here are the wire, the real `rtr serve`, and
the configuration that `rpkival router` prints.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes network namespaces, and starts OpenBGPD"),
]

Row = tuple[str, int, int]
Rows = frozenset[Row]
Counts = tuple[int, int]

FULL = frozenset(
    [
        *((f"10.{number // 250}.{number % 250}.0/24", 24 + number % 3, 64496 + number) for number in range(3000)),
        *((f"2001:db8:{number:x}::/48", 48 + number % 5, 64496 + number) for number in range(1, 1501)),
    ]
)
IN_ORDER = sorted(FULL)
RTR_PORT, BGP_PORT = 3323, 1790


def changed(rows: Rows, number: int) -> Rows:
    """Another set: ten rows go, two come."""
    gone = IN_ORDER[10 * number : 10 * number + 5] + IN_ORDER[-10 * number - 5 : -10 * number]
    come = {(f"172.16.{number}.0/24", 24, 64496 + number), (f"2001:db8:f{number:03x}::/48", 48, 0)}
    return rows - frozenset(gone) | come


def counts(rows: Rows) -> Counts:
    """How many of IPv4, how many of IPv6."""
    ipv6 = sum(":" in prefix for prefix, _, _ in rows)
    return len(rows) - ipv6, ipv6


@dataclass(frozen=True)
class Router:
    """One implementation: `vrps` shows its VRPs, each once, or how many; `routes` those routes that it took."""

    name: str
    vrps: Callable[[], Rows | Counts]
    routes: Callable[[], set[str]] = set

    def reached(self, rows: Rows, *, before: Rows) -> bool:
        """It has exactly these; or else it is on its way there.

        Then nothing that is in both sets is lost, and there is nothing that is in neither.
        """
        seen, least, most = self.vrps(), rows & before, rows | before
        if isinstance(seen, frozenset):
            assert least <= seen, f"{self.name} lost {least - seen}"
            assert seen <= most, f"{self.name} has too much: {seen - most}"
            return seen == rows
        bounds = zip(counts(least), seen, counts(most), strict=True)
        assert all(low <= number <= high for low, number, high in bounds), (self.name, seen)
        return seen == counts(rows)


def printed(*argv: str) -> str:
    """What a control program prints; nothing while the daemon is not up."""
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stdout


def each_once(found: Sequence[tuple[str, ...]]) -> Rows:
    """Prefix, max_length, ASN of lines."""
    assert len(found) == len(set(found)), "something is there twice"
    return frozenset((prefix, int(max_length), int(asn) % 2**32) for prefix, max_length, asn in found)


class Cache:
    """`rpkival rtr serve` in the cache's namespace, at the address of one family."""

    def __init__(self, network: Any, directory: Path, host: str) -> None:
        self.address = f"[{host}]:{RTR_PORT}" if ":" in host else f"{host}:{RTR_PORT}"
        self.host = host
        self._namespace = network.cache
        self._file, self._state = directory / "vrps.csv", directory / "state"
        self.rows: Rows = frozenset()

    def start(self) -> None:
        """Serve the file. Routers are told to ask each second, and not to stay away for longer."""
        self.process: subprocess.Popen[bytes] = self._namespace.start(
            *(sys.executable, "-m", "rpkival", "rtr", "serve", "--vrps", str(self._file), "--state", str(self._state)),
            *("--listen", self.address, "--refresh", "1", "--verbose"),
            name="rtr",
        )

    def write(self, rows: Rows) -> None:
        """What is to be served from now on."""
        lines = [f"AS{asn},{prefix},{max_length},lab" for prefix, max_length, asn in sorted(rows)]
        new = self._file.with_suffix(".new")
        new.write_text("\n".join(["ASN,IP Prefix,Max Length,Trust Anchor", *lines, ""]))
        new.replace(self._file)
        self.rows = rows

    def configuration(self, vendor: str) -> str:
        """What `rpkival router` prints for it."""
        argv = (sys.executable, "-m", "rpkival", "router", vendor, "--server", self.address)
        return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture(params=["192.0.2.1", "2001:db8:1::1"], ids=["ipv4", "ipv6"])
def cache(request: pytest.FixtureRequest, network: Any, tmp_path: Path) -> Cache:
    """The cache, with its file and not started yet."""
    cache = Cache(network, tmp_path, request.param)
    cache.write(FULL)
    return cache


BIRD = """
log stderr all;
router id 198.51.100.2;
protocol device {{ }}
{router}
protocol bgp transit {{
  local 198.51.100.2 as 65550; neighbor 198.51.100.1 port {port} as 64496; multihop; connect delay time 1;
  ipv4 {{ import table; import filter rpkival_in; export none; }};
  ipv6 {{ import table; import filter rpkival_in; export none; }};
}}
"""


@pytest.fixture
def bird(program: Callable[..., str], network: Any, cache: Cache, tmp_path: Path) -> Callable[[], Router]:
    """BIRD."""
    executable, birdc = program("bird"), program("birdc")
    config, control = tmp_path / "bird.conf", tmp_path / "bird.ctl"

    def show(*what: str) -> str:
        return printed(birdc, "-s", str(control), "show", "route", *what)

    def vrps() -> Rows:
        text = show("table", "rpkival4") + show("table", "rpkival6")
        return each_once(re.findall(r"^(\S+/\d+)-(\d+) AS(\d+)\s", text, re.MULTILINE))

    def routes() -> set[str]:
        return {line.split()[0] for line in show("protocol", "transit").splitlines() if "[AS" in line}

    def run() -> Router:
        config.write_text(BIRD.format(router=cache.configuration("bird"), port=BGP_PORT))
        argv = (executable, "-f", "-c", str(config), "-s", str(control), "-P", str(tmp_path / "bird.pid"))
        network.router.start(*argv, name="bird")
        return Router("bird", vrps, routes)

    return run


FRR = """
hostname router
{router}
router bgp 65550
 bgp router-id 198.51.100.2
 neighbor 198.51.100.1 remote-as 64496
 neighbor 198.51.100.1 port {port}
 neighbor 198.51.100.1 ebgp-multihop 5
 neighbor 198.51.100.1 timers connect 1
 address-family ipv4 unicast
  neighbor 198.51.100.1 route-map RPKIVAL-IN in
 exit-address-family
 address-family ipv6 unicast
  neighbor 198.51.100.1 activate
  neighbor 198.51.100.1 route-map RPKIVAL-IN in
 exit-address-family
"""


@pytest.fixture
def frr(program: Callable[..., str], network: Any, cache: Cache, tmp_path: Path) -> Callable[[], Router]:
    """FRR's bgpd."""
    executable, vtysh, config = program("/usr/lib/frr/bgpd"), program("vtysh"), tmp_path / "frr.conf"

    def ask(command: str) -> str:
        return printed(vtysh, "--vty_socket", str(tmp_path), "-c", command)

    def vrps() -> Rows:
        found = re.findall(r"^(\S+)\s+(\d+) -\s+(\d+)\s+(\d+)", ask("show rpki prefix-table"), re.MULTILINE)
        return each_once([(f"{address}/{length}", longest, asn) for address, length, longest, asn in found])

    def routes() -> set[str]:
        texts = (ask(f"show bgp {family} unicast json") for family in ("ipv4", "ipv6"))
        return {prefix for text in texts if text.startswith("{") for prefix in json.loads(text)["routes"]}

    def run() -> Router:
        config.write_text(FRR.format(router=cache.configuration("frr"), port=BGP_PORT))
        network.router.start(
            *(executable, "--no_kernel", "--no_zebra", "--skip_runas", "-M", "rpki"),
            *("--bgp_port", "0", "--vty_port", "0", "--vty_socket", str(tmp_path)),
            *("--pid_file", str(tmp_path / "frr.pid"), "--config_file", str(config)),
            name="frr",
        )
        return Router("frr", vrps, routes)

    return run


@pytest.fixture
def gobgp(
    program: Callable[..., str], gobgp_configuration: Callable[..., str], network: Any, cache: Cache, tmp_path: Path
) -> Callable[[], Router]:
    """GoBGP."""
    executable, client = program("gobgpd"), program("gobgp")
    config, api = tmp_path / "gobgpd.toml", f"unix://{tmp_path}/api"

    def vrps() -> Rows:
        texts = (printed(client, "--target", api, "rpki", "table", "-a", family) for family in ("ipv4", "ipv6"))
        return each_once(re.findall(r"^(\S+/\d+)\s+(\d+)\s+(\d+)\s", "".join(texts), re.MULTILINE))

    def routes() -> set[str]:
        texts = (printed(client, "--target", api, "-j", "global", "rib", "-a", family) for family in ("ipv4", "ipv6"))
        return {prefix for text in texts if text.startswith("{") for prefix in json.loads(text)}

    def run() -> Router:
        rpki = cache.configuration("gobgp")
        config.write_text(gobgp_configuration("198.51.100.2", "198.51.100.1", BGP_PORT, rpki=rpki))
        network.router.start(executable, "-f", str(config), "--api-hosts", api, name="gobgp")
        return Router("gobgp", vrps, routes)

    return run


OPENBGPD = """
AS 65550
router-id 198.51.100.2
fib-update no
socket "{socket}"
listen on 127.0.0.1 port 1791
neighbor 198.51.100.1 {{
	remote-as 64496
	port {port}
	multihop 5
	announce IPv6 unicast
}}
allow from ebgp
{router}
"""


@pytest.fixture
def openbgpd(program: Callable[..., str], network: Any, cache: Cache, tmp_path: Path) -> Iterator[Callable[[], Router]]:
    """OpenBGPD, which only tells how many VRPs there are."""
    bgpd, bgpctl, config = program("/usr/sbin/bgpd"), program("bgpctl"), tmp_path / "openbgpd.conf"
    Path("/run/openbgpd").mkdir(exist_ok=True)  # where bgpd locks itself in; its unit would have made it

    # A path of a socket is short.
    with tempfile.TemporaryDirectory(prefix="rpkival-") as short:
        control = Path(short) / "ctl"

        def show(what: str, key: str) -> list[dict[str, Any]]:
            text = printed(bgpctl, "-s", str(control), "-j", "show", what)
            found: list[dict[str, Any]] = json.loads(text).get(key, []) if text.startswith("{") else []
            return found

        def vrps() -> Counts:
            sets = (each for each in show("sets", "sets") if each["type"] == "ROA")
            return next(((each["num_IPv4"], each["num_IPv6"]) for each in sets), (0, 0))

        def run() -> Router:
            router = cache.configuration("openbgpd")
            config.write_text(OPENBGPD.format(router=router, port=BGP_PORT, socket=control))
            config.chmod(0o600)
            network.router.start(bgpd, "-d", "-f", str(config), name="openbgpd")
            return Router("openbgpd", vrps, lambda: {entry["prefix"] for entry in show("rib", "rib")})

        yield run


@pytest.fixture
def rtrclient(program: Callable[..., str], network: Any, cache: Cache) -> Callable[[], Router]:
    """rtrlib's rtrclient, which tells each change."""
    # Without stdbuf the last changes stay in a buffer of rtrclient's.
    argv = (program("stdbuf"), "-oL", program("rtrclient"), "-p", "tcp", cache.host, str(RTR_PORT))
    log: Path = network.router.log("rtrclient")

    def vrps() -> Rows:
        told: set[tuple[str, ...]] = set()
        whole = log.read_text(errors="replace").rpartition("\n")[0]
        line = r"^([+-]) (\S+)\s+(\d+)\s+-\s+(\d+)\s+(-?\d+)"
        for sign, address, length, *rest in re.findall(line, whole, re.MULTILINE):
            row = (f"{address}/{length}", *rest)
            assert (row in told) == (sign == "-"), f"{sign} {row} a second time"
            (told.add if sign == "+" else told.remove)(row)
        return each_once(list(told))

    def run() -> Router:
        network.router.start(*argv, name="rtrclient")
        return Router("rtrclient", vrps)

    return run


@pytest.fixture
def rtrdump(program: Callable[..., str], network: Any, cache: Cache, tmp_path: Path) -> Callable[[], Rows]:
    """`rtrdump()`: what StayRTR's client fetches now."""
    executable, output = program("rtrdump"), tmp_path / "dump.json"

    def fetch() -> Rows:
        argv = (executable, "-connect", cache.address, "-rtr.version", "1", "-file", str(output))
        network.router.run(*argv)
        roas = json.loads(output.read_text())["roas"]
        found = [(roa["prefix"], str(roa["maxLength"]), str(roa["asn"]).removeprefix("AS")) for roa in roas]
        return each_once(found)

    return fetch


OUTAGE_SECONDS = 2.5
"""Longer than two polls of a router, so that what gets through anyway would be seen."""


def test_no_vrp_is_lost_or_doubled(
    network: Any,
    cache: Cache,
    bird: Callable[[], Router],
    frr: Callable[[], Router],
    gobgp: Callable[[], Router],
    openbgpd: Callable[[], Router],
    rtrclient: Callable[[], Router],
    rtrdump: Callable[[], Rows],
    program: Callable[..., str],
    eventually: Callable[..., None],
    tmp_path: Path,
) -> None:
    """The table, a delta, a restart, a kill, an unplugged cable and silent loss, each with changes meanwhile.

    GoBGP never asks by itself, and we notify once a minute: it has to have the first delta, and then what is there when
    it has come back after the kill, half a minute later (over IPv4 only). It asks for everything then, but forgets
    what has been withdrawn meanwhile only when told to.
    """
    cache.start()
    eventually(lambda: "Serving" in network.cache.log("rtr").read_text(), True)
    asking = [run() for run in (bird, frr, openbgpd, rtrclient)]
    routers = [*asking, gobgp_router := gobgp()]
    before: Rows = frozenset()

    def all_follow(who: list[Router]) -> None:
        def behind() -> list[str]:
            has = {router: router.reached(cache.rows, before=before) for router in routers}
            return [router.name for router in who if not has[router]]

        eventually(behind, [])

    all_follow(routers)
    before = FULL
    cache.write(changed(FULL, 1))
    all_follow(routers)
    assert rtrdump() == cache.rows

    for number, end in enumerate((signal.SIGTERM, signal.SIGKILL), 2):
        cache.process.send_signal(end)
        cache.process.wait(30)
        cache.write(changed(cache.rows, number))
        cache.start()
        all_follow(asking)
    for number, (cut, mend) in enumerate(
        [(network.link.down, network.link.up), (network.link.lose, network.link.deliver)], 4
    ):
        known = cache.rows
        cut()
        cache.write(changed(known, number))
        time.sleep(OUTAGE_SECONDS)
        assert all(router.reached(known, before=known) for router in asking)
        mend()
        all_follow(asking)
        assert rtrdump() == cache.rows

    if ":" not in cache.host:
        # If it was back before the last change, it has to be notified: once a minute.
        eventually(lambda: cache.rows <= set(gobgp_router.vrps()), True, seconds=150)
        gobgp_router.reached(cache.rows, before=before)
        api = f"unix://{tmp_path}/api"
        printed(program("gobgp"), "--target", api, "rpki", "server", cache.host, "softreset")
        eventually(lambda: gobgp_router.vrps() == cache.rows, True)
    told = network.cache.log("rtr").read_text()
    assert told.count('"rtr_state_restored"') == 2
    assert len(set(re.findall(r"session (\d+)\.", told))) == 1


INVALID = {"203.0.113.0/26": 64666, "2001:db8:fff1::/48": 64666}
VALID = {"203.0.113.64/26": 64501, "2001:db8:fff2::/48": 64501}
UNKNOWN = {"203.0.113.128/26": 64502, "2001:db8:fff3::/48": 64502}
SIGNED = frozenset((prefix, int(prefix.split("/")[1]), 64501) for prefix in (*INVALID, *VALID))
SPEAKER = f"""
import asyncio, signal
from ipaddress import IPv4Address, ip_network
from rpkival.lab.bgp_speaker import BgpSpeaker

async def main():
    speaker = BgpSpeaker(64496, IPv4Address("198.51.100.1"))
    table = {{ip_network(prefix): (64496, origin) for prefix, origin in {INVALID | VALID | UNKNOWN}.items()}}
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, speaker.set_table, table)
    await speaker.start("198.51.100.1", {BGP_PORT})
    print("listening", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("cache", ["192.0.2.1"], indirect=True)
def test_the_invalid_is_dropped_and_the_rest_kept(
    network: Any,
    cache: Cache,
    bird: Callable[[], Router],
    frr: Callable[[], Router],
    gobgp: Callable[[], Router],
    openbgpd: Callable[[], Router],
    eventually: Callable[..., None],
) -> None:
    """Routes come from a BGP speaker in a third namespace, the invalid ones first, once the routers have the VRPs."""
    speaker = network.speaker.start(sys.executable, "-c", SPEAKER, name="bgp")
    eventually(lambda: "listening" in network.speaker.log("bgp").read_text(), True)
    cache.write(FULL | SIGNED)
    cache.start()
    eventually(lambda: "Serving" in network.cache.log("rtr").read_text(), True)
    routers = [run() for run in (bird, frr, openbgpd, gobgp)]
    eventually(lambda: all(router.reached(cache.rows, before=frozenset()) for router in routers), True)

    speaker.send_signal(signal.SIGUSR1)

    kept = set(VALID | UNKNOWN)
    eventually(lambda: {router.name: router.routes() for router in routers}, {each.name: kept for each in routers})
    # It was the VRPs; FRR and GoBGP do not think again by themselves of what they rejected.
    cache.write(FULL)
    thinking = [router for router in routers if router.name in {"bird", "openbgpd"}]
    eventually(lambda: [router.routes() >= set(INVALID) for router in thinking], [True, True])
