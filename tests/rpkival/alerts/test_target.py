"""The guard against server-side request forgery."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from rpkival.alerts.target import ForbiddenTargetError, check_url, guarded_sockets, is_public
from rpkival.errors import UsageError

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",  # shared address space, RFC 6598
    "127.0.0.1",
    "127.1.2.3",
    "169.254.169.254",  # where clouds keep their credentials
    "172.16.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2001:0:7f00:1::1",  # Teredo, its server
    "2001:0:808:808::80ff:fffe",  # Teredo, its client 127.0.0.1
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001:db8::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "ff02::1",
]
PUBLIC = [
    "8.8.8.8",
    "193.0.6.139",
    "2001:67c:2e8:22::c100:68b",
    "::ffff:8.8.8.8",
    "2002:808:808::1",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    """Every way to write an address that is not the Internet's."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    """Addresses that may be sent to."""
    assert is_public(ipaddress.ip_address(address))


def _info(address: str) -> tuple[object, ...]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, 443)


@pytest.mark.parametrize("address", PRIVATE)
def test_no_socket_to_private_addresses(address: str) -> None:
    """The guard sees what the resolver gave, whatever the name was."""
    with pytest.raises(ForbiddenTargetError, match="not allowed by name"):
        guarded_sockets("hooks.example")(_info(address))


@pytest.mark.parametrize(
    ("host", "allow", "address"),
    [
        ("hooks.example", (), "8.8.8.8"),
        ("hooks.example", ("hooks.example",), "10.0.0.1"),
        ("HOOKS.example", ("hooks.EXAMPLE",), "10.0.0.1"),
        ("10.0.0.1", ("10.0.0.0/8",), "10.0.0.1"),
        ("hooks.example", ("127.0.0.1",), "127.0.0.1"),
        ("hooks.example", ("fd00::/8",), "fd00::1"),
    ],
)
def test_what_is_allowed(host: str, allow: tuple[str, ...], address: str) -> None:
    """By name, by address, by network."""
    guarded_sockets(host, allow)(_info(address)).close()


def test_allowing_one_network_allows_no_other() -> None:
    """10.0.0.0/8 says nothing of loopback."""
    with pytest.raises(ForbiddenTargetError):
        guarded_sockets("hooks.example", ("10.0.0.0/8",))(_info("127.0.0.1"))


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("ftp://hooks.example/", "not a webhook URL"),
        ("hooks.example/x", "not a webhook URL"),
        ("https:///x", "not a webhook URL"),
        ("https://[::1/x", "not a URL"),
        ("https://hooks.example:99999/", "not a URL"),
        ("https://user:pass@hooks.example/", "no user name"),
        ("http://hooks.example/", "not encrypted"),
        ("https://127.0.0.1/", "private address"),
        ("https://[::ffff:10.0.0.1]/", "private address"),
    ],
)
def test_urls_that_are_refused(url: str, match: str) -> None:
    """One sentence for each, before anything is sent."""
    with pytest.raises(UsageError, match=match):
        check_url(url)


def test_urls_that_are_accepted() -> None:
    """HTTPS anywhere public; HTTP where it is allowed."""
    assert check_url("https://hooks.example/x?y=z") == "hooks.example"
    assert check_url("http://127.0.0.1:8080/x", ("127.0.0.1",)) == "127.0.0.1"
    assert check_url("http://internal:8080/x", ("internal",)) == "internal"
    with pytest.raises(UsageError, match="not a network"):
        check_url("https://hooks.example/", ("10.0.0.0/33",))
