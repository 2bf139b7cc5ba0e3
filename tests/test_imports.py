"""The arrows of docs/architecture.md: which room may import which. An import against them fails here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

BASE = {
    "rpkival",
    "rpkival.errors",
    "rpkival.garbage",
    "rpkival.http_fault",
    "rpkival.http_server",
    "rpkival.listening_socket",
    "rpkival.json_fault",
    "rpkival.limits",
    "rpkival.log",
    "rpkival.listening",
    "rpkival.prefix_text",
    "rpkival.prefixes",
    "rpkival.asn",
    "rpkival.compression",
    "rpkival.resources",
    "rpkival.runs",
}
"""Leaves that everybody may import and that import only each other."""

ALLOWED: dict[str, set[str]] = {
    "rpkival.compression": set(),
    "rpkival.objects": set(),
    "rpkival.repository": {"rpkival.objects"},
    "rpkival.validation": {"rpkival.objects"},
    "rpkival.payload": {"rpkival.validation"},
    "rpkival.origin": {"rpkival.payload"},
    "rpkival.path": {"rpkival.payload"},
    "rpkival.rtr": {"rpkival.payload"},
    "rpkival.storage": set(),
    "rpkival.history": {"rpkival.payload", "rpkival.storage"},
    "feeds": set(),
    "rpkival.monitor": {"rpkival.origin", "rpkival.path", "rpkival.payload", "rpkival.storage", "feeds"},
    "rpkival.alerts": {"rpkival.monitor", "rpkival.storage"},
    "rpkival.lab": {"rpkival.objects", "feeds"},
    "rpkival.config": set(),
    "web": {
        "rpkival.alerts",
        "rpkival.config",
        "rpkival.history",
        "rpkival.monitor",
        "rpkival.origin",
        "rpkival.path",
        "rpkival.payload",
        "rpkival.rtr",
        "rpkival.storage",
        "rpkival.validation",
        "feeds",
    },
}
ON_TOP = {"rpkival.__main__", "rpkival.cli", "rpkival.daemon"}
"""Import everything; the daemon is imported by the command line only, the command line by nobody."""

FILES = sorted(path for top in ("rpkival", "feeds", "web") for path in (ROOT / top).rglob("*.py"))


def room_of(module: str) -> str:
    """The room a dotted module name belongs to."""
    parts = module.split(".")
    if parts[0] in {"feeds", "web"}:
        return parts[0]
    return ".".join(parts[:2])


def project_imports(path: Path) -> set[str]:
    """The modules of this project that a file imports, at any depth and at any time."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module)
            if node.module in {"rpkival", "feeds", "web"}:
                found |= {f"{node.module}.{alias.name}" for alias in node.names if alias.name != "__version__"}
        elif isinstance(node, ast.ImportFrom) and node.level:
            pytest.fail(f"{path} imports relatively; write the room's name")
    return {name for name in found if name.split(".")[0] in {"rpkival", "feeds", "web"}}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path) -> None:
    """Every room imports only what the architecture allows it."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    room = room_of(module)
    if room in ON_TOP:
        assert room != "rpkival.daemon" or not any(room_of(name) == "rpkival.cli" for name in project_imports(path))
        return
    allowed = BASE if module in BASE else BASE | {room} | ALLOWED[room]
    against = {name for name in project_imports(path) if room_of(name) not in allowed and name not in allowed}
    assert not against, f"{module} must not import {sorted(against)}"
