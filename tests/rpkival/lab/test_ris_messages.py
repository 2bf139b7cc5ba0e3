"""Messages have the shape of RIS Live's own."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from pathlib import Path

from feeds.bgp_message import HEADER_BYTES
from feeds.bgp_update import Origin, Reach, Update
from rpkival.lab.ris_messages import RisUpdate, envelope


def test_recorded_messages_come_out_as_ripe_wrote_them(shared_data: Path) -> None:
    """Their bytes read, then written: the same JSON, key by key in the same order, for the UPDATEs of 2019."""
    checked = 0
    for line in (shared_data / "live" / "rislive" / "1k-msgs").read_text("utf-8").splitlines():
        message = json.loads(line) if line.strip() else {"data": {}}
        data = message["data"]
        # IPv6 withdrawals and two next hops are written in more than one way, aggregators not at all.
        known = {"announcements", "withdrawals", "path", "community", "origin", "med"} & data.keys()
        if data.get("type") != "UPDATE" or data["peer_asn"] == "20495" or not known or "aggregator" in data:
            continue
        update = Update.decode(bytes.fromhex(data["raw"])[HEADER_BYTES:])
        if [str(ip_network(prefix)) for prefix in data.get("withdrawals", [])] != data.get("withdrawals", []):
            continue
        ours = RisUpdate(data["host"], ip_address(data["peer"]), int(data["peer_asn"]), data["timestamp"], 1, update)
        written = json.loads(ours.message(include_raw=False))
        theirs = {key: value for key, value in data.items() if key != "raw"}
        written["data"]["id"] = theirs["id"]
        hops = [hop for reach in update.announced for hop in reach.next_hops]
        if len(update.announced) == len(hops) and list(update.as_path) == theirs.get("path", []):
            assert sorted(map(tuple, written["data"].pop("community", []))) == sorted(
                map(tuple, theirs.pop("community", []))
            )
            assert written == {"type": "ris_message", "data": theirs}
            assert list(written["data"]) == list(theirs)
            checked += 1
    assert checked > 900


def test_raw_is_the_whole_message() -> None:
    """In hexadecimal capitals, marker included, and only where it is asked for."""
    update = Update(
        (Reach((ip_address("192.0.2.10"),), (ip_network("198.18.66.0/24"),)),), as_path=(64501,), origin=Origin.IGP
    )
    heard = RisUpdate("rrc-lab.rpkival.lab", ip_address("192.0.2.10"), 64501, 12.345, 7, update)

    assert json.loads(heard.message(include_raw=True)) == {
        "type": "ris_message",
        "data": {
            "timestamp": 12.35,
            "peer": "192.0.2.10",
            "peer_asn": "64501",
            "id": "192.0.2.10-0000000000000007",
            "raw": update.encode().hex().upper(),
            "host": "rrc-lab.rpkival.lab",
            "type": "UPDATE",
            "path": [64501],
            "origin": "igp",
            "announcements": [{"next_hop": "192.0.2.10", "prefixes": ["198.18.66.0/24"]}],
        },
    }
    assert "raw" not in json.loads(heard.message(include_raw=False))["data"]


def test_envelope() -> None:
    """Type and data, as all of RIS Live's messages."""
    assert json.loads(envelope("pong", None)) == {"type": "pong", "data": None}
