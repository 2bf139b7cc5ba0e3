"""Tests for rpkival.objects.ghostbusters: real records, and vCards broken in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import LimitError, ObjectError
from rpkival.lab.ca import trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.objects.ghostbusters import parse_ghostbusters, parse_vcard

CARD = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Contact\r\nTEL;TYPE=VOICE,MSG;VALUE=uri:tel:+1-555\r\nEND:VCARD\r\n"


@pytest.mark.parametrize(
    ("name", "contact"),
    [
        ("rpki-prover/ClF4YOBviAEnwFokhNG1NXBZjEA.gbr", "Job Snijders"),
        ("rpki-prover/VZgMGXDlMc_DQX3QkQKbaQ0K8vM.gbr", "Job Snijders"),
        ("rrdp-tools/NKcuY5DvQmG0vwsI6MT4nqcBcoI.gbr", "Randy Bush"),
    ],
)
def test_real_records_are_read(unpacked: Callable[[str], Path], name: str, contact: str) -> None:
    """In both versions of vCard that are published."""
    record = parse_ghostbusters((unpacked("objects/misc-objects.tar.xz") / name).read_bytes())
    assert ("FN", contact) in record.properties


def test_a_record_of_the_lab_is_read(lab_keys: KeyRing) -> None:
    """Whom to call."""
    anchor = trust_anchor("anchor", Resources(["10.0.0.0/8"]), Validity(0, 2_000_000_000), lab_keys)
    data = anchor.products[anchor.issue_ghostbusters("Night shift", "noc@lab.example")].content
    assert parse_ghostbusters(data).properties == (("FN", "Night shift"), ("EMAIL", "noc@lab.example"))


def test_lines_are_unfolded_and_parameters_put_aside() -> None:
    """RFC 6350 section 3.2: a line that begins with a blank goes on with the one before it."""
    card = CARD.replace("Contact", "Con\r\n tact").replace("TEL;", 'home.TEL;X="a;b:c";')
    assert parse_vcard(card.encode()) == (("FN", "Contact"), ("TEL", "tel:+1-555"))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("BEGIN:VCARD\r\n", "", "not one vCard"),
        ("END:VCARD\r\n", "", "not one vCard"),
        ("4.0", "2.1", "is not VERSION"),
        ("FN:Contact\r\n", "ORG:Somebody\r\n", "has no FN"),
        ("TEL", "ORG", "neither ADR nor TEL nor EMAIL"),
        ("FN:", "TITLE:Queen\r\nFN:", "property TITLE"),
        ("FN:", "nothing\r\nFN:", "no property"),
    ],
)
def test_a_broken_card_is_refused(old: str, new: str, sentence: str) -> None:
    """For what is wrong with it."""
    with pytest.raises(ObjectError, match=sentence) as caught:
        parse_vcard(CARD.replace(old, new, 1).encode())
    assert caught.value.section == "RFC 6493 section 5"


def test_other_octets_are_no_card() -> None:
    """Text in UTF-8 it has to be, and short."""
    with pytest.raises(ObjectError, match="UTF-8"):
        parse_vcard(CARD.replace("Contact", "Caf\u00e9").encode("latin-1"))
    with pytest.raises(LimitError, match="lines"):
        parse_vcard(CARD.replace("TEL", "ORG:x\r\n" * 1_000 + "TEL").encode())
