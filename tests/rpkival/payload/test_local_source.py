"""Sources of local exceptions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.limits import MAX_LOCAL_SOURCE_LENGTH
from rpkival.payload.local_source import LocalSource

TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20)


@given(TEXT, TEXT)
def test_path_and_comment_come_back(path: str, comment: str) -> None:
    """Whatever either has in it."""
    assert LocalSource.parse(str(LocalSource(path, comment))) == LocalSource(path, comment)


@pytest.mark.parametrize("source", ["", "rsync://a/b.roa", "https://slurm:1/"])
def test_what_is_no_exception(source: str) -> None:
    """Signed objects and unknown sources."""
    assert LocalSource.parse(source) is None


def test_long_or_hostile_comments() -> None:
    """Cut, and without what moves a terminal's cursor."""
    text = str(LocalSource("/x", "a\x1b[2J\n" + "b" * 10_000))

    assert len(text) == MAX_LOCAL_SOURCE_LENGTH
    assert text.isprintable()
