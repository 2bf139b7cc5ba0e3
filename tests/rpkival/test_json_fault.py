"""What people are told of a JSON document that is not as it has to be."""

from __future__ import annotations

import msgspec
import pytest

from rpkival.json_fault import json_fault


class _Entry(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    asn: int | str
    max_length: int | None = None


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    entries: list[_Entry]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("[]", "its top: expected an object, got a list"),
        ("{}", "its top: the member 'entries' is missing"),
        ('{"entries": {}}', "$.entries: expected a list, got an object"),
        ('{"entries": [{}]}', "$.entries[0]: the member 'asn' is missing"),
        ('{"entries": [{"asn": []}]}', "$.entries[0].asn: expected a whole number or text in quotes, got a list"),
        (
            '{"entries": [{"asn": 1}, {"asn": 1, "maxLength": "8"}]}',
            "$.entries[1].maxLength: expected a whole number, got text in quotes",
        ),
        ('{"entries": [{"asn": 1, "length": 8}]}', "$.entries[0]: there is no member 'length', only asn, maxLength"),
        ('{"entries": [], "more": 1}', "its top: there is no member 'more', only entries"),
    ],
)
def test_what_is_wrong_and_where(document: str, told: str) -> None:
    """In words of JSON, and with a path that tools like jq know."""
    with pytest.raises(msgspec.ValidationError) as raised:
        msgspec.json.decode(document, type=_Document)
    assert json_fault(raised.value, _Document) == told
