"""rsync and https URIs (RFC 5781, RFC 3986) as repositories use them, refused unless they are beyond doubt.

A URI in a certificate is chosen by whoever signed it, and ends up as a host to talk to and as a path on our disk
(CVE-2021-3907, CVE-2026-49232 were such paths). What leaves this module is safe for both.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from rpkival.errors import UriError
from rpkival.limits import MAX_FILE_NAME_LENGTH, MAX_URI_LENGTH

__all__ = ["RsyncUri", "check_https_uri"]

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_AUTHORITY = re.compile(r"(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
# RFC 3986 pchar without "*", which rsync daemons expand; a leading dot is a hidden file, "." or "..".
_SEGMENT = re.compile(r"(?!\.)[A-Za-z0-9._~!$&'()+,;=:@%-]+")


@dataclass(frozen=True, slots=True)
class RsyncUri:
    """`rsync://authority/module/path` (RFC 5781 section 2).

    `authority` is the host in lower case, with `:port` where one is given. `path` has no leading slash, is empty for
    the module itself, and ends in a slash where it names a directory.
    """

    authority: str
    module: str
    path: str

    @classmethod
    def parse(cls, text: str, *, allow_dubious_hosts: bool = False) -> RsyncUri:
        """Read and check. Raises `UriError`.

        Dubious is a host that no public repository has: an IP literal, an explicit port, `localhost`, a single label.
        They would let a stranger's certificate make us talk to our own network, so only laboratories allow them.
        """
        rest = _after_scheme(text, "rsync")
        authority, _, tail = rest.partition("/")
        module, _, path = tail.partition("/")
        authority = _check_authority(text, authority, allow_dubious_hosts=allow_dubious_hosts)
        if not module:
            raise UriError(f"{text!r} names no rsync module (RFC 5781 section 2).")
        for segment in (module, *(path.removesuffix("/").split("/") if path else ())):
            _check_segment(text, segment)
        return cls(authority, module, path)

    @property
    def module_uri(self) -> str:
        """The URI of the whole module, with a slash at its end."""
        return f"rsync://{self.authority}/{self.module}/"

    @property
    def directory(self) -> str:
        """Where it lies in a tree laid out `host/module/path`, without the last segment; never leaves the tree."""
        return f"{self.authority}/{self.module}/{self.path}".rpartition("/")[0]

    @property
    def file_name(self) -> str:
        """The last segment; empty for a directory."""
        return self.path.rpartition("/")[2]

    def __str__(self) -> str:
        return self.module_uri + self.path


def check_https_uri(text: str, *, allow_dubious_hosts: bool = False) -> str:
    """Return `text` if it is an https URI that may be fetched. Raises `UriError`."""
    authority, slash, _ = _after_scheme(text, "https").partition("/")
    _check_authority(text, authority, allow_dubious_hosts=allow_dubious_hosts)
    if not slash:
        raise UriError(f"{text!r} has no path.")
    return text


def _after_scheme(text: str, scheme: str) -> str:
    if len(text) > MAX_URI_LENGTH:
        raise UriError(f"A URI of {len(text)} characters is too long; {MAX_URI_LENGTH} are allowed.")
    if any(not "!" <= character <= "~" for character in text):
        raise UriError(f"{text!r} has characters that no URI has (RFC 3986 section 2).")
    found, separator, rest = text.partition("://")
    if not separator or found.lower() != scheme:
        raise UriError(f"{text!r} is not an {scheme}:// URI.")
    return rest


def _check_authority(text: str, authority: str, *, allow_dubious_hosts: bool) -> str:
    authority = authority.lower()
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise UriError(f"{text!r} names no host.")
    host, port = match["host"], match["port"]
    literal = _is_ip_literal(host)
    if not literal and not _HOST.fullmatch(host):
        raise UriError(f"{text!r} names no host: {host!r} is not a host name.")
    if port is not None and not 0 < int(port) < 65536:
        raise UriError(f"{text!r} has a port that does not exist.")
    if not allow_dubious_hosts:
        if literal or port is not None:
            raise UriError(f"{text!r} has an IP address or a port for a host, which is refused outside a lab.")
        if "." not in host or host.endswith(".localhost"):
            raise UriError(f"{text!r} names a host of the local network, which is refused outside a lab.")
    return authority


def _is_ip_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        # What only looks like an IPv4 address ("127.1", "2130706433") is one for the resolver.
        return host.rpartition(".")[2].isdigit()
    return True


def _check_segment(text: str, segment: str) -> None:
    if len(segment) > MAX_FILE_NAME_LENGTH:
        raise UriError(f"A URI has a path segment of {len(segment)} characters; {MAX_FILE_NAME_LENGTH} are allowed.")
    if not _SEGMENT.fullmatch(segment):
        raise UriError(f"{text!r} has a path segment that is empty, starts with a dot or has a forbidden character.")
