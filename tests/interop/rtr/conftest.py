"""Real routers that ask a cache, what they show meanwhile, and networks for them."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

Ask = Callable[[str], str]
"""What a router's client prints for a command; empty while the router is not up."""
Look = Callable[[], object]


def _newer_bird() -> str | None:
    """BIRD from 2.16 on, which speaks version 2 of RTR: that of RPKIVAL_BIRD2, or on the PATH."""
    named = os.environ.get("RPKIVAL_BIRD2")
    found = named or shutil.which("bird") or shutil.which("bird", path="/usr/sbin")
    if found is None:
        return None
    told = subprocess.run((found, "--version"), capture_output=True, text=True, timeout=60, check=False)
    version = re.search(r"(\d+)\.(\d+)", told.stdout + told.stderr)
    if version and (int(version[1]), int(version[2])) >= (2, 16):
        return found
    assert not named, f"RPKIVAL_BIRD2 names {named}, which is no BIRD from 2.16 on"
    return None


@pytest.fixture(scope="session")
def newer_bird() -> str:
    """The path of a BIRD that speaks version 2; without one, a skip."""
    found = _newer_bird()
    if found is None:
        pytest.skip("no BIRD from 2.16 on; .ci/newer-peers DIR fetches one, and RPKIVAL_BIRD2=DIR/bin/bird names it")
    return found


def _printed(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False).stdout


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


BIRD = """
router id 192.0.2.1;
log stderr all;
roa4 table r4;
roa6 table r6;
{more}
protocol device {{}}
protocol rpki cache {{
  roa4 {{ table r4; }};
  roa6 {{ table r6; }};
  {options}
  remote {host} port {port};
  retry keep 1;
  refresh keep 600;
  expire keep 7200;
}}
"""


@pytest.fixture
def bird_at(start: Callable[..., Any], tmp_path: Path) -> Callable[..., Ask]:
    """`bird_at(bird, birdc, host, port)`: BIRD, unprivileged, which has the VRPs of that cache in its tables r4 and r6.

    `options` are its protocol's, `more` is what else it is configured to do. Gives a way to ask it.
    """

    def run(bird: str, birdc: str, host: str, port: int, *, options: str = "", more: str = "") -> Ask:
        config, control = tmp_path / "bird.conf", tmp_path / "bird.ctl"
        config.write_text(BIRD.format(host=host, port=port, options=options, more=more))
        start(bird, "-f", "-c", str(config), "-s", str(control), "-P", str(tmp_path / "bird.pid"))
        return lambda command: _printed(birdc, "-s", str(control), *command.split(" "))

    return run


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


@pytest.fixture
def frr_at(program: Callable[..., str], start: Callable[..., Any], tmp_path: Path) -> Callable[[str, int], Ask]:
    """`frr_at(host, port)`: FRR's bgpd alone, with its RPKI module, connected to that cache. Gives a way to ask it."""
    if os.geteuid() != 0:
        pytest.skip("vtysh serves root and the group frrvty only")

    def run(host: str, port: int) -> Ask:
        config, bgpd, vtysh = tmp_path / "bgpd.conf", program("/usr/lib/frr/bgpd"), program("vtysh")
        config.write_text(FRR.format(host=host, port=port))
        start(
            *(bgpd, "--no_kernel", "--no_zebra", "--skip_runas", "-M", "rpki"),
            *("--bgp_port", "0", "--vty_port", "0", "--vty_socket", str(tmp_path)),
            *("--pid_file", str(tmp_path / "bgpd.pid"), "--config_file", str(config)),
        )
        return lambda command: _printed(vtysh, "--vty_socket", str(tmp_path), "-c", command)

    return run


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


@pytest.fixture
def gobgp_at(program: Callable[..., str], start: Callable[..., Any], tmp_path: Path) -> Callable[[str, int], Ask]:
    """`gobgp_at(host, port)`: GoBGP, connected to that cache. Gives a way to ask it."""

    def run(host: str, port: int) -> Ask:
        config, control, gobgp = tmp_path / "gobgpd.toml", _free_port(), program("gobgp")
        config.write_text(GOBGP.format(host=host, port=port))
        start(program("gobgpd"), "-f", str(config), "--api-hosts", f"127.0.0.1:{control}")
        return lambda command: _printed(gobgp, "-p", str(control), *command.split(" "))

    return run


OPENBGPD = """
AS 64500
router-id 192.0.2.1
fib-update no
socket "{socket}"
listen on 127.0.0.1 port {own}
rtr {host} {{
  port {port}
  {options}
}}
"""


@pytest.fixture
def openbgpd_at(start: Callable[..., Any], tmp_path: Path) -> Iterator[Callable[..., Look]]:
    """`openbgpd_at(bgpd, bgpctl, host, port)`: OpenBGPD, connected to that cache.

    Gives a look at what it tells: of how many prefixes of IPv4 it has VRPs, of how many of IPv6, and how many ASPAs.
    """
    if os.geteuid() != 0:
        pytest.skip("OpenBGPD starts as root only")
    Path("/run/openbgpd").mkdir(exist_ok=True)  # where bgpd locks itself in; its unit would have made it
    # A path of a socket is short.
    with tempfile.TemporaryDirectory(prefix="rpkival-") as short:
        control, config = Path(short) / "ctl", tmp_path / "bgpd.conf"

        def run(bgpd: str, bgpctl: str, host: str, port: int, options: str = "") -> Look:
            config.write_text(OPENBGPD.format(host=host, port=port, own=_free_port(), socket=control, options=options))
            config.chmod(0o600)
            start(bgpd, "-d", "-f", str(config))

            def look() -> tuple[int, ...] | None:
                text = _printed(bgpctl, "-s", str(control), "-j", "show", "sets")
                if not text.startswith("{"):
                    return None
                sets = {each["type"]: each for each in json.loads(text)["sets"]}
                # 7.7 knows no ASPAs.
                aspas = sets["ASPA"]["num_ASnum"] if "ASPA" in sets else 0
                return sets["ROA"]["num_IPv4"], sets["ROA"]["num_IPv6"], aspas

            return look

        yield run


@pytest.fixture(scope="session")
def watched() -> Callable[[Look], AbstractContextManager[list[object]]]:
    """`with watched(look) as seen:` whatever `look()` gives ten times a second, each once; complete after the block."""

    @contextmanager
    def watch(look: Look) -> Iterator[list[object]]:
        seen: list[object] = []
        over = threading.Event()

        def keep_looking() -> None:
            while not over.wait(0.1):
                if (now := look()) not in seen:
                    seen.append(now)

        watcher = threading.Thread(target=keep_looking)
        watcher.start()
        try:
            yield seen
        finally:
            over.set()
            watcher.join()

    return watch


class Namespace:
    """A network namespace, and the programs that run in it."""

    def __init__(self, ip: str, label: str, directory: Path) -> None:
        self.label = label
        self.name = f"rpkival-{os.getpid()}-{label}"
        self._ip = ip
        self._directory = directory
        self._running: list[subprocess.Popen[bytes]] = []
        made = subprocess.run((ip, "netns", "add", self.name), capture_output=True, text=True, timeout=60, check=False)
        if made.returncode != 0:
            pytest.skip(f"no network namespace can be made here: {made.stderr.strip()}")

    def log(self, name: str) -> Path:
        """What the program of that name has said so far."""
        return self._directory / f"{self.label}-{name}.log"

    def start(self, *argv: str, name: str) -> subprocess.Popen[bytes]:
        """Start a program here, its output appended to `log(name)`; ended with the namespace."""
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                (self._ip, "netns", "exec", self.name, *argv),
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._running.append(process)
        return process

    def run(self, *argv: str) -> None:
        """Run a program here to its end."""
        command = (self._ip, "netns", "exec", self.name, *argv)
        done = subprocess.run(command, cwd=self._directory, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, (command, done.stdout, done.stderr)

    def ip(self, *argv: str) -> None:
        """Run iproute2's ip on the interfaces here."""
        command = (self._ip, "-n", self.name, *argv)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, (command, done.stderr)

    def close(self) -> None:
        """End what runs here, and remove the namespace with its interfaces."""
        for process in self._running:
            process.terminate()
        try:
            for process in self._running:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        finally:
            subprocess.run((self._ip, "netns", "del", self.name), timeout=60, check=True)


class Link:
    """A veth pair between two namespaces; the interface of each is named after the other.

    `near` has the address ending in 1 of both networks, `far` that ending in 2.
    """

    def __init__(self, near: Namespace, far: Namespace, ipv4: str, ipv6: str) -> None:
        self._ends = ((near, far, "1", "2"), (far, near, "2", "1"))
        self._networks = ((ipv4, "24"), (ipv6, "64"))
        near.ip("link", "add", far.label, "type", "veth", "peer", "name", near.label, "netns", far.name)
        for here, there, own, _ in self._ends:
            here.ip("link", "set", "lo", "up")
            here.ip("link", "set", there.label, "up")
            for network, length in self._networks:
                here.ip("address", "add", f"{network}{own}/{length}", "dev", there.label, *self._at_once(network))

    def down(self) -> None:
        """Unplugged: no carrier at either end, and no connection hears of it."""
        for here, there, _, _ in self._ends:
            here.ip("link", "set", there.label, "down")

    def up(self) -> None:
        """Plugged in again."""
        for here, there, own, _ in self._ends:
            here.ip("link", "set", there.label, "up")
            # Linux forgets IPv6 addresses of an interface that is down.
            (network, length) = self._networks[1]
            here.ip("address", "replace", f"{network}{own}/{length}", "dev", there.label, "nodad")

    def lose(self) -> None:
        """The link stays up and every packet is lost: each end sends to a station that does not exist.

        So no kernel module for queues or filters is needed.
        """
        for here, there, _, other in self._ends:
            for network, _ in self._networks:
                nobody = ("lladdr", "02:00:00:00:00:01", "nud", "permanent", "dev", there.label)
                here.ip("neighbour", "replace", f"{network}{other}", *nobody)

    def deliver(self) -> None:
        """Packets arrive again."""
        for here, there, _, other in self._ends:
            for network, _ in self._networks:
                here.ip("neighbour", "del", f"{network}{other}", "dev", there.label)

    @staticmethod
    def _at_once(network: str) -> tuple[str, ...]:
        return ("nodad",) if ":" in network else ()


class Network:
    """A cache, a router and its BGP neighbour, each in a namespace: cache -- router -- speaker."""

    def __init__(self, ip: str, directory: Path, stack: ExitStack) -> None:
        def namespace(label: str) -> Namespace:
            made = Namespace(ip, label, directory)
            stack.callback(made.close)
            return made

        self.cache, self.router, self.speaker = namespace("cache"), namespace("router"), namespace("speaker")
        self.link = Link(self.cache, self.router, "192.0.2.", "2001:db8:1::")
        self.bgp_link = Link(self.speaker, self.router, "198.51.100.", "2001:db8:2::")


@pytest.fixture
def network(program: Callable[..., str], tmp_path: Path) -> Iterator[Network]:
    """Three network namespaces with links between them, removed with all that ran in them; a skip without the right."""
    with ExitStack() as stack:
        yield Network(program("ip"), tmp_path, stack)
