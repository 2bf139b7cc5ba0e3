"""Tests for rpkival.objects.tal."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from rpkival.errors import ObjectError
from rpkival.objects.tal import parse_tal
from rpkival.resources import resource

APNIC = resource("tals", "apnic.tal").read_bytes()
KEY = APNIC.split(b"\n\n", 1)[1]
URI = b"rsync://rpki.example.net/ta/ta.cer\n"


@pytest.mark.parametrize("path", sorted(resource("tals").glob("*.tal")), ids=lambda path: path.stem)
def test_the_registries_locators_are_read(path: Path) -> None:
    """All that ship with the package."""
    tal = parse_tal(path.read_bytes(), path.stem)
    assert tal.name == path.stem
    assert len(tal.uris) == 2
    assert len(tal.key_info) == 294


def test_comments_and_windows_lines_are_read() -> None:
    """RFC 8630 section 2.2 has comments first; files travel through Windows."""
    text = b"# for a test\n# of two lines\n" + URI + b"https://rpki.example.net/ta.cer\n\n" + KEY
    expected = ("rsync://rpki.example.net/ta/ta.cer", "https://rpki.example.net/ta.cer")
    assert parse_tal(text, "x").uris == expected
    assert parse_tal(text.replace(b"\n", b"\r\n"), "x").uris == expected


def test_the_key_is_as_given() -> None:
    """The decoded octets, whatever the line breaks."""
    assert parse_tal(URI + b"\n" + KEY, "x").key_info == base64.b64decode(KEY)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "no empty line"),
        (URI + KEY, "where an rsync or https URI must be|no empty line"),
        (b"\n" + KEY, "has no URI"),
        (URI + b"\n", "has no key"),
        (URI + b"\n!!!!\n", "is not base64"),
        (URI + b"\nAAAA\n", "not RSA with 2048 bits"),
        (b"ftp://x.example/ta.cer\n\n" + KEY, "where an rsync or https URI must be"),
        (b"rsync://x.example/../ta.cer\n\n" + KEY, "where an rsync or https URI must be"),
        (b"\xff\xfe\n\n" + KEY, "is not text"),
        (b"#" * 200_000, "far too many"),
    ],
)
def test_what_is_no_locator_gets_a_sentence(data: bytes, sentence: str) -> None:
    """One reason, with the section."""
    with pytest.raises(ObjectError, match=sentence) as caught:
        parse_tal(data, "mine")
    assert caught.value.section.startswith("RFC ")


def test_every_truncation_is_refused() -> None:
    """Whatever is cut off, the answer is an `ObjectError`."""
    for size in range(len(APNIC.rstrip()) - 1):
        with pytest.raises(ObjectError):
            parse_tal(APNIC[:size], "cut")
