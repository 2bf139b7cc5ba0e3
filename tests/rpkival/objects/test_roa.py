"""Tests for rpkival.objects.roa: what no other test of a ROA looks at."""

from __future__ import annotations

import pytest

from rpkival.errors import ObjectError
from rpkival.lab.signed_objects import roa_content
from rpkival.objects.roa import parse_roa_content


@pytest.mark.parametrize("prefix", ["::ffff:0:0/96", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1/128"])
def test_ipv4_in_the_form_of_ipv6_is_refused(prefix: str) -> None:
    """RFC 9582 section 4.3.1: "IPv4 prefixes MUST NOT appear as IPv4-mapped IPv6 addresses"."""
    length = int(prefix.rpartition("/")[2])
    with pytest.raises(ObjectError, match=r"RFC 9582 section 4\.3\.1"):
        parse_roa_content(roa_content(64500, [(prefix, length)]))


@pytest.mark.parametrize("prefix", ["::/0", "::fffe:0:0/95", "::fffe:0:0/96", "::1:ffff:0:0/96"])
def test_what_only_looks_so_is_not(prefix: str) -> None:
    """A prefix that covers them, and their neighbours."""
    length = int(prefix.rpartition("/")[2])
    assert len(parse_roa_content(roa_content(64500, [(prefix, length)])).ipv6) == 1
