"""https URIs: what is followed and what never is."""

from __future__ import annotations

import pytest

from rpkival.errors import UriError
from rpkival.limits import MAX_URI_LENGTH
from rpkival.repository.https_uri import HttpsUri


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("https://rrdp.example.net/notification.xml", "https://rrdp.example.net/notification.xml"),
        ("HTTPS://RRDP.Example.net:443/a%20b?c=d/?", "https://rrdp.example.net/a%20b?c=d/?"),
        ("https://rrdp.example.net", "https://rrdp.example.net/"),
        ("https://rrdp.example.net?q", "https://rrdp.example.net/?q"),
    ],
)
def test_good_uris(text: str, read: str) -> None:
    """Hosts are in lower case, the port of https is no port."""
    assert str(HttpsUri.parse(text, allow_dubious_hosts=True)) == read


@pytest.mark.parametrize(
    "text",
    [
        "http://rrdp.example.net/n.xml",
        "file:///etc/passwd",
        "https:///n.xml",
        "https://user@rrdp.example.net/n.xml",
        "https://rrdp.example.net\\@evil.example/n.xml",
        "https://rrdp.example.net/n.xml#part",
        "https://rrdp.example.net/n .xml",
        "https://rrdp.example.net/n\r\nHost: x",
        "https://rrdp.example.net/\u00e9",
        "https://127.0.0.1/n.xml",
        "https://[::1]/n.xml",
        "https://2130706433/n.xml",
        "https://localhost/n.xml",
        "https://intranet/n.xml",
        "https://rrdp.example.net:8443/n.xml",
        "https://rrdp.example.net/" + "a" * MAX_URI_LENGTH,
    ],
)
def test_bad_uris(text: str) -> None:
    """A stranger's URI reaches no scheme but https and no host of our own network."""
    with pytest.raises(UriError):
        HttpsUri.parse(text)


def test_origins() -> None:
    """Scheme, host and port make an origin (RFC 9674)."""
    uri = HttpsUri.parse("https://rrdp.example.net/a")
    assert uri.same_origin(HttpsUri.parse("https://RRDP.example.net/b"))
    assert not uri.same_origin(HttpsUri.parse("https://rrdp.example.com/a"))
    assert not uri.same_origin(HttpsUri.parse("https://rrdp.example.net:444/a", allow_dubious_hosts=True))


def test_redirections() -> None:
    """A redirection is relative or absolute, and checked as any URI."""
    uri = HttpsUri.parse("https://rrdp.example.net/a/b")
    assert str(uri.follow("c")) == "https://rrdp.example.net/a/c"
    assert str(uri.follow("//other.example.net/")) == "https://other.example.net/"
    for bad in ("http://rrdp.example.net/", "https://127.0.0.1/", "https://[/", "a" * 5000):
        with pytest.raises(UriError):
            uri.follow(bad)
