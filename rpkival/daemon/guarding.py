"""The guard at work in `rpkival up`: what it holds survives a restart, and an operator's word releases it."""

from __future__ import annotations

import secrets
from collections import Counter
from pathlib import Path

import msgspec

from rpkival.errors import StateError, UsageError
from rpkival.log import Log
from rpkival.payload.atomic_file import write_atomically
from rpkival.payload.causes import Inquiry
from rpkival.payload.guard import Hold, Kind, LetGo, Thresholds, weigh
from rpkival.payload.payload import Payload

__all__ = ["GUARD_NAME", "Guarding", "Held", "read_held", "release"]

GUARD_NAME = "guard.json"
"""What is held, in the data directory."""

_RELEASE_NAME = "guard.release"
"""Holds the identifier of what an operator has released, until the process has seen it."""

_DAY = 86400.0

log = Log("rpkival.guard")


class Held(msgspec.Struct, frozen=True):
    """What is held since when (unix seconds). `id` is "" where nothing is; it names what a release releases."""

    id: str = ""
    since: float = 0.0
    holds: tuple[Hold, ...] = ()
    let_go: tuple[tuple[float, Kind, str, int], ...] = ()
    """Accidents of the last day that went through: when, of which kind and trust anchor, how many."""

    @property
    def number(self) -> int:
        """How many are held in all."""
        return sum(hold.number for hold in self.holds)

    @property
    def parts(self) -> frozenset[tuple[Kind, str]]:
        """Of which kinds and trust anchors something is held."""
        return frozenset((hold.kind, hold.trust_anchor) for hold in self.holds)

    @property
    def sentence(self) -> str:
        """For page, log and alert; "" where nothing is held."""
        if not self.holds:
            return ""
        losses = ", ".join(
            f"{hold.number} {hold.kind.noun} of {hold.trust_anchor} ({hold.share:.0%})" for hold in self.holds
        )
        return (
            f"Held back, and still served to routers until their signatures end: {losses}. For example: "
            f"{self.holds[0].example} If the loss is meant, release it: rpkival guard release {self.id}"
        )


class Guarding:
    """Weighs each new payload against the one that is served. `thresholds` None lets everything through."""

    def __init__(self, data_dir: Path, thresholds: Thresholds | None) -> None:
        self._data_dir = data_dir
        self._thresholds = thresholds
        self.held = Held()
        try:
            self.held = read_held(data_dir)
        except StateError as error:
            log.error("guard_state_lost", error=str(error))

    def weigh(self, served: Payload, new: Payload, inquiry: Inquiry, now: float) -> Payload:
        """What to serve at `now` (unix seconds) in place of `served`."""
        if self._thresholds is None:
            return new
        recent = tuple(each for each in self.held.let_go if each[0] > now - _DAY)
        lately: Counter[tuple[Kind, str]] = Counter()
        for _, kind, name, number in recent:
            lately[kind, name] += number
        verdict = weigh(
            served,
            new,
            inquiry,
            self._thresholds,
            held_before=self.held.parts,
            lost_lately=lately,
        )
        self._keep(verdict.holds, recent, verdict.let_go, now)
        return verdict.payload

    def release_requested(self) -> bool:
        """Whether an operator has released what is held; answers True once."""
        path = self._data_dir / _RELEASE_NAME
        try:
            said = path.read_text("ascii").strip()
            path.unlink()
        except (OSError, UnicodeDecodeError):
            return False
        return bool(self.held.holds) and said == self.held.id

    def let_go(self) -> None:
        """Hold nothing more of what is held, and begin to count anew."""
        log.warning("guard_released", id=self.held.id, number=self.held.number)
        self._write(Held())

    def _keep(
        self, holds: tuple[Hold, ...], recent: tuple[tuple[float, Kind, str, int], ...], more: LetGo, now: float
    ) -> None:
        let_go = (*recent, *((now, kind, name, number) for (kind, name), number in more.items()))
        held = Held("", 0.0, holds, let_go)
        if holds and held.parts <= self.held.parts:
            held = Held(self.held.id, self.held.since, holds, let_go)
        elif holds:
            held = Held(f"hold_{secrets.token_hex(6)}", now, holds, let_go)
            log.error("payload_held", id=held.id, number=held.number)
        self._write(held)

    def _write(self, held: Held) -> None:
        if held == self.held:
            return
        self.held = held
        try:
            write_atomically(self._data_dir / GUARD_NAME, [msgspec.json.encode(held)])
        except OSError as error:
            log.error("guard_state_not_saved", error=str(error))


def read_held(data_dir: Path) -> Held:
    """What is held in a data directory. Raises `StateError` where that cannot be read."""
    path = data_dir / GUARD_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Held)
    except FileNotFoundError:
        return Held()
    except (OSError, msgspec.MsgspecError) as error:
        raise StateError(f"The guard's state {path} cannot be read: {error}; remove it to hold nothing.") from error


def release(data_dir: Path, identifier: str) -> None:
    """Ask the process of this data directory to let go what it holds. Raises `UsageError`, `StateError`."""
    held = read_held(data_dir)
    if not held.holds:
        raise UsageError("Nothing is held.")
    if identifier != held.id:
        raise UsageError(f"{identifier!r} is not what is held now; rpkival guard show tells what is.")
    try:
        write_atomically(data_dir / _RELEASE_NAME, [identifier.encode("ascii")])
    except OSError as error:
        raise StateError(f"The release cannot be written to {data_dir}: {error.strerror}.") from error
