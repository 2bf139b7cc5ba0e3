"""`rpkival rtr serve` and `rpkival rtr dump` as a user meets them: a process, its words and its exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind, Cache
from rpkival.rtr.client import RtrClient
from rpkival.rtr.pdu import PeerError
from rpkival.rtr.server import RtrServer

RPKIVAL = (sys.executable, "-c", "from rpkival.cli.main import main; main()")
HEADER = "ASN,IP Prefix,Max Length,Trust Anchor\n"
ONE = HEADER + "AS64496,192.0.2.0/24,24,ripe\n"
TWO = ONE + "AS64497,2001:db8::/32,48,apnic\n"
DEADLINE = 40.0


class Served:
    """A running `rpkival rtr serve`."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log
        assert process.stdout is not None
        self.line = process.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+)", self.line)
        assert found, f"it said {self.line!r} and {log.read_text()!r}"
        self.port = int(found[1])

    def events(self, name: str) -> list[dict[str, object]]:
        """The log records of that name."""
        records = [json.loads(line) for line in self._log.read_text().splitlines()]
        return [record for record in records if record["event"] == name]

    def wait_for(self, name: str, count: int = 1) -> dict[str, object]:
        """The last of `count` log records, once they are there."""
        end = time.monotonic() + DEADLINE
        while len(found := self.events(name)) < count:
            assert time.monotonic() < end, f"no {name} in {self._log.read_text()!r}"
            time.sleep(0.05)
        return found[-1]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """`serve(*options)`: the server on a free port, stopped with the test."""
    running: list[subprocess.Popen[str]] = []

    def start(*options: str) -> Served:
        log = tmp_path / f"serve{len(running)}.log"
        argv = (*RPKIVAL, "rtr", "serve", "--listen", "127.0.0.1:0", *options)
        with log.open("wb") as stream:
            process = subprocess.Popen(
                argv, stdout=subprocess.PIPE, stderr=stream, text=True, env=os.environ | {"RPKIVAL_NO_MEMO": "1"}
            )
        running.append(process)
        return Served(process, log)

    yield start
    for process in running:
        process.kill()
        process.communicate()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One command to its end."""
    return subprocess.run((*RPKIVAL, *arguments), capture_output=True, text=True, timeout=DEADLINE, check=False)


def test_a_file_is_served_and_followed(serve: Callable[..., Served], tmp_path: Path) -> None:
    """Routers get the file, then its changes as deltas; a broken file changes nothing; a signal ends it well."""
    file = tmp_path / "vrps.csv"
    file.write_text(ONE)
    served = serve("--vrps", str(file), "--refresh", "120", "--retry", "30", "--expire", "900")
    assert served.line.startswith("Serving 1 VRP over RTR on 127.0.0.1:")
    with RtrClient("127.0.0.1", served.port, timeout=DEADLINE) as client:
        assert client.sync() is AnswerKind.SNAPSHOT
        assert client.end is not None
        assert (client.end.serial, client.end.refresh, client.end.retry, client.end.expire) == (0, 120, 30, 900)

        file.write_text(TWO)
        assert client.wait_for_notify()
        assert client.sync() is AnswerKind.DELTA
        assert [vrp.prefix for vrp in client.vrps] == ["192.0.2.0/24", "2001:db8::/32"]

        file.write_text(HEADER + "AS64496,192.0.2.1/24,24,ripe\n")
        complaint = served.wait_for("source_unreadable")
        assert "host bits" in str(complaint["reason"])
        file.unlink()
        served.process.send_signal(signal.SIGHUP)
        assert "No such file" in str(served.wait_for("source_unreadable", 2)["reason"])
        assert client.sync() is AnswerKind.DELTA
        assert len(client.vrps) == 2

        file.write_text(ONE)
        served.wait_for("new_serial", 2)
        assert client.sync() is AnswerKind.DELTA
        assert len(client.vrps) == 1
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(DEADLINE) == 0


def test_a_restart_with_state_resets_no_router(serve: Callable[..., Served], tmp_path: Path) -> None:
    """Session and serial go on: a router gets a delta of what changed meanwhile, even one that lagged behind."""
    file, state = tmp_path / "vrps.csv", ("--state", str(tmp_path / "state"))
    file.write_text(ONE)
    first = serve("--vrps", str(file), *state)
    with RtrClient("127.0.0.1", first.port, timeout=DEADLINE) as client:
        client.sync()
        assert client.end is not None
        behind = client.end
    file.write_text(TWO)
    first.wait_for("new_serial")
    first.process.send_signal(signal.SIGKILL)
    first.process.wait(DEADLINE)
    file.write_text(TWO + "AS64498,203.0.113.0/24,24,ripe\n")

    second = serve("--vrps", str(file), *state)

    assert second.wait_for("rtr_state_restored")["serial"] == 1
    with RtrClient("127.0.0.1", second.port, timeout=DEADLINE) as client:
        client.payload, client.end = Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])), behind
        assert client.sync() is AnswerKind.DELTA
        assert client.end is not None
        assert (client.end.session_id, client.end.serial, len(client.vrps)) == (behind.session_id, 2, 3)


def test_what_was_served_last_is_served_though_the_source_is_gone(serve: Callable[..., Served], tmp_path: Path) -> None:
    """At once, and its age is told; the source counts again as soon as it can be read."""
    file, state = tmp_path / "vrps.csv", ("--state", str(tmp_path / "state"))
    file.write_text(TWO)
    first = serve("--vrps", str(file), *state)
    first.process.kill()
    first.process.wait(DEADLINE)
    file.write_text("no VRPs at all")

    second = serve("--vrps", str(file), *state)

    told = second.wait_for("rtr_state_restored")
    assert told["vrps"] == 2
    assert isinstance(told["age_seconds"], int)
    assert 0 <= told["age_seconds"] < 2 * DEADLINE
    second.wait_for("source_unreadable")
    with RtrClient("127.0.0.1", second.port, timeout=DEADLINE) as client:
        client.sync()
        assert len(client.vrps) == 2
        file.write_text(ONE)
        second.wait_for("new_serial")
        assert client.sync() is AnswerKind.DELTA
        assert len(client.vrps) == 1


def test_what_no_router_may_use_any_longer_is_not_served(serve: Callable[..., Served], tmp_path: Path) -> None:
    """The source is old: with nothing newer at the next start there is nothing to serve, and the command says why."""
    file, state = tmp_path / "vrps.json", ("--state", str(tmp_path / "state"))
    roas = [{"asn": 64496, "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "ripe"}]
    file.write_text(json.dumps({"metadata": {"buildtime": "2024-01-01T00:00:00Z"}, "roas": roas}))
    first = serve("--vrps", str(file), *state)
    first.process.kill()
    first.process.wait(DEADLINE)
    file.write_text("no VRPs at all")

    done = run("rtr", "serve", "--vrps", str(file), "--listen", "127.0.0.1:0", *state)

    assert done.returncode == 3
    assert str(file) in done.stderr


def test_one_state_is_of_one_process(serve: Callable[..., Served], tmp_path: Path) -> None:
    """The second would give the first one's serials to other data."""
    file, state = tmp_path / "vrps.csv", ("--state", str(tmp_path / "state"))
    file.write_text(ONE)
    serve("--vrps", str(file), *state)

    done = run("rtr", "serve", "--vrps", str(file), "--listen", "127.0.0.1:0", *state)

    assert done.returncode == 2
    assert "end it or choose another --state" in done.stderr


def slurm(*, drop: int, add: str) -> str:
    """A SLURM file that filters an origin and asserts a prefix of it."""
    return json.dumps(
        {
            "slurmVersion": 1,
            "validationOutputFilters": {"prefixFilters": [{"asn": drop}], "bgpsecFilters": []},
            "locallyAddedAssertions": {"prefixAssertions": [{"asn": drop, "prefix": add}], "bgpsecAssertions": []},
        }
    )


def test_local_exceptions_are_followed_too(serve: Callable[..., Served], tmp_path: Path) -> None:
    """From the first set on; a broken file keeps the last good exceptions, and the log says where it is wrong."""
    vrps, exceptions = tmp_path / "vrps.csv", tmp_path / "slurm.json"
    vrps.write_text(TWO)
    exceptions.write_text(slurm(drop=64496, add="198.51.100.0/24"))
    served = serve("--vrps", str(vrps), "--exceptions", str(exceptions))
    with RtrClient("127.0.0.1", served.port, timeout=DEADLINE) as client:
        client.sync()
        assert [vrp.prefix for vrp in client.vrps] == ["198.51.100.0/24", "2001:db8::/32"]

        exceptions.write_text(slurm(drop=64497, add="203.0.113.0/24"))
        served.wait_for("new_serial")
        client.sync()
        assert [vrp.prefix for vrp in client.vrps] == ["192.0.2.0/24", "203.0.113.0/24"]

        exceptions.write_text(slurm(drop=-1, add="203.0.113.0/24"))
        assert "$.validationOutputFilters.prefixFilters[0].asn" in str(served.wait_for("source_unreadable")["reason"])
        client.sync()
        assert len(client.vrps) == 2


def test_what_a_cache_serves_can_be_dumped_and_served_again(serve: Callable[..., Served], tmp_path: Path) -> None:
    """CSV and JSON of what routers get; another server may feed on the first."""
    file = tmp_path / "vrps.csv"
    file.write_text(TWO)
    first = serve("--vrps", str(file))
    second = serve("--rtr", f"127.0.0.1:{first.port}", "--quiet")

    csv = run("rtr", "dump", f"127.0.0.1:{second.port}")
    assert csv.returncode == 0
    assert [line.split(",")[:3] for line in csv.stdout.splitlines()[1:]] == [
        ["AS64496", "192.0.2.0/24", "24"],
        ["AS64497", "2001:db8::/32", "48"],
    ]
    output = tmp_path / "out.json"
    assert run("rtr", "dump", f"localhost:{first.port}", "--format", "json", "-o", str(output)).returncode == 0
    assert [roa["prefix"] for roa in json.loads(output.read_text())["roas"]] == ["192.0.2.0/24", "2001:db8::/32"]


def test_everything_that_a_cache_serves_can_be_dumped() -> None:
    """VRPs, router keys and ASPAs, one a line; `--strict` has nothing to say against our own order."""
    cache = Cache(7)
    vrps = Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64497)])
    aspas = (Aspa(64496, (64497, 64498)), Aspa(64499, (0,)))
    cache.update(Payload(vrps, aspas, (RouterKey(64496, b"a" * 20, b"key"),)))

    async def dump() -> subprocess.CompletedProcess[str]:
        server = RtrServer(cache)
        host, port = await server.start("127.0.0.1", 0)
        try:
            return await asyncio.to_thread(run, "rtr", "dump", f"{host}:{port}", "--format", "all", "--strict")
        finally:
            await server.close()

    dumped = asyncio.run(dump())

    assert (dumped.returncode, dumped.stderr) == (0, "")
    assert dumped.stdout.splitlines() == [
        "vrp 192.0.2.0/24 24 AS64496",
        "vrp 2001:db8::/32 48 AS64497",
        f"router-key AS64496 {'61' * 20} a2V5",
        "aspa AS64496 AS64497 AS64498",
        "aspa AS64499 AS0",
    ]


@pytest.mark.parametrize(
    ("number", "error", "told", "kept"),
    [(signal.SIGTERM, ConnectionError, "closed", 1), (signal.SIGQUIT, PeerError, "cache shutdown", 0)],
    ids=["restart", "shutdown"],
)
def test_routers_are_told_only_that_the_cache_goes_for_good(
    serve: Callable[..., Served],
    tmp_path: Path,
    number: signal.Signals,
    error: type[Exception],
    told: str,
    kept: int,
) -> None:
    """They forget what they have then; over a restart they keep it, which some would not if they were told of it."""
    file = tmp_path / "vrps.csv"
    file.write_text(ONE)
    served = serve("--vrps", str(file))
    with RtrClient("127.0.0.1", served.port, timeout=DEADLINE) as client:
        client.sync()
        served.process.send_signal(number)
        with pytest.raises(error, match=told):
            client.wait_for_notify()
        assert len(client.payload) == kept
    assert served.process.wait(DEADLINE) == 0


def test_an_old_file_is_told_of(serve: Callable[..., Served], tmp_path: Path) -> None:
    """It is served all the same, and the log says that it is stale."""
    file = tmp_path / "vrps.json"
    roa = {"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "ripe", "expires": 1600000000}
    file.write_text(json.dumps({"metadata": {"buildtime": "2020-09-13T12:26:40Z"}, "roas": [roa]}))

    served = serve("--vrps", str(file))

    assert served.wait_for("source_stale")["generated"] == "2020-09-13T12:26:40+00:00"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("serve", "--vrps", "/no/such/file", "--listen", "127.0.0.1:0"), 2, "/no/such/file cannot be read"),
        (("serve", "--listen", "300.0.0.1:1"), 2, "is not an IP address"),
        (("serve", "--refresh", "90000"), 2, "The refresh interval of RTR must be between 1 and 86400"),
        (("serve", "--retry", "0"), 2, "The retry interval of RTR must be between 1 and 7200"),
        (("serve", "--expire", "599"), 2, "The expire interval of RTR must be between 600 and 172800"),
        (("serve", "--expire", "3600"), 2, "3600 seconds are not more than 3600 and 600"),
        (("dump", "127.0.0.1"), 2, "is not an RTR cache"),
        (("dump", "127.0.0.1:1", "--format", "xml"), 2, "is not a format of VRPs"),
        (("dump", "127.0.0.1:1", "--output", "/no/such/dir/x"), 2, "does not exist"),
    ],
)
def test_wrong_use_is_one_sentence(arguments: tuple[str, ...], code: int, words: str) -> None:
    """Exit code 2, no traceback."""
    result = run("rtr", *arguments)

    assert result.returncode == code
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    """Before anything is read."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("rtr", "serve", "--vrps", "/no/such/file", "--listen", f"127.0.0.1:{port}")

    assert result.returncode == 2
    assert f"port {port}: another program listens there already" in result.stderr


def test_a_cache_that_is_none_is_one_sentence() -> None:
    """Exit code 3 for a port where nothing answers, or something else does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        silent = run("rtr", "dump", f"127.0.0.1:{port}", "--timeout", "0.5")
    refused = run("rtr", "dump", f"127.0.0.1:{port}")

    assert (silent.returncode, refused.returncode) == (3, 3)
    assert "did not answer in 0.5 s" in silent.stderr
    assert "Connection refused" in refused.stderr


def test_serve_without_a_source_says_so_before_it_listens(rpkival: Callable[..., Any], tmp_path: Path) -> None:
    """A port that is taken is of no interest where there is nothing to serve."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = rpkival("rtr", "serve", "--listen", listen, "--data-dir", tmp_path / "none")
    assert ended.err.startswith("rpkival: There are no VRPs to judge by: give --vrps FILE")
    assert ended.code == 3


def test_tls_and_access_on_the_command_line(serve: Callable[..., Served], tmp_path: Path) -> None:
    """Beside plain TCP, with a certificate made by openssl; only loopback may come."""
    file, cert, key = tmp_path / "vrps.csv", tmp_path / "c.pem", tmp_path / "k.pem"
    file.write_text(ONE)
    request = (
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
    )
    names = ("-subj", "/CN=cache", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert))
    subprocess.run((*request, *names), check=True, capture_output=True, timeout=DEADLINE)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    tls = ("--tls-listen", f"127.0.0.1:{port}", "--cert", str(cert), "--key", str(key), "--allow", "127.0.0.0/8")
    served = serve("--vrps", str(file), *tls)
    assert f", 127.0.0.1:{port} (TLS); session " in served.line

    dumped = run("rtr", "dump", f"127.0.0.1:{port}", "--tls", "--ca-file", str(cert))
    assert (dumped.returncode, dumped.stderr) == (0, "")
    assert "192.0.2.0/24" in dumped.stdout
    assert "192.0.2.0/24" in run("rtr", "dump", f"127.0.0.1:{served.port}").stdout
    distrusting = run("rtr", "dump", f"127.0.0.1:{port}", "--tls")
    assert distrusting.returncode == 3
    assert "its certificate is not accepted: self-signed certificate; --ca-file of rtr dump" in distrusting.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("dump", "127.0.0.1:1", "--tls", "--ssh", "rpki"), "--tls and --ssh are each a transport"),
        (("dump", "127.0.0.1:1", "--cert", "c.pem"), "write the cache as tls://"),
        (("dump", "127.0.0.1:1", "--md5-key-file", "/nonexistent"), "No such file"),
        (("serve", "--vrps", "v.csv", "--allow", "router"), "is not a network"),
        (("serve", "--vrps", "v.csv", "--tls-listen", "127.0.0.1:0"), "TLS needs a certificate"),
        (("serve", "--vrps", "v.csv", "--md5", "192.0.2.0/24"), "names no key"),
    ],
)
def test_transports_that_make_no_sense(arguments: tuple[str, ...], told: str) -> None:
    """One sentence, exit code 2."""
    done = run("rtr", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
