"""Who may connect."""

from __future__ import annotations

import pytest

from rpkival.errors import UsageError
from rpkival.rtr.access import EVERYBODY, Access


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("198.51.100.1", False),
        ("2001:db8::1", True),
        ("2001:db8::2", False),
        ("fe80::1%eth0", False),
    ],
)
def test_by_network(address: str, may: bool) -> None:
    """Both families, IPv4 in IPv6, and single addresses."""
    assert Access.of(["192.0.2.0/24", "2001:db8::1"]).admits(address) is may
    assert EVERYBODY.admits(address)


@pytest.mark.parametrize("text", ["192.0.2.1/24", "router.example.net", "", "192.0.2.0/33"])
def test_nonsense_is_told(text: str) -> None:
    """With how to write it."""
    with pytest.raises(UsageError, match=r"write it as 192\.0\.2\.0/24"):
        Access.of([text])
