"""Trees of CAs that never end, turn back on themselves, or claim what is another's; and URIs that lead astray."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path
from typing import Final

from rpkival.lab.ca import Product
from rpkival.lab.certificates import CertificateContent, certificate
from rpkival.lab.hostile.ground import GOOD, Case, Ground
from rpkival.lab.keys import SigningKey
from rpkival.lab.number_resources import Resources

__all__ = ["TREES"]

_SERIAL: Final = 1_000_000
_CHILDREN: Final = 9


def _chain(ground: Ground) -> None:
    above, name = ground.attacker, ground.case.name
    for each in range(ground.size):
        below = f"{name}-{each}"
        place = f"rsync://{ground.authority}/{below}/{below}/"
        above = above.issue_ca(below, ground.block.resources, repository=place)


def _tree(ground: Ground) -> None:
    level = [ground.attacker]
    for _ in range(ground.size):
        level = [
            above.issue_ca(f"{above.name}-{each}", ground.block.resources, repository=f"{above.repository}{each}/")
            for above in level
            for each in range(_CHILDREN)
        ]


def _everywhere(ground: Ground) -> None:
    for each in range(ground.size):
        place = f"rsync://{ground.authority}/nowhere-{each}/"
        ground.attacker.issue_ca(f"{ground.case.name}-{each}", ground.block.resources, repository=place)


def _loop(ground: Ground) -> None:
    _certify(ground, ground.attacker.key, ground.attacker.repository, ground.attacker.manifest)


def _forged_identifier(ground: Ground) -> None:
    good = ground.good
    forged = replace(ground.attacker.key, identifier=good.key.identifier)
    _certify(ground, forged, good.repository, good.manifest)


def _borrowed_key(ground: Ground) -> None:
    _certify(ground, ground.good.key, ground.good.repository, ground.good.manifest)


def _same_place(ground: Ground) -> None:
    key = ground.attacker.keys.key(f"{ground.case.name}-below")
    _certify(ground, key, ground.good.repository, ground.good.manifest)


def _traversal(ground: Ground) -> None:
    for each, place in enumerate(("../../../etc/", "%2e%2e/%2e%2e/etc/", "module/../../../etc/", ".ssh/", "/etc/")):
        key = ground.attacker.keys.key(f"{ground.case.name}-{each}")
        _certify(ground, key, f"rsync://{ground.authority}/{place}", "x.mft", f"below-{each}")


def _option(ground: Ground) -> None:
    for each, place in enumerate(("-e sh/", "--rsh=sh/", "-oProxyCommand=sh/x/")):
        key = ground.attacker.keys.key(f"{ground.case.name}-{each}")
        _certify(ground, key, f"rsync://{place}", "x.mft", f"below-{each}")


def _long_uri(ground: Ground) -> None:
    _certify(ground, ground.attacker.key, f"rsync://{ground.authority}/{'a/' * ground.size}", "x.mft")


def _not_https(ground: Ground) -> None:
    for each, notify in enumerate(("file:///etc/passwd", "http://169.254.169.254/latest/", "ftp://127.0.0.1/x")):
        key = ground.attacker.keys.key(f"{ground.case.name}-{each}")
        place = f"{ground.base}below-{each}/"
        _certify(ground, key, place, "x.mft", f"below-{each}", notify=notify)


def _certify(
    ground: Ground, key: SigningKey, place: str, manifest: str, name: str = "below", *, notify: str | None = None
) -> None:
    """A certificate for a CA that is nothing of the attacker's own, of any key and place."""
    attacker = ground.attacker
    content = CertificateContent(
        serial=_SERIAL,
        validity=attacker.validity,
        subject_key=key,
        resources=ground.block.resources,
        is_ca=True,
        subject_info=(place, place + manifest, *([notify] if notify else [])),
        crl_uri=attacker.crl_uri,
        issuer_uri=attacker.certificate_uri,
    )
    attacker.products[f"{name}.cer"] = Product(certificate(content, attacker.key), _SERIAL)


def _greedy(ground: Ground) -> None:
    stolen = GOOD.prefix
    below = ground.attacker.issue_ca(f"{ground.case.name}-below", Resources([ground.block.prefix, stolen]))
    below.issue_roa(ground.block.asn, [(stolen, 24)])


def _set_uid(ground: Ground) -> None:
    ground.publish("program.xyz", b"#!/bin/sh\n")
    name = ground.attacker.name

    def run_as_owner(tree: Path) -> None:
        for path in (tree / ground.authority / ground.case.name / name).iterdir():
            path.chmod(0o755 | stat.S_ISUID | stat.S_ISGID)

    ground.on_disk = run_as_owner


def _links(ground: Ground) -> None:
    name = ground.attacker.name

    def link(tree: Path) -> None:
        place = tree / ground.authority / ground.case.name / name
        for link, target in (("passwd.roa", "/etc/passwd"), ("up.roa", "../../../.."), ("self.roa", "self.roa")):
            (place / link).symlink_to(target)

    ground.on_disk = link


_SAFE_URIS: Final = "What becomes a host, a path or an argument is refused unless it is beyond doubt (`RsyncUri`)."

TREES: Final = (
    Case(
        "infinite-chain",
        "CAs, one below another, each in a repository of its own, deeper than anybody follows.",
        ("RPRP A", "CVE-2021-43172", "CVE-2021-3908", "CVE-2022-3616"),
        "`MAX_CA_DEPTH`, `MAX_REPOSITORIES`, `FETCH_RUN_SECONDS`.",
        "chain of certificates is longer than",
        _chain,
        keeps=True,
        size=40,
    ),
    Case(
        "many-children",
        "A tree in which each CA has nine below it.",
        ("RPRP H",),
        "`MAX_SUBTREE_POINTS` below one member of a registry, `MAX_PUBLICATION_POINTS` below a trust anchor, level by "
        "level, so that what is near it is there.",
        "tree passed its limit",
        _tree,
        keeps=True,
        size=3,
    ),
    Case(
        "many-repositories",
        "A thousand CAs, each in a repository of its own that is not there.",
        ("RPRP A",),
        "`MAX_REPOSITORIES`, `FETCHES_PER_HOST`; what has succeeded before is fetched first, and beyond all number.",
        "this run has already fetched",
        _everywhere,
        keeps=True,
        size=1_001,
    ),
    Case(
        "ca-loop",
        "A CA that certifies its own key.",
        ("CVE-2021-43172",),
        "A key occurs once in a chain.",
        "already in its own chain of issuers",
        _loop,
        keeps=True,
    ),
    Case(
        "forged-aki",
        "A certificate with another CA's key identifier, and its place, over a key of the attacker's.",
        ("rpki-prover PR #302", "rpki-client 9.1"),
        "Key identifiers are computed anew, and places are told apart by key (`Place.key_digest`).",
        "not the SHA-1 of the key",
        _forged_identifier,
        keeps=True,
    ),
    Case(
        "borrowed-key",
        "A certificate for another CA's own key and place, with resources that leave nothing of its objects.",
        ("rpki-prover PR #302",),
        "A CA is judged under each certificate by itself (`Issuer.decisive`).",
        "claims IPv4 addresses 10.0.0.0/16, which its issuer does not have",
        _borrowed_key,
        keeps=True,
    ),
    Case(
        "shared-place",
        "A CA of the attacker's that says it publishes where another does.",
        ("rpki-prover PR #302",),
        "Nothing there is signed with its key; the store keeps versions by place and key.",
        "issuer is not the subject",
        _same_place,
        keeps=True,
    ),
    Case(
        "over-claim",
        "A CA that certifies addresses of another, and a ROA for them.",
        ("RFC 6487",),
        "Resources are held against the issuer's (RFC 6487 section 7.2).",
        "which its issuer does not have",
        _greedy,
        keeps=True,
    ),
    Case(
        "rsync-uri-traversal",
        "Repositories whose URIs climb out of the place where they are kept.",
        ("CVE-2021-3907", "CVE-2026-49233", "CVE-2023-39916"),
        f"{_SAFE_URIS}",
        "lacks an rsync URI",
        _traversal,
        keeps=True,
    ),
    Case(
        "rsync-uri-option",
        "Repositories whose URIs look like options of the rsync program.",
        ("CVE-2026-49233",),
        f"{_SAFE_URIS} Options end at `--` before a URI.",
        "lacks an rsync URI",
        _option,
        keeps=True,
    ),
    Case(
        "long-uri",
        "A repository with a URI of 120,000 characters.",
        ("RPRP N",),
        "`MAX_URI_LENGTH`.",
        "octets; 16384 are allowed",
        _long_uri,
        keeps=True,
        size=60_000,
    ),
    Case(
        "notify-elsewhere",
        "Notification files at `file:` and at an address of the machine's own network.",
        ("GHSA-qfm3-577x-rh54",),
        "RRDP is https and nothing else (RFC 8182 section 3.2).",
        "manifest is missing",
        _not_https,
        keeps=True,
    ),
    Case(
        "setuid-file",
        "Files that would run as their owner, if rsync kept their modes.",
        ("CVE-2021-3978",),
        "Modes, owners and links are not taken over.",
        "",
        _set_uid,
        keeps=True,
    ),
    Case(
        "symbolic-link",
        "Links that lead out of the repository, and around in circles.",
        ("CVE-2021-3907",),
        "Links are not fetched.",
        "",
        _links,
        keeps=True,
    ),
)
