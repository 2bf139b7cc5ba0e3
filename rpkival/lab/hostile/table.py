"""All attacks there are, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rpkival.lab.hostile.ground import Case
from rpkival.lab.hostile.manifests import MANIFESTS
from rpkival.lab.hostile.objects import OBJECTS
from rpkival.lab.hostile.servers import SERVERS
from rpkival.lab.hostile.trees import TREES

__all__ = ["CASES"]

CASES: Final[Mapping[str, Case]] = {case.name: case for case in (*OBJECTS, *MANIFESTS, *TREES, *SERVERS)}
