"""Files held against a checklist."""

from __future__ import annotations

import pytest

from rpkival.objects.checklist import ChecklistContent
from rpkival.objects.checklist_files import Verdict, match_files, unused_entries
from rpkival.objects.resources import Resources

ONE, TWO, THREE = (bytes([number]) * 32 for number in (1, 2, 3))
CONTENT = ChecklistContent(Resources(), (("one.txt", ONE), ("", TWO), ("other.txt", THREE)))


@pytest.mark.parametrize(
    ("name", "digest", "verdict"),
    [
        ("one.txt", ONE, Verdict.LISTED),
        ("one.txt", TWO, Verdict.DIFFERS),
        ("any.txt", TWO, Verdict.LISTED),
        ("any.txt", ONE, Verdict.RENAMED),
        ("one.TXT", ONE, Verdict.RENAMED),
        ("any.txt", bytes(32), Verdict.UNLISTED),
    ],
)
def test_a_name_on_the_list_is_bound_to_its_hash(name: str, digest: bytes, verdict: Verdict) -> None:
    """Where the list leaves the name open, the hash alone counts (RFC 9323 section 6)."""
    assert [match.verdict for match in match_files(CONTENT, [(name, digest)])] == [verdict]


def test_what_no_file_has_met_is_told() -> None:
    """A file of the right name and wrong content has not met its entry."""
    matches = match_files(CONTENT, [("one.txt", TWO), ("any.txt", TWO), ("renamed.txt", THREE)])
    assert unused_entries(CONTENT, matches) == (("one.txt", ONE), ("other.txt", THREE))
    assert unused_entries(CONTENT, ()) == CONTENT.files
