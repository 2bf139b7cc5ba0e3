"""Tests for rpkival.cli.validation_ccr: what is in a representation of a run beside its VRPs."""

from __future__ import annotations

from rpkival.cli.validation_ccr import validation_ccr
from rpkival.lab.keys import KeyRing
from rpkival.objects.ccr import parse_ccr
from rpkival.objects.tal import Tal
from rpkival.payload.payload import Aspa, Payload, RouterKey, unite_aspas
from rpkival.payload.vrps import Vrps
from rpkival.validation.report import Counts, TrustAnchorReport, ValidationRun
from rpkival.validation.roas import ValidatedRoas

NOW = 1_773_648_000


def run_of(*anchors: TrustAnchorReport) -> ValidationRun:
    return ValidationRun(NOW, anchors, ValidatedRoas(), (), ())


def test_a_customer_that_has_no_provider_and_some(lab_keys: KeyRing) -> None:
    """Its ASPAs are united, and what says that there is none gives way (draft section 4.4.3)."""
    united = unite_aspas((Aspa(64500, (0,)), Aspa(64500, (64501, 64502)), Aspa(64503, (0,))))
    key = lab_keys.key("router").public_key_info
    keys = (RouterKey(64500, b"b" * 20, key), RouterKey(64500, b"a" * 20, key))
    ccr = parse_ccr(validation_ccr(run_of(), Payload(Vrps.empty(), united, keys), (), (), produced_at=NOW))
    assert ccr.aspas == ((64500, (64501, 64502)), (64503, (0,)))
    assert ccr.router_keys == ((64500, ((b"a" * 20, key), (b"b" * 20, key))),)


def test_trust_anchors_are_those_that_were_used_each_once(lab_keys: KeyRing) -> None:
    """Two locators may be of one key."""
    keys = {name: lab_keys.key(name) for name in ("one", "two")}
    tals = [
        Tal(name, (f"rsync://lab.example/{name}.cer",), keys[of].public_key_info)
        for name, of in (("one", "one"), ("again", "one"), ("two", "two"))
    ]
    run = run_of(*(TrustAnchorReport(tal.name, "" if tal.name == "two" else tal.uris[0], Counts()) for tal in tals))
    assert parse_ccr(validation_ccr(run, Payload.empty(), tals, (), produced_at=NOW)).trust_anchors == (
        keys["one"].identifier,
    )
