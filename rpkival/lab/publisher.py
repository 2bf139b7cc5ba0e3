"""Trees of signed objects put where validators look, and the locator that starts them."""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from textwrap import wrap

from rpkival.lab.ca import CertificateAuthority

__all__ = ["Publisher", "trust_anchor_locator"]


def trust_anchor_locator(anchor: CertificateAuthority) -> str:
    """The TAL (RFC 8630 section 2.2) of a trust anchor."""
    key = base64.b64encode(anchor.key.public_key_info).decode()
    return "\n".join((anchor.certificate_uri, "", *wrap(key, 64), ""))


class Publisher:
    """Publishes whole trees under `directory`: `NAME.tal`, and `rsync/host/module/path`.

    `rsync` is a symbolic link that moves from one tree to the next in one step, so a reader that resolves it once sees
    one state of the world. The tree before the present one is kept for those that are still reading it. Each tree is at
    least a second younger than the one before: rsync takes what has the same size and the same second for the same.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.rsync = directory / "rsync"

    def publish(self, *anchors: CertificateAuthority, files: Mapping[str, bytes]) -> list[Path]:
        """Publish `files` (by rsync URI) and a TAL for each anchor; returns the TALs' paths."""
        tree = Path(tempfile.mkdtemp(prefix="tree-", dir=self.directory))
        tree.chmod(0o755)  # mkdtemp hides from others what daemons and other validators are to read
        before = self.rsync.resolve()
        second = max(int(time.time()), int(before.stat().st_mtime) + 1 if before.exists() else 0)
        for uri, content in files.items():
            path = tree / uri.removeprefix("rsync://")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, (second, second))
        os.utime(tree, (second, second))
        link = self.directory / f"{tree.name}.link"
        link.symlink_to(tree.name)
        link.replace(self.rsync)
        for stale in self.directory.glob("tree-*"):
            if stale not in {tree, before}:
                shutil.rmtree(stale)
        return [self._write_locator(anchor) for anchor in anchors]

    def _write_locator(self, anchor: CertificateAuthority) -> Path:
        path = self.directory / f"{anchor.name}.tal"
        temporary = path.with_suffix(".new")
        temporary.write_text(trust_anchor_locator(anchor), "ascii")
        return temporary.replace(path)
