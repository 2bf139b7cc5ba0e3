"""Tests for rpkival.cli.inspect, the whole command in this process."""

from __future__ import annotations

import gzip
import hashlib
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.objects.ccr import CachedRoas, Ccr, write_ccr

Run = Callable[..., Any]
YEAR = Validity(1_767_225_600, 1_798_761_600)


@pytest.fixture
def files(tmp_path: Path, lab_keys: KeyRing) -> Path:
    """A directory with one good object of each kind, and one bad ROA."""
    anchor = trust_anchor("anchor", Resources(["10.0.0.0/8"], [(64496, 64511)]), YEAR, lab_keys)
    anchor.issue_ca("alpha", Resources(["10.1.0.0/16"]))
    roa = anchor.issue_roa(64500, [("10.0.0.0/8", 24)])
    for name, data in anchor.publication_point(Validity(1_773_648_000, 1_773_734_400)).items():
        (tmp_path / name.replace(roa, "good.roa")).write_bytes(data)
    good = (tmp_path / "good.roa").read_bytes()
    (tmp_path / "bad.roa").write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    return tmp_path


def test_good_objects_are_told_and_end_with_0(rpkival: Run, files: Path) -> None:
    """One paragraph a file."""
    ended = rpkival("inspect", files / "good.roa", files / "alpha.cer", files / "anchor.crl", files / "anchor.mft")
    assert ended.code == 0
    heads = [line for line in ended.out.splitlines() if not line.startswith(" ")]
    assert [head.rpartition(": ")[2] for head in heads] == [
        "ROA, good",
        "CA certificate, good",
        "CRL, good",
        "manifest, good",
    ]
    assert "    asn: AS64500" in ended.out
    assert "10.0.0.0/8 max_length 24" in ended.out


def test_a_signed_object_tells_where_it_is_and_who_issued_it(rpkival: Run, files: Path) -> None:
    """By key and by place; a list as any other, in both forms."""
    listed = json.loads(rpkival("inspect", files / "anchor.mft", "--format", "json").out)
    (uri,) = listed[0]["certificate"]["signed_objects"]
    assert listed[0]["certificate"]["authority_key_id"] == listed[0]["certificate"]["issuer"].removeprefix("CN=")
    assert listed[0]["certificate"]["issuer_uri"].endswith("/anchor.cer")
    assert f"    signed_objects:\n      {uri}\n" in rpkival("inspect", files / "anchor.mft").out


def test_an_object_comes_by_a_pipe(rpkival: Run, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of curl or tar."""
    with (files / "good.roa").open() as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        ended = rpkival("inspect", "-")
    assert (ended.code, ended.out.splitlines()[0]) == (0, "-: ROA, good")


def test_a_file_that_cannot_be_read_costs_no_other(rpkival: Run, files: Path) -> None:
    """As a directory among `*`: each is told, and the exit code is that of the first."""
    (files / "torn.roa.gz").write_bytes(b"no gzip")
    ended = rpkival("inspect", files, files / "missing.roa", files / "torn.roa.gz", files / "good.roa")
    assert ended.code == 2
    assert f"{files / 'good.roa'}: ROA, good" in ended.out
    assert [line.split(":")[0] for line in ended.err.splitlines()] == ["rpkival"] * 3
    assert "missing.roa cannot be read: No such file" in ended.err
    assert "torn.roa.gz is damaged" in ended.err


def test_an_object_in_gzip_is_what_is_in_it(rpkival: Run, files: Path) -> None:
    """As cache representations are kept; the name counts without its end."""
    packed = files / "cache.ccr.gz"
    ccr = write_ccr(Ccr(1_000, roas=(CachedRoas(64500, ((0x0A000000, 8, 24),), ()),)))
    packed.write_bytes(gzip.compress(ccr[:100]) + gzip.compress(ccr[100:]))
    (files / "good.roa.gz").write_bytes(gzip.compress((files / "good.roa").read_bytes()))
    ended = rpkival("inspect", packed, files / "good.roa.gz")
    assert ended.code == 0
    assert f"{packed}: canonical cache representation, good" in ended.out
    assert hashlib.sha256(ccr).hexdigest() in ended.out


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(bytes(1000))[:-9]], ids=["empty", "text", "torn"])
def test_what_is_no_gzip_is_told_so(rpkival: Run, tmp_path: Path, content: bytes) -> None:
    """An empty file holds an empty object, which is bad by itself."""
    (tmp_path / "x.ccr.gz").write_bytes(content)
    ended = rpkival("inspect", tmp_path / "x.ccr.gz")
    assert ended.code == (3 if content else 1)
    assert "is damaged" in ended.err or not content


def test_what_unfolds_without_end_is_too_large(rpkival: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more of it is unpacked than it takes to say so."""
    monkeypatch.setattr("rpkival.cli.inspect.MAX_CCR_BYTES", 5_000_000)
    monkeypatch.setattr("rpkival.objects.ccr.MAX_CCR_BYTES", 5_000_000)
    (tmp_path / "x.ccr.gz").write_bytes(gzip.compress(bytes(100_000_000), 1))
    tracemalloc.start()
    ended = rpkival("inspect", tmp_path / "x.ccr.gz")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ended.code == 1
    assert "5000000" in ended.out
    assert peak < 40_000_000


def test_a_bad_object_ends_with_1_and_its_section(rpkival: Run, files: Path) -> None:
    """What it says is shown all the same."""
    ended = rpkival("inspect", files / "bad.roa", files / "good.roa")
    assert ended.code == 1
    assert "bad.roa: ROA, bad" in ended.out
    assert (
        "! object: The object's signature does not verify with its certificate's key. (RFC 6488 section 3)" in ended.out
    )
    assert ended.out.count("asn: AS64500") == 2


def test_json_has_the_same(rpkival: Run, files: Path) -> None:
    """An array; ndjson has a line for each."""
    ended = rpkival("inspect", "--format", "json", files / "bad.roa", files / "good.roa")
    bad, good = json.loads(ended.out)
    assert (bad["verdict"], good["verdict"]) == ("bad", "good")
    assert bad["problems"][0]["section"] == "RFC 6488 section 3"
    assert good["content"]["prefixes"] == [{"prefix": "10.0.0.0/8", "max_length": 24}]
    lines = rpkival("inspect", "--format", "ndjson", files / "bad.roa", files / "good.roa").out.splitlines()
    assert [json.loads(line) for line in lines] == [bad, good]


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("2026-06-01T00:00:00Z", "current at 2026-06-01T00:00:00Z"),
        ("2025-06-01T00:00:00Z", "not valid before 2026-01-01T00:00:00Z"),
        ("2028-06-01T00:00:00Z", "over since 2027-01-01T00:00:00Z"),
    ],
)
def test_at_tells_how_the_dates_lie(rpkival: Run, files: Path, at: str, words: str) -> None:
    """And is no verdict."""
    ended = rpkival("inspect", "--at", at, files / "good.roa")
    assert ended.code == 0
    assert f"  time: {words}" in ended.out


def test_names_cannot_command_a_terminal(rpkival: Run, tmp_path: Path) -> None:
    """Escape sequences are shown, not sent."""
    path = tmp_path / "evil\x1b[2J.roa"
    path.write_bytes(b"\x00")
    ended = rpkival("inspect", path)
    assert ended.code == 1
    assert "\x1b" not in ended.out
    assert "evil\\u001b[2J.roa" in ended.out
