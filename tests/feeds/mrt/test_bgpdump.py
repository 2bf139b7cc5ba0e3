"""Real files of all ages and makers: the same routes as bgpdump finds, row by row."""

from __future__ import annotations

import bz2
import gzip
import ipaddress
import subprocess
import zlib
from collections import Counter
from functools import cache

import pytest

from feeds.mrt import MrtReader

HEAD_BYTES = 2_000_000

RECORDED = [
    "bview.20020722.2337.gz",
    "bview.64k_stream_overflow.gz",
    "bview.ipv4_unicast_add_path.gz",
    "bview.ipv6_unicast_add_path.gz",
    "updates.20020722.2238.gz",
    "updates.20071015.1505.gz",
    "updates.20100722.2015.gz",
    "updates.20160811.1600.gz",
    "updates.et-header.2015.gz",
    "updates.long_withdrawal.gz",
]
"""What bgpdump printed for these stands beside them."""

LIVE = [
    "bgpkit/rrc00_updates.19990903.1041.gz",
    "bgpkit/rrc00_updates.19991214.1621.gz",
    "bgpkit/rrc00_updates.20000102.2014.gz",
    "bgpkit/rrc01_updates.20001104.0124.gz",
    "bgpkit/rrc03_updates.20100227.1600.first-796-records.gz",
    "bgpkit/rrc15_updates.20100227.1600.gz",
    "bgpkit/rrc15_updates.20100227.1610.gz",
    "mrtparse-samples/bird-mrtdump_bgp",
    "mrtparse-samples/bird-mrtdump_rib",
    "mrtparse-samples/bird6-mrtdump_bgp",
    "mrtparse-samples/bird6-mrtdump_rib",
    "mrtparse-samples/openbgpd_bgp",
    "mrtparse-samples/openbgpd_rib_table",
    "mrtparse-samples/openbgpd_rib_table-mp",
    "mrtparse-samples/openbgpd_rib_table-v2",
    "mrtparse-samples/quagga_bgp",
    "mrtparse-samples/quagga_rib",
    "pyasn/rib.20080501.0644_firstMB.bz2",
    "pyasn/rib.20140523.0600_firstMB.bz2",
    "pyasn/rib6.20151101.0600_firstMB.bz2",
    "rib.20260730.1400_first2MB.bz2",
    "rib6.20260730.1400_firstMB.bz2",
    "ris.rrc06.updates.1401488100.gz",
    "ris.rrc06.updates.1427846400.gz",
    "routeviews.route-views.jinx.ribs.1401487200.bz2",
    "routeviews.route-views.jinx.updates.1427846400.bz2",
]

MULTICAST = {"updates.20070211.0141.gz": 151, "updates.example.bz2": 364}
"""bgpdump -m prints multicast routes and does not say so; rows of each file that mrtparse finds under SAFI 2."""

UNMARKED_PATH_IDENTIFIERS = ("bgpipe_sample.mrt", "206.126.236.214")
"""This peer's path identifiers stand in records that deny them; bgpdump takes them for 0.0.0.0/0, 208.0.0.0/2 and such.
mrtparse finds them too, here and in two files of BIRD 1.6: see test_mrtparse.py."""


@cache
def address(text):
    """An address as RFC 5952 writes it; bgpdump shortens a single group of zeros too."""
    return str(ipaddress.ip_address(text))


def prefix(text):
    """A prefix without host bits, which bgpdump 1.6 leaves in."""
    head, _, length = text.partition("/")
    if ":" in head:
        return str(ipaddress.IPv6Network((head, int(length)), strict=False))
    a, b, c, d = map(int, head.split("."))
    word = (a << 24 | b << 16 | c << 8 | d) & (0xFFFFFFFF << (32 - int(length)))
    return f"{word >> 24}.{word >> 16 & 255}.{word >> 8 & 255}.{word & 255}/{length}"


def dumped(text):
    """The routes in the output of `bgpdump -m`, counted."""
    rows = Counter()
    for line in text.splitlines():
        kind, time, what, peer, asn, *rest = line.split("|")
        if what not in {"A", "B", "W"}:
            continue
        path_id = int(rest.pop(1)) if kind.endswith("_AP") else 0
        path = "" if what == "W" else rest[1]
        if kind == "BGP" and what == "W":
            # For these records bgpdump prints the peer's address in place of the withdrawn one.
            rest[0] = "?/" + rest[0].partition("/")[2]
            rows[float(time), False, address(peer), int(asn), rest[0], path_id, path] += 1
        else:
            rows[float(time), what != "W", address(peer), int(asn), prefix(rest[0]), path_id, path] += 1
    return rows


def decoded(found, *, old):
    """Our routes in the same shape; `old`: of BGP records, see `dumped`."""
    return Counter(
        (
            round(row.time, 6),
            row.announced,
            row.peer,
            row.peer_asn,
            "?/" + row.prefix.partition("/")[2] if old and not row.announced else row.prefix,
            row.path_id,
            row.path,
        )
        for row in found
    )


def compare(path, text, routes):
    """What only we have, and what only bgpdump has."""
    reader = MrtReader(path)
    found = routes(reader.batches())
    ours = decoded(found, old="BGP" in reader.stats.records)
    theirs = dumped(text)
    assert sum(ours.values()) == len(found)
    assert [row.origin for row in found] == [
        int(last) if row.announced and (last := row.path.rpartition(" ")[2]).isdigit() else None for row in found
    ]
    return ours - theirs, theirs - ours


@pytest.mark.parametrize("name", RECORDED)
def test_the_routes_of_bgpdump(shared_data, routes, name):
    """Time, peer, prefix, path and origin of each announcement and withdrawal."""
    text = gzip.decompress((shared_data / "mrt/expect" / f"{name}.bgp.gz").read_bytes()).decode()
    assert compare(shared_data / "mrt" / name, text, routes) == (Counter(), Counter())


@pytest.fixture
def dump_head(program, shared_data, tmp_path):
    """`dump_head(name)`: the first megabytes of a file, torn off wherever that is, and what bgpdump prints of them."""
    bgpdump = program("bgpdump")

    def run(name, size=HEAD_BYTES):
        packed = (shared_data / "mrt" / name).read_bytes()
        if name.endswith(".bz2"):
            packed = bz2.BZ2Decompressor().decompress(packed, size)
        elif name.endswith(".gz"):
            packed = zlib.decompressobj(31).decompress(packed, size)
        path = tmp_path / "head.mrt"
        path.write_bytes(packed)
        done = subprocess.run([bgpdump, "-m", str(path)], capture_output=True, timeout=120, check=False)
        return path, done.stdout.decode()

    return run


@pytest.mark.interop
@pytest.mark.parametrize("name", LIVE)
def test_the_routes_of_bgpdump_now(routes, dump_head, name):
    """As above, with the installed bgpdump."""
    assert compare(*dump_head(name), routes) == (Counter(), Counter())


@pytest.mark.interop
@pytest.mark.parametrize(("name", "multicast"), MULTICAST.items())
def test_multicast_is_left_out(routes, dump_head, name, multicast):
    """Every unicast route is there, and nothing else."""
    only_ours, only_theirs = compare(*dump_head(name, 3 * HEAD_BYTES), routes)
    assert (only_ours, only_theirs.total()) == (Counter(), multicast)


@pytest.mark.interop
def test_unmarked_path_identifiers(routes, dump_head):
    """All but the routes of that peer are the same, and its routes are prefixes that somebody would announce."""
    name, peer = UNMARKED_PATH_IDENTIFIERS
    only_ours, only_theirs = compare(*dump_head(name), routes)
    assert {row[2] for row in only_ours} == {row[2] for row in only_theirs} == {peer}
    assert {int(row[4].partition("/")[2]) for row in only_ours} == {22, 23, 24}


def test_a_torn_prefix_behind_a_good_one(shared_data, routes):
    """The hand-made message with trailing bits ends in one octet of a prefix of 11 bits, so it is malformed whole."""
    reader = MrtReader(shared_data / "mrt/updates.nlri_mask_trailing_bits.gz")
    assert routes(reader.batches()) == []
    assert reader.stats.malformed == 1


@pytest.mark.parametrize(
    ("name", "first"), [("rrc00_bview.20000111.0032.gz", 7732), ("rrc00_updates.20000325.0345.gz", 14756)]
)
def test_lost_framing_is_told(shared_data, routes, name, first):
    """Two files of 2000 have wrong record lengths: bgpdump stops silently in one and makes up routes in the other."""
    reader = MrtReader(shared_data / "mrt/bgpkit" / name)
    assert len(routes(reader.batches())) > 0
    assert reader.stats.damage == f"what follows its first {first} bytes is not an MRT record"
