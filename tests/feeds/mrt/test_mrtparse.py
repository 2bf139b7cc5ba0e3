"""Real updates: the same routes as mrtparse finds, a second decoder that shares nothing with bgpdump."""

from __future__ import annotations

import ipaddress
import signal
from collections import Counter

import mrtparse
import pytest

from feeds.mrt import MrtReader

# Importing mrtparse makes this whole process die of the first broken pipe, in whichever test that comes.
signal.signal(signal.SIGPIPE, signal.SIG_IGN)


def key(field):
    """mrtparse gives a field as `{number: name}`."""
    return next(iter(field))


def prefix(nlri):
    """A prefix without host bits."""
    return str(ipaddress.ip_network((nlri["prefix"], nlri["length"]), strict=False))


def path_text(segments):
    """A path as `PathTable.text` has it."""
    words = []
    for segment in segments:
        words += ["{" + ",".join(segment["value"]) + "}"] if key(segment["type"]) == 1 else segment["value"]
    return " ".join(words)


def parsed(path):
    """The routes that mrtparse finds, counted; without the path where it leaves it in two halves (AS4_PATH)."""
    rows = Counter()
    for entry in mrtparse.Reader(str(path)):
        message = entry.data.get("bgp_message", {})
        if entry.err or "path_attributes" not in message:
            continue
        attributes = {key(attribute["type"]): attribute["value"] for attribute in message["path_attributes"]}
        path = None if 17 in attributes else path_text(attributes.get(2, []))
        gone, here = list(message["withdrawn_routes"]), list(message["nlri"])
        for code, rows_of_family, name in ((14, here, "nlri"), (15, gone, "withdrawn_routes")):
            if code in attributes and key(attributes[code]["safi"]) == 1:
                rows_of_family += attributes[code][name]
        time = round(key(entry.data["timestamp"]) + entry.data.get("microsecond_timestamp", 0) / 1e6, 6)
        who = (str(ipaddress.ip_address(entry.data["peer_ip"])), int(entry.data["peer_as"]), time)
        rows.update((*who, False, prefix(nlri), nlri.get("path_id", 0), "") for nlri in gone)
        rows.update((*who, True, prefix(nlri), nlri.get("path_id", 0), path) for nlri in here)
    return rows


@pytest.mark.parametrize(
    "name",
    [
        "updates.20071015.1505.gz",
        "updates.20100722.2015.gz",
        "ris.rrc06.updates.1427846400.gz",
        "bgpkit/rrc15_updates.20100227.1610.gz",
        "bgpipe_sample.mrt",
        "mrtparse-samples/bird_bgp",
        "mrtparse-samples/bird6_bgp",
        "mrtparse-samples/quagga_bgp",
        "mrtparse-samples/openbgpd_bgp",
        "mrtparse-samples/bird-mrtdump_bgp",
        "mrtparse-samples/bird6-mrtdump_bgp",
    ],
)
def test_the_routes_of_mrtparse(shared_data, routes, name):
    """Peer, time, prefix, path identifier and path of each announcement and withdrawal."""
    theirs = parsed(shared_data / "mrt" / name)
    in_halves = {row[:-1] for row in theirs if row[-1] is None}
    ours = Counter()
    for row in routes(MrtReader(shared_data / "mrt" / name).batches()):
        who = (row.peer, row.peer_asn, round(row.time, 6), row.announced, row.prefix, row.path_id)
        ours[*who, None if who in in_halves else row.path] += 1
    assert ours.total() > 0
    assert ours == theirs
