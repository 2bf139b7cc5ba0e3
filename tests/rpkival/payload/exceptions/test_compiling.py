"""SLURM files: what RFC 8416 says is read, and every deviation is named with its place."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import FormatError, LimitError
from rpkival.payload.exceptions.compiling import compile_exceptions
from rpkival.payload.exceptions.exceptions import Exceptions
from rpkival.payload.formats import WRITERS
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp

Slurm = Callable[..., bytes]
SKI = base64.b64encode(bytes(range(20))).decode()


def read(data: bytes) -> Exceptions:
    """One file."""
    return compile_exceptions([("x.json", data)])


def test_the_full_file_of_rpki_rs(shared_data: Path) -> None:
    """Version 2, with the names of an earlier draft in its filter."""
    exceptions = read((shared_data / "slurm/rpki-rs_full_v2.json").read_bytes())
    (file,), (asserted,) = exceptions.files, exceptions.asserted

    assert (file.version, file.filters, file.assertions) == (2, 7, 4)
    assert exceptions.ipv4.prefixes.texts() == ["192.0.2.0/24", "198.51.100.0/24"]
    assert exceptions.ipv4.asn.tolist() == [-1, 64497]
    assert exceptions.asns.tolist() == [64496]
    assert exceptions.customers == {64496}
    assert (len(exceptions.keys.asns), len(exceptions.keys.key_ids), len(exceptions.keys.both)) == (1, 1, 1)
    assert list(asserted.vrps) == [
        Vrp("198.51.100.0/24", 24, 64496, source="slurm:x.json#My other important route"),
        Vrp("2001:db8::/32", 48, 64496, source="slurm:x.json#My de-aggregated route"),
    ]
    comment = "Locally assert 64497 and 64498 are providers for 64496"
    assert asserted.aspas == (Aspa(64496, (64497, 64498), source=f"slurm:x.json#{comment}"),)
    assert asserted.router_keys == (RouterKey(64496, b"12345678901234567890", b"blubb", source="slurm:x.json"),)


def test_what_we_write_is_read(slurm: Slurm) -> None:
    """Both versions of our own output."""
    asserted = read(
        slurm(
            prefixAssertions=[{"asn": 1, "prefix": "192.0.2.0/24", "maxPrefixLength": 26}],
            bgpsecAssertions=[{"asn": 1, "SKI": SKI, "routerPublicKey": SKI}],
            aspaAssertions=[{"customerAsn": 1, "providerAsns": [3, 2]}],
        )
    ).asserted[0]

    for fmt in ("slurm", "slurm2"):
        (back,) = read(b"".join(WRITERS[fmt](asserted, 0))).asserted
        assert [(v.prefix, v.max_length, v.asn) for v in back.vrps] == [("192.0.2.0/24", 26, 1)]
        assert [key.identity for key in back.router_keys] == [key.identity for key in asserted.router_keys]
        assert [(a.customer, a.providers) for a in back.aspas] == ([(1, (2, 3))] if fmt == "slurm2" else [])


def test_names_of_earlier_drafts(slurm: Slurm) -> None:
    """As Routinator wrote them."""
    exceptions = read(
        slurm(aspaFilters=[{"customerAsid": 1}], aspaAssertions=[{"customerAsid": 1, "providers": [2], "comment": ""}])
    )

    assert exceptions.customers == {1}
    assert exceptions.asserted[0].aspas == (Aspa(1, (2,), source="slurm:x.json"),)


@pytest.mark.parametrize(
    ("sample", "sentence"),
    [
        ("rpki-prover_slurm1.json", r"\$.validationOutputFilters.bgpsecFilters\[1\].SKI: .* 20 octets, not 3"),
        (
            "rpki-validator-3_slurm1.json",
            (
                r"at \$.locallyAddedAssertions.bgpsecAssertions\[0\]: there is no member 'publicKey', only asn, SKI, "
                "routerPublicKey, comment.$"
            ),
        ),
        ("rtrtr_exceptions.json", r"bgpsecFilters\[1\].SKI: .* 20 octets, not 3"),
        ("stayrtr_cmd_test.slurm.json", r"locallyAddedAssertions: the member 'bgpsecAssertions' is missing\.$"),
        ("stayrtr_slurm.json", r"bgpsecFilters\[1\].SKI: .* 20 octets, not 16"),
    ],
)
def test_samples_that_deviate(shared_data: Path, sample: str, sentence: str) -> None:
    """Other projects' examples with placeholders in them, or without a member that must be there."""
    with pytest.raises(FormatError, match=sentence):
        read((shared_data / "slurm" / sample).read_bytes())


@pytest.mark.parametrize(
    ("lists", "sentence"),
    [
        (
            {"prefixFilters": [{"prefix": "10.0.0.0/8"}, {}]},
            r"\$.validationOutputFilters.prefixFilters\[1\]: .* needs a prefix",
        ),
        (
            {"prefixFilters": [{"asn": 1}, {"prefix": "10.0.0.1/8"}]},
            r"prefixFilters\[1\].prefix: .* mean 10.0.0.0/8\?$",
        ),
        ({"prefixFilters": [{"asn": "AS1"}]}, r"prefixFilters\[0\].asn: expected a whole number, got text in quotes.$"),
        ({"prefixFilters": [{"asn": 2**32}]}, r"prefixFilters\[0\].asn: expected a whole number <= 4294967295.$"),
        ({"prefixFilters": [{"asn": -1}]}, r"prefixFilters\[0\].asn: expected a whole number >= 0.$"),
        ({"prefixFilters": [{"asn": True}]}, "got true or false"),
        ({"prefixFilters": [{"asn": 1, "comment": None}]}, "expected text in quotes, got null"),
        ({"prefixFilters": [{"asn": 1, "remark": "x"}]}, "no member 'remark', only prefix, asn, comment"),
        ({"prefixFilters": {}}, "expected a list, got an object"),
        ({"bgpsecFilters": [{}]}, r"bgpsecFilters\[0\]: a filter needs an asn, an SKI"),
        ({"bgpsecFilters": [{"SKI": "?"}]}, r"bgpsecFilters\[0\].SKI: it is not Base64"),
        ({"aspaFilters": [{}]}, r"aspaFilters\[0\]: it needs customerAsn, once"),
        ({"aspaFilters": [{"customerAsn": 1, "customerAsid": 1}]}, r"aspaFilters\[0\]: it needs customerAsn, once"),
        ({"prefixAssertions": [{"asn": 1}]}, r"prefixAssertions\[0\]: the member 'prefix' is missing"),
        ({"prefixAssertions": [{"prefix": "10.0.0.0/8"}]}, "the member 'asn' is missing"),
        (
            {
                "prefixAssertions": [
                    {"asn": 1, "prefix": "::/0"},
                    {"asn": 1, "prefix": "10.0.0.0/8", "maxPrefixLength": 7},
                ]
            },
            r"\$.locallyAddedAssertions.prefixAssertions\[1\].maxPrefixLength: 7 is no length for 10.0.0.0/8",
        ),
        ({"prefixAssertions": [{"asn": 1, "prefix": "10.0.0.0/8", "maxPrefixLength": 33}]}, "33 is no length"),
        ({"prefixAssertions": [{"asn": 1, "prefix": "10.0.0.0/08"}]}, r"prefixAssertions\[0\].prefix: "),
        ({"bgpsecAssertions": [{"asn": 1, "SKI": SKI, "routerPublicKey": ""}]}, r"routerPublicKey: a key of 0 octets"),
        (
            {"aspaAssertions": [{"customerAsn": 1, "providerAsns": []}]},
            r"providerAsns: expected a list of length >= 1.$",
        ),
        ({"aspaAssertions": [{"customerAsn": 1}]}, r"aspaAssertions\[0\]: it needs providerAsns, once"),
        ({"aspaAssertions": [{"customerAsn": 1, "providerAsns": [1]}]}, "AS1 cannot have itself as providers"),
        ({"aspaAssertions": [{"customerAsn": 1, "providerAsns": [2, 0]}]}, "AS1 cannot have AS0 and others"),
        ({"slurmTarget": []}, r"wrong at its top: there is no member 'slurmTarget', only slurmVersion, "),
    ],
)
def test_every_deviation_has_its_place(slurm: Slurm, lists: dict[str, Any], sentence: str) -> None:
    """RFC 8416 section 3.1: an RP must consider any deviations to be errors."""
    with pytest.raises(FormatError, match=sentence):
        read(slurm(2, **lists))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "x.json is not a SLURM file"),
        (b"\xff", "x.json is not a SLURM file"),
        (b"[" * 100_000, "x.json is wrong at its top: expected an object, got a list.$"),
        (b"{}", r"wrong at its top: the member 'slurmVersion' is missing.$"),
        (b'{"slurmVersion": 3}', r"slurmVersion: expected a whole number <= 2"),
        (b'{"slurmVersion": "1"}', r"wrong at \$.slurmVersion: expected a whole number, got text in quotes"),
        (
            (
                b'{"slurmVersion": 1, "validationOutputFilters": {"prefixFilters": [{"asn": 1}], "bgpsecFilters": [], '
                b'"prefixFilters": []}, "locallyAddedAssertions": {"prefixAssertions": [], "bgpsecAssertions": []}}'
            ),
            "an object has 2 members 'prefixFilters'",
        ),
    ],
)
def test_what_is_no_slurm(data: bytes, sentence: str) -> None:
    """One sentence with the file's name."""
    with pytest.raises(FormatError, match=sentence):
        read(data)


def test_aspas_are_of_version_2(slurm: Slurm) -> None:
    """Version 1 has no such member."""
    document = json.loads(slurm(1))
    document["validationOutputFilters"]["aspaFilters"] = []

    with pytest.raises(FormatError, match="no member 'aspaFilters', only prefixFilters, bgpsecFilters"):
        read(json.dumps(document).encode())


def test_bounds(slurm: Slurm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of entries and of files."""
    monkeypatch.setattr("rpkival.payload.exceptions.slurm.MAX_SLURM_ENTRIES", 2)
    with pytest.raises(LimitError, match=r"x\.json has 3 filters and assertions, more than 2"):
        read(slurm(prefixFilters=[{"asn": n} for n in range(3)]))
    monkeypatch.setattr("rpkival.payload.exceptions.compiling.MAX_SLURM_FILES", 1)
    with pytest.raises(LimitError, match="2 SLURM files are more than 1"):
        compile_exceptions([("a", slurm()), ("b", slurm())])


@given(st.data())
def test_noise_is_read_or_refused_and_nothing_else(shared_data: Path, data: st.DataObject) -> None:
    """A good file with some bytes changed, taken out or put in: exceptions, or one of our errors."""
    content = bytearray((shared_data / "slurm/rpki-rs_full_v2.json").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(start + 8, len(content))))
        content[start:end] = data.draw(st.binary(max_size=4) | st.sampled_from([b"9" * 30, b"-", b'"', b",", b"null"]))
    with contextlib.suppress(FormatError, LimitError):
        read(bytes(content)).apply(Payload.empty())
