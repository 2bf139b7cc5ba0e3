"""Writes the seeds of all targets anew, from the lab alone: `python -m fuzz.make_seeds`."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path

from feeds.bgp_update import Origin, Reach, Update
from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.publisher import trust_anchor_locator
from rpkival.lab.ris_messages import RisUpdate
from rpkival.lab.rrdp_publication import RrdpPublication
from rpkival.lab.signed_objects import manifest_content
from rpkival.objects.ccr import CachedManifest, CachedRoas, Ccr, write_ccr
from rpkival.rtr.pdu import (
    AspaPdu,
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorReport,
    IPv4Prefix,
    IPv6Prefix,
    Pdu,
    ResetQuery,
    RouterKeyPdu,
    SerialNotify,
    SerialQuery,
)

SESSION = "9df4b597-af9e-4dca-bdda-719cce2c4e28"
VALID = Validity(1_767_225_600, 1_798_761_600)
SLURM_1 = {
    "slurmVersion": 1,
    "validationOutputFilters": {
        "prefixFilters": [{"prefix": "192.0.2.0/24", "comment": "one"}, {"asn": 64496}],
        "bgpsecFilters": [{"asn": 64496}, {"SKI": "Zm9vYmFyZm9vYmFyZm9vYmFyMDA"}],
    },
    "locallyAddedAssertions": {
        "prefixAssertions": [{"asn": 64497, "prefix": "198.51.100.0/24", "maxPrefixLength": 26}],
        "bgpsecAssertions": [],
    },
}
SLURM_2 = {
    "slurmVersion": 2,
    "validationOutputFilters": {"prefixFilters": [], "bgpsecFilters": [], "aspaFilters": [{"customerAsn": 64496}]},
    "locallyAddedAssertions": {
        "prefixAssertions": [],
        "bgpsecAssertions": [],
        "aspaAssertions": [{"customerAsn": 64499, "providerAsns": [64500, 64501]}],
    },
}


def objects() -> dict[str, dict[str, bytes]]:
    """Of every kind that the lab can sign, by target."""
    keys = KeyRing()
    anchor = trust_anchor("anchor", Resources(["10.0.0.0/8", "2001:db8::/32"], [(64496, 64511)]), VALID, keys)
    member = anchor.issue_ca("member", Resources(["10.1.0.0/16", "2001:db8:1::/48"], [64500]))
    member.issue_roa(64500, [("10.1.0.0/16", 24), ("2001:db8:1::/48", 48)])
    member.issue_aspa(64500, [64496, 64497])
    member.issue_router_key(64500)
    member.issue_ghostbusters("Somebody", "noc@lab.example")
    member.issue_prefix_list(64500, ["10.1.0.0/16"])
    member.revoke(member.issue_roa(64500, [("10.1.1.0/24", 24)]), VALID.not_before)
    key = anchor.issue_trust_anchor_key(successor=member)
    files = member.publication_point(VALID)
    of_kind = {name.rpartition(".")[2]: content for name, content in files.items()}
    router = next(content for name, content in files.items() if name.startswith("router"))
    checklist = member.checklist(Resources(["10.1.0.0/16"]), {"a.txt": b"text"})
    names = {"a.cer": b"1", "b.crl": b"2"}
    tal = trust_anchor_locator(anchor).encode()
    return {
        "aspa": {"aspa": of_kind["asa"]},
        "ber": {"roa": of_kind["roa"], "indefinite": b"\x30\x80\x24\x80\x04\x01a\x04\x01b\x00\x00\x31\x00\x00\x00"},
        "certificate": {"anchor": anchor.certificate, "ca": member.certificate, "router": router},
        "checklist": {"checklist": checklist},
        "crl": {"crl": of_kind["crl"]},
        "ghostbusters": {"contact": of_kind["gbr"]},
        "inspection": {kind: of_kind[kind] for kind in ("roa", "crl", "mft")} | {"ca": member.certificate, "tal": tal},
        "manifest": {"content": manifest_content(1, VALID, names), "manifest": of_kind["mft"]},
        "prefix_list": {"list": of_kind["spl"]},
        "roa": {"roa": of_kind["roa"]},
        "signed_object": {"roa": of_kind["roa"]},
        "tal": {"tal": tal},
        "trust_anchor_key": {"key": anchor.products[key].content},
    }


def rrdp() -> dict[str, dict[str, bytes]]:
    """The three files of one repository."""
    publication = RrdpPublication("https://rrdp.lab.example")
    publication.session = SESSION
    publication.publish({"rsync://rpki.lab.example/repository/a.cer": b"first" * 20})
    publication.serial = 1
    publication.publish({"rsync://rpki.lab.example/repository/b.cer": b"second" * 20})
    snapshot = publication.snapshot.replace(b'serial="2"', b'serial="1"')
    return {
        "rrdp_notification": {"notification": publication.notification},
        "rrdp_snapshot": {"snapshot": snapshot},
        "rrdp_delta": {"delta": publication.deltas[2]},
    }


def rtr() -> dict[str, dict[str, bytes]]:
    """A PDU of each type, and what routers send."""
    reset, query = ResetQuery(2).serialize(), SerialQuery(1, 7, 9).serialize()
    pdus: dict[str, Pdu] = {
        "notify": SerialNotify(1, 7, 9),
        "response": CacheResponse(2, 7),
        "end": EndOfData(1, 7, 9),
        "cache-reset": CacheReset(1),
        "key": RouterKeyPdu(
            1, announce=True, subject_key_identifier=bytes(20), asn=64500, subject_public_key_info=b"key"
        ),
        "aspa": AspaPdu(2, announce=True, customer=64500, providers=(64496, 64497)),
        "error": ErrorReport(1, 3, reset, "text"),
    }
    whole: tuple[Pdu, ...] = (
        CacheResponse(2, 7),
        IPv4Prefix(2, announce=True, address=10 << 24, length=8, max_length=24, asn=64500),
        IPv6Prefix(2, announce=True, address=1 << 125, length=32, max_length=48, asn=64500),
        RouterKeyPdu(2, announce=True, subject_key_identifier=bytes(20), asn=1, subject_public_key_info=b"key"),
        pdus["aspa"],
        EndOfData(2, 7, 9),
    )
    return {
        "rtr_cache": {"answer": b"".join(pdu.serialize() for pdu in whole)},
        "rtr_pdu": {name: pdu.serialize() for name, pdu in pdus.items()} | {"query": query},
        "rtr_router": {"reset": reset, "query": query, "twice": reset + reset},
    }


def feeds() -> dict[str, dict[str, bytes]]:
    """One announcement and one withdrawal, in each form that they come in."""
    update = Update(
        announced=(Reach((ip_address("192.0.2.1"),), (ip_network("10.1.0.0/16"),)),),
        withdrawn=(ip_network("10.2.0.0/16"),),
        as_path=(64496, (64497, 64498)),
        origin=Origin.IGP,
    )
    whole = update.encode()
    message = RisUpdate("rrc00.lab", ip_address("192.0.2.1"), 64496, 1_767_225_600.0, 1, update)
    bgp4mp = struct.pack("!IIHHII", 64496, 64511, 0, 1, 0xC0000201, 0xC0000202) + whole
    record = struct.pack("!IHHI", 1_767_225_600, 16, 4, len(bgp4mp)) + bgp4mp
    return {
        "bgp_update": {"update": whole[19:]},
        "mrt": {"updates": record + record},
        "ris_message": {"update": message.message(include_raw=False)},
    }


def files() -> dict[str, dict[str, bytes]]:
    """What operators and other validators write."""
    ccr = Ccr(
        VALID.not_before,
        (CachedManifest(bytes(32), 2000, bytes(20), 7, VALID.not_before, ("rsync://rpki.lab.example/a/a.mft",)),),
        (CachedRoas(64496, ((10 << 24, 8, 24),), ((0x20010DB8 << 96, 32, 48),)),),
        ((64496, (64497, 64498)),),
        (bytes(20),),
        ((64496, ((bytes(20), b"\x30\x00"),)),),
    )
    vrps = {"roas": [{"prefix": "10.0.0.0/8", "maxLength": 24, "asn": 64496, "ta": "lab", "expires": 1_798_761_600}]}
    return {
        "ccr": {"ccr": write_ccr(ccr)},
        "constraints": {"both": b"# comment\nallow 10.0.0.0/8\ndeny 10.1.0.0 - 10.1.0.255\nallow 64496 - 64511\n"},
        "slurm": {"version-1": json.dumps(SLURM_1).encode(), "version-2": json.dumps(SLURM_2).encode()},
        "vrp_file": {
            "csv": b"ASN,IP Prefix,Max Length,Trust Anchor\nAS64496,10.0.0.0/8,24,lab\n",
            "json": json.dumps(vrps).encode(),
        },
    }


def write(seeds: Mapping[str, Mapping[str, bytes]], directory: Path) -> None:
    """One file each."""
    for target, files in seeds.items():
        (directory / target).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (directory / target / name).write_bytes(content)


if __name__ == "__main__":
    write(objects() | rrdp() | rtr() | feeds() | files(), Path(__file__).parent / "seeds")
