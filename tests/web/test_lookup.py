"""What the lookup answers, and that it agrees with a plain reading of RFC 6811."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.limits import MAX_LISTED_VRPS
from rpkival.origin.index import OriginIndex
from rpkival.payload.vrps import Vrp, Vrps
from web.lookup import Answer, look_up
from web.question import parse_question
from web.view import View


def ask(view: View, text: str) -> Answer:
    """The answer to a question over the view's index."""
    assert view.index is not None
    return look_up(parse_question(text), view.index)


@pytest.mark.parametrize(
    ("text", "state", "reason", "words"),
    [
        ("192.0.2.0/24 AS64496", "valid", "", "has signed that AS64496 may announce it"),
        ("192.0.2.0/25 AS64496", "invalid", "length", "more specific than signed for"),
        ("192.0.2.0/25 AS64497", "valid", "", "has signed that AS64497 may announce it"),
        ("192.0.2.0/24 AS64511", "invalid", "as", "signed for AS64496, AS64497, not for AS64511"),
        ("198.51.100.0/24 AS64496", "invalid", "as", "nobody may announce"),
        ("203.0.113.0/24 AS64496", "not-found", "", "Nobody has signed"),
        ("2001:db8:1::/48 64496", "valid", "", "has signed that AS64496"),
    ],
)
def test_an_announcement_has_its_state_and_reason(view: View, text: str, state: str, reason: str, words: str) -> None:
    """In words that name what decided it."""
    verdict = ask(view, text).verdict

    assert verdict is not None
    assert (verdict.state, verdict.reason) == (state, reason)
    assert words in verdict.sentence


def test_a_prefix_is_answered_with_what_covers_it_and_what_it_covers(view: View) -> None:
    """Covering VRPs, more specific VRPs, and who may announce it as it stands."""
    answer = ask(view, "192.0.2.0/24")

    assert [(vrp.prefix, vrp.asn) for vrp in answer.covering.vrps] == [("192.0.2.0/24", 64496), ("192.0.2.0/24", 64497)]
    assert [(vrp.prefix, vrp.asn) for vrp in answer.more_specific.vrps] == [("192.0.2.128/25", 64498)]
    assert answer.sentence == "AS64496 and AS64497 may announce 192.0.2.0/24 as it stands; any other origin is invalid."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("198.51.100.0/24", "Nobody: signed permissions cover"),
        ("192.0.2.1", "Nobody: signed permissions cover"),
        ("203.0.113.0/24", "Nobody signed anything"),
        ("AS64511", "No signed permission names AS64511"),
        ("AS64496", "these 2 signed permissions"),
    ],
)
def test_a_question_without_an_announcement_is_answered_in_a_sentence(view: View, text: str, words: str) -> None:
    """Also where there is nothing to show."""
    assert words in ask(view, text).sentence


def test_a_long_answer_is_cut_and_tells_its_total() -> None:
    """The list is bounded, the count is true."""
    rows = [Vrp(f"10.{n >> 8}.{n & 255}.0/24", 24, 64496) for n in range(MAX_LISTED_VRPS + 100)]
    answer = look_up(parse_question("AS64496"), OriginIndex.build(Vrps.of(rows)))

    assert (len(answer.by_origin.vrps), answer.by_origin.total) == (MAX_LISTED_VRPS, MAX_LISTED_VRPS + 100)


networks = st.tuples(st.integers(0, 255), st.integers(24, 32)).map(
    lambda pair: str(ipaddress.ip_network((0xC0000200 | pair[0], pair[1]), strict=False))
)


@given(st.lists(st.tuples(networks, st.integers(1, 3)), max_size=12), networks)
def test_covering_and_more_specific_are_what_they_say(rows: list[tuple[str, int]], asked: str) -> None:
    """Compared with the standard library's own subnet_of, one by one."""
    vrps = Vrps.of(Vrp(prefix, 32, asn) for prefix, asn in rows)
    answer = look_up(parse_question(asked), OriginIndex.build(vrps))
    wanted = ipaddress.IPv4Network(asked)
    known = {(ipaddress.IPv4Network(prefix), asn) for prefix, asn in rows}

    assert {(ipaddress.IPv4Network(vrp.prefix), vrp.asn) for vrp in answer.covering.vrps} == {
        each for each in known if wanted.subnet_of(each[0])
    }
    assert {(ipaddress.IPv4Network(vrp.prefix), vrp.asn) for vrp in answer.more_specific.vrps} == {
        each for each in known if each[0] != wanted and each[0].subnet_of(wanted)
    }
