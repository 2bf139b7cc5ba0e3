"""https URIs of notification files, snapshots, deltas and trust anchors, refused unless they are beyond doubt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urljoin

from rpkival.errors import UriError
from rpkival.limits import MAX_URI_LENGTH
from rpkival.repository.uri import check_authority

__all__ = ["HttpsUri"]

# RFC 3986 section 3, without a fragment, which is never sent, and without what clients write as %XX each in its way.
_TARGET = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")
_VISIBLE = re.compile(r"[!-~]*")


@dataclass(frozen=True, slots=True)
class HttpsUri:
    """`https://authority/path?query`; `authority` in lower case, without the port where that is 443."""

    authority: str
    target: str

    @classmethod
    def parse(cls, text: str, *, allow_dubious_hosts: bool = False) -> HttpsUri:
        """Read and check; hosts are dubious as for `RsyncUri.parse`. Raises `UriError`."""
        if len(text) > MAX_URI_LENGTH:
            raise UriError(f"A URI of {len(text)} characters is too long; {MAX_URI_LENGTH} are allowed.")
        if not _VISIBLE.fullmatch(text):
            raise UriError(f"{text!r} has characters that no URI has (RFC 3986 section 2).")
        scheme, separator, rest = text.partition("://")
        if not separator or scheme.lower() != "https":
            raise UriError(f"{text!r} is not an https:// URI.")
        end = next((index for index, character in enumerate(rest) if character in "/?#"), len(rest))
        authority, target = rest[:end].lower(), rest[end:]
        if "@" in authority:
            raise UriError(f"{text!r} carries a user name, which no repository needs.")
        check_authority(text, authority, allow_dubious_hosts=allow_dubious_hosts)
        if not _TARGET.fullmatch(target):
            raise UriError(f"{text!r} has a fragment or a forbidden character in its path.")
        return cls(authority.removesuffix(":443"), target if target.startswith("/") else f"/{target}")

    def same_origin(self, other: HttpsUri) -> bool:
        """Whether scheme, host and port are equal (RFC 9674 section 3, RFC 6454 section 5)."""
        return self.authority == other.authority

    def follow(self, location: str, *, allow_dubious_hosts: bool = False) -> HttpsUri:
        """Where a redirection leads. Raises `UriError`."""
        if len(location) > MAX_URI_LENGTH:
            raise UriError(f"{self} redirects to a URI of {len(location)} characters; {MAX_URI_LENGTH} are allowed.")
        try:
            absolute = urljoin(str(self), location)
        except ValueError as error:
            raise UriError(f"{self} redirects to {location!r}, which is no URI.") from error
        return HttpsUri.parse(absolute, allow_dubious_hosts=allow_dubious_hosts)

    def __str__(self) -> str:
        return f"https://{self.authority}{self.target}"
