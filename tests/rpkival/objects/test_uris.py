"""Tests for rpkival.objects.uris."""

from __future__ import annotations

import pytest

from rpkival.objects.uris import is_https_uri, is_rsync_uri


@pytest.mark.parametrize(
    "uri",
    ["rsync://rpki.example.net/repository/a_B-9/x.cer", "rsync://h/m/", "rsync://h.example:8873/module", "rsync://h/m"],
)
def test_rsync_uris_are_known(uri: str) -> None:
    """Host, module, path."""
    assert is_rsync_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "rsync://",
        "rsync://h",
        "rsync://h/",
        "rsync:///m/x",
        "rsync://h/m/../x",
        "rsync://h/..",
        "rsync://h/./m",
        "rsync://h/m/.hidden",
        "rsync://h/m//x",
        "rsync://h//m",
        "rsync://h/m/*",
        "rsync://h/m/[a]",
        "rsync://h/m/%2e%2e/x",
        "rsync://u@h/m/x",
        "rsync://-e/m/x",
        "rsync://h/m/x y",
        "rsync://h/m/x\n",
        "rsync://h/m/\x00",
        "http://h/m/x",
        "RSYNC://h/m/x",
        "rsync://h/m/" + "x" * 2048,
    ],
)
def test_what_could_climb_or_confuse_is_refused(uri: str) -> None:
    """Neither another directory nor an option, a pattern or a line break comes through."""
    assert not is_rsync_uri(uri)


def test_https_uris_are_known() -> None:
    """Only https."""
    assert is_https_uri("https://rrdp.example.net/notification.xml")
    assert not is_https_uri("http://rrdp.example.net/notification.xml")
    assert not is_https_uri("https://rrdp.example.net")
    assert not is_https_uri("https:///x")
