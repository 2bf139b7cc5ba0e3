"""Tests for rpkival.repository.uri."""

from __future__ import annotations

import os.path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import UriError
from rpkival.repository.uri import RsyncUri


def test_a_uri_has_its_parts() -> None:
    """Authority, module and path come out, the host in lower case."""
    uri = RsyncUri.parse("rsync://RPKI.Example.net/repository/a/B.cer")

    assert uri == RsyncUri("rpki.example.net", "repository", "a/B.cer")
    assert uri.module_uri == "rsync://rpki.example.net/repository/"
    assert uri.directory == "rpki.example.net/repository/a"
    assert uri.file_name == "B.cer"
    assert str(uri) == "rsync://rpki.example.net/repository/a/B.cer"


@pytest.mark.parametrize("text", ["rsync://rpki.example.net/repository", "rsync://rpki.example.net/repository/"])
def test_a_module_alone_has_an_empty_path(text: str) -> None:
    """With and without the slash at its end."""
    assert RsyncUri.parse(text) == RsyncUri("rpki.example.net", "repository", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rsync",
        "rsync:/rpki.example.net/m/a",
        "http://rpki.example.net/m/a",
        "rsync:///m/a",
        "rsync://rpki.example.net",
        "rsync://rpki.example.net/",
        "rsync://rpki.example.net//a",
        "rsync://rpki.example.net/m//a",
        "rsync://rpki.example.net/m/a//",
        "rsync://rpki.example.net/../a",
        "rsync://rpki.example.net/m/../../etc/passwd",
        "rsync://rpki.example.net/m/.",
        "rsync://rpki.example.net/m/./a",
        "rsync://rpki.example.net/m/..",
        "rsync://rpki.example.net/m/.hidden",
        "rsync://../m/a",
        "rsync://./m/a",
        "rsync://.example.net/m/a",
        "rsync://rpki..net/m/a",
        "rsync://-rpki.example.net/m/a",
        "rsync://user@rpki.example.net/m/a",
        "rsync://rpki.example.net:/m/a",
        "rsync://rpki.example.net:99999/m/a",
        "rsync://rpki.example.net/m/a b",
        "rsync://rpki.example.net/m/a\n",
        "rsync://rpki.example.net/m/a\x00b",
        "rsync://rpki.example.net/m/ä",
        "rsync://rpki.exämple.net/m/a",
        "rsync://rpki.example.net/m/*",
        "rsync://rpki.example.net/m/a?b",
        "rsync://rpki.example.net/m/a#b",
        "rsync://rpki.example.net/m/a\\b",
        "rsync://rpki.example.net/m/" + "a" * 256,
        "rsync://rpki.example.net/m/" + "a/" * 1024,
        "rsync://" + "a." * 127 + "net/m/a",
        "rsync://" + "a" * 64 + ".net/m/a",
    ],
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    """With a sentence, also where dubious hosts are allowed."""
    with pytest.raises(UriError):
        RsyncUri.parse(text, allow_dubious_hosts=True)


@pytest.mark.parametrize(
    "authority",
    [
        "127.0.0.1",
        "10.0.0.1",
        "127.1",
        "2130706433",
        "[::1]",
        "localhost",
        "a.localhost",
        "0x7f.0.0.0x1",
        "0x7f.0x1",
        "127.0x",
        "localhost.localdomain",
        "printer.local",
        "metadata.google.internal",
        "router",
        "rpki.example.net:873",
    ],
)
def test_dubious_hosts_are_for_laboratories(authority: str) -> None:
    """Addresses, ports and local names are refused unless allowed."""
    text = f"rsync://{authority}/m/a"

    assert RsyncUri.parse(text, allow_dubious_hosts=True).authority == authority
    with pytest.raises(UriError, match="refused outside a lab"):
        RsyncUri.parse(text)


@given(st.text(max_size=60).map("rsync://rpki.example.net/".__add__) | st.text(max_size=60).map("rsync://".__add__))
def test_whatever_passes_stays_in_the_tree(text: str) -> None:
    """No accepted URI makes a path that leaves the directory it is put under, and printing it loses nothing."""
    try:
        uri = RsyncUri.parse(text, allow_dubious_hosts=True)
    except UriError:
        return
    path = f"/tree/{uri.directory}/{uri.file_name}"

    assert os.path.normpath(path).startswith("/tree/")
    assert os.path.normpath(path) == path.rstrip("/")
    assert RsyncUri.parse(str(uri), allow_dubious_hosts=True) == uri
