"""Tests for rpkival.cli.rsc, the whole command in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.publisher import Publisher
from rpkival.lab.rsync_daemon import RsyncDaemon

Run = Callable[..., Any]
NOW = 1_773_648_000
YEAR = Validity(NOW - 86_400, NOW + 365 * 86_400)
DAY = Validity(NOW - 60, NOW + 86_400)


@pytest.fixture
def lab(lab_keys: KeyRing, tmp_path: Path) -> Path:
    """A tree on disk, `offer.txt` and `terms.txt`, and `offer.sig` for both."""
    anchor = trust_anchor("lab", Resources(["10.0.0.0/8"], [64500]), YEAR, lab_keys)
    member = anchor.issue_ca("member", Resources(["10.1.0.0/16"], [64500]))
    files = {"offer.txt": b"offer", "terms.txt": b"terms"}
    (tmp_path / "offer.sig").write_bytes(member.checklist(Resources(["10.1.0.0/24"], [64500]), files))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    Publisher(tmp_path / "lab").publish(anchor, files=anchor.tree(DAY))
    return tmp_path


@pytest.fixture
def verify(rpkival: Run, lab: Path) -> Run:
    """`verify(file, ..., option, ...)` holds files against the checklist, as of the moment of the tree."""
    tree = ("--tal", lab / "lab" / "lab.tal", "--repository-dir", lab / "lab" / "rsync")

    def run(*words: str | Path, chain: tuple[str | Path, ...] = tree, at: str = "2026-03-16T08:00:00Z") -> Any:
        return rpkival("rsc", "verify", lab / "offer.sig", *words, *chain, "--at", at, "--quiet")

    return run


def test_good_files_under_a_good_chain(verify: Run, lab: Path) -> None:
    """Everything is said: for what it was signed, by whom, and which file was not given."""
    done = verify(lab / "offer.txt")

    assert (done.code, done.err) == (0, "")
    first, chain, file, rest = done.out.splitlines()
    assert first.endswith("offer.sig: signed for 10.1.0.0/24, AS64500; its signature is good")
    assert chain.startswith("  chain verified: Issued by rsync://")
    assert "under lab; not revoked; valid until" in chain
    assert file.endswith("offer.txt': good: the checklist has it")
    assert rest == "  terms.txt: on the checklist, not given"


def test_the_chain_is_found_in_what_was_fetched(
    rpkival: Run, tmp_path: Path, lab_keys: KeyRing, rsync_daemon: RsyncDaemon
) -> None:
    """In the store, by its memo, which keeps what is in it."""
    place = f"rsync://{rsync_daemon.authority}/repository/"
    anchor = trust_anchor("lab", Resources(["10.0.0.0/8"], [64500]), YEAR, lab_keys, repository=place)
    member = anchor.issue_ca("member", Resources(["10.1.0.0/16"], [64500]))
    publisher = Publisher(tmp_path / "lab")
    (tal,) = publisher.publish(anchor, files=anchor.tree(DAY))
    rsync_daemon.serve("repository", publisher.rsync / rsync_daemon.authority / "repository")
    (tmp_path / "offer.txt").write_bytes(b"offer")
    (tmp_path / "offer.sig").write_bytes(member.checklist(Resources(["10.1.0.0/24"]), {"offer.txt": b"offer"}))
    where = ("--tal", tal, "--data-dir", tmp_path / "state", "--at", "2026-03-16T08:00:00Z", "--quiet")
    verify = ("rsc", "verify", tmp_path / "offer.sig", tmp_path / "offer.txt", *where)

    assert rpkival(*verify).code == 3
    assert rpkival("validate", "--allow-dubious-hosts", *where).code == 0
    for _ in range(2):
        done = rpkival(*verify)
        assert done.code == 0
        assert f"chain verified: Issued by {place}" in done.out


def test_bad_files_are_bad_news(verify: Run, lab: Path) -> None:
    """Changed, renamed, unknown."""
    (lab / "offer.txt").write_bytes(b"another offer")
    (lab / "renamed.txt").write_bytes(b"terms")
    (lab / "unknown.txt").write_bytes(b"unknown")
    done = verify(lab / "offer.txt", lab / "renamed.txt", lab / "unknown.txt", "--format", "json")

    record = json.loads(done.out)
    assert done.code == 1
    assert record["verdict"] == "bad"
    assert record["chain"] == "verified"
    assert [file["verdict"] for file in record["files"]] == ["differs", "renamed", "unlisted"]
    assert [entry["name"] for entry in record["not_given"]] == ["offer.txt", "terms.txt"]


def test_a_bad_chain_is_bad_news(verify: Run, lab: Path, lab_keys: KeyRing) -> None:
    """A checklist that claims more than its issuer has, and is good by itself."""
    anchor = trust_anchor("lab", Resources(["10.0.0.0/8"], [64500]), YEAR, lab_keys)
    member = anchor.issue_ca("member", Resources(["10.1.0.0/16"], [64500]))
    (lab / "offer.sig").write_bytes(member.checklist(Resources(["10.2.0.0/24"]), {"offer.txt": b"offer"}))
    done = verify(lab / "offer.txt")

    assert done.code == 1
    assert "chain BAD: The certificate claims IPv4 addresses 10.2.0.0/24" in done.out
    assert "offer.txt': good" in done.out


def test_a_tree_that_has_run_out_verifies_nothing(verify: Run, lab: Path) -> None:
    """Whether the certificate has been revoked since then nobody can say."""
    assert verify(lab / "offer.txt", at="2026-03-17T07:59:59Z").code == 0
    later = verify(lab / "offer.txt", at="2026-03-18T00:00:00Z")
    assert later.code == 3
    assert "chain not verified: No CA that is valid at 2026-03-18T00:00:00Z" in later.out


def test_without_a_tree_the_chain_is_not_verified(verify: Run, lab: Path) -> None:
    """The exit code says that something is missing, unless it was not asked for."""
    missing = verify(lab / "offer.txt", chain=("--repository-dir", lab / "absent"))
    assert missing.code == 3
    assert "chain not verified: There is no" in missing.out

    alone = verify(lab / "offer.txt", chain=("--no-chain",))
    assert alone.code == 0
    assert "chain not verified: It was not asked for." in alone.out


def test_a_broken_checklist_is_bad_news(verify: Run, lab: Path) -> None:
    """One sentence with the section."""
    data = (lab / "offer.sig").read_bytes()
    (lab / "offer.sig").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    done = verify(lab / "offer.txt")

    assert done.code == 1
    assert "BAD, so nothing was verified: " in done.out
    assert "(RFC 6488 section 3)" in done.out


def test_a_missing_file_is_wrong_usage(verify: Run, lab: Path) -> None:
    """And named."""
    done = verify(lab / "absent.txt")
    assert done.code == 2
    assert "absent.txt cannot be read" in done.err
