"""Where a server listens, and why it cannot, in the words of all that do."""

from __future__ import annotations

import errno
import ipaddress
import re
from typing import TypeAlias

from rpkival.errors import UsageError

__all__ = ["ListenAddress", "cannot_listen", "parse_listen", "shown_listen"]

ListenAddress: TypeAlias = tuple[str, int]

_REASONS = {
    errno.EADDRINUSE: "another program listens there already; stop it or choose another port",
    errno.EACCES: "this needs more rights; choose a port above 1023 or grant CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
}


def cannot_listen(what: str, host: str, port: int, error: OSError) -> UsageError:
    """The error to raise where binding `what` to an address failed."""
    reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
    return UsageError(f"{what} cannot listen on {host} port {port}: {reason}.")


def parse_listen(text: str) -> ListenAddress:
    """`127.0.0.1:3323` or `[::1]:3323`. Raises `UsageError`."""
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]]+)):([0-9]{1,5})", text)
    if match is None or int(match[3]) > 65535:
        raise UsageError(f"{text!r} is not an address to listen on; write it as 127.0.0.1:3323 or [::1]:3323.")
    host = match[1] or match[2]
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if host != "localhost":
            raise UsageError(f"{host!r} is not an IP address; write it as 127.0.0.1:3323 or [::1]:3323.") from None
        host = "127.0.0.1"
    return host, int(match[3])


def shown_listen(address: ListenAddress) -> str:
    """As `parse_listen` reads it."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
