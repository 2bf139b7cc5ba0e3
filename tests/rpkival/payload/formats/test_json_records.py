"""Router keys and ASPAs out of JSON: every habit is read, and what is wrong is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rpkival.errors import FormatError, LimitError
from rpkival.payload.formats import read_vrps
from rpkival.payload.payload import Aspa, Payload

KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhv5HEBGixUjKJTlenvcD1Axyi07rFdVY1KhN4vMPYy5y0Mx6zfaiEqJN27jK/l61xC36Vsaezd7e"
    "XAsZ1AEEsQ=="
)
SKI = "510F485D29A29DB7B515F9C478F8ED3CB7AA7D23"


def read(**members: object) -> Payload:
    """A document with these members beside an empty list of VRPs."""
    return read_vrps(json.dumps({"roas": [], **members}).encode(), name="vrps.json").payload


@pytest.mark.parametrize(
    "entry",
    [
        {"bgpsec_keys": [{"asn": 945, "ski": SKI.lower(), "pubkey": KEY, "ta": "arin", "expires": 1712543522}]},
        {
            "routerKeys": [
                {"asn": "AS945", "SKI": SKI, "routerPublicKey": KEY.rstrip("="), "ta": "arin", "expires": 1712543522}
            ]
        },
        {"routerKeys": [{"asn": "945", "SKI": SKI, "routerPublicKey": KEY.replace("/", "_"), "ta": "arin"}]},
    ],
    ids=["rpki-client", "routinator", "other alphabet"],
)
def test_router_keys_of_every_habit(entry: dict[str, object]) -> None:
    """The same key, however it is written."""
    (key,) = read(**entry).router_keys

    assert (key.asn, key.key_id.hex().upper(), len(key.key_info), key.trust_anchor) == (945, SKI, 91, "arin")


@pytest.mark.parametrize(
    "entry",
    [
        {"customer_asid": 64496, "expires": 7, "providers": [64501, 64500, 64500]},
        {"customer": "AS64496", "expires": 7, "providers": ["AS64500", "64501"], "ta": "N/A"},
    ],
)
def test_aspas_of_every_habit(entry: dict[str, object]) -> None:
    """Providers ascending and unique."""
    assert read(aspas=[entry]).aspas == (Aspa(64496, (64500, 64501), "", 7),)


def test_the_worlds_aspas_and_keys_are_read(shared_data: Path) -> None:
    """What rpki-client's metadata count is there."""
    sample = shared_data / "vrps/samples/rpkilog_roa_test.rpkiclient2023_json"
    payload = read_vrps(sample.read_bytes(), name=sample.name).payload

    assert [(key.asn, key.trust_anchor) for key in payload.router_keys] == [
        (945, "arin"),
        (15562, "ripe"),
        (15562, "ripe"),
    ]
    assert [(aspa.customer, len(aspa.providers)) for aspa in payload.aspas] == [(945, 6), (15562, 4)]


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"aspas": [{"customer": "ASx", "providers": [1]}]}, "ASPA 1: 'ASx' is not an AS number"),
        ({"aspas": [{"providers": [1]}]}, "ASPA 1: '' is not an AS number"),
        ({"aspas": [{"customer": 1, "providers": []}]}, "ASPA 1 has 0 providers"),
        ({"aspas": [{"customer": 1, "providers": [2**32]}]}, "ASPA 1: AS4294967296 does not exist"),
        ({"aspas": [{"customer": 1, "providers": list(range(16_381))}]}, "ASPA 1 has 16381 providers"),
        ({"aspas": [{"customer": 1, "providers": [2], "expires": -1}]}, "ASPA 1: -1 is not a time"),
        ({"aspas": [7]}, r"at \$.aspas\[0\]: expected an object, got a whole number"),
        ({"routerKeys": [{"asn": 1, "SKI": SKI[2:], "routerPublicKey": KEY}]}, "router key 1: .* 19 octets, not 20"),
        ({"routerKeys": [{"asn": 1, "SKI": "zz", "routerPublicKey": KEY}]}, "router key 1 is not written as a key"),
        ({"routerKeys": [{"asn": 1, "SKI": SKI, "routerPublicKey": "<key>"}]}, "router key 1 .* it is not Base64"),
        ({"routerKeys": [{"asn": 1, "SKI": SKI}]}, "router key 1: a key of 0 octets is none"),
        ({"routerKeys": [{"asn": 1, "SKI": SKI, "routerPublicKey": "A" * 1400}]}, "a key of 1050 octets is none"),
    ],
)
def test_the_bad_one_is_named(members: dict[str, object], sentence: str) -> None:
    """With what is wrong with it."""
    with pytest.raises(FormatError, match=sentence):
        read(**members)


def test_more_than_there_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bound of its own."""
    monkeypatch.setattr("rpkival.payload.formats.json_records.MAX_VRP_FILE_RECORDS", 1)

    with pytest.raises(LimitError, match="has 2 ASPAs, more than 1"):
        read(aspas=[{"customer": n, "providers": [9]} for n in (1, 2)])
