"""Why a server cannot listen."""

from __future__ import annotations

import errno

import pytest

from rpkival.errors import UsageError
from rpkival.listening import cannot_listen, parse_listen, shown_listen


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EADDRINUSE, "another program listens there already"),
        (errno.EACCES, "above 1023"),
        (errno.EADDRNOTAVAIL, "does not have that address"),
        (errno.ENOBUFS, "No buffer"),
    ],
)
def test_the_reason_is_a_sentence_that_says_what_to_do(number: int, words: str) -> None:
    """Known reasons in our words, others in the system's."""
    error = cannot_listen("RTR", "127.0.0.1", 323, OSError(number, "No buffer space available"))

    assert isinstance(error, UsageError)
    assert str(error).startswith("RTR cannot listen on 127.0.0.1 port 323: ")
    assert words in str(error)


@pytest.mark.parametrize("text", ["127.0.0.1:3323", "[::1]:3323"])
def test_addresses_are_shown_as_they_are_written(text: str) -> None:
    """Either family; what is shown can be copied into an option."""
    assert shown_listen(parse_listen(text)) == text
