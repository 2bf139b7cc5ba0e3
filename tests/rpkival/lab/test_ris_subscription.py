"""The filters of `ris_subscribe`, as RIS Live's manual tells them."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from feeds.bgp_update import AsPath, Reach, Update
from rpkival.errors import ProtocolError
from rpkival.lab.ris_messages import RisUpdate
from rpkival.lab.ris_subscription import Subscription, path_matches

ANNOUNCE = Update((Reach((ip_address("192.0.2.10"),), (ip_network("198.18.66.0/24"),)),), as_path=(64501, 64496, 64510))
WITHDRAW = Update(withdrawn=(ip_network("2001:db8:700::/40"),))


def heard(update: Update) -> RisUpdate:
    """As from a peer of the collector."""
    return RisUpdate("rrc-lab.rpkival.lab", ip_address("192.0.2.10"), 64501, 1.0, 1, update)


@pytest.mark.parametrize(
    ("wanted", "announce", "withdraw"),
    [
        (None, True, True),
        ({}, True, True),
        ({"somethingNew": 1}, True, True),
        ({"host": "rrc-lab.rpkival.lab"}, True, True),
        ({"host": "rrc00"}, False, False),
        ({"type": "UPDATE"}, True, True),
        ({"type": "OPEN"}, False, False),
        ({"require": "announcements"}, True, False),
        ({"require": "withdrawals"}, False, True),
        ({"peer": "192.0.2.10"}, True, True),
        ({"peer": "192.0.2.11"}, False, False),
        ({"path": 64510}, True, False),
        ({"path": "64496,64510$"}, True, False),
        ({"prefix": "198.18.64.0/20"}, True, False),
        ({"prefix": "198.18.64.0/20", "moreSpecific": False}, False, False),
        ({"prefix": "198.18.66.0/24", "moreSpecific": False}, True, False),
        ({"prefix": "198.18.66.128/25"}, False, False),
        ({"prefix": "198.18.66.128/25", "lessSpecific": True}, True, False),
        ({"prefix": "0.0.0.0/0"}, True, False),
        ({"prefix": "::/0"}, False, True),
        ({"prefix": ["203.0.113.0/24", "2001:db8::/32"]}, False, True),
        ({"prefix": []}, False, False),
        ({"prefix": "198.18.64.0/20", "path": "!64510"}, False, False),
    ],
)
def test_filters(wanted: Any, announce: bool, withdraw: bool) -> None:
    """All that is named must hold; of prefixes any."""
    subscription = Subscription.parse(wanted)

    assert subscription.matches(heard(ANNOUNCE)) is announce
    assert subscription.matches(heard(WITHDRAW)) is withdraw


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        "x",
        {"prefix": "198.18.66.1/24"},
        {"prefix": 1},
        {"prefix": "x" * 2000},
        {"host": 1},
        {"moreSpecific": "yes"},
    ],
)
def test_wrong_filters_are_refused_with_a_sentence(wrong: Any) -> None:
    """Which the client gets as `ris_error`."""
    with pytest.raises(ProtocolError, match=r"The subscription .+\."):
        Subscription.parse(wrong)


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("2", (1, 2, 3), True),
        ("2", (1, 22, 3), False),
        ("2,3", (1, 2, 3), True),
        ("1,3", (1, 2, 3), False),
        ("^1", (1, 2, 3), True),
        ("^2", (1, 2, 3), False),
        ("3$", (1, 2, 3), True),
        ("2$", (1, 2, 3), False),
        ("^1,2,3$", (1, 2, 3), True),
        ("^1,2$", (1, 2, 3), False),
        ("!2", (1, 2, 3), False),
        ("!^2", (1, 2, 3), True),
        ("[3,4]$", (1, 2, (4, 3)), True),
        ("4", (1, 2, (4, 3)), False),
    ],
)
def test_paths(pattern: str, path: AsPath, found: bool) -> None:
    """Hops in a row, anchors, negation, sets."""
    assert path_matches(pattern, path) is found
