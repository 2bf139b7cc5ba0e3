"""Why a server cannot listen, in the words of all that do."""

from __future__ import annotations

import errno

from rpkival.errors import UsageError

__all__ = ["cannot_listen"]

_REASONS = {
    errno.EADDRINUSE: "another program listens there already; stop it or choose another port",
    errno.EACCES: "this needs more rights; choose a port above 1023 or grant CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
}


def cannot_listen(what: str, host: str, port: int, error: OSError) -> UsageError:
    """The error to raise where binding `what` to an address failed."""
    reason = _REASONS.get(error.errno or 0, error.strerror or str(error))
    return UsageError(f"{what} cannot listen on {host} port {port}: {reason}.")
