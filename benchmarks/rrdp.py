"""A snapshot fetched from a server on loopback, by rpkival and by others: time, and how memory grows with its size.

    python benchmarks/rrdp.py [MEGABYTES] [--rpki-client PATH] [--fort PATH] [--routinator PATH]

One CA has a ROA in a repository that is otherwise full of what other CAs might have published: all of the snapshot has
to be taken, and little of it judged. Each validator fetches a fifth and the whole, each time into an empty place, and
must find the VRP. What counts is wall time, CPU time, and the most memory that all its processes have resident at once;
the ratio of the two is 1 where memory is constant. The server's process is not counted. rpki-client, which lets nobody
choose whom it trusts, is run by root in a mount namespace where the lab's certificate is the system's.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from aiohttp import web
from measured import Cost, cost_of

from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.publisher import trust_anchor_locator
from rpkival.lab.rrdp_server import RrdpServer
from rpkival.lab.rsync_daemon import RsyncDaemon

OBJECT_BYTES = 1_900
"""The mean of the world's objects."""

ANCHORS = "rsync://anchors.example/anchors/"
MEMBERS = "rsync://members.example/members/"
SYSTEM_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Place:
    """A directory with the locator `lab.tal`, the certificate `trusted/ca.pem` and the program `bin/rsync`."""

    path: Path
    home: Path
    """Of one validator, empty."""

    @property
    def output(self) -> Path:
        """Where VRPs are to be written as CSV."""
        return self.home / "out/csv"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("megabytes", type=float, nargs="?", default=500.0)
    for program in PEERS:
        found = [there] if (there := shutil.which(program)) else []
        parser.add_argument(f"--{program}", metavar="PATH", dest=program, action="append", default=found)
    options = parser.parse_args()
    validators: dict[str, Callable[[Place], list[str]]] = {"rpkival": rpkival}
    for program, command in PEERS.items():
        for installed in map(os.path.abspath, getattr(options, program)):
            validators[version(installed)] = partial(command, installed)
    costs: dict[str, list[Cost]] = {name: [] for name in validators}
    for size in (options.megabytes / 5, options.megabytes):
        # rpki-client drops to a user of its own where root starts it, so the place is open to all.
        with tempfile.TemporaryDirectory(prefix="rpkival-rrdp-") as name, RrdpServer() as server:
            path = Path(name)
            path.chmod(0o755)
            with RsyncDaemon() as daemon:
                publish(path, int(size * 1e6), server, daemon)
                for validator, run in validators.items():
                    costs[validator].append(fetched(Place(path, path / "home"), server, run))
                    print(f"{validator} has taken {size:.0f} MB", file=sys.stderr, flush=True)
    report(costs, options.megabytes)


def publish(place: Path, size: int, server: RrdpServer, daemon: RsyncDaemon) -> None:
    """A trust anchor by rsync, and a member by RRDP in a snapshot of about `size` octets."""
    now = int(time.time())
    anchor = trust_anchor(
        "anchor", Resources(["10.0.0.0/8"]), Validity(now - 3600, now + 10**7), KeyRing(), repository=ANCHORS
    )
    member = anchor.issue_ca(
        "member", Resources(["10.1.0.0/16"]), repository=f"{MEMBERS}member/", notify=server.notify_uri
    )
    member.issue_roa(64496, [("10.1.0.0/16", 16)])
    files = anchor.tree(Validity(now - 3600, now + 10**6))
    for uri, data in files.items():
        if uri.startswith(ANCHORS):
            path = place / "tree" / uri.removeprefix(ANCHORS)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    daemon.serve("anchors", place / "tree")
    (place / "bin").mkdir()
    daemon.write_client(place / "bin/rsync")
    (place / "lab.tal").write_text(trust_anchor_locator(anchor))
    (place / "trusted").mkdir()
    shutil.copy(server.ca_file, place / "trusted/ca.pem")
    subprocess.run(["openssl", "rehash", place / "trusted"], check=True)

    session, snapshot = str(uuid.uuid4()), place / "snapshot.xml"
    digest = write_snapshot(
        snapshot, {uri: data for uri, data in files.items() if uri.startswith(MEMBERS)}, session, size
    )
    notification = (
        f'<notification xmlns="http://www.ripe.net/rpki/rrdp" version="1" session_id="{session}" serial="1">'
        f'<snapshot uri="{server.base}/snapshot.xml" hash="{digest.hex()}"/></notification>'
    ).encode()

    async def told(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=notification)

    async def sent(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(snapshot)

    server.misbehave = {"/notification.xml": told, "/snapshot.xml": sent}


def write_snapshot(path: Path, files: Mapping[str, bytes], session: str, size: int) -> bytes:
    """These files and noise, about `size` octets; returns its SHA-256."""

    def pieces() -> Iterator[str]:
        yield f'<snapshot xmlns="http://www.ripe.net/rpki/rrdp" version="1" session_id="{session}" serial="1">\n'
        for number in range(size // (OBJECT_BYTES * 4 // 3 + 90)):
            yield published(f"{MEMBERS}{number:08}/a.roa", os.urandom(OBJECT_BYTES))
        for uri, content in files.items():
            yield published(uri, content)
        yield "</snapshot>\n"

    digest = sha256()
    with path.open("wb") as file:
        for piece in pieces():
            digest.update(piece.encode())
            file.write(piece.encode())
    return digest.digest()


def published(uri: str, content: bytes) -> str:
    """One element of a snapshot."""
    return f'<publish uri="{uri}">{base64.b64encode(content).decode()}</publish>\n'


def fetched(place: Place, server: RrdpServer, command: Callable[[Place], list[str]]) -> Cost:
    """One run of a validator in an empty place, which must fetch the snapshot and find the VRP."""
    shutil.rmtree(place.home, ignore_errors=True)
    place.output.parent.mkdir(parents=True)
    server.requests.clear()
    environment = os.environ | {"PATH": f"{place.path / 'bin'}:/usr/sbin:{os.environ['PATH']}"}
    cost = cost_of(command(place), env=environment, cwd=place.path)
    found = place.output.read_text()
    if "10.1.0.0/16" not in found or "/snapshot.xml" not in server.requests:
        sys.exit(f"{command(place)[0]} has not taken the snapshot:\n{found}")
    return cost


def rpkival(place: Place) -> list[str]:
    """The command line, as users run it."""
    options = ("--tal", "lab.tal", "--data-dir", str(place.home), "--ca-file", "trusted/ca.pem", "--quiet")
    more = ("--allow-dubious-hosts", "--rrdp-fallback", "never", "--output", str(place.output))
    return [sys.executable, "-m", "rpkival", "validate", *options, *more]


def rpki_client(program: str, place: Place) -> list[str]:
    """OpenBSD's."""
    (place.home / "cache").mkdir()
    for path in (place.home / "cache", place.output.parent):
        shutil.chown(path, "_rpki-client")
    arguments = f"-c -e {place.path}/bin/rsync -t {place.path}/lab.tal -d {place.home}/cache {place.output.parent}"
    trust = f"mount --bind {place.path}/trusted/ca.pem {SYSTEM_CERTIFICATES}"
    return ["unshare", "--mount", "sh", "-c", f"{trust} && exec {program} {arguments}"]


def fort(program: str, place: Place) -> list[str]:
    """NIC Mexico's."""
    (place.home / "cache").mkdir()
    configuration = {
        "mode": "standalone",
        "tal": str(place.path / "lab.tal"),
        "local-repository": str(place.home / "cache"),
        "http": {"enabled": True, "priority": 60, "ca-path": str(place.path / "trusted")},
        "rsync": {"program": str(place.path / "bin/rsync")},
        "output": {"roa": str(place.output)},
    }
    (place.home / "fort.json").write_text(json.dumps(configuration))
    return [program, "--configuration-file", str(place.home / "fort.json")]


def routinator(program: str, place: Place) -> list[str]:
    """NLnet Labs'."""
    (place.home / "tals").mkdir()
    shutil.copy(place.path / "lab.tal", place.home / "tals")
    options = ("--no-rir-tals", "--extra-tals-dir", f"{place.home}/tals", "--repository-dir", f"{place.home}/cache")
    trust = ("--allow-dubious-hosts", "--rrdp-root-cert", f"{place.path}/trusted/ca.pem")
    rsync = ("--rsync-command", f"{place.path}/bin/rsync")
    return [program, *options, *trust, *rsync, "vrps", "--format", "csv", "--output", str(place.output)]


PEERS: dict[str, Callable[[str, Place], list[str]]] = {
    "rpki-client": rpki_client,
    "fort": fort,
    "routinator": routinator,
}


def version(program: str) -> str:
    """Name and version, as it says them."""
    option = "-V" if "rpki-client" in program else "--version"
    done = subprocess.run([program, option], capture_output=True, text=True, check=True)
    return f"{Path(program).name} {(done.stdout + done.stderr).split()[-1]}"


def report(costs: Mapping[str, list[Cost]], megabytes: float) -> None:
    """A Markdown table; the last but one column is how memory grows, the last how it is beside ours."""
    ours = costs["rpkival"][1].memory
    print(f"A snapshot of {megabytes:.0f} MB\n")
    print("| validator | wall s | CPU s | MB/s | MiB | MiB for a fifth | growth | MiB, times rpkival |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for name, (fifth, whole) in costs.items():
        figures = f"{whole.wall:.1f} | {whole.cpu:.1f} | {megabytes / whole.wall:.1f} | {whole.memory / 2**20:.0f}"
        growth = f"{fifth.memory / 2**20:.0f} | {whole.memory / fifth.memory:.2f} | {whole.memory / ours:.2f}"
        print(f"| {name} | {figures} | {growth} |")


if __name__ == "__main__":
    main()
