"""Exceptions applied: filters first, assertions after."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from rpkival.payload.exceptions.compiling import compile_exceptions
from rpkival.payload.exceptions.exceptions import Exceptions, Number
from rpkival.payload.exceptions.files import load_exceptions
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps

Slurm = Callable[..., bytes]
FIRST, SECOND = bytes(range(20)), bytes(range(1, 21))
PAYLOAD = Payload(
    Vrps.of(
        [
            Vrp("192.0.2.0/24", 24, 64496, "ripe", 9),
            Vrp("192.0.2.0/25", 25, 64497, "ripe", 9),
            Vrp("198.51.100.0/24", 24, 64497, "arin", 9),
            Vrp("198.51.100.0/24", 24, 64498, "arin", 9),
            Vrp("2001:db8::/32", 48, 64496, "ripe", 9),
        ]
    ),
    (Aspa(64496, (1,), "ripe", 9), Aspa(64497, (1,), "arin", 9)),
    (
        RouterKey(64496, FIRST, b"k", "ripe"),
        RouterKey(64497, FIRST, b"k", "ripe"),
        RouterKey(64497, SECOND, b"k", "arin"),
    ),
).unique_sorted()


def text(octets: bytes) -> str:
    """As SLURM writes octets."""
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def rows(payload: Payload) -> list[tuple[str, int, int]]:
    """Of its VRPs."""
    return [(vrp.prefix, vrp.max_length, vrp.asn) for vrp in payload.vrps]


def test_the_example_of_the_rfc(shared_data: Path) -> None:
    """RFC 8416 section 3.5, as rpki-rs has it: by prefix, by origin, by both; then what is added, unfiltered."""
    applied = load_exceptions([shared_data / "slurm/rpki-rs_full.json"]).apply(PAYLOAD)

    assert rows(applied.payload) == [
        ("198.51.100.0/24", 24, 64496),
        ("198.51.100.0/24", 24, 64498),
        ("2001:db8::/32", 48, 64496),
    ]
    assert applied.filtered == (Number("arin", 1, 0, 0), Number("ripe", 3, 0, 1))
    assert [(number.vrps, number.aspas, number.router_keys) for number in applied.added] == [(2, 0, 1)]
    local = [vrp.source for vrp in applied.payload.vrps if vrp.source]
    assert [source.partition("#")[2] for source in local] == ["My other important route", "My de-aggregated route"]


def test_router_keys_and_aspas(slurm: Slurm) -> None:
    """By AS, by identifier, by both; a customer's ASPA is replaced by filtering and asserting it."""
    exceptions = compile_exceptions(
        [
            (
                "x",
                slurm(
                    bgpsecFilters=[{"asn": 64497, "SKI": text(FIRST)}, {"SKI": text(SECOND)}, {"asn": 5}],
                    aspaFilters=[{"customerAsn": 64496}],
                    aspaAssertions=[
                        {"customerAsn": 64496, "providerAsns": [7]},
                        {"customerAsn": 64497, "providerAsns": [8]},
                    ],
                ),
            )
        ]
    )
    applied = exceptions.apply(PAYLOAD)

    assert [key.asn for key in applied.payload.router_keys] == [64496]
    # Assertions only add (RFC 8416 section 3.4): what is asserted of 64497 is united with what it has signed.
    assert [(aspa.customer, aspa.providers) for aspa in applied.payload.aspas] == [(64496, (7,)), (64497, (1, 8))]
    assert applied.filtered == (Number("arin", 0, 0, 1), Number("ripe", 0, 1, 1))
    assert applied.added == (Number("x", 0, 2, 0),)


def test_what_is_there_already_is_not_added(slurm: Slurm) -> None:
    """And keeps the end that its signature gives it: whether it ends is asked again without it."""
    exceptions = compile_exceptions([("x", slurm(prefixAssertions=[{"asn": 64496, "prefix": "192.0.2.0/24"}]))])
    applied = exceptions.apply(PAYLOAD)

    assert applied.added == (Number("x", 0),)
    assert list(applied.payload.vrps) == list(PAYLOAD.vrps)


def test_no_files_change_nothing() -> None:
    """The same object."""
    assert Exceptions().apply(PAYLOAD).payload is PAYLOAD


FILTER = st.fixed_dictionaries(
    {},
    optional={
        "prefix": st.sampled_from(
            ["0.0.0.0/0", "192.0.2.0/24", "192.0.2.64/26", "192.0.2.7/32", "::/0", "2001:db8::/125"]
        ),
        "asn": st.integers(0, 3),
    },
).filter(bool)


@given(st.data())
def test_filters_as_python_sees_them(slurm: Slurm, vrp_sets: st.SearchStrategy[Vrps], data: st.DataObject) -> None:
    """Of any set and any filters, the rows that are left when each is asked of each."""
    payload = Payload(data.draw(vrp_sets)).unique_sorted()
    filters = data.draw(st.lists(FILTER, max_size=5))
    applied = compile_exceptions([("x", slurm(prefixFilters=filters))]).apply(payload)

    def gone(vrp: Vrp) -> bool:
        own = ipaddress.ip_network(vrp.prefix)
        for each in filters:
            outer = ipaddress.ip_network(each["prefix"]) if "prefix" in each else None
            inside = outer is None or (outer.version == own.version and own.subnet_of(outer))  # type: ignore[arg-type]
            if inside and each.get("asn", vrp.asn) == vrp.asn:
                return True
        return False

    assert list(applied.payload.vrps) == [vrp for vrp in payload.vrps if not gone(vrp)]
    assert sum(number.vrps for number in applied.filtered) == len(payload.vrps) - len(applied.payload.vrps)
