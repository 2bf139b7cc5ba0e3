"""CAs that publish their manifest under another name than in the last run.

A CA whose manifest has the largest number there is starts anew under another name, and with it the checks against
replays. That hardly ever happens, and may be an attack: somebody is to look (RFC 9981 section 2).
"""

from __future__ import annotations

from rpkival.limits import MAX_RENAMED_MANIFESTS
from rpkival.validation.report import RenamedManifest
from rpkival.validation.tree import Tree

__all__ = ["renamed_manifests"]


def renamed_manifests(before: Tree, now: Tree) -> list[RenamedManifest]:
    """Of the CAs of both trees, known by their keys; no more than `MAX_RENAMED_MANIFESTS`."""
    gone = set(before.manifests).difference(now.manifests)
    new = set(now.manifests).difference(before.manifests)
    if not gone or not new:
        return []
    keys = before.rows["key"].tolist()
    left = {key: uri for key, uri in zip(keys, before.manifests, strict=True) if uri in gone}
    found = [
        RenamedManifest(now.trust_anchor, left[key], uri)
        for key, uri in zip(now.rows["key"].tolist(), now.manifests, strict=True)
        if uri in new and key in left
    ]
    return found[:MAX_RENAMED_MANIFESTS]
