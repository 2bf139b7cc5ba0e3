"""Signed TCP, by TCP-MD5 and where the kernel can by TCP-AO: our client and our server on loopback, and their keys."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from rpkival.errors import FetchError, UsageError
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind, Cache
from rpkival.rtr.client import RtrClient, fetch_payload
from rpkival.rtr.dial import Dial
from rpkival.rtr.server import RtrServer
from rpkival.rtr.tcp_ao import Ao
from rpkival.rtr.tcp_md5 import Md5
from rpkival.rtr.tcp_signing import Signature, SignedNetwork, read_secret

Run = Callable[[Coroutine[Any, Any, None]], None]
HOST = "127.0.0.1"
DEADLINE = 30.0
ONE = Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])


def kernel_signs(signature: Signature) -> bool:
    """Whether this system's kernel can sign so."""
    with socket.socket() as connection:
        try:
            signature.sign(connection, HOST)
        except UsageError:
            return False
    return True


SIGNATURES: list[tuple[type[Md5 | Ao], str, str]] = [(Md5, "", "tcp-md5")]
if kernel_signs(Ao(1, b"key")):  # no skip, which CI forbids: hardly any system has such a kernel
    SIGNATURES.append((Ao, "7:", "tcp-ao"))
    SIGNATURES.append((Ao, "0/aes-128-cmac-96:", "tcp-ao"))


@pytest.mark.parametrize("host", [HOST, "::1"])
@pytest.mark.parametrize(("kind", "key_id", "transport"), SIGNATURES, ids=[each[2] + each[1] for each in SIGNATURES])
def test_signed_connections(run: Run, wire: Any, kind: type[Md5 | Ao], key_id: str, transport: str, host: str) -> None:
    """The right key is served; another key, or none, gets no answer at all."""
    if not kernel_signs(Md5(b"key")):
        pytest.skip("this kernel has no TCP-MD5")
    network = "127.0.0.0/8" if host == HOST else "::1"

    async def main() -> None:
        environment = {"SECRET": "correct horse", "WRONG": "battery staple"}
        key = SignedNetwork.parse(f"{network}={key_id}env:SECRET", environment, kind.parse)
        assert "horse" not in repr(key)
        async with wire.serving(ONE, host=host, signed=[key]) as (_, server, port):
            dial = Dial(host, port, signature=key.signature)
            with RtrClient(host, port, timeout=DEADLINE, dial=dial) as client:
                assert await asyncio.to_thread(client.sync) is AnswerKind.SNAPSHOT
                (info,) = server.sessions()
                assert info.transport == transport
            for signature in (kind.parse(f"{key_id}env:WRONG", environment), None):
                dial = Dial(host, port, signature=signature)
                with pytest.raises(FetchError, match="did not answer"):
                    await asyncio.to_thread(fetch_payload, host, port, timeout=0.5, dial=dial)

    run(main())


@pytest.mark.parametrize(("kind", "key_id", "transport"), SIGNATURES, ids=[each[2] + each[1] for each in SIGNATURES])
def test_signed_connections_to_a_socket_of_both_families(
    run: Run, wire: Any, kind: type[Md5 | Ao], key_id: str, transport: str
) -> None:
    """As systemd opens it: who comes by IPv4 must sign too."""
    if not kernel_signs(Md5(b"key")):
        pytest.skip("this kernel has no TCP-MD5")

    async def main() -> None:
        cache = Cache(7)
        cache.update(Payload(ONE))
        server = RtrServer(cache)
        listening = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        key = SignedNetwork.parse(f"127.0.0.0/8={key_id}env:KEY", {"KEY": "key"}, kind.parse)
        key.signature.sign(listening, "::ffff:127.0.0.0", 8)  # as a process before this one did
        _, port = await server.serve(listening, signed=[key])
        assert await wire.fetched(HOST, port, signature=key.signature) == 1
        with pytest.raises(FetchError, match="did not answer"):
            await asyncio.to_thread(fetch_payload, HOST, port, timeout=0.5)
        assert await wire.fetched("::1", port) == 1
        await server.close()

    run(main())


def test_secrets_come_from_files_and_the_environment(tmp_path: Path) -> None:
    """Blanks around them do not count; what cannot be a key is told without showing it."""
    file = tmp_path / "key"
    file.write_text("  secret\n")
    assert read_secret(str(file), {}) == b"secret"
    assert read_secret("env:KEY", {"KEY": "secret"}) == b"secret"
    for octets in (bytes(range(16)), bytes(range(80))):
        file.write_text(f"hex:{octets.hex()}\n")
        assert read_secret(str(file), {}) == octets
    for wrong in ("hex:0", "hex:0g", "hex:\u0661\u0661"):
        with pytest.raises(UsageError, match="no octets in hex"):
            read_secret("env:KEY", {"KEY": wrong})
    file.write_bytes(b"x" * 81)
    for place, told in (
        (str(file), "81"),
        ("env:EMPTY", "has 0"),
        (str(tmp_path / "none"), "No such file"),
        ("env:NONE", "no NONE"),
    ):
        with pytest.raises(UsageError, match=told):
            read_secret(place, {"EMPTY": "hex:"})
    with pytest.raises(UsageError, match="names no key"):
        SignedNetwork.parse("192.0.2.0/24", {}, Md5.parse)
    for text in ("key", "256:key", "-1:key", "1:", ":key", "\u0661:key"):
        with pytest.raises(UsageError, match="ID from 0 to 255"):
            Ao.parse(text, {})
    with pytest.raises(UsageError, match="choose hmac-sha-1-96 or aes-128-cmac-96"):
        Ao.parse("1/md5:key", {})
    assert Ao.parse("1/aes-128-cmac-96:env:KEY", {"KEY": "k"}) == Ao(1, b"k", "aes-128-cmac-96")
