"""Programs that take a payload as their configuration take what we write: BIRD and OpenBGPD."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.payload.formats import WRITERS, read_vrps
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps

pytestmark = pytest.mark.interop

GENERATED = 1_773_648_000
SMALL = Payload(
    Vrps.of(
        [
            Vrp("0.0.0.0/0", 0, 0),
            Vrp("192.0.2.0/24", 26, 64496, "ripe", GENERATED + 86_400),
            Vrp("2001:db8::/32", 48, 4294967295, "ripe", GENERATED + 86_400),
            Vrp("2001:db8::/128", 128, 64497),
        ]
    )
)


@pytest.fixture(scope="module")
def world(shared_data: Path) -> Payload:
    """723,521 VRPs, without the ASPAs, which the programs of Debian 12 do not know yet."""
    path = shared_data / "vrps/rpkiclient_20250720T0931.json.bz2"
    return Payload(read_vrps(path.read_bytes(), name=path.name).vrps)


def write(payload: Payload, fmt: str, path: Path, *, before: bytes = b"") -> Path:
    """A file that only we may read, since bgpd refuses any other."""
    path.touch(mode=0o600)
    with path.open("wb") as stream:
        stream.write(before)
        stream.writelines(WRITERS[fmt](payload, GENERATED))
    return path


def run(*command: str | Path) -> None:
    """A program that has nothing to complain of."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("size", ["small", "world"])
def test_openbgpd_takes_a_roa_set(
    program: Callable[..., str], tmp_path: Path, size: str, request: pytest.FixtureRequest
) -> None:
    """With the end of each VRP."""
    bgpd = program("bgpd", "/usr/sbin/bgpd")
    payload = SMALL if size == "small" else request.getfixturevalue("world")

    run(bgpd, "-n", "-f", write(payload, "openbgpd", tmp_path / "bgpd.conf", before=b"AS 65001\n"))


@pytest.mark.parametrize("size", ["small", "world"])
def test_bird_takes_the_whole_file(
    program: Callable[..., str], tmp_path: Path, size: str, request: pytest.FixtureRequest
) -> None:
    """Tables and protocols for both families."""
    bird = program("bird", "/usr/sbin/bird")
    payload = SMALL if size == "small" else request.getfixturevalue("world")

    run(bird, "-p", "-c", write(payload, "bird", tmp_path / "bird.conf", before=b"router id 192.0.2.1;\n"))


@pytest.mark.parametrize(("family", "channel"), [(".", "roa4"), (":", "roa6")])
def test_bird_takes_the_lines_of_a_family(
    program: Callable[..., str], tmp_path: Path, family: str, channel: str
) -> None:
    """bird2 is lines for a protocol of one's own, which has one family."""
    bird = program("bird", "/usr/sbin/bird")
    lines = write(SMALL, "bird2", tmp_path / "lines").read_text().splitlines(keepends=True)
    own = "".join(line for line in lines if family in line.split()[1])
    (tmp_path / "bird.conf").write_text(
        f"router id 192.0.2.1;\n{channel} table mine;\nprotocol static {{\n{channel} {{ table mine; }};\n{own}}}\n"
    )

    assert own
    run(bird, "-p", "-c", tmp_path / "bird.conf")


def test_bird_holds_what_we_hold(program: Callable[..., str], tmp_path: Path) -> None:
    """A running BIRD shows the very VRPs."""
    bird, birdc = program("bird", "/usr/sbin/bird"), program("birdc", "/usr/sbin/birdc")
    config = write(SMALL, "bird", tmp_path / "bird.conf", before=b"router id 192.0.2.1;\nprotocol device {}\n")
    socket = tmp_path / "bird.ctl"
    with subprocess.Popen([bird, "-f", "-c", config, "-s", socket], stderr=subprocess.PIPE) as running:
        try:
            shown: set[tuple[str, int, int]] = set()
            for _ in range(200):
                said = subprocess.run([birdc, "-s", socket, "show route table all"], capture_output=True, text=True)
                shown = {
                    (prefix, int(longest), int(asn))
                    for prefix, longest, asn in re.findall(r"(\S+/\d+)-(\d+) AS(\d+)", said.stdout)
                }
                if len(shown) == len(SMALL):
                    break
                running.poll()
                assert running.returncode is None
                time.sleep(0.05)
        finally:
            running.terminate()

    assert shown == {(vrp.prefix, vrp.max_length, vrp.asn) for vrp in SMALL.vrps}
