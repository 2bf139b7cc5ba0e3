"""How caches are written, and what transport that makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rpkival.cli.rtr_dial import Reach
from rpkival.errors import UsageError
from rpkival.rtr.dial import Dial
from rpkival.rtr.tcp_ao import Ao
from rpkival.rtr.tcp_md5 import Md5
from rpkival.rtr.tls import TlsClient


@pytest.mark.parametrize(
    ("given", "cache", "dial"),
    [
        ({}, "cache.example.net:323", Dial("cache.example.net", 323)),
        ({}, "tls://[2001:db8::1]:324", Dial("2001:db8::1", 324, tls=TlsClient())),
        ({}, "ssh://rpki@cache.example.net:22", Dial("cache.example.net", 22, ssh="rpki")),
        ({"tls": True}, "192.0.2.1:324", Dial("192.0.2.1", 324, tls=TlsClient())),
        ({"tls": True}, "ssh://rpki@192.0.2.1:22", Dial("192.0.2.1", 22, ssh="rpki")),
        ({"ssh": "rpki"}, "192.0.2.1:22", Dial("192.0.2.1", 22, ssh="rpki")),
        ({"ssh": "rpki"}, "tls://192.0.2.1:324", Dial("192.0.2.1", 324, tls=TlsClient())),
    ],
)
def test_what_is_written_is_meant(given: dict[str, Any], cache: str, dial: Dial) -> None:
    """A transport before the address counts more than an option for all."""
    assert Reach(**given).dials([cache]) == {cache: dial}


def test_keys_sign_plain_connections_only(tmp_path: Path) -> None:
    """And are not shown."""
    (tmp_path / "key").write_text("secret")
    plain, secure = Reach(md5_key_file=str(tmp_path / "key")).dials(["a:1", "tls://b:1"]).values()
    assert (plain.signature, secure.signature) == (Md5(b"secret"), None)
    (other,) = Reach(ao_key=f"7:{tmp_path / 'key'}").dials(["a:1"]).values()
    assert other.signature == Ao(7, b"secret")
    assert "secret" not in repr(plain) + repr(other)


@pytest.mark.parametrize(
    ("given", "cache", "told"),
    [
        ({}, "tls://cache.example.net", "is not an RTR cache"),
        ({}, "https://cache.example.net:443", "is no transport of RTR"),
        ({}, "ssh://cache.example.net:22", "names no user"),
        ({}, "ssh://-oProxyCommand=x@cache.example.net:22", "names no user"),
        ({"options": "--rtr-", "ca_file": Path("ca.pem")}, "a:1", "--rtr-ca-file, --rtr-cert and --rtr-key are of TLS"),
        ({"ca_file": Path("/no/such/file")}, "tls://a:1", "No such file"),
        ({"key": Path("k.pem")}, "tls://a:1", "--key belongs to a --cert"),
        ({"tls": True, "ssh": "rpki"}, "a:1", "--tls and --ssh are each a transport"),
        ({"ao_key": "256:key"}, "a:1", "no key of TCP-AO"),
    ],
)
def test_what_cannot_be_is_told(given: dict[str, Any], cache: str, told: str) -> None:
    """Before anything is connected."""
    with pytest.raises(UsageError, match=told):
        Reach(**given).dials([cache])
