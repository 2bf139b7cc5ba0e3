"""All attacks there are, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from rpkival.errors import UsageError
from rpkival.lab.hostile.ground import Case
from rpkival.lab.hostile.manifests import MANIFESTS
from rpkival.lab.hostile.objects import OBJECTS
from rpkival.lab.hostile.servers import SERVERS
from rpkival.lab.hostile.trees import TREES

__all__ = ["CASES", "cases_named"]

CASES: Final[Mapping[str, Case]] = {case.name: case for case in (*OBJECTS, *MANIFESTS, *TREES, *SERVERS)}


def cases_named(names: Iterable[str]) -> list[Case]:
    """Each once, `all` for all. Raises `UsageError` for a name that there is not."""
    wanted = dict.fromkeys(names)
    if "all" in wanted:
        return list(CASES.values())
    for name in wanted:
        if name not in CASES:
            raise UsageError(f"There is no attack named {name}; `rpkival lab attacks` lists them.")
    return [CASES[name] for name in wanted]
