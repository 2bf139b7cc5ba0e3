"""What may be typed into the lookup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import InputError
from web.question import parse_question


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.0/24", "192.0.2.0/24"),
        (" 192.0.2.1 ", "192.0.2.1/32"),
        ("2001:DB8::1", "2001:db8::1/128"),
        ("2001:db8::/32", "2001:db8::/32"),
        ("AS64496", "AS64496"),
        ("as64496", "AS64496"),
        ("64496", "AS64496"),
        ("192.0.2.0/24 AS64496", "192.0.2.0/24 AS64496"),
        ("64496, 192.0.2.0/24", "192.0.2.0/24 AS64496"),
    ],
)
def test_questions_are_read(text: str, expected: str) -> None:
    """Either order, with or without AS, and addresses as their longest prefix."""
    assert parse_question(text).text == expected


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "Nothing was asked"),
        ("192.0.2.1/24", "did you mean 192.0.2.0/24"),
        ("AS4294967296", "AS numbers go from 0 to 4294967295"),
        ("4294967296", "AS numbers go from 0 to 4294967295"),
        ("AS1.10", "is not an AS number"),
        ("bank.example", "neither a prefix nor an address nor an AS number"),
        ("192.0.2.0/24 198.51.100.0/24", "More than one prefix"),
        ("1 2", "Two AS numbers"),
        ("1" * 101, "longer than any prefix"),
        ("192.0.2.0/33", "is not an IP prefix"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(text: str, match: str) -> None:
    """The sentence says what is wrong or how to write it."""
    with pytest.raises(InputError, match=match):
        parse_question(text)


@given(st.text(max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No text is a fault of ours, and what is read has a canonical form that reads the same."""
    try:
        question = parse_question(text)
    except InputError:
        return

    assert parse_question(question.text).text == question.text
    assert question.permalink.startswith("/")
