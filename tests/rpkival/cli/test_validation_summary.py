"""Tests for rpkival.cli.validation_summary: what an operator is told at the end of `rpkival validate`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rpkival.cli.validation_summary import print_summary
from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.publisher import Publisher
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.payload.exceptions.exceptions import Applied
from rpkival.payload.payload import Payload
from rpkival.validation.report import Counts, Rejection, TrustAnchorReport, ValidationRun
from rpkival.validation.roas import ValidatedRoas


def test_a_successor_is_told(rpkival: Callable[..., Any], tmp_path: Path, lab_keys: KeyRing) -> None:
    """On the screen and in the report (RFC 9691); what is used stays as it was."""
    year = Validity(1_767_225_600, 1_798_761_600)
    first, second = (trust_anchor(name, Resources(["10.0.0.0/8"]), year, lab_keys) for name in ("anchor", "beta"))
    first.issue_roa(64500, [("10.0.0.0/8", 8)])
    first.issue_trust_anchor_key(successor=second)
    for uri, data in first.tree(Validity(1_773_640_000, 1_773_734_400)).items():
        path = tmp_path / "tree" / uri.removeprefix("rsync://")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    key = base64.b64encode(first.key.public_key_info).decode()
    (tmp_path / "ta.tal").write_text(f"{first.certificate_uri}\n\n{key}\n")
    place = ("--tal", tmp_path / "ta.tal", "--repository-dir", tmp_path / "tree", "--at", "2026-03-16T08:00:00Z")
    ended = rpkival("validate", "--offline", *place, "--report", tmp_path / "report.json")
    assert ended.code == 0, ended
    assert "AS64500,10.0.0.0/8" in ended.out
    assert f"The trust anchor ta announces another key, at {second.certificate_uri}" in ended.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["trust_anchors"][0]["successor"]["uris"] == [second.certificate_uri]


def test_a_manifest_under_another_name_is_told(
    rpkival: Callable[..., Any], tmp_path: Path, lab_keys: KeyRing, rsync_daemon: RsyncDaemon
) -> None:
    """On the screen and in the report of the run that finds it so (RFC 9981), and in no other."""
    year, day = Validity(1_767_225_600, 1_798_761_600), Validity(1_773_640_000, 1_773_734_400)
    place = f"rsync://{rsync_daemon.authority}/repository/"
    anchor = trust_anchor("lab", Resources(["10.0.0.0/8"]), year, lab_keys, repository=place)
    member = anchor.issue_ca("alpha", Resources(["10.1.0.0/16"]))
    publisher = Publisher(tmp_path / "lab")
    (tal,) = publisher.publish(anchor, files=anchor.tree(day))
    rsync_daemon.serve("repository", publisher.rsync / rsync_daemon.authority / "repository")
    where = ("--tal", tal, "--data-dir", tmp_path / "state", "--at", "2026-03-16T08:00:00Z", "--allow-dubious-hosts")
    words = ("validate", *where, "--report", tmp_path / "report.json")
    assert rpkival(*words).code == 0
    anchor.keys = SimpleNamespace(key=lambda _: lab_keys.key("alpha"))
    anchor.issue_ca("renamed", Resources(["10.1.0.0/16"]), repository=member.repository)
    anchor.withdraw("alpha.cer")
    anchor.children.remove(member)
    publisher.publish(anchor, files=anchor.tree(day))

    told = f"publishes its manifest at {member.repository}renamed.mft and no longer at {member.repository}alpha.mft"
    done = rpkival(*words)
    assert done.code == 0, done
    assert told in done.err
    (renamed,) = json.loads((tmp_path / "report.json").read_text())["renamed_manifests"]
    assert renamed["before"] == f"{member.repository}alpha.mft"
    again = rpkival(*words)
    assert (again.code, told in again.err) == (0, False)


def test_what_costs_most_is_told_first(capsys: pytest.CaptureFixture[str]) -> None:
    """A trust anchor that is lost before all else, then publication points, and files of the same fault once."""
    hash_fault = "RFC 9286 section 6.5", "The file's hash is another."
    rejections = (
        *(Rejection(f"rsync://a.example/a/odd{n}.roa", "", "RFC 9582", f"Odd {n}.", "a") for n in range(9)),
        *(Rejection(f"rsync://a.example/b/{n}.roa", "", *hash_fault, "a") for n in range(7)),
        Rejection("rsync://b.example/b.cer", "", "RFC 8630 section 3", "It is another key.", "b"),
    )
    counts = Counts(certificates_valid=1200, publication_points_rejected=1, roas_valid=34_000, roas_rejected=9)
    anchors = TrustAnchorReport("a", "rsync://a.example/a.cer", counts), TrustAnchorReport("b", "", Counts())
    run = ValidationRun(0, anchors, ValidatedRoas(()), rejections, (), (), ())
    source = SimpleNamespace(results=(), unreadable={})

    print_summary(run, Applied(Payload.empty()), source, 1.0, verbose=False)

    told = capsys.readouterr().err.splitlines()
    assert [line.split()[:-8] for line in told[1:4]] == [["a"], ["b"], ["all", "of", "them"]]
    assert told[3].split()[-8:] == ["1,200", "1", "34,000", "9", "17", "0", "0", "0"]
    assert told[4:6] == [
        "rsync://b.example/b.cer: It is another key. (RFC 8630 section 3)",
        "rsync://a.example/b/0.roa: The file's hash is another. (RFC 9286 section 6.5; and 6 more files there)",
    ]
    assert told[9].startswith("... and 6 more of these")

    print_summary(run, Applied(Payload.empty()), source, 1.0, verbose=True)

    assert capsys.readouterr().err.count("The file's hash is another. (RFC 9286 section 6.5)\n") == 7


def test_the_world_fits_into_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Five registries and their sum; a row that is broken cannot be compared with the next."""
    names = ("afrinic", "apnic", "arin", "lacnic", "ripe")
    counts = Counts(
        certificates_valid=59_999,
        publication_points_rejected=1_999,
        roas_valid=199_999,
        roas_rejected=9_999,
        aspas_valid=1_999,
        router_certificates_valid=999,
    )
    anchors = tuple(TrustAnchorReport(name, f"rsync://{name}.example/ta.cer", counts) for name in names)
    run = ValidationRun(0, anchors, ValidatedRoas(()), (), (), (), ())

    print_summary(run, Applied(Payload.empty()), SimpleNamespace(results=(), unreadable={}), 1.0, verbose=False)

    told = capsys.readouterr().err.splitlines()
    assert len(told) == 8
    assert max(map(len, told)) <= 80
