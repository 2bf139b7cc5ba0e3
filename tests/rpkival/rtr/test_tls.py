"""TLS: our client, our server and played routers over real sockets of loopback."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
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
from rpkival.rtr.cache import AnswerKind
from rpkival.rtr.client import RtrClient
from rpkival.rtr.dial import Dial
from rpkival.rtr.load.routers import Behaviour, Load
from rpkival.rtr.load.run import run_load
from rpkival.rtr.pdu import ResetQuery
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
                await wire.fetched(HOST, port)
            with pytest.raises(FetchError, match=r"certificate is not accepted: .*; --ca-file of rtr dump"):
                await wire.fetched(HOST, port, tls=TlsClient())
            with pytest.raises(FetchError, match=r"certificate is not accepted: Hostname mismatch, [^;]*$"):
                await wire.fetched("localhost", port, tls=TlsClient(authority.file))
            plain = await server.start(HOST, 0)
            with pytest.raises(FetchError, match="cannot be read: TLS with it fails: "):
                await wire.fetched(*plain, tls=TlsClient(authority.file))

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
                assert await wire.fetched(HOST, port, tls=context) == 1
            else:
                with pytest.raises(FetchError):
                    await wire.fetched(HOST, port, tls=context)

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
                    await wire.fetched(HOST, port, tls=TlsClient(authority.file, *own))
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
                await wire.fetched(HOST, port, tls=context)
            writer.transport.abort()
            async with asyncio.timeout(DEADLINE):
                while True:
                    try:
                        assert await wire.fetched(HOST, port, tls=context) == 1
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
