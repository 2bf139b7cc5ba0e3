"""rsync URIs (RFC 5781) as repositories use them, refused unless they are beyond doubt.

A URI in a certificate is chosen by whoever signed it, and ends up as a host to talk to and as a path on our disk
(CVE-2021-3907, CVE-2026-49233 were such paths). What leaves this module is safe for both.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from rpkival.errors import UriError
from rpkival.limits import MAX_FILE_NAME_LENGTH, MAX_URI_LENGTH

__all__ = ["RsyncUri", "check_authority"]

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_AUTHORITY = re.compile(r"(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?")
# RFC 3986 pchar without "*", which rsync daemons expand; a leading dot is a hidden file, "." or "..".
_SEGMENT = rf"(?!\.)[A-Za-z0-9._~!$&'()+,;=:@%-]{{1,{MAX_FILE_NAME_LENGTH}}}"
_MODULE_AND_PATH = re.compile(rf"(?P<module>{_SEGMENT})(?:/(?P<path>(?:{_SEGMENT}(?:/{_SEGMENT})*/?)?))?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL = (".localhost", ".localdomain", ".local", ".internal", ".home.arpa")
_VISIBLE = re.compile(r"[!-~]*")


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

        Dubious is a host that no public repository has: an IP literal, an explicit port, a single label, a name that
        belongs to one machine or network, as `x.localhost` (RFC 6761) and `x.local` (RFC 6762).
        They would let a stranger's certificate make us talk to our own network, so only laboratories allow them.
        """
        rest = _after_scheme(text)
        authority, _, tail = rest.partition("/")
        authority = authority.lower()
        check_authority(text, authority, allow_dubious_hosts=allow_dubious_hosts)
        match = _MODULE_AND_PATH.fullmatch(tail)
        if match is None:
            raise UriError(
                f"{text!r} has no module (RFC 5781 section 2), or a path segment that is empty, longer than "
                f"{MAX_FILE_NAME_LENGTH} characters, starts with a dot or has a forbidden character."
            )
        return cls(authority, match["module"], match["path"] or "")

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


def _after_scheme(text: str) -> str:
    if len(text) > MAX_URI_LENGTH:
        raise UriError(f"A URI of {len(text)} characters is too long; {MAX_URI_LENGTH} are allowed.")
    if not _VISIBLE.fullmatch(text):
        raise UriError(f"{text!r} has characters that no URI has (RFC 3986 section 2).")
    found, separator, rest = text.partition("://")
    if not separator or found.lower() != "rsync":
        raise UriError(f"{text!r} is not an rsync:// URI.")
    return rest


def check_authority(text: str, authority: str, *, allow_dubious_hosts: bool) -> None:
    """Check the host and port (lower case) of the URI `text`, as `RsyncUri.parse` tells. Raises `UriError`."""
    objection = _objection(authority, allow_dubious_hosts)
    if objection is not None:
        raise UriError(f"{text!r} {objection}.")


@lru_cache(maxsize=1024)  # half a million objects lie on about sixty hosts
def _objection(authority: str, allow_dubious_hosts: bool) -> str | None:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return "names no host"
    host, port = match["host"], match["port"]
    literal = _is_ip_literal(host)
    if not literal and not _HOST.fullmatch(host):
        return f"names no host: {host!r} is not a host name"
    if port is not None and not 0 < int(port) < 65536:
        return "has a port that does not exist"
    if allow_dubious_hosts:
        return None
    if literal or port is not None:
        return "has an IP address or a port for a host, which is refused outside a lab (--allow-dubious-hosts)"
    if "." not in host or host.endswith(_LOCAL):
        return "names a host of the local network, which is refused outside a lab (--allow-dubious-hosts)"
    return None


def _is_ip_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        # What only looks like an IPv4 address ("127.1", "2130706433", "0x7f.0x1") is one for the resolver.
        return _NUMBER.fullmatch(host.rpartition(".")[2]) is not None
    return True
