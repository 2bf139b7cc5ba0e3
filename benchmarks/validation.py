"""CPU time to validate a real registry's tree: other validators and rpkival, the same files, in turn, in one run.

    python benchmarks/validation.py ../shared/data/twnic.tar.xz [--rounds 3] [--rpki-client PATH] [--routinator PATH]...

Each program judges the unpacked tree as of 2026-03-16 08:00 UTC (under faketime) without fetching anything, and must
find the same number of VRPs. CPU time is that of the whole process with all its children, start included; the best of
all rounds counts. Programs that are not installed are left out; more of them, or other versions, may be given by their
paths. Those that read only what they have fetched themselves do so first, unmeasured. What Python needs to start,
whatever the number of objects, is measured with an empty directory and shown apart.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rpkival.lab.rsync_daemon import RsyncDaemon

MOMENT = "2026-03-16 08:00:00"
EXPECTED_VRPS = 4363
RPKIVAL = (sys.executable, "-m", "rpkival")
OPTIONS = ("validate", "--tal", "ta.tal", "--offline", "--quiet")
START = "start"


@dataclass(frozen=True)
class Validator:
    """A program, what runs it, and where its CSV ends up."""

    name: str
    command: tuple[str, ...]
    output: Path
    vrps: int = EXPECTED_VRPS
    exit_code: int = 0


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="twnic.tar.xz")
    parser.add_argument("--rounds", type=int, default=3)
    for program in PEERS:
        found = [path] if (path := shutil.which(program)) else []
        parser.add_argument(f"--{program}", metavar="PATH", dest=program, action="append", default=found)
    options = parser.parse_args()
    if not shutil.which("faketime"):
        sys.exit("faketime is not installed, and without it only rpkival can be told what time it is.")
    # rpki-client drops to a user of its own where root starts it, so the place is open to all.
    with tempfile.TemporaryDirectory(prefix="rpkival-benchmark-") as name:
        place = Path(name)
        place.chmod(0o755)
        with tarfile.open(options.archive) as archive:
            archive.extraction_filter = getattr(tarfile, "data_filter", None)  # Debian's Python 3.11.2 has none
            archive.extractall(place)
        objects = sum(path.is_file() for path in (place / "rsync").rglob("*"))
        validators = [rpkival(place, 0), start(place), rpkival(place, 1), rpkival(place, 2)]
        for program, make in PEERS.items():
            validators += [
                make(path, Path(tempfile.mkdtemp(prefix=program, dir=place)), place)
                for path in getattr(options, program)
            ]
        best: dict[str, tuple[float, float]] = {}
        for _ in range(options.rounds):
            for validator in validators:
                best[validator.name] = min(best.get(validator.name, (1e9, 1e9)), measure(validator, place))
        report(best, objects, options.rounds)


def measure(validator: Validator, place: Path) -> tuple[float, float]:
    """CPU and wall seconds of one run."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        ["faketime", MOMENT, *validator.command],
        cwd=place,
        env=os.environ | {"TZ": "UTC"},
        capture_output=True,
        text=True,
        check=False,
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != validator.exit_code:
        sys.exit(f"{validator.name} failed:\n{done.stdout}{done.stderr}")
    found = len(validator.output.read_text().splitlines()) - 1
    if found != validator.vrps:
        sys.exit(f"{validator.name} found {found} VRPs where there are {validator.vrps}.")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def report(best: dict[str, tuple[float, float]], objects: int, rounds: int) -> None:
    """A Markdown table; the last column is how many times rpkival's CPU time the others take."""
    start_cpu, start_wall = best.pop(START)
    own_cpu, own_wall = own = best.pop("rpkival")
    best = {"rpkival": own, "rpkival without its start": (own_cpu - start_cpu, own_wall - start_wall), **best}
    print(f"{objects} files, {EXPECTED_VRPS} VRPs, best of {rounds}; {os.cpu_count()} processors\n")
    print("| validator | CPU seconds | wall seconds | CPU µs per object | times rpkival |")
    print("|---|---:|---:|---:|---:|")
    for name, (cpu, wall) in best.items():
        print(f"| {name} | {cpu:.2f} | {wall:.2f} | {cpu / objects * 1e6:.0f} | {cpu / own_cpu:.2f} |")


def rpkival(place: Path, workers: int) -> Validator:
    """The command line; the payload is judged by so many processes besides, 0: by this one."""
    name = f"rpkival, {workers} workers" if workers else "rpkival"
    output = place / f"{name}.csv"
    command = (*RPKIVAL, *OPTIONS, "--workers", str(workers), "--repository-dir", "rsync", "--output", str(output))
    return Validator(name, command, output)


def start(place: Path) -> Validator:
    """The same without a single object: no trust anchor, no VRPs, exit code 3."""
    (place / "empty").mkdir()
    output = place / "start.csv"
    command = (*RPKIVAL, *OPTIONS, "--repository-dir", "empty", "--output", str(output))
    return Validator(START, command, output, vrps=0, exit_code=3)


def rpki_client(program: str, home: Path, place: Path) -> Validator:
    """rpki-client, whose cache keeps trust anchors apart."""
    cache, out = home / "cache", home / "out"
    home.chmod(0o755)
    shutil.copytree(place / "rsync", cache)
    (cache / "ta/ta").mkdir(parents=True)
    shutil.copy(next((place / "rsync").rglob("ta.cer")), cache / "ta/ta/ta.cer")
    out.mkdir()
    if os.geteuid() == 0:
        for path in (cache, *cache.rglob("*"), out):
            shutil.chown(path, "_rpki-client")
    return Validator(
        f"rpki-client {version(program, '-V')}",
        (program, "-n", "-c", "-t", "ta.tal", "-d", str(cache), str(out)),
        out / "csv",
    )


def fort(program: str, home: Path, place: Path) -> Validator:
    """FORT, run once; up to 1.5 it takes a tree as it is."""
    number = version(program, "--version")
    options = ("--mode", "standalone", "--tal", "ta.tal", "--local-repository", str(home / "cache"))
    if number.startswith("1.5."):
        shutil.copytree(place / "rsync", home / "cache")
    else:
        (home / "cache").mkdir()
        configuration = home / "fort.json"
        configuration.write_text(json.dumps({"rsync": {"program": str(home / "rsync")}, "http": {"enabled": False}}))
        fetch(place, home, program, "--configuration-file", str(configuration), *options)
    output = home / "fort.csv"
    return Validator(f"FORT {number}", (program, *options, "--work-offline", "--output.roa", str(output)), output)


def routinator(program: str, home: Path, place: Path) -> Validator:
    """Routinator, which reads what it has stored."""
    (home / "tals").mkdir()
    shutil.copy(place / "ta.tal", home / "tals")
    options = ("--no-rir-tals", "--extra-tals-dir", str(home / "tals"), "--repository-dir", str(home / "cache"))
    output = home / "routinator.csv"
    write = ("--format", "csv", "--output", str(output))
    fetch(place, home, program, *options, "--disable-rrdp", "--rsync-command", str(home / "rsync"), "vrps", *write)
    return Validator(
        f"Routinator {version(program, '--version')}", (program, *options, "vrps", "--noupdate", *write), output
    )


def fetch(place: Path, home: Path, *command: str) -> None:
    """Run a validator with `home/rsync` for its rsync, which finds every host on a daemon of ours."""
    with RsyncDaemon() as daemon:
        for module in (place / "rsync").glob("*/*"):
            daemon.serve(module.name, module)
        daemon.write_client(home / "rsync")
        environment = os.environ | {"TZ": "UTC"}
        done = subprocess.run(
            ["faketime", MOMENT, *command], cwd=place, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        sys.exit(f"{command[0]} could not fetch:\n{done.stdout}{done.stderr}")


def version(program: str, option: str) -> str:
    """The last word of what it says."""
    done = subprocess.run([program, option], capture_output=True, text=True, check=True)
    return (done.stdout + done.stderr).split()[-1]


PEERS: dict[str, Callable[[str, Path, Path], Validator]] = {
    "rpki-client": rpki_client,
    "fort": fort,
    "routinator": routinator,
}
"""Each given its path, a directory of its own, and the place of the unpacked tree."""


if __name__ == "__main__":
    main()
