"""Files over https, for threads that fetch: bounded in time, size, speed and redirections, streamed."""

from __future__ import annotations

import asyncio
import io
import ipaddress
import socket
import ssl
import time
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from aiohttp import AddrInfoType

from rpkival.errors import FetchError, StateError, UsageError
from rpkival.http_fault import http_fault
from rpkival.limits import (
    HTTP_ANSWER_SECONDS,
    HTTP_CONNECT_SECONDS,
    HTTP_FILE_SECONDS,
    MAX_CERTIFICATE_BYTES,
    MAX_HTTP_REDIRECTS,
    MAX_HTTP_VALIDATOR_LENGTH,
)
from rpkival.repository.http_body import Body, Pace
from rpkival.repository.https_uri import HttpsUri

__all__ = ["Downloaded", "Http", "HttpSession", "Validators"]

_READ_BYTES = 64 * 1024
_CLOSING_TURNS = 100
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said of a file's version (RFC 9110 section 8.8), to ask for a newer one only."""

    etag: str | None = None
    last_modified: str | None = None

    def headers(self) -> dict[str, str]:
        """For a conditional request."""
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Downloaded:
    """One file: octets on the wire, octets and SHA-256 of what was written, and its version."""

    received: int
    size: int
    sha256: bytes
    validators: Validators


class Http:
    """How to talk: `ca_file` has certificates to be trusted besides the system's; `https_proxy` and `no_proxy` of the
    environment count. Raises `UsageError` for a bad `ca_file` or `https_proxy`.

    May be used from several threads.
    """

    def __init__(self, *, ca_file: Path | None = None, allow_dubious_hosts: bool = False) -> None:
        self.allow_dubious_hosts = allow_dubious_hosts
        self._proxy = _proxy(getproxies().get("https"))
        self.tls = ssl.create_default_context()
        if ca_file is not None:
            try:
                self.tls.load_verify_locations(ca_file)
            except ssl.SSLError as error:
                raise UsageError(f"{ca_file} has no certificates in PEM: {error.reason or error}.") from error
            except OSError as error:
                raise UsageError(f"The certificates in {ca_file} cannot be read: {error.strerror}.") from error

    def session(self, seconds: float = HTTP_FILE_SECONDS) -> HttpSession:
        """Connections for some files of one host, together in so many seconds; a context manager."""
        return HttpSession(self, seconds)

    def proxy_for(self, uri: HttpsUri) -> str | None:
        """The proxy for a request, if any; read here, as aiohttp would send strangers what .netrc has, too."""
        return None if self._proxy is None or proxy_bypass(uri.authority) else self._proxy

    def get(self, uri: str) -> bytes:
        """A trust anchor's certificate. Raises `FetchError` and `UriError`."""
        return self.get_bytes(uri, MAX_CERTIFICATE_BYTES)

    def get_bytes(self, uri: str, limit: int) -> bytes:
        """A small file; redirections may lead to any host that is not dubious. Raises `FetchError` and `UriError`."""
        parsed = HttpsUri.parse(uri, allow_dubious_hosts=self.allow_dubious_hosts)
        with self.session() as session, io.BytesIO() as file:
            session.download(parsed, file, limit, same_origin=False)
            return file.getvalue()


class HttpSession:
    """Keeps its connections open between files; for one thread."""

    def __init__(self, http: Http, seconds: float) -> None:
        self._http = http
        self._until = time.monotonic() + seconds
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._client: aiohttp.ClientSession | None = None
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._may_be_local = False
        self.received = 0

    def download(
        self,
        uri: HttpsUri,
        file: BinaryIO,
        limit: int,
        *,
        known: Validators | None = None,
        same_origin: bool = True,
    ) -> Downloaded | None:
        """Write the file's content where `file` stands; None where it is still the `known` version.

        Raises `FetchError` for the other side's faults, `StateError` where `file` cannot be written.
        """
        seconds = min(HTTP_FILE_SECONDS, self._until - time.monotonic())
        try:
            return self._runner.run(self._download(uri, file, limit, known or Validators(), same_origin, seconds))
        except TimeoutError as error:
            raise FetchError(
                f"{uri} took too long: {HTTP_ANSWER_SECONDS:g} seconds without an octet or {max(seconds, 0):g} in all."
            ) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            proxy = self._http.proxy_for(uri)
            way = "" if proxy is None else f" by the proxy {urlsplit(proxy).netloc.rpartition('@')[2]}"
            raise FetchError(f"{uri} could not be fetched{way}: {http_fault(error)}.") from error

    async def _download(
        self, uri: HttpsUri, file: BinaryIO, limit: int, known: Validators, same_origin: bool, seconds: float
    ) -> Downloaded | None:
        async with asyncio.timeout(max(seconds, 0)):
            place = uri
            for _ in range(MAX_HTTP_REDIRECTS + 1):
                answer = await self._ask(place, known)
                try:
                    if answer.status not in _REDIRECTS:
                        return await self._take(place, answer, file, limit, known)
                    place = place.follow(
                        answer.headers.get("Location", ""), allow_dubious_hosts=self._http.allow_dubious_hosts
                    )
                finally:
                    _hang_up(answer)
                if same_origin and not place.same_origin(uri):
                    raise FetchError(f"{uri} redirects to {place}, another origin (RFC 9674).")
        raise FetchError(f"{uri} redirects more than {MAX_HTTP_REDIRECTS} times.")

    async def _ask(self, uri: HttpsUri, known: Validators) -> aiohttp.ClientResponse:
        proxy = self._http.proxy_for(uri)
        self._may_be_local = self._http.allow_dubious_hosts or proxy is not None  # who resolves the name then
        async with asyncio.timeout(HTTP_CONNECT_SECONDS + HTTP_ANSWER_SECONDS):
            return await self._connected().get(str(uri), headers=known.headers(), allow_redirects=False, proxy=proxy)

    async def _take(
        self, uri: HttpsUri, answer: aiohttp.ClientResponse, file: BinaryIO, limit: int, known: Validators
    ) -> Downloaded | None:
        if answer.status == 304 and known.headers():
            return None
        if answer.status != 200:
            # Retry-After is not heard: when to come again is for our own back-off to say.
            raise FetchError(f"{uri} answered with HTTP status {answer.status}.", answer.status)
        if (answer.content_length or 0) > limit:
            raise FetchError(f"{uri} has {answer.content_length} bytes; {limit} are allowed.")
        body = Body(str(uri), answer.headers.get("Content-Encoding", ""), limit)
        pace, digest = Pace(str(uri), time.monotonic()), sha256()
        async for octets in answer.content.iter_chunked(_READ_BYTES):
            self.received += len(octets)
            pace.note(len(octets), time.monotonic())
            for piece in body.feed(octets):
                digest.update(piece)
                _write(file.write, piece)
        body.end()
        validators = Validators(_kept(answer.headers.get("ETag")), _kept(answer.headers.get("Last-Modified")))
        return Downloaded(body.received, body.decoded, digest.digest(), validators)

    def _connected(self) -> aiohttp.ClientSession:
        if self._client is None:
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._http.tls, limit=1, socket_factory=self._socket),
                timeout=aiohttp.ClientTimeout(total=None, connect=HTTP_CONNECT_SECONDS, sock_read=HTTP_ANSWER_SECONDS),
                headers={"Accept-Encoding": "gzip", "User-Agent": "rpkival"},
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._client

    def _socket(self, address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, (host, *_) = address
        if not self._may_be_local and _is_local(str(host)):
            raise OSError(f"its name leads to {host}, which is refused outside a lab (--allow-dubious-hosts)")
        self._sockets.add(made := socket.socket(family, kind, protocol))
        return made

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self._client is not None:
                self._runner.run(_close(self._client, self._sockets))
        finally:
            self._runner.close()


def _proxy(told: str | None) -> str | None:
    """A URL of what other programs take for a proxy, too: `HOST:PORT` alone. It is not told, for its password."""
    if not told:
        return None
    url = told if "://" in told else f"http://{told}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError("The environment's https_proxy is no proxy as http://HOST:PORT; mend it, or unset it.")
    return url


def _is_local(host: str) -> bool:
    """Whether an address is this machine's or its link's, where a stranger's name in the DNS must not lead us."""
    address = ipaddress.ip_address(host)
    inner = address.ipv4_mapped if address.version == 6 else None
    found = inner or address
    return found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast


def _hang_up(answer: aiohttp.ClientResponse) -> None:
    """End a connection whose answer was not read to its end; who is polite to it waits for a hostile server's TLS."""
    if answer.connection is not None and answer.connection.transport is not None:
        answer.connection.transport.abort()
    answer.close()


async def _close(client: aiohttp.ClientSession, sockets: Iterable[socket.socket]) -> None:
    await client.close()
    for each in sockets:
        # A connection whose header was broken is still about to end its TLS politely, for which nobody waits.
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
    for _ in range(_CLOSING_TURNS):
        await asyncio.sleep(0)  # sockets that were let go are closed in the loop's next turns
        if all(each.fileno() < 0 for each in sockets):
            return


def _write(write: Callable[[bytes], int], piece: bytes) -> None:
    try:
        write(piece)
    except OSError as error:
        raise StateError(
            f"What is fetched cannot be written: {error.strerror}; make room or choose another place."
        ) from error


def _kept(header: str | None) -> str | None:
    """A header's value if it may be sent back one day."""
    if header is None or len(header) > MAX_HTTP_VALIDATOR_LENGTH or not (header.isascii() and header.isprintable()):
        return None
    return header
