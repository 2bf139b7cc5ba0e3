"""Files over https: through a proxy, redirected, refused."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from aiohttp import web

from rpkival.errors import FetchError, StateError, UsageError
from rpkival.lab.rrdp_misbehaviour import drip, redirect_to
from rpkival.lab.rrdp_server import RrdpServer
from rpkival.repository.http import Http, Validators
from rpkival.repository.https_uri import HttpsUri


@pytest.fixture(scope="module")
def one_server() -> Iterator[RrdpServer]:
    with RrdpServer() as server:
        yield server


@pytest.fixture
def server(one_server: RrdpServer) -> RrdpServer:
    one_server.misbehave.clear()
    one_server.requests.clear()
    return one_server


@pytest.fixture
def http(server: RrdpServer) -> Http:
    return Http(ca_file=server.ca_file, allow_dubious_hosts=True)


def parse(text: str) -> HttpsUri:
    """In a lab."""
    return HttpsUri.parse(text, allow_dubious_hosts=True)


def test_redirection_within_the_origin(server: RrdpServer, http: Http) -> None:
    """Is followed, relative too."""
    server.misbehave["/old"] = redirect_to("/older")
    server.misbehave["/older"] = redirect_to(server.notify_uri)
    with http.session() as session, BytesIO() as file:
        got = session.download(parse(server.base + "/old"), file, 10_000)
        assert got is not None
        assert file.getvalue() == server.publication.notification
        assert got.size == len(file.getvalue())
        assert session.download(parse(server.notify_uri), file, 10_000, known=got.validators) is None


def test_unasked_304(server: RrdpServer, http: Http) -> None:
    """Nothing is known, so nothing can be unchanged."""

    async def unchanged(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=304)

    server.misbehave["/n"] = unchanged
    with http.session() as session, BytesIO() as file, pytest.raises(FetchError, match="304"):
        session.download(parse(server.base + "/n"), file, 100)


def test_endless_validators_are_not_kept(server: RrdpServer, http: Http) -> None:
    """What a server wants to have repeated has a bound."""

    async def much(_request: web.Request) -> web.StreamResponse:
        return web.Response(headers={"ETag": '"' + "a" * 4000 + '"', "Last-Modified": "Fri, 20 Nov 2026 10:00:00 GMT"})

    server.misbehave["/n"] = much
    with http.session() as session, BytesIO() as file:
        got = session.download(parse(server.base + "/n"), file, 100)
    assert got is not None
    assert got.validators == Validators(None, "Fri, 20 Nov 2026 10:00:00 GMT")


def test_huge_header(server: RrdpServer, http: Http) -> None:
    """A header has its bound."""

    async def much(_request: web.Request) -> web.StreamResponse:
        return web.Response(headers={"X-Much": "a" * 1_000_000})

    server.misbehave["/n"] = much
    with pytest.raises(FetchError, match="could not be fetched"):
        http.get(server.base + "/n")


def test_a_session_has_one_time_for_all(server: RrdpServer, http: Http) -> None:
    """What is left of it is all that the next file gets."""
    server.misbehave["/n"] = drip
    with http.session(1.0) as session, BytesIO() as file:
        for _ in range(2):
            with pytest.raises(FetchError, match="took too long"):
                session.download(parse(server.base + "/n"), file, 10_000)


def test_full_disk(server: RrdpServer, http: Http) -> None:
    """Is our trouble and no fault of the server."""

    class Full(BytesIO):
        def write(self, _octets: object) -> int:
            raise OSError(28, "No space left on device")

    with http.session() as session, pytest.raises(StateError, match="No space left"):
        session.download(parse(server.notify_uri), Full(), 10_000)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "0.0.0.0", "fe80::1"])
def test_a_name_that_leads_to_this_machine(server: RrdpServer, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Whoever owns a name may let it lead there; nobody is connected to."""
    port = int(server.base.rpartition(":")[2])
    kind, place = (socket.AF_INET6, (address, port, 0, 0)) if ":" in address else (socket.AF_INET, (address, port))
    found = [(kind, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    uri = "https://rpki.example.net/notification.xml"
    with pytest.raises(FetchError, match=f"no connection: its name leads to {address}, which is refused outside a lab"):
        Http(ca_file=server.ca_file).get(uri)
    if address == "127.0.0.1":
        with pytest.raises(FetchError, match="certificate is not trusted"):
            Http(ca_file=server.ca_file, allow_dubious_hosts=True).get(uri)


@pytest.mark.parametrize("form", ["http://{}", "http://user:secret@{}", "{}"])
def test_proxy(server: RrdpServer, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """The environment's, in any form that curl takes; hosts in no_proxy are asked without."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def refuse() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(1000).split(b"\r\n")[0])
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=refuse)
        thread.start()
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("https_proxy", form.format(address))
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        http = Http(ca_file=server.ca_file, allow_dubious_hosts=True)
        with pytest.raises(FetchError, match=f"notification.xml could not be fetched by the proxy {address}: .*403"):
            http.get(server.notify_uri)
        thread.join()
    assert asked == [f"CONNECT {server.base.removeprefix('https://')} HTTP/1.1".encode()]
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert http.get(server.notify_uri) == server.publication.notification


@pytest.mark.parametrize("told", ["socks5://127.0.0.1:1080", "http://", "http://127.0.0.1:99999", "http://[::1:80"])
def test_a_proxy_that_cannot_be_one(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    """Said at once: else each repository would fail in its own words, or be asked without the proxy."""
    monkeypatch.setenv("https_proxy", told)
    with pytest.raises(UsageError, match="https_proxy is no proxy as http://HOST:PORT"):
        Http()


def test_certificates_that_cannot_be_used(tmp_path: Path) -> None:
    """A file that is not there, and one in which there are none."""
    with pytest.raises(UsageError, match=r"absent\.pem cannot be read: No such file or directory\.$"):
        Http(ca_file=tmp_path / "absent.pem")
    (tmp_path / "empty.pem").write_text("none\n")
    with pytest.raises(UsageError, match=r"empty\.pem has no certificates in PEM"):
        Http(ca_file=tmp_path / "empty.pem")
