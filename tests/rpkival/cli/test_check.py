"""The verb check: answers, formats, exit codes."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Rpkival = Callable[..., Any]

VRPS = {
    "metadata": {"generated": 1773648000},
    "roas": [
        {"asn": 64496, "prefix": "192.0.2.0/24", "maxLength": 24, "ta": "ripe", "expires": 1773734400},
        {"asn": 64497, "prefix": "2001:db8::/32", "maxLength": 48, "ta": "apnic"},
    ],
}
ROUTES = """[{"asn": 64496, "prefix": "192.0.2.0/24"}, {"asn": "AS666", "prefix": "192.0.2.0/24"},
    {"asn": "1", "prefix": "10.0.0.0/8"}]"""
AT = ("--at", "2026-03-16T09:00:00Z")


@pytest.fixture
def vrps(tmp_path: Path) -> Path:
    """Two VRPs."""
    path = tmp_path / "vrps.json"
    path.write_text(json.dumps(VRPS))
    return path


@pytest.mark.parametrize(
    ("prefix", "origin", "head", "code"),
    [
        ("192.0.2.0/24", "AS64496", "192.0.2.0/24 from AS64496: valid", 0),
        ("192.0.2.0/24", "64497", "192.0.2.0/24 from AS64497: invalid (as)", 1),
        ("192.0.2.0/25", "as64496", "192.0.2.0/25 from AS64496: invalid (length)", 1),
        ("192.0.0.0/16", "64496", "192.0.0.0/16 from AS64496: not-found", 0),
        ("2001:DB8::/48", "64497", "2001:db8::/48 from AS64497: valid", 0),
    ],
)
def test_one_announcement(rpkival: Rpkival, vrps: Path, prefix: str, origin: str, head: str, code: int) -> None:
    """The first line is the verdict; an invalid is bad news."""
    ended = rpkival("check", prefix, origin, "--vrps", vrps, *AT)

    assert (ended.out.splitlines()[0], ended.code, ended.err) == (head, code, "")


def test_the_table_tells_the_vrps(rpkival: Rpkival, vrps: Path) -> None:
    """Trust anchor and expiry are what an operator looks at next."""
    ended = rpkival("check", "192.0.2.0/25", "64496", "--vrps", vrps, *AT)

    assert ended.out.splitlines()[3:] == [
        "VRP           MAX LENGTH  ORIGIN   TRUST ANCHOR  EXPIRES",
        "192.0.2.0/24  /24         AS64496  ripe          2026-03-17T08:00:00Z  too specific",
    ]


def test_json_is_routinators_with_an_explanation(rpkival: Rpkival, vrps: Path) -> None:
    """Whoever reads Routinator's answer reads ours."""
    ended = rpkival("check", "192.0.2.0/24", "666", "--vrps", vrps, "--format", "json", *AT)

    answer = json.loads(ended.out)
    assert answer["validated_route"] == {
        "route": {"origin_asn": "AS666", "prefix": "192.0.2.0/24"},
        "validity": {
            "state": "invalid",
            "reason": "as",
            "description": "At least one VRP Covers the Route Prefix, but no VRP ASN matches the route origin ASN",
            "VRPs": {
                "matched": [],
                "unmatched_as": [{"asn": "AS64496", "prefix": "192.0.2.0/24", "max_length": "24"}],
                "unmatched_length": [],
            },
        },
    }
    assert answer["generatedTime"] == "2026-03-16T08:00:00Z"
    assert answer["explanation"]["vrps"][0]["trust_anchor"] == "ripe"
    assert ended.code == 1


def test_without_an_origin_it_says_what_is_signed(rpkival: Rpkival, vrps: Path) -> None:
    """In every format; nothing signed is an answer too."""
    text = rpkival("check", "192.0.2.0/24", "--vrps", vrps, *AT)
    data = json.loads(rpkival("check", "192.0.2.0/24", "--vrps", vrps, "--format", "json", *AT).out)
    rows = rpkival("check", "2001:db8:1::/48", "--vrps", vrps, "--format", "csv", *AT)
    nothing = rpkival("check", "10.0.0.0/8", "--vrps", vrps, *AT)
    longer = rpkival("check", "192.0.2.128/25", "--vrps", vrps, *AT)

    assert text.out.splitlines()[:2] == ["192.0.2.0/24", "Signed to be announced, as it is, by: AS64496"]
    assert [vrp["asn"] for vrp in data["vrps"]] == ["AS64496"]
    assert rows.out == "prefix,max_length,origin\n2001:db8::/32,48,AS64497\n"
    assert "No VRP covers it" in nothing.out
    assert "by: nobody" in longer.out
    assert {text.code, rows.code, nothing.code, longer.code} == {0}


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.0/24 AS64496\n192.0.2.0/24\t666 # a hijack\n\n10.0.0.0/8,1\n",
        "Prefix,Origin\nAS64496,192.0.2.0/24\r\n666;192.0.2.0/24\r\n1 10.0.0.0/8",
        f'{{"routes": {ROUTES}}}',
        ROUTES,
    ],
    ids=["lines", "origin-first", "routinator", "list"],
)
def test_many_announcements(rpkival: Rpkival, vrps: Path, tmp_path: Path, text: str) -> None:
    """However they are written, they are answered in order."""
    routes = tmp_path / "routes"
    routes.write_text(text)

    ended = rpkival("check", "--input", routes, "--vrps", vrps, "--format", "csv", *AT)

    assert ended.out.splitlines() == [
        "prefix,origin,state,reason",
        "192.0.2.0/24,AS64496,valid,",
        "192.0.2.0/24,AS666,invalid,as",
        "10.0.0.0/8,AS1,not-found,",
    ]
    assert ended.code == 1


def test_many_from_standard_input(rpkival: Rpkival, vrps: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a pipe brings them, in each format."""

    def ask(listing: str) -> str:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"192.0.2.0/24 64496\n10.0.0.0/8 1\n")))
        ended = rpkival("check", "--input", "-", "--vrps", vrps, "--format", listing, *AT)
        assert ended.code == 0
        return str(ended.out)

    assert ask("text") == "192.0.2.0/24 AS64496 valid\n10.0.0.0/8 AS1 not-found\n"
    states = [route["validity"]["state"] for route in json.loads(ask("json"))["validated_routes"]]
    assert states == ["valid", "not-found"]
    assert [json.loads(line)["validity"]["state"] for line in ask("ndjson").splitlines()] == states


def test_a_line_that_is_none_costs_only_itself(rpkival: Rpkival, vrps: Path, tmp_path: Path) -> None:
    """The others are answered; the bad ones are named, and the exit code says that something is missing."""
    routes = tmp_path / "routes"
    routes.write_text("192.0.2.1/24 1\n192.0.2.0/24 4294967296\n192.0.2.0/24\n192.0.2.0/24 64496\nhello\n")

    ended = rpkival("check", "--input", routes, "--vrps", vrps, *AT)

    assert ended.out == "192.0.2.0/24 AS64496 valid\n"
    places = [line.split(": ")[1].removeprefix(f"{routes}, ") for line in ended.err.splitlines()]
    assert places == ["line 1", "line 2", "line 3", "line 5"]
    assert "host bits set" in ended.err
    assert ended.code == 3


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"routes": 1}',
        '[{"asn": 1.5, "prefix": "10.0.0.0/8"}]',
        '[{"asn": 1, "prefix": "10.0.0.0/8", "x": ' + "[" * 9999,
    ],
    ids=["torn", "shape", "float", "deep"],
)
def test_routes_in_broken_json(rpkival: Rpkival, vrps: Path, tmp_path: Path, text: str) -> None:
    """JSON cannot be answered in part."""
    routes = tmp_path / "routes.json"
    routes.write_text(text)

    ended = rpkival("check", "--input", routes, "--vrps", vrps, *AT)

    assert "routes.json is not a list of announcements in JSON" in ended.err
    assert (ended.out, ended.code) == ("", 3)


def test_old_vrps_answer_with_exit_code_3(rpkival: Rpkival, vrps: Path) -> None:
    """The answer is printed, and that it may be wrong is told."""
    ended = rpkival("check", "192.0.2.0/24", "666", "--vrps", vrps, "--at", "2026-03-18T08:00:00Z")

    assert "invalid (as)" in ended.out
    assert "are 48 hours old" in ended.err
    assert ended.code == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["192.0.2.1/24", "1"], "has host bits set; did you mean 192.0.2.0/24?"),
        (["192.0.2.0", "1"], "has no prefix length"),
        (["192.0.2.0/24", "4294967296"], "AS4294967296 does not exist"),
        (["192.0.2.0/24", "AS"], "'AS' is not an AS number"),
        ([], "Give one PREFIX to check"),
        (["192.0.2.0/24", "1", "--input", "x"], "Give one PREFIX to check"),
        (["192.0.2.0/24", "1", "--at", "noon"], "'noon' is not a time"),
        (["192.0.2.0/24", "1", "--rtr", "x:1"], "--vrps and --rtr are each a source"),
        (["192.0.2.0/24", "1", "--output", "/nonexistent/x"], "does not exist"),
        (["--input", "/nonexistent/x"], "cannot be read: No such file"),
    ],
)
def test_wrong_usage_is_one_sentence(rpkival: Rpkival, vrps: Path, words: list[str], sentence: str) -> None:
    """And exit code 2, with nothing on standard output."""
    ended = rpkival("check", *words, "--vrps", vrps)

    assert sentence in ended.err
    assert ended.err.count("\n") == 1
    assert (ended.out, ended.code) == ("", 2)


def test_output_goes_to_a_file(rpkival: Rpkival, vrps: Path, tmp_path: Path) -> None:
    """Whole, and nothing on standard output."""
    result = tmp_path / "result.csv"

    ended = rpkival("check", "192.0.2.0/24", "64496", "--vrps", vrps, "--format", "csv", "--output", result, *AT)

    assert result.read_text() == "prefix,origin,state,reason\n192.0.2.0/24,AS64496,valid,\n"
    assert (ended.out, ended.code) == ("", 0)


def test_names_of_others_do_not_reach_the_terminal_as_commands(rpkival: Rpkival, tmp_path: Path) -> None:
    """A trust anchor's name with an escape sequence is shown, not obeyed."""
    path = tmp_path / "vrps.json"
    path.write_text(json.dumps({"roas": [{"asn": 1, "prefix": "10.0.0.0/8", "ta": "\x1b[2Jevil"}]}))

    ended = rpkival("check", "10.0.0.0/8", "1", "--vrps", path)

    assert "?[2Jevil" in ended.out
    assert "\x1b" not in ended.out
