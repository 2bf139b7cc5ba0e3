"""The lab's RRDP server, asked by plain clients."""

from __future__ import annotations

import gzip
import ssl
import urllib.request
from hashlib import sha256
from urllib.error import HTTPError, URLError

import pytest

from rpkival.lab.rrdp_publication import RrdpPublication
from rpkival.lab.rrdp_server import RrdpServer
from rpkival.repository.rrdp_xml import Publish, Withdraw, read_delta, read_notification, read_snapshot

A, B = "rsync://r.example.net/m/a.roa", "rsync://r.example.net/m/b&'\"<.roa"


def test_publication() -> None:
    """What changed and what there is, as RFC 8182 has it."""
    publication = RrdpPublication("https://r.example.net", keep=2)
    for tree in ({A: b"1"}, {A: b"2", B: b"1"}, {B: b"1"}):
        publication.publish(tree)
    read = read_notification("n", publication.notification)
    assert (read.session, read.serial, sorted(read.deltas)) == (publication.session, 4, [3, 4])
    assert read.snapshot.sha256 == sha256(publication.snapshot).digest()
    one, two = (list(read_delta("d", [publication.deltas[serial]], read.session, serial)) for serial in (3, 4))
    assert one == [Publish(A, b"2", sha256(b"1").digest()), Publish(B, b"1")]
    assert two == [Withdraw(A, sha256(b"2").digest())]
    assert list(read_snapshot("s", [publication.snapshot], read.session, 4)) == [Publish(B, b"1")]


def test_server() -> None:
    """Files by TLS that only those trust who were told to, compressed for who asks, and not twice to who has them."""
    with RrdpServer() as server:
        server.publish({A: b"1"})
        trusting = ssl.create_default_context(cafile=str(server.ca_file))

        def ask(path: str, **headers: str) -> tuple[bytes, str]:
            request = urllib.request.Request(server.base + path, headers=headers)
            with urllib.request.urlopen(request, context=trusting, timeout=60) as answer:
                return answer.read(), answer.headers["ETag"]

        content, etag = ask("/notification.xml")
        assert content == server.publication.notification
        assert gzip.decompress(ask("/notification.xml", **{"Accept-Encoding": "gzip"})[0]) == content
        with pytest.raises(HTTPError, match="304") as unchanged:
            ask("/notification.xml", **{"If-None-Match": etag})
        unchanged.value.close()
        with pytest.raises(HTTPError, match="404") as missing:
            ask("/other.xml")
        missing.value.close()
        with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(server.notify_uri, timeout=60)
        assert server.requests == ["/notification.xml"] * 3 + ["/other.xml"]
