"""Where VRPs come from: `--vrps`, `--rtr`, `--url`, or what `rpkival up` saved last."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from rpkival.cli.options import is_missing, state_directory
from rpkival.cli.terminal import note, progress
from rpkival.errors import FetchError, UsageError
from rpkival.limits import (
    MAX_VRP_DOWNLOAD_BYTES,
    STALE_VRPS_SECONDS,
    VRP_DOWNLOAD_SECONDS,
    VRP_RTR_SECONDS,
)
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrps

__all__ = ["Source", "check_source", "default_data_dir", "load_vrps", "memo_directory", "warn_if_stale"]


@dataclass(frozen=True, slots=True)
class Source:
    """`payload` is sorted and unique, `name` for people, `generated` in unix seconds, None where nothing says it."""

    payload: Payload
    name: str
    generated: int | None

    @property
    def vrps(self) -> Vrps:
        """Those of the payload."""
        return self.payload.vrps

    def stale(self, now: float) -> bool:
        """Whether the data is too old to be believed at `now` (unix seconds)."""
        return self.generated is not None and now - self.generated > STALE_VRPS_SECONDS


def check_source(*, vrps: Path | None, rtr: str | None, url: str | None, data_dir: Path | None) -> None:
    """Raise `UsageError` for more than one source, and `FetchError` where there is none at all."""
    given = [option for option, value in (("--vrps", vrps), ("--rtr", rtr), ("--url", url)) if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are each a source of VRPs; give one of them.")
    if not given and is_missing(_snapshot(data_dir)):
        raise FetchError(
            f"There are no VRPs to judge by: give --vrps FILE, --rtr HOST:PORT or --url URL, or start rpkival up, "
            f"which keeps them in {state_directory(data_dir)}."
        )


def load_vrps(
    *, vrps: Path | None, rtr: str | None, url: str | None, data_dir: Path | None, quiet: bool = False
) -> Source:
    """Load the one source that was asked for, or the snapshot of `data_dir`.

    Raises what `check_source` does, `UsageError` for a file that cannot be read, and `FormatError`, `FetchError`,
    `ProtocolError`, `LimitError` or `StateError` where the content is at fault.
    """
    check_source(vrps=vrps, rtr=rtr, url=url, data_dir=data_dir)
    if vrps:
        with _busy(f"Reading {vrps}", quiet=quiet):
            return _from_file(vrps)
    if rtr:
        with _busy(f"Asking {rtr}", quiet=quiet):
            return _from_rtr(rtr)
    if url:
        with _busy(f"Fetching {url}", quiet=quiet):
            return _from_url(url)
    return _from_snapshot(data_dir)


def warn_if_stale(source: Source, now: float) -> bool:
    """`source.stale(now)`, told on standard error: the exit code is then 3."""
    if not source.stale(now) or source.generated is None:
        return False
    hours = int(now - source.generated) // 3600
    age = f"{hours} hours" if hours < 72 else f"{hours // 24} days"
    note(f"rpkival: the VRPs of {source.name} are {age} old, so the answer may be wrong (exit code 3).")
    return True


def default_data_dir() -> Path:
    """Where `rpkival up` keeps its state unless told otherwise."""
    return state_directory(None)


def memo_directory() -> Path | None:
    """Where parsed VRP files are remembered; None if RPKIVAL_NO_MEMO is set."""
    return None if os.environ.get("RPKIVAL_NO_MEMO") else platformdirs.user_cache_path("rpkival") / "vrps"


@contextmanager
def _busy(doing: str, *, quiet: bool) -> Iterator[None]:
    with progress(quiet=quiet) as bars:
        bars.add_task(doing, total=None)
        yield


def _from_file(path: Path) -> Source:
    from rpkival.payload.memo import read_vrps_once

    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    loaded = read_vrps_once(data, name=str(path), directory=memo_directory())
    return Source(loaded.payload, str(path), loaded.generated)


def _from_rtr(peer: str) -> Source:
    from rpkival.cli.rtr_dial import Reach
    from rpkival.rtr.client import fetch_payload

    dial = Reach().dials([peer])[peer]
    payload = fetch_payload(dial.host, dial.port, timeout=VRP_RTR_SECONDS, dial=dial)
    return Source(payload, f"the RTR cache {peer}", None)


def _from_url(url: str) -> Source:
    from rpkival.cli.download import download
    from rpkival.payload.memo import read_vrps_once

    data = download(url, limit=MAX_VRP_DOWNLOAD_BYTES, seconds=VRP_DOWNLOAD_SECONDS)
    loaded = read_vrps_once(data, name=url, directory=memo_directory())
    return Source(loaded.payload, url, loaded.generated)


def _snapshot(data_dir: Path | None) -> Path:
    from rpkival.payload.snapshot import SNAPSHOT_NAME

    return state_directory(data_dir) / SNAPSHOT_NAME


def _from_snapshot(data_dir: Path | None) -> Source:
    from rpkival.payload.snapshot import load_snapshot

    path = _snapshot(data_dir)
    snapshot = load_snapshot(path)
    return Source(snapshot.payload, f"the snapshot {path}", snapshot.generated)
