"""What is written, byte for byte: as Routinator's own tests and rpki-client's sources have it."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest

from rpkival.limits import MAX_OPENBGPD_ASPA_PROVIDERS
from rpkival.payload.formats import read_vrps, write_payload
from rpkival.payload.local_source import LocalSource
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.validation.lifetime import LIFETIME, UNKNOWN_LIFETIME, Lifetime

LOCAL = str(LocalSource(""))
LONELY = Payload(
    Vrps.of([Vrp("12.34.56.0/24", 24, 1234, source=LOCAL)]),
    (Aspa(1234, (1, 2, 3, 4), source=LOCAL),),
    (RouterKey(1234, bytes(20), bytes(64), source=LOCAL),),
)
"""The payload of Routinator's tests: one of each, by a local exception of no file."""

WHOLE = Payload(
    Vrps.of(
        [
            Vrp("192.0.2.0/24", 26, 64496, "ripe", 1773648000, "rsync://a.example/m/b.roa"),
            Vrp("198.51.100.0/24", 24, 64497, "", 0, str(LocalSource("/etc/slurm.json", 'ours, "really"'))),
            Vrp("2001:db8::/32", 48, 4294967295, "apnic", 0, ""),
        ]
    ),
    (
        Aspa(64496, (64500, 64501), "ripe", 1773648000, "rsync://a.example/m/c.asa"),
        Aspa(64497, (0,), "", 0, str(LocalSource("/etc/slurm.json"))),
    ),
    (RouterKey(64496, bytes(range(20)), bytes(range(200, 255)), "ripe", 1773648000, "rsync://a.example/m/d.cer"),),
)
LIFETIME_OF_ONE = Lifetime(1755853360, 1787386468, 1773644400, 1776240000, 1773648000)
SKI, KEY = "0" * 40, "A" * 86
ROUTINATORS = {
    "csv": "ASN,IP Prefix,Max Length,Trust Anchor\nAS1234,12.34.56.0/24,24,N/A\n",
    "csvcompat": '"ASN","IP Prefix","Max Length","Trust Anchor"\n"AS1234","12.34.56.0/24","24","N/A"\n',
    "csvext": "URI,ASN,IP Prefix,Max Length,Not Before,Not After\nN/A,AS1234,12.34.56.0/24,24,N/A,N/A\n",
    "bird1": "roa 12.34.56.0/24 max 24 as 1234;\n",
    "bird2": "route 12.34.56.0/24 max 24 as 1234;\n",
    "rpsl": (
        "\nroute: 12.34.56.0/24\norigin: AS1234\ndescr: RPKI attestation\nmnt-by: NA\ncreated: 1970-01-01T00:00:00Z\n"
        "last-modified: 1970-01-01T00:00:00Z\nsource: ROA-N/A-RPKI-ROOT\n\n"
    ),
    "json": (
        '{\n  "metadata": {\n    "generated": 0,\n    "generatedTime": "1970-01-01T00:00:00Z"\n  },\n  "roas": [\n'
        '    { "asn": "AS1234", "prefix": "12.34.56.0/24", "maxLength": 24, "ta": "N/A" }\n  ],\n  "routerKeys": [\n'
        f'    {{ "asn": "AS1234", "SKI": "{SKI}", "routerPublicKey": "{KEY}", "ta": "N/A" }}\n  ],\n  "aspas": [\n'
        '    { "customer": "AS1234", "providers": ["AS1", "AS2", "AS3", "AS4"], "ta": "N/A" }\n  ]\n}\n'
    ),
    "jsonext": (
        '{\n  "metadata": {\n    "generated": 0,\n    "generatedTime": "1970-01-01T00:00:00Z"\n  },\n  "roas": [\n'
        '    { "asn": "AS1234", "prefix": "12.34.56.0/24", "maxLength": 24, '
        '"source": [ { "type": "exception", "path": null }] }\n  ],\n  "routerKeys": [\n'
        f'    {{ "asn": "AS1234", "SKI": "{SKI}", "routerPublicKey": "{KEY}", '
        '"source": [ { "type": "exception", "path": null }] }\n  ],\n  "aspas": [\n'
        '    { "customer": "AS1234", "providers": ["AS1", "AS2", "AS3", "AS4"], '
        '"source": [ { "type": "exception", "path": null }] }\n  ]\n}\n'
    ),
    "slurm": (
        '{\n  "slurmVersion": 1,\n  "validationOutputFilters": {\n    "prefixFilters": [ ],\n    "bgpsecFilters": [ ]\n'
        '  },\n  "locallyAddedAssertions": {\n    "prefixAssertions": [\n      {\n        "asn": 1234,\n'
        '        "prefix": "12.34.56.0/24",\n        "comment": "N/A"\n      }\n    ],\n    "bgpsecAssertions": [\n'
        f'      {{\n        "asn": 1234,\n        "SKI": "{"A" * 27}",\n        "routerPublicKey": "{KEY}",\n'
        '        "comment": "N/A"\n      }\n    ]\n  }\n}\n'
    ),
    "slurm2": (
        '{\n  "slurmVersion": 2,\n  "validationOutputFilters": {\n    "prefixFilters": [ ],\n'
        '    "bgpsecFilters": [ ],\n    "aspaFilters": [ ]\n  },\n  "locallyAddedAssertions": {\n'
        '    "prefixAssertions": [\n      {\n'
        '        "asn": 1234,\n        "prefix": "12.34.56.0/24",\n        "comment": "N/A"\n      }\n    ],\n'
        '    "bgpsecAssertions": [\n'
        f'      {{\n        "asn": 1234,\n        "SKI": "{"A" * 27}",\n        "routerPublicKey": "{KEY}",\n'
        '        "comment": "N/A"\n      }\n    ],\n    "aspaAssertions": [\n      { \n        "customerAsn": 1234, \n'
        '        "providerAsns": [\n          1, \n          2, \n          3, \n          4\n        ],\n'
        '        "comment": "N/A"\n      }\n    ]\n  }\n}\n'
    ),
}


def written(payload: Payload, fmt: str, generated: int = 0) -> str:
    """What a writer writes."""
    stream = io.BytesIO()
    write_payload(payload, fmt, stream, generated=generated)
    return stream.getvalue().decode()


@pytest.mark.parametrize("fmt", ROUTINATORS)
def test_routinators_formats(fmt: str) -> None:
    """Its golden files, with each entry once, where they have a duplicate."""
    assert written(LONELY, fmt) == ROUTINATORS[fmt]


@pytest.mark.parametrize("fmt", ["json", "jsonext", "slurm", "slurm2"])
def test_keys_are_in_the_alphabet_of_urls(fmt: str) -> None:
    """As Routinator has them everywhere, and RFC 8416 section 3.4.2 in SLURM: without padding."""
    key = RouterKey(1, bytes(20), b"\xfb\xff\xfe\0")
    assert '"routerPublicKey": "-__-AA"' in written(Payload(Vrps.empty(), (), (key,)), fmt)


def test_openbgpd_is_rpki_clients() -> None:
    """With the end of each where it is known; max lengths that say nothing are left out."""
    assert written(WHOLE, "openbgpd") == (
        "roa-set {\n\t192.0.2.0/24 maxlen 26 source-as 64496 expires 1773648000\n"
        "\t198.51.100.0/24 source-as 64497\n\t2001:db8::/32 maxlen 48 source-as 4294967295\n}\n\n"
        "aspa-set {\n\tcustomer-as 64496 expires 1773648000 provider-as { 64500, 64501 }\n"
        "\tcustomer-as 64497 provider-as { 0 }\n}\n"
    )
    assert written(Payload(Vrps.empty()), "openbgpd") == "roa-set {\n}\n"


def test_openbgpd_gets_no_aspa_that_it_would_refuse_everything_for() -> None:
    """One that is too large costs nobody else anything."""
    most = Aspa(1, tuple(range(2, 2 + MAX_OPENBGPD_ASPA_PROVIDERS)))
    more = Aspa(2, tuple(range(3, 4 + MAX_OPENBGPD_ASPA_PROVIDERS)))
    text = written(Payload(Vrps.empty(), (most, more)), "openbgpd")
    assert "customer-as 1 " in text
    assert "customer-as 2 " not in text
    assert written(Payload(Vrps.empty(), (more,)), "openbgpd") == "roa-set {\n}\n"


def test_bird_is_rpki_clients() -> None:
    """A protocol for each family; the table of ASPAs only where there are any, since BIRD 2.15 knows none."""
    text = written(WHOLE, "bird", 1773644400)

    assert text == (
        "\ndefine force_roa_table_update = 1773644400;\n\nroa4 table ROAS4;\nroa6 table ROAS6;\naspa table ASPAS;\n\n"
        "protocol static {\n\troa4 { table ROAS4; };\n\n\troute 192.0.2.0/24 max 26 as 64496;\n"
        "\troute 198.51.100.0/24 max 24 as 64497;\n}\n\n"
        "protocol static {\n\troa6 { table ROAS6; };\n\n\troute 2001:db8::/32 max 48 as 4294967295;\n}\n\n"
        "protocol static {\n\taspa { table ASPAS; };\n\n\troute aspa 64496 providers 64500, 64501;\n"
        "\troute aspa 64497 providers 0;\n}\n"
    )
    assert "aspa" not in written(Payload(WHOLE.vrps), "bird")


SIGNED = replace(
    WHOLE,
    vrps=replace(WHOLE.vrps, lifetimes=np.array([LIFETIME_OF_ONE, UNKNOWN_LIFETIME], LIFETIME)),
    aspas=(replace(WHOLE.aspas[0], lifetime=LIFETIME_OF_ONE), WHOLE.aspas[1]),
    router_keys=(replace(WHOLE.router_keys[0], lifetime=LIFETIME_OF_ONE),),
)


def test_jsonext_tells_the_lifetime_of_what_is_signed() -> None:
    """The bytes of Routinator 0.15.3: the object's own, its chain's, and that of its publication point."""
    told = (
        '"validity": { "notBefore": "2025-08-22T09:02:40Z", "notAfter": "2026-08-22T08:14:28Z" }, '
        '"chainValidity": { "notBefore": "2026-03-16T07:00:00Z", "notAfter": "2026-04-15T08:00:00Z" }, '
        '"stale": "2026-03-16T08:00:00Z" }] }'
    )
    text = written(SIGNED, "jsonext")
    assert text.count(told) == text.count('"validity"') - 1 == 3  # of one no source is known
    for kind, name in (("roa", "b.roa"), ("aspa", "c.asa"), ("cer", "d.cer")):
        uri = f"rsync://a.example/m/{name}"
        assert f'"source": [ {{ "type": "{kind}", "uri": "{uri}", "tal": "ripe", {told}' in text
    back = read_vrps(text.encode(), name="x").payload
    assert [vrp.expires for vrp in back.vrps] == [vrp.expires for vrp in WHOLE.vrps]
    assert [each.expires for each in (*back.aspas, *back.router_keys)] == [1773648000, 0, 1773648000]


def test_csvext_tells_the_objects_own_validity() -> None:
    """N/A for what a local exception asserts, and for an unknown source."""
    assert written(SIGNED, "csvext").splitlines()[1:] == [
        "rsync://a.example/m/b.roa,AS64496,192.0.2.0/24,26,2025-08-22 09:02:40,2026-08-22 08:14:28",
        "N/A,AS64497,198.51.100.0/24,24,N/A,N/A",
        "N/A,AS4294967295,2001:db8::/32,48,N/A,N/A",
    ]


def test_jsonext_tells_the_object_or_the_exception() -> None:
    """What is not known is null: never a guess."""
    document = json.loads(written(WHOLE, "jsonext"))

    signed, local, unknown = (vrp["source"] for vrp in document["roas"])
    assert signed == [
        {
            "type": "roa",
            "uri": "rsync://a.example/m/b.roa",
            "tal": "ripe",
            "validity": {"notBefore": None, "notAfter": None},
            "chainValidity": {"notBefore": None, "notAfter": "2026-03-16T08:00:00Z"},
            "stale": None,
        }
    ]
    assert local == [{"type": "exception", "path": "/etc/slurm.json", "comment": 'ours, "really"'}]
    assert (unknown[0]["uri"], unknown[0]["tal"]) == (None, "apnic")
    assert unknown[0]["chainValidity"]["notAfter"] is None
    assert document["routerKeys"][0]["source"][0]["type"] == "cer"
    assert [aspa["source"][0]["type"] for aspa in document["aspas"]] == ["aspa", "exception"]


@pytest.mark.parametrize("fmt", ["json", "jsonext"])
def test_all_of_a_payload_comes_back_from_json(fmt: str) -> None:
    """ASPAs and router keys too, each with trust anchor and end; from jsonext also with its source."""
    back = read_vrps(written(WHOLE, fmt).encode(), name="x").payload

    if fmt == "jsonext":
        assert (list(back.vrps), back.aspas, back.router_keys) == (list(WHOLE.vrps), WHOLE.aspas, WHOLE.router_keys)
    else:
        assert [(v.prefix, v.asn, v.trust_anchor, v.expires) for v in back.vrps] == [
            (v.prefix, v.asn, v.trust_anchor, v.expires) for v in WHOLE.vrps
        ]
        assert [(a.customer, a.providers, a.trust_anchor, a.expires) for a in back.aspas] == [
            (a.customer, a.providers, a.trust_anchor, a.expires) for a in WHOLE.aspas
        ]
        assert [key.identity for key in back.router_keys] == [key.identity for key in WHOLE.router_keys]


@pytest.mark.parametrize("fmt", ["json", "jsonext", "slurm", "slurm2"])
def test_nothing_is_a_document_too(fmt: str) -> None:
    """JSON that parses, with the lists that readers look for."""
    document = json.loads(written(Payload.empty(), fmt))

    assert document.get("roas", document.get("locallyAddedAssertions", {}).get("prefixAssertions")) == []
