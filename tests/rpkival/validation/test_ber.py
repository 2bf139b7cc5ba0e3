"""Objects in BER, in a tree: taken unless strictly, whoever judges and whatever is remembered."""

from __future__ import annotations

from typing import Any

import pytest

from rpkival.objects.asn1.der import contents_of
from rpkival.validation.report import ValidationRun
from rpkival.validation.walk import validate


def in_ber(der: bytes) -> bytes:
    """The same with an outermost element of indefinite length."""
    return bytes([der[0], 0x80]) + der[contents_of(der) :] + b"\0\0"


@pytest.fixture
def files(lab: Any) -> dict[str, bytes]:
    """The lab's tree with beta's ROA in BER, which its manifest lists."""
    changed: dict[str, bytes] = lab.republish(lab.beta, {lab.beta_roa: in_ber(lab.beta.products[lab.beta_roa].content)})
    return changed


def run(lab: Any, source: Any, *, strict: bool, workers: int = 0, memo: Any = None) -> ValidationRun:
    return validate([lab.tal], source, clock=lambda: lab.now, strict=strict, workers=workers, memo=memo)


@pytest.mark.parametrize("workers", [0, 2])
def test_it_is_taken_unless_strictly(lab: Any, memory: Any, files: dict[str, bytes], workers: int) -> None:
    """It costs only itself where it is refused; processes are told, too."""
    taken = run(lab, memory(files), strict=False, workers=workers)
    assert {roa.asn for roa in taken.roas} == {64499, 64500, 64501, 64502}
    assert taken.rejections == ()
    refused = run(lab, memory(files), strict=True, workers=workers)
    assert {roa.asn for roa in refused.roas} == {64499, 64500, 64502}
    [rejection] = refused.rejections
    assert rejection.uri == lab.beta.repository + lab.beta_roa
    assert rejection.section == "RFC 6488 section 2.1"
    assert "BER" in rejection.sentence


def test_what_is_remembered_of_one_is_not_the_others(
    lab: Any, memory: Any, notes: Any, files: dict[str, bytes]
) -> None:
    """The same memo serves both."""
    kept, source = notes(), memory(files)
    for strict, roas in ((False, 4), (True, 3), (False, 4)):
        assert len(run(lab, source, strict=strict, memo=kept).roas) == roas


def test_a_manifest_in_ber_is_taken_unless_strictly(lab: Any, memory: Any) -> None:
    """All of its CA hangs on it."""
    files = lab.files
    uri = f"{lab.beta.repository}beta.mft"
    files[uri] = in_ber(files[uri])
    assert len(run(lab, memory(files), strict=False).roas) == 4
    refused = run(lab, memory(files), strict=True)
    assert len(refused.roas) == 3
    assert [each.uri for each in refused.rejections] == [uri]
