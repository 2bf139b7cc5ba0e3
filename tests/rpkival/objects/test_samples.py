"""Published samples of the rarer signed objects, from other validators' own tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import ObjectError
from rpkival.objects.checklist import parse_checklist
from rpkival.objects.ghostbusters import parse_ghostbusters
from rpkival.objects.prefix_list import parse_prefix_list
from rpkival.objects.trust_anchor_key import parse_tak

PARSERS: dict[str, Callable[..., object]] = {
    ".gbr": parse_ghostbusters,
    ".sig": parse_checklist,
    ".spl": parse_prefix_list,
    ".tak": parse_tak,
}

REFUSED = {"c6938fc00af6496d9d4e6e2d876e4b4811887b60f4f1bc9cd0b3cdb7c57c6d5e.sig": "not RSA with SHA-256"}
"""Its rsaEncryption lacks the NULL that RFC 3370 section 3.2 demands."""


@pytest.fixture(scope="session")
def samples(unpacked: Callable[[str], Path]) -> dict[str, bytes]:
    """All by their name; conformance suites, which have tests of their own, aside."""
    return {
        path.name: path.read_bytes()
        for archive in ("objects/misc-objects.tar.xz", "conformance/rpki-commons.tar.xz")
        for path in sorted(unpacked(archive).rglob("*"))
        if path.suffix in PARSERS and "conformance" not in path.relative_to(unpacked(archive)).parts
    }


def test_samples_are_accepted_but_for_those_listed(samples: dict[str, bytes]) -> None:
    """And refused for the reason given."""
    refused = {}
    for name, data in samples.items():
        try:
            PARSERS[Path(name).suffix](data, require_signing_time=False)
        except ObjectError as error:
            refused[name] = error.sentence
    assert len(samples) == 11
    assert refused.keys() == REFUSED.keys()
    for name, sentence in refused.items():
        assert REFUSED[name] in sentence, name


def test_what_samples_say(samples: dict[str, bytes]) -> None:
    """As their makers have published it."""
    checklist = parse_checklist(samples["rsc-deployment-test-3.sig"], require_signing_time=False).content
    assert checklist.resources.ipv4 == ((0xCBB0_BD00, 0xCBB0_BDFF),)
    assert [name for name, _ in checklist.files] == ["test.txt"]
    prefixes = parse_prefix_list(samples["9X0AhXWTJDl8lJhfOwvnac-42CA.spl"]).content
    assert (prefixes.asn, len(prefixes.ipv4), len(prefixes.ipv6)) == (15562, 18, 5)
    record = parse_ghostbusters(samples["ClF4YOBviAEnwFokhNG1NXBZjEA.gbr"])
    assert dict(record.properties)["FN"] == "Job Snijders"
    tak = parse_tak(samples["42AE70A64DA711EDB37796549E174E93.tak"], require_signing_time=False).content
    assert tak.current.uris
