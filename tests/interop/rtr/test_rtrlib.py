"""The origin index against rtrlib, the C library that routers validate with: every verdict, on crowded random input."""

from __future__ import annotations

import ctypes
import ctypes.util
import ipaddress
import random

import numpy as np
import pytest

from rpkival.origin.index import OriginIndex
from rpkival.origin.verdict import State
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.prefixes import split_families

pytestmark = pytest.mark.interop

STATES = (State.VALID, State.NOT_FOUND, State.INVALID)
"""In the order of rtrlib's enum pfxv_state."""


class Address(ctypes.Structure):
    """struct lrtr_ip_addr: 0 and one word for IPv4, 1 and four words for IPv6, in host order."""

    _fields_ = (("version", ctypes.c_int), ("words", ctypes.c_uint32 * 4))


class Record(ctypes.Structure):
    """struct pfx_record."""

    _fields_ = (
        ("asn", ctypes.c_uint32),
        ("prefix", Address),
        ("min_len", ctypes.c_uint8),
        ("max_len", ctypes.c_uint8),
        ("socket", ctypes.c_void_p),
    )


def address_of(text: str) -> tuple[Address, int]:
    """A prefix as rtrlib has it."""
    network = ipaddress.ip_network(text)
    number = int(network.network_address)
    if network.version == 4:
        return Address(0, (ctypes.c_uint32 * 4)(number)), network.prefixlen
    words = (ctypes.c_uint32 * 4)(*((number >> shift) & 0xFFFFFFFF for shift in (96, 64, 32, 0)))
    return Address(1, words), network.prefixlen


@pytest.fixture
def rtrlib() -> ctypes.CDLL:
    """The shared library."""
    name = ctypes.util.find_library("rtr")
    if name is None:
        pytest.skip("librtr is not installed")
    return ctypes.CDLL(name)


def rtrlib_states(rtrlib: ctypes.CDLL, vrps: list[Vrp], routes: list[tuple[str, int]]) -> list[State]:
    """What rtrlib says of each route."""
    # struct pfx_table: two roots, a callback and a lock; its size is rtrlib's own matter, and this is ample.
    table = ctypes.create_string_buffer(4096)
    rtrlib.pfx_table_init(table, None)
    for vrp in vrps:
        address, length = address_of(vrp.prefix)
        assert rtrlib.pfx_table_add(table, ctypes.byref(Record(vrp.asn, address, length, vrp.max_length))) == 0
    states = []
    for prefix, asn in routes:
        address, length = address_of(prefix)
        state = ctypes.c_int()
        found = rtrlib.pfx_table_validate(
            table, ctypes.c_uint32(asn), ctypes.byref(address), ctypes.c_uint8(length), ctypes.byref(state)
        )
        assert found == 0
        states.append(STATES[state.value])
    rtrlib.pfx_table_free(table)
    return states


def crowded(rng: random.Random) -> str:
    """A prefix among few addresses at all lengths but 0: a VRP of that length makes rtrlib 0.8 abort the process."""
    if rng.random() < 0.5:
        address = rng.choice((0x0A000000, 0x0A010203, 0xC0000280, 0xFFFFFFFF)) ^ rng.getrandbits(2)
        return str(ipaddress.ip_network((address, rng.randint(1, 32)), strict=False))
    address6 = rng.choice((0x20010DB8 << 96, (0x20010DB8 << 96) | (1 << 64), 2**128 - 1)) ^ (rng.getrandbits(2) << 62)
    return str(ipaddress.ip_network((ipaddress.IPv6Address(address6), rng.randint(1, 128)), strict=False))


@pytest.mark.parametrize("seed", range(5))
def test_every_verdict_is_rtrlibs(rtrlib: ctypes.CDLL, seed: int) -> None:
    """600 VRPs, also of AS 0, and 4,000 routes of both families."""
    rng = random.Random(seed)
    vrps = set()
    for _ in range(600):
        prefix = crowded(rng)
        longest = 128 if ":" in prefix else 32
        vrps.add(Vrp(prefix, rng.randint(int(prefix.partition("/")[2]), longest), rng.randint(0, 4)))
    routes = [(crowded(rng), rng.randint(0, 5)) for _ in range(4000)]
    # Few VRPs leave much not-found, many leave little: each seed takes its share.
    chosen = sorted(vrps, key=str)[:: 1 + 40 * seed]
    index = OriginIndex.build(Vrps.of(chosen))

    expected = rtrlib_states(rtrlib, chosen, routes)

    assert set(expected) >= {State.VALID, State.INVALID}
    for prefixes, rows in split_families(prefix for prefix, _ in routes):
        origin = np.array([routes[row][1] for row in rows.tolist()], np.uint32)
        assert index.classify(prefixes, origin).state.tolist() == [expected[row] for row in rows.tolist()]
