"""TLS, TCP-MD5 and inherited sockets: our client and our server over real sockets of loopback."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rpkival.errors import FetchError, UsageError
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import AnswerKind, Cache
from rpkival.rtr.client import RtrClient, fetch_payload
from rpkival.rtr.dial import Dial
from rpkival.rtr.load.routers import Behaviour, Load
from rpkival.rtr.load.run import run_load
from rpkival.rtr.pdu import ResetQuery
from rpkival.rtr.server import RtrServer
from rpkival.rtr.tcp_ao import Ao
from rpkival.rtr.tcp_md5 import Md5
from rpkival.rtr.tcp_signing import Signature, SignedNetwork, read_secret
from rpkival.rtr.tls import TlsClient, TlsServer

Run = Callable[[Coroutine[Any, Any, None]], None]
HOST = "127.0.0.1"
DEADLINE = 30.0
ONE = Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])
TWO = Vrps.of([Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64497)])


class Authority:
    """A CA that writes certificates and keys as PEM files."""

    def __init__(self, directory: Path, name: str) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.file = directory / f"{name}.pem"
        own = self._sign(self._name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=None))
        self.file.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *subjects: str) -> tuple[Path, Path]:
        """A certificate for these addresses or host names, and its key."""
        names: list[x509.GeneralName] = [
            x509.IPAddress(ipaddress.ip_address(each)) if each[0].isdigit() else x509.DNSName(each) for each in subjects
        ]
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        made = self._sign(subject, key.public_key(), x509.SubjectAlternativeName(names))
        certificate, private = self._directory / f"{name}.crt", self._directory / f"{name}.key"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate, private

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
        builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        return builder.add_extension(extension, critical=False).sign(self._key, hashes.SHA256())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One for all tests."""
    return Authority(tmp_path_factory.mktemp("ca"), "authority")


async def fetched(host: str, port: int, **dial: Any) -> int:
    """The VRPs that a client gets by this transport."""
    payload = await asyncio.to_thread(fetch_payload, host, port, timeout=DEADLINE, dial=Dial(host, port, **dial))
    return len(payload.vrps)


def test_tls_end_to_end(run: Run, wire: Any, authority: Authority) -> None:
    """A snapshot and a delta; the transport is told, and who speaks plain TCP gets nothing."""
    files = authority.issue("cache", HOST)

    async def main() -> None:
        async with wire.serving(ONE, tls=TlsServer(*files), notify_seconds=0) as (cache, server, port):
            dial = Dial(HOST, port, tls=TlsClient(authority.file))
            with RtrClient(HOST, port, timeout=DEADLINE, dial=dial) as client:
                assert await asyncio.to_thread(client.sync) is AnswerKind.SNAPSHOT
                cache.update(Payload(TWO))
                server.notify()
                assert await asyncio.to_thread(client.wait_for_notify)
                assert await asyncio.to_thread(client.sync) is AnswerKind.DELTA
                assert len(client.vrps) == 2
                (info,) = server.sessions()
                assert (info.transport, info.serial, info.lag) == ("tls", 1, 0)
                assert info.bytes_received == 8 + 12
            with pytest.raises(FetchError):
                await fetched(HOST, port)
            with pytest.raises(FetchError, match=r"certificate is not accepted: .*; --ca-file of rtr dump"):
                await fetched(HOST, port, tls=TlsClient())
            with pytest.raises(FetchError, match=r"certificate is not accepted: Hostname mismatch, [^;]*$"):
                await fetched("localhost", port, tls=TlsClient(authority.file))
            plain = await server.start(HOST, 0)
            with pytest.raises(FetchError, match="cannot be read: TLS with it fails: "):
                await fetched(*plain, tls=TlsClient(authority.file))

    run(main())


@pytest.mark.parametrize(
    ("subjects", "names", "served"),
    [
        ((HOST,), (), True),
        (("192.0.2.1",), (), False),
        (("r1.example.net",), (), False),
        (("R1.example.net",), ("r1.example.net",), True),
        (("r2.example.net",), ("r1.example.net",), False),
        (None, (), False),
    ],
)
def test_routers_certificates(
    run: Run, wire: Any, authority: Authority, subjects: tuple[str, ...] | None, names: tuple[str, ...], served: bool
) -> None:
    """Served is whose certificate names its address, or a name that is known; without any, nobody."""
    files = authority.issue("cache", HOST)
    own = authority.issue("router", *subjects) if subjects else (None, None)

    async def main() -> None:
        async with wire.serving(ONE, tls=TlsServer(*files, authority.file, names)) as (_, _, port):
            context = TlsClient(authority.file, *own)
            if served:
                assert await fetched(HOST, port, tls=context) == 1
            else:
                with pytest.raises(FetchError):
                    await fetched(HOST, port, tls=context)

    run(main())


@pytest.mark.parametrize(
    "end", [ssl.SSLEOFError(8, "EOF"), ssl.SSLZeroReturnError(6, "closed"), ConnectionResetError(104, "reset")]
)
def test_an_end_without_a_word_is_told_with_what_to_do(end: OSError) -> None:
    """Which of them a client meets is a matter of time: it may still write when the cache has closed TLS already."""
    told = TlsClient().fault(end)
    assert told is not None
    assert "--cert and --key of rtr dump" in told


@pytest.mark.parametrize(("shown", "advice"), [(False, "--cert and --key of rtr dump"), (True, "stranger.crt")])
@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("alerts", [True, False])
def test_a_cache_that_wants_another_certificate(
    run: Run,
    wire: Any,
    authority: Authority,
    tmp_path: Path,
    *,
    shown: bool,
    advice: str,
    highest: ssl.TLSVersion,
    alerts: bool,
) -> None:
    """The client says what to do, whether the cache sends an alert (OpenSSL's own server does) or just closes."""
    files = authority.issue("cache", HOST)
    own = Authority(tmp_path, "others").issue("stranger", HOST) if shown else (None, None)
    tls = TlsServer(*files, authority.file)
    tls.context.maximum_version = highest

    def refuse(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        connection.settimeout(DEADLINE)
        secure = tls.context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with pytest.raises(ssl.SSLError):
            secure.do_handshake()
        with suppress(OSError):  # what the client has written is read, or the kernel would forget the alert
            while socket.socket.recv(secure, 1024):
                pass
        secure.close()

    async def main() -> None:
        async with wire.serving(ONE, tls=tls) as (_, _, port):
            with socket.create_server((HOST, 0)) as listening:
                if alerts:
                    port = listening.getsockname()[1]
                    refusing = asyncio.create_task(asyncio.to_thread(refuse, listening))
                with pytest.raises(FetchError) as refused:
                    await fetched(HOST, port, tls=TlsClient(authority.file, *own))
                assert advice in str(refused.value)
                assert not alerts or "with the alert" in str(refused.value)
                if alerts:
                    await refusing

    run(main())


@pytest.mark.parametrize(
    ("names", "address", "known"),
    [
        ([("IP Address", "192.0.2.1")], "192.0.2.1", True),
        ([("IP Address", "192.0.2.1")], "::ffff:192.0.2.1", True),
        ([("IP Address", "2001:DB8:0:0:0:0:0:1")], "2001:db8::1", True),
        ([("IP Address", "<invalid>"), ("IP Address", "192.0.2.1")], "192.0.2.1", True),
        ([("IP Address", "<invalid>")], "192.0.2.1", False),
        ([("DNS", "192.0.2.1")], "192.0.2.1", False),
        ([("DNS", "router.example.net")], "192.0.2.1", True),
        ([("URI", "router.example.net")], "192.0.2.1", False),
        ([], "192.0.2.1", False),
    ],
)
def test_whom_a_certificate_names(
    authority: Authority, names: list[tuple[str, str]], address: str, known: bool
) -> None:
    """In the words of Python's getpeercert; what is no address in there names nobody, and does no harm."""
    tls = TlsServer(*authority.issue("cache", HOST), authority.file, ["router.example.net"])
    assert (tls.refusal({"subjectAltName": tuple(names)}, address) is None) is known


def test_a_certificate_is_renewed_while_routers_stay(run: Run, wire: Any, authority: Authority, tmp_path: Path) -> None:
    """New handshakes show the new one, old sessions go on; a broken file changes nothing."""
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"

    def install(name: str) -> None:
        for source, target in zip(authority.issue(name, HOST), (certificate, key), strict=True):
            target.write_bytes(source.read_bytes())

    def shown(port: int) -> str:
        with Dial(HOST, port, tls=TlsClient(authority.file)).connect(DEADLINE) as connection:
            assert isinstance(connection, ssl.SSLSocket)
            return str(connection.getpeercert())

    async def main() -> None:
        install("before")
        tls = TlsServer(certificate, key)
        async with wire.serving(ONE, tls=tls) as (_, _, port):
            dial = Dial(HOST, port, tls=TlsClient(authority.file))
            with RtrClient(HOST, port, timeout=DEADLINE, dial=dial) as client:
                await asyncio.to_thread(client.sync)
                assert "before" in await asyncio.to_thread(shown, port)
                certificate.write_text("nonsense")
                tls.renew()
                assert "before" in await asyncio.to_thread(shown, port)
                install("after")
                async with asyncio.timeout(DEADLINE):
                    while "after" not in await asyncio.to_thread(shown, port):  # noqa: ASYNC110 - files set no Event
                        await asyncio.sleep(0.1)
                assert await asyncio.to_thread(client.sync) is AnswerKind.DELTA

    run(main())


def test_who_never_ends_its_handshake_keeps_no_place(run: Run, wire: Any, authority: Authority) -> None:
    """Its place is taken while it tries, and free when it gives up."""
    files = authority.issue("cache", HOST)

    async def main() -> None:
        async with wire.serving(ONE, tls=TlsServer(*files), max_sessions=1) as (_, _, port):
            _, writer = await asyncio.open_connection(HOST, port)
            context = TlsClient(authority.file)
            with pytest.raises(FetchError):
                await fetched(HOST, port, tls=context)
            writer.transport.abort()
            async with asyncio.timeout(DEADLINE):
                while True:
                    try:
                        assert await fetched(HOST, port, tls=context) == 1
                        break
                    except FetchError:
                        await asyncio.sleep(0.05)

    run(main())


def test_a_report_is_read_to_its_end_in_tls(run: Run, wire: Any, authority: Authority) -> None:
    """TLS has no half-close; the router reads the Error Report all the same."""
    files = authority.issue("cache", HOST)

    async def main() -> None:
        async with wire.serving(ONE, tls=TlsServer(*files)) as (_, _, port):
            reader, writer = await asyncio.open_connection(
                HOST, port, ssl=TlsClient(authority.file).context(), server_hostname=HOST
            )
            writer.write(ResetQuery(1).serialize() + bytes.fromhex("01 63 0000 00000008"))
            async with asyncio.timeout(DEADLINE):
                answer = await reader.readexactly(8 + 20 + 24)
                report = await reader.readexactly(16)
            assert answer[1] == 3
            assert report[:4] == bytes.fromhex("01 0a 0005")
            writer.transport.abort()

    run(main())


@pytest.mark.parametrize("damage", ["missing", "empty", "other key"])
def test_unusable_files_are_told(authority: Authority, tmp_path: Path, damage: str) -> None:
    """Before anything listens, in a sentence."""
    certificate, key = authority.issue("cache", HOST)
    if damage == "missing":
        key = tmp_path / "none.key"
    elif damage == "empty":
        key = tmp_path / "empty.key"
        key.touch()
    else:
        key = authority.issue("other", HOST)[1]
    with pytest.raises(UsageError, match=r"cannot be (used|read)"):
        TlsServer(certificate, key)


def kernel_signs(signature: Signature) -> bool:
    """Whether this system's kernel can sign so."""
    with socket.socket() as connection:
        try:
            signature.sign(connection, HOST)
        except UsageError:
            return False
    return True


SIGNATURES = [(Md5, "", "tcp-md5")]
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
    run: Run, kind: type[Md5 | Ao], key_id: str, transport: str
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
        assert await fetched(HOST, port, signature=key.signature) == 1
        with pytest.raises(FetchError, match="did not answer"):
            await asyncio.to_thread(fetch_payload, HOST, port, timeout=0.5)
        assert await fetched("::1", port) == 1
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


def test_what_the_kernel_is_given_for_tcp_ao() -> None:
    """struct tcp_ao_add of linux/tcp.h, octet by octet; a kernel without it is told of in a sentence."""
    given: list[tuple[int, int, bytes]] = []

    class Kernel(socket.socket):
        """Takes any option; has no key to be deleted."""

        def setsockopt(self, level: int, option: int, value: bytes) -> None:  # type: ignore[override]
            if option == 39 and len(value) == 144:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory")
            given.append((level, option, value))

    with Kernel(socket.AF_INET) as four, Kernel(socket.AF_INET6) as six:
        Ao(7, b"key").sign(four, "192.0.2.0", 24)
        Ao(8, b"key", "aes-128-cmac-96").sign(six, "2001:db8::1")

    (level, option, first), (_, _, second) = given
    assert (level, option, len(first), len(second)) == (6, 38, 288, 288)
    assert first[:8] == socket.AF_INET.to_bytes(2, sys.byteorder) + bytes(2) + bytes([192, 0, 2, 0])
    assert second[:2] == socket.AF_INET6.to_bytes(2, sys.byteorder)
    assert second[8:24] == ipaddress.IPv6Address("2001:db8::1").packed
    assert first[128:192] == b"hmac(sha1)".ljust(64, b"\0")
    assert second[128:192] == b"cmac(aes128)".ljust(64, b"\0")
    assert first[192:202] == bytes(10)
    assert first[202:208] == bytes([24, 7, 7, 12, 0, 3])
    assert second[202:208] == bytes([128, 8, 8, 12, 0, 3])
    assert first[208:] == b"key".ljust(80, b"\0")


def test_a_kernel_without_tcp_ao_is_told_of() -> None:
    """In a sentence that says what it takes."""

    class Kernel(socket.socket):
        """Takes no option."""

        def setsockopt(self, *option: object) -> None:  # type: ignore[override]
            raise OSError(errno.ENOPROTOOPT, "Protocol not available")

    with Kernel() as connection, pytest.raises(UsageError, match=r"no TCP-AO \(Linux from 6\.7 on"):
        Ao(7, b"key").sign(connection, HOST)


INHERITING = """
import asyncio, os, sys
os.dup2(int(sys.argv[1]), 3)
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import Cache
from rpkival.rtr.listener import inherited_sockets
from rpkival.rtr.server import RtrServer

async def main():
    cache = Cache(7)
    cache.update(Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])))
    server = RtrServer(cache)
    environment = os.environ | {"LISTEN_PID": str(os.getpid())}
    assert inherited_sockets(environment, os.getpid() + 1) == {}
    for name, listening in inherited_sockets(environment, os.getpid()).items():
        print(name, await server.serve(listening), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_sockets_of_systemd() -> None:
    """A socket that the parent opened and listens on, passed as descriptor 3, is served."""
    with socket.create_server((HOST, 0)) as listening:
        process = subprocess.Popen(
            (sys.executable, "-c", INHERITING, str(listening.fileno())),
            pass_fds=(listening.fileno(),),
            env=os.environ | {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "rtr"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            port = listening.getsockname()[1]
            assert len(fetch_payload(HOST, port, timeout=DEADLINE)) == 1
        finally:
            process.kill()
            told, _ = process.communicate()
        assert f"rtr ('{HOST}', {port})" in told


def test_played_routers_speak_tls(run: Run, wire: Any, authority: Authority) -> None:
    """The load tester over TLS: routers that trust the authority sync, those that do not are counted as errors."""

    async def main() -> None:
        async with wire.serving(ONE, tls=TlsServer(*authority.issue("loaded", HOST))) as (_, _, port):
            trusting, wary = TlsClient(authority.file).context(), TlsClient().context()
            for context, synced in ((trusting, 3), (wary, 0)):
                measures = await run_load(Load(HOST, port, tls=context), {Behaviour.FOLLOW: 3}, seconds=1.5)
                assert len(measures.full_sync) == synced
                assert bool(measures.errors) is not bool(synced)

    run(main())
