"""Selecting a part of a payload."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import AsnError, LimitError, PrefixError
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.selection import Selection
from rpkival.payload.vrps import Vrp, Vrps

PAYLOAD = Payload(
    Vrps.of(
        [
            Vrp("192.0.0.0/16", 16, 1),
            Vrp("192.0.2.0/24", 24, 2),
            Vrp("192.0.2.128/25", 25, 3),
            Vrp("2001:db8::/32", 48, 2),
            Vrp("2001:db8:8000::/33", 33, 4),
        ]
    ),
    (Aspa(1, (2,)), Aspa(2, (3,))),
    (RouterKey(2, bytes(20), b"k"), RouterKey(3, bytes(20), b"k")),
)


def asns(selection: Selection) -> tuple[list[int], list[int], list[int]]:
    """Of the VRPs, ASPAs and keys that are selected."""
    chosen = selection.of(PAYLOAD)
    return (
        [vrp.asn for vrp in chosen.vrps],
        [aspa.customer for aspa in chosen.aspas],
        [key.asn for key in chosen.router_keys],
    )


def test_nothing_asked_is_everything() -> None:
    """As without any selector."""
    assert asns(Selection()) == ([1, 2, 3, 2, 4], [1, 2], [2, 3])


def test_an_asn_selects_all_kinds() -> None:
    """Written either way; several are united."""
    assert asns(Selection.parse(["AS2"])) == ([2, 2], [2], [2])
    assert asns(Selection.parse(["1", "as3"])) == ([1, 3], [1], [3])


def test_a_prefix_selects_what_covers_it() -> None:
    """And what is within it only where that is asked for; ASPAs and keys have no prefix."""
    assert asns(Selection.parse([], ["192.0.2.0/24"])) == ([1, 2], [], [])
    assert asns(Selection.parse([], ["192.0.2.0/24"], more_specifics=True)) == ([1, 2, 3], [], [])
    assert asns(Selection.parse([], ["2001:db8:8000::/40"])) == ([2, 4], [], [])


def test_kinds_can_be_left_out() -> None:
    """Each of the three."""
    assert asns(Selection(route_origins=False)) == ([], [1, 2], [2, 3])
    assert asns(Selection(router_keys=False, aspas=False)) == ([1, 2, 3, 2, 4], [], [])


@given(st.data())
def test_prefixes_as_python_sees_them(vrp_sets: st.SearchStrategy[Vrps], data: st.DataObject) -> None:
    """Of any set, the same rows that `ipaddress` would choose one by one."""
    vrps = data.draw(vrp_sets)
    wanted = ipaddress.ip_network(data.draw(st.sampled_from(["192.0.2.0/26", "192.0.2.64/28", "0.0.0.0/0", "::/0"])))
    more = data.draw(st.booleans())
    chosen = Selection.parse([], [str(wanted)], more_specifics=more).of(Payload(vrps)).vrps

    expected = [
        vrp
        for vrp in vrps
        if (own := ipaddress.ip_network(vrp.prefix)).version == wanted.version
        and (wanted.subnet_of(own) or (more and own.subnet_of(wanted)))  # type: ignore[arg-type]
    ]
    assert list(chosen) == expected


def test_what_cannot_be_selected() -> None:
    """Named errors."""
    with pytest.raises(AsnError, match="'x' is not an AS number"):
        Selection.parse(["x"])
    with pytest.raises(PrefixError, match="has host bits set"):
        Selection.parse([], ["10.0.0.1/8"])
    with pytest.raises(LimitError, match="101 AS numbers and prefixes"):
        Selection.parse(["1"] * 101)
