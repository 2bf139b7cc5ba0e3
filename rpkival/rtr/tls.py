"""TLS for RTR (draft-ietf-sidrops-8210bis-26 section 9.2): certificates renewed while routers stay connected.

Certificates live for weeks and caches for years, so the files are read again when they changed. New ones that cannot be
used change nothing but the log.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rpkival.errors import UsageError
from rpkival.log import Log
from rpkival.rtr.access import Address, plain_address

__all__ = ["TlsClient", "TlsServer"]

_NO_ISSUER = frozenset({18, 19, 20, 21})
"""How OpenSSL says (X509_V_ERR_...) that it does not know who signed."""

log = Log("rpkival.rtr")


class TlsServer:
    """What a cache shows its routers. Files are PEM; `client_ca` signs the certificates that routers must show, None
    where they need none, and those must name the router's address or one of `client_names`.

    Raises `UsageError` where the files cannot be used.
    """

    def __init__(
        self, certificate: Path, key: Path, client_ca: Path | None = None, client_names: Iterable[str] = ()
    ) -> None:
        self._certificate, self._key, self._client_ca = certificate, key, client_ca
        self._client_names = frozenset(name.lower() for name in client_names)
        self._stamp = self._look()
        self.context = self._load()
        """For the next handshake."""

    def renew(self) -> None:
        """Read the files again if they changed."""
        stamp = self._look()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self.context = self._load()
        except UsageError as error:
            log.warning("rtr_tls_not_renewed", reason=str(error))
        else:
            log.info("rtr_tls_renewed", certificate=str(self._certificate))

    def refusal(self, certificate: Mapping[str, Any] | None, address: str) -> str | None:
        """Why a router that showed `certificate` may not connect from `address`; None where it may.

        The draft: its certificate must have the address among its iPAddress identities. Where addresses change, an
        operator may name routers by dNSName instead.
        """
        if self._client_ca is None:
            return None
        names = (certificate or {}).get("subjectAltName", ())
        peer = plain_address(address)
        if any(kind == "IP Address" and _is_address(name, peer) for kind, name in names):
            return None
        if any(kind == "DNS" and name.lower() in self._client_names for kind, name in names):
            return None
        return "its certificate names neither the address it comes from nor a router that is known"

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        _load_own(context, self._certificate, self._key)
        if self._client_ca is not None:
            _load_authorities(context, self._client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _look(self) -> tuple[object, ...]:
        stamp: list[object] = []
        for path in (self._certificate, self._key, self._client_ca):
            try:
                stat = path.stat() if path else None
            except OSError:
                stat = None
            stamp.append(stat and (stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return tuple(stamp)


@dataclass(frozen=True, slots=True)
class TlsClient:
    """What a router believes and shows. Files are PEM; without `authorities` the system's CAs are trusted."""

    authorities: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """For one connection, with the files as they are now. Raises `UsageError`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # The draft, section 9.2: a Common Name is no identity.
        context.hostname_checks_common_name = False
        if self.authorities is None:
            context.load_default_certs()
        else:
            _load_authorities(context, self.authorities)
        if self.certificate is not None:
            _load_own(context, self.certificate, self.key)
        return context

    def fault(self, error: OSError) -> str | None:
        """What TLS has to do with the end of a connection on which the cache had said nothing; None for nothing.

        In TLS 1.3 a client is through its handshake before the server has looked at its certificate. Some servers send
        an alert then, asyncio's just close.
        """
        if isinstance(error, ssl.SSLCertVerificationError):
            told = f"its certificate is not accepted: {error.verify_message}"
            if error.verify_code not in _NO_ISSUER:
                return told
            return f"{told}; --ca-file of rtr dump and rtr load says whom to trust, --rtr-ca-file of rtr serve"
        reason = (getattr(error, "reason", None) or "").replace("_", " ").lower()
        alert = reason.partition("alert ")[2]
        closed = isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionResetError, BrokenPipeError))
        if not alert and not closed:
            return f"TLS with it fails: {reason}" if reason else None
        how = f"it ended TLS with the alert {alert!r}" if alert else "it closed the connection before it said anything"
        if self.certificate is not None:
            return f"{how}; it may not accept the certificate that was shown, {self.certificate}"
        return (
            f"{how}; it may demand a certificate of its routers, which --cert and --key of rtr dump and rtr load give, "
            "--rtr-cert and --rtr-key of rtr serve"
        )


def _is_address(name: str, peer: Address) -> bool:
    try:
        return ipaddress.ip_address(name) == peer
    except ValueError:  # OpenSSL's word for an address of a wrong length is no address
        return False


def _load_own(context: ssl.SSLContext, certificate: Path, key: Path | None) -> None:
    for path in (certificate, key):
        _must_be_readable(path)
    try:
        # Without a password at hand, OpenSSL would ask the terminal.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise UsageError(
            f"{certificate} and its key cannot be used for TLS; give a certificate and the key that belongs to it, "
            f"both in PEM ({reason})."
        ) from error


def _load_authorities(context: ssl.SSLContext, path: Path) -> None:
    _must_be_readable(path)
    try:
        context.load_verify_locations(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} has no certificates in PEM: {error}.") from error


def _must_be_readable(path: Path | None) -> None:
    if path is None:
        return
    try:
        path.open("rb").close()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
