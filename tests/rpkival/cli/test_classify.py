"""The verb classify: counts, listings, damage, exit codes."""

from __future__ import annotations

import csv
import gzip
import io
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Rpkival = Callable[..., Any]

VRPS = """ASN,IP Prefix,Max Length,Trust Anchor
AS64496,192.0.2.0/24,24,test
AS64497,198.51.100.0/22,23,test
"""


def announce(prefix: str, *segments: tuple[int, list[int]], withdrawn: bytes = b"") -> bytes:
    """A BGP4MP_MESSAGE_AS4 record of peer AS64500 at 192.0.2.1 (RFC 6396 section 4.4.3)."""
    path = b"".join(bytes([kind, len(asns)]) + struct.pack(f">{len(asns)}I", *asns) for kind, asns in segments)
    attributes = bytes([0x40, 2, len(path)]) + path
    address, _, length = prefix.partition("/")
    nlri = bytes([int(length), *map(int, address.split("."))][: 1 + (int(length) + 7) // 8])
    body = struct.pack(">H", len(withdrawn)) + withdrawn + struct.pack(">H", len(attributes)) + attributes + nlri
    message = b"\xff" * 16 + struct.pack(">HB", 19 + len(body), 2) + body
    head = struct.pack(">IIHH", 64500, 64501, 0, 1) + bytes([192, 0, 2, 1]) + bytes(4)
    return struct.pack(">IHHI", 1_500_000_000, 16, 4, len(head) + len(message)) + head + message


VALID = announce("192.0.2.0/24", (2, [64500, 64496]))
INVALID_AS = announce("192.0.2.0/24", (2, [64500, 64511]))
INVALID_LENGTH = announce("198.51.100.0/24", (2, [64500, 64497]))
NOT_FOUND = announce("203.0.113.0/24", (2, [64500, 64496]))
AS_SET = announce("192.0.2.0/24", (2, [64500]), (1, [64496, 64497]))
EMPTY = announce("192.0.2.0/24", withdrawn=bytes([24, 10, 0, 0]))
ALL = VALID + INVALID_AS + INVALID_LENGTH + NOT_FOUND + AS_SET + EMPTY


@pytest.fixture
def classify(rpkival: Rpkival, tmp_path: Path) -> Rpkival:
    """`classify(data, ...)` runs the verb over bytes (as files) against two VRPs."""
    vrps = tmp_path / "vrps.csv"
    vrps.write_text(VRPS)

    def run(*words: str | bytes | Path) -> Any:
        named: list[str | Path] = []
        for number, word in enumerate(words):
            if isinstance(word, bytes):
                path = tmp_path / f"updates{number}.mrt"
                path.write_bytes(word)
                named.append(path)
            else:
                named.append(word)
        return rpkival("classify", *named, "--vrps", vrps)

    return run


def test_the_summary(classify: Rpkival) -> None:
    """Each kind on its line; what has no single origin is counted apart."""
    ended = classify(ALL)
    lines = [line.split() for line in ended.out.splitlines()]
    assert ended.out.startswith("6 announcements in 1 file, judged by 2 VRPs from ")
    assert ["valid", "1", "25.0", "%"] in lines
    assert ["invalid", "2", "50.0", "%"] in lines
    assert ["not-found", "1", "25.0", "%"] in lines
    assert [line[:4] for line in lines if line[:1] == ["by"]] == [
        ["by", "origin", "AS", "1"],
        ["by", "length", "1", "longer"],
    ]
    assert [line[2] for line in lines if line[:1] in (["AS_SET"], ["empty"])] == ["1", "1"]
    assert ["withdrawals", "1"] in lines
    assert ended.code == 1
    assert ended.err == ""


@pytest.mark.parametrize(
    ("data", "code"), [(VALID + NOT_FOUND + AS_SET, 0), (VALID + INVALID_LENGTH, 1)], ids=["none", "one"]
)
def test_invalid_routes_are_bad_news(classify: Rpkival, data: bytes, code: int) -> None:
    """Exit code 1 if, and only if, there is one."""
    assert classify(data).code == code


ROWS = [
    ("192.0.2.0/24", 64496, "valid", None, "64500 64496"),
    ("192.0.2.0/24", 64511, "invalid", "as", "64500 64511"),
    ("198.51.100.0/24", 64497, "invalid", "length", "64500 64497"),
    ("203.0.113.0/24", 64496, "not-found", None, "64500 64496"),
    ("192.0.2.0/24", None, None, None, "64500 {64496,64497}"),
    ("192.0.2.0/24", None, None, None, ""),
]


def test_ndjson(classify: Rpkival) -> None:
    """One line for each announcement, in the order of the file."""
    ended = classify(ALL, "--format", "ndjson")
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert [tuple(row[key] for key in ("prefix", "origin", "state", "reason", "path")) for row in rows] == ROWS
    assert {(row["time"], row["peer"], row["peer_asn"]) for row in rows} == {(1_500_000_000.0, "192.0.2.1", 64500)}
    assert ended.code == 1


def test_csv(classify: Rpkival) -> None:
    """The same as rows under a header."""
    rows = list(csv.DictReader(io.StringIO(classify(ALL, "--format", "csv").out)))
    assert [tuple(row[key] for key in ("prefix", "origin", "state", "reason", "path")) for row in rows] == [
        tuple("" if value is None else str(value) for value in row) for row in ROWS
    ]


@pytest.mark.parametrize("data", [ALL, struct.pack(">IHHI", 0, 16, 5, 24) + bytes(24)], ids=["all", "no routes"])
def test_json(classify: Rpkival, data: bytes) -> None:
    """One document, also where there is nothing to list."""
    document = json.loads(classify(data, "--format", "json").out)
    assert len(document["announcements"]) == document["summary"]["announcements"]
    assert set(document) == {"announcements", "vrps", "files", "summary"}


@pytest.mark.parametrize(
    ("state", "prefixes"),
    [("valid", ["192.0.2.0/24"]), ("invalid", ["192.0.2.0/24", "198.51.100.0/24"]), ("not-found", ["203.0.113.0/24"])],
)
def test_only_one_state(classify: Rpkival, state: str, prefixes: list[str]) -> None:
    """--only lists the announcements that the summary counts in that state."""
    ended = classify(ALL, "--format", "ndjson", "--only", state)
    assert [json.loads(line)["prefix"] for line in ended.out.splitlines()] == prefixes


def test_only_counts(classify: Rpkival) -> None:
    """--summary gives the same counts in every format."""
    expected = {"announcements": 6, "valid": 1, "invalid": 2, "invalid_as": 1, "invalid_length": 1, "not_found": 1}
    expected |= {"as_set_origin": 1, "empty_path": 1, "withdrawals": 1, "records": 6}
    expected |= {"malformed_records": 0, "unsupported_records": 0}
    for name in ("json", "ndjson"):
        document = json.loads(classify(ALL, "--summary", "--format", name).out)
        assert document["summary"] == expected
        assert "announcements" not in document
    rows = list(csv.reader(io.StringIO(classify(ALL, "--summary", "--format", "csv").out)))
    assert rows == [["count", "value"], *([name, str(value)] for name, value in expected.items())]


def test_an_output_file(classify: Rpkival, tmp_path: Path) -> None:
    """The listing goes into the file, and nothing to standard output."""
    ended = classify(ALL, "--format", "csv", "--output", str(tmp_path / "rows.csv"))
    assert ended.out == ""
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 7


def test_standard_input(classify: Rpkival, monkeypatch: pytest.MonkeyPatch) -> None:
    """- reads from a pipe."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(VALID))))
    assert classify("-").out.startswith("1 announcement in 1 file")


def test_a_truncated_file(classify: Rpkival) -> None:
    """What could be read is counted, one sentence says what is wrong, and the code is 3 though a route is invalid."""
    ended = classify(ALL[:-5])
    assert ended.out.startswith("5 announcements")
    assert ended.err.endswith("updates0.mrt is damaged: it ends within a record; what could be read is counted.\n")
    assert ended.code == 3


def test_a_malformed_record(classify: Rpkival) -> None:
    """So too where a record within the file is broken."""
    broken = VALID[:-4] + bytes([33]) + VALID[-3:]
    ended = classify(VALID + broken)
    assert ended.out.startswith("1 announcement")
    assert "1 malformed" in ended.out
    assert ended.err.endswith("has 1 record that breaks its format; the rest is counted.\n")
    assert ended.code == 3


def test_a_file_that_is_no_mrt_costs_only_itself(classify: Rpkival) -> None:
    """Of several files, the others are answered for."""
    ended = classify(VALID, b"not MRT at all", INVALID_AS)
    assert ended.out.startswith("2 announcements in 3 files")
    assert "updates1.mrt is not an MRT file" in ended.err
    assert ended.code == 3


@pytest.mark.parametrize(
    ("words", "sentence", "code"),
    [
        ((b"",), "updates0.mrt is empty; an MRT file has at least one record.", 3),
        ((b"x" * 100,), "is not an MRT file; its first record has no type that MRT knows.", 3),
        (("/nonexistent.mrt",), "/nonexistent.mrt does not exist; check the name of the MRT file.", 2),
        (("/",), "/ is a directory; name the MRT files in it.", 2),
        ((VALID, "--only", "valid"), "--only chooses what is listed", 2),
        ((VALID, "--output", "/nonexistent/file"), "The directory /nonexistent does not exist", 2),
    ],
    ids=["empty", "not MRT", "missing", "directory", "only without a listing", "unwritable"],
)
def test_one_sentence(classify: Rpkival, words: tuple[str | bytes, ...], sentence: str, code: int) -> None:
    """Whatever is wrong is told in one line, and nothing is printed as if it were an answer."""
    ended = classify(*words)
    assert sentence in ended.err
    assert ended.err.startswith("rpkival: ")
    assert ended.err.count("\n") == 1
    assert (ended.out, ended.code) == ("", code)


def test_without_vrps(rpkival: Rpkival, tmp_path: Path) -> None:
    """There is nothing to judge by, whatever was already read of the files."""
    for name in ("one.mrt", "two.mrt"):
        (tmp_path / name).write_bytes(ALL)
    ended = rpkival("classify", tmp_path / "one.mrt", tmp_path / "two.mrt", "--data-dir", tmp_path / "none")
    assert ended.err.startswith("rpkival: There are no VRPs to judge by")
    assert (ended.out, ended.code) == ("", 3)


def test_the_counts_of_rtrlib(rpkival: Rpkival, shared_data: Path) -> None:
    """A full table of 2015 against the world's VRPs of 2025, as rtrlib counts them."""
    ended = rpkival(
        "classify",
        shared_data / "mrt/updates.et-header.2015.gz",
        "--vrps",
        shared_data / "vrps/rpkiclient_20250720T0931.json.bz2",
        "--summary",
        "--format",
        "json",
    )
    summary = json.loads(ended.out)["summary"]
    assert (summary["valid"], summary["invalid"], summary["not_found"]) == (190_329, 101_716, 285_514)
    assert (summary["as_set_origin"], summary["empty_path"], summary["withdrawals"]) == (176, 2, 3)
    assert ended.code == 1
