"""Several caches on the command line: `rtr dump` with preference and quorum, `rtr serve` as a proxy."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from rpkival.cli import rtr_upstreams
from rpkival.cli.rtr_upstreams import FollowedCaches
from rpkival.errors import FetchError
from rpkival.payload.payload import Payload
from rpkival.payload.snapshot import load_snapshot, save_snapshot
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.client import RtrClient
from rpkival.rtr.dial import Dial

RPKIVAL = (sys.executable, "-c", "from rpkival.cli.main import main; main()")
HEADER = "ASN,IP Prefix,Max Length,Trust Anchor\n"
TRUE = HEADER + "AS64496,192.0.2.0/24,24,ripe\nAS64497,2001:db8::/32,48,apnic\n"
LIES = TRUE + "AS64666,198.51.100.0/24,24,ripe\n"
BEHIND = HEADER + "AS64496,192.0.2.0/24,24,ripe\n"
DEADLINE = 40.0

Start = Callable[..., tuple[subprocess.Popen[str], str]]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    return subprocess.run((*RPKIVAL, *arguments), capture_output=True, text=True, timeout=DEADLINE, check=False)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Start]:
    """`serve(*options)`: a server on a free port, and its address."""
    running: list[subprocess.Popen[str]] = []

    def start(*options: str) -> tuple[subprocess.Popen[str], str]:
        with (tmp_path / f"serve{len(running)}.log").open("wb") as log:
            process = subprocess.Popen(
                (*RPKIVAL, "rtr", "serve", "--listen", "127.0.0.1:0", *options),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=os.environ | {"RPKIVAL_NO_MEMO": "1"},
            )
        running.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:\d+", line)
        assert found, f"{line!r} {(tmp_path / f'serve{len(running) - 1}.log').read_text()}"
        return process, found[0]

    yield start
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def caches(serve: Start, tmp_path: Path) -> list[str]:
    """A true one, one that lies, one that is behind."""
    addresses = []
    for name, content in (("true", TRUE), ("lies", LIES), ("behind", BEHIND)):
        (tmp_path / f"{name}.csv").write_text(content)
        addresses.append(serve("--vrps", str(tmp_path / f"{name}.csv"))[1])
    return addresses


def test_dump_by_quorum_and_by_preference(caches: list[str], tmp_path: Path) -> None:
    """What two say is printed; the liar and the late one are named; of preferred caches the first that answers is."""
    report = tmp_path / "report.json"
    agreed = run("rtr", "dump", *caches, "--quorum", "2", "--report", str(report))
    assert agreed.returncode == 1, agreed.stderr
    assert [line.split(",")[:2] for line in agreed.stdout.splitlines()[1:]] == [
        ["AS64496", "192.0.2.0/24"],
        ["AS64497", "2001:db8::/32"],
    ]
    assert f"{caches[1]} says 1 more and 0 less than agreed: 198.51.100.0/24-24 AS64666" in agreed.stderr
    assert f"{caches[2]} says 0 more and 1 less than agreed: 2001:db8::/32-48 AS64497" in agreed.stderr
    told = json.loads(report.read_text())
    assert (told["quorum"], told["agreed"]) == (2, 2)
    assert [(voter["extra"], voter["missing"]) for voter in told["voters"]] == [(0, 0), (1, 0), (0, 1)]

    gone = "127.0.0.1:1"
    incomplete = run("rtr", "dump", caches[0], gone, caches[1], "--quorum", "2")
    assert incomplete.returncode == 3
    assert f"{gone} has no voice" in incomplete.stderr
    assert "2001:db8::/32" in incomplete.stdout
    assert run("rtr", "dump", caches[0], gone, "--quorum", "2").returncode == 3
    preferred = run("rtr", "dump", gone, caches[2], caches[0])
    assert preferred.returncode == 0
    assert len(preferred.stdout.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("dump", "a:1", "b:1", "--quorum", "3"), "cannot reach a quorum of 3"),
        (("dump", "a:1", "a:1"), "given twice"),
        (("dump", "a:1", "--report", "r.json"), "give that too"),
        (("serve", "--rtr", "a:1", "--rtr", "b", "--quorum", "2"), "is not an RTR cache"),
        (("serve", "--vrps", "v.csv", "--quorum", "2"), "cannot reach a quorum of 2"),
    ],
)
def test_what_makes_no_sense(arguments: tuple[str, ...], told: str) -> None:
    """One sentence, exit code 2."""
    done = run("rtr", *arguments)
    assert done.returncode == 2
    assert told in done.stderr


def test_a_proxy_follows_by_deltas_and_outlives_its_caches(serve: Start, tmp_path: Path) -> None:
    """News of two caches come through at once; then both go, and the proxy serves on."""
    processes, addresses, files = [], [], []
    for name in ("one", "two", "three"):
        files.append(tmp_path / f"{name}.csv")
        files[-1].write_text(BEHIND)
        process, address = serve("--vrps", str(files[-1]))
        processes.append(process)
        addresses.append(address)
    options = [option for address in addresses for option in ("--rtr", address)]
    _, proxy = serve(*options, "--quorum", "2")
    host, port = proxy.split(":")
    with RtrClient(host, int(port), timeout=DEADLINE) as client:
        assert client.sync() is AnswerKind.SNAPSHOT
        assert len(client.vrps) == 1
        files[2].write_text(LIES)
        for file in files[:2]:
            file.write_text(TRUE)
        end = time.monotonic() + DEADLINE
        while len(client.vrps) < 2:
            assert time.monotonic() < end
            client.wait_for_notify(0.2)
            assert client.sync() is AnswerKind.DELTA
        assert {vrp.asn for vrp in client.vrps} == {64496, 64497}
        for process in processes:
            process.kill()
            process.wait(DEADLINE)
        assert client.sync() is AnswerKind.DELTA
        assert len(client.vrps) == 2


def test_a_quorum_of_caches_over_tls(serve: Start, tmp_path: Path) -> None:
    """Two that speak TLS and want our certificate, one that does not; `dump` and `serve` follow all three at a time."""
    cert, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        (
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "1",
            ),
            *("-subj", "/CN=both", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)),
        ),
        check=True,
        capture_output=True,
        timeout=DEADLINE,
    )
    files, addresses = [], []
    for name in ("one", "two", "three"):
        files.append(tmp_path / f"{name}.csv")
        files[-1].write_text(BEHIND)
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        tls = ("--tls-listen", address, "--cert", str(cert), "--key", str(key), "--client-ca", str(cert))
        _, plain = serve("--vrps", str(files[-1]), *(() if name == "three" else tls))
        addresses.append(plain if name == "three" else f"tls://{address}")

    shown = ("--ca-file", str(cert), "--cert", str(cert), "--key", str(key))
    assert run("rtr", "dump", *addresses, "--quorum", "3", *shown).returncode == 0
    stranger = run("rtr", "dump", *addresses, "--quorum", "1", *shown[:2])
    assert stranger.returncode == 3
    assert stranger.stderr.count("has no voice") == 2

    own = [f"--rtr-{option.removeprefix('--')}" if option.startswith("--") else option for option in shown]
    options = [option for address in addresses for option in ("--rtr", address)]
    _, proxy = serve(*options, *own, "--quorum", "3")
    host, port = proxy.split(":")
    with RtrClient(host, int(port), timeout=DEADLINE) as client:
        client.sync()
        for file in files:
            file.write_text(TRUE)
        end = time.monotonic() + DEADLINE
        while len(client.vrps) < 2:
            assert time.monotonic() < end
            client.wait_for_notify(0.2)
            assert client.sync() is AnswerKind.DELTA


def test_a_proxy_with_state_begins_without_its_caches(serve: Start, tmp_path: Path) -> None:
    """It serves what they said, within the time that routers would use it; later than that it does not begin."""
    (tmp_path / "v.csv").write_text(TRUE)
    process, address = serve("--vrps", str(tmp_path / "v.csv"))
    follow = ("--rtr", address, "--state", str(tmp_path / "state"))
    first, proxy = serve(*follow)
    host, port = proxy.split(":")
    with RtrClient(host, int(port), timeout=DEADLINE) as client:
        client.sync()
        client.close()
        for each in (first, process):
            each.kill()
            each.wait(DEADLINE)

        second, proxy = serve(*follow)
        client._address = (host, int(proxy.split(":")[1]))
        assert client.sync() is AnswerKind.DELTA
        assert len(client.vrps) == 2
    second.kill()
    second.wait(DEADLINE)

    state = tmp_path / "state" / "rtr.rpkival"
    save_snapshot(state, replace(load_snapshot(state), generated=int(time.time()) - 7201))
    late = run("rtr", "serve", "--listen", "127.0.0.1:0", *follow)
    assert late.returncode == 3
    assert "0 of 1 RTR caches have data" in late.stderr


ONE = Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64496)]))


@pytest.fixture
def gone() -> Iterator[FollowedCaches]:
    """Followed: one cache that nobody is."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    caches = FollowedCaches({"gone": Dial("127.0.0.1", port)}, None)
    yield caches
    caches.stop()


def test_what_was_said_counts_until_it_expires(gone: FollowedCaches, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing does, for no router may use data beyond its expiry."""
    now = 1000.0
    monkeypatch.setattr(rtr_upstreams.time, "time", lambda: now)
    gone.remember(ONE, 900, 1001.0)
    gone.start(lambda: None)
    before = gone.load()
    assert (len(before.payload), before.generated) == (1, 900)
    now = 1001.0
    assert len(gone.load().payload) == 0


def test_who_never_said_anything_is_an_error(gone: FollowedCaches) -> None:
    """Nothing is served of which nobody has spoken."""
    gone.start(lambda: None)
    with pytest.raises(FetchError, match="0 of 1 RTR caches"):
        gone.load()
