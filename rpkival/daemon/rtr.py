"""The RTR server as `[rtr]` of the configuration wants it."""

from __future__ import annotations

from rpkival.config import Rtr
from rpkival.errors import UsageError
from rpkival.listening import ListenAddress, parse_listen
from rpkival.rtr.access import Access
from rpkival.rtr.cache import Cache
from rpkival.rtr.doors import Doors
from rpkival.rtr.pdu import Timers
from rpkival.rtr.server import RtrServer

__all__ = ["doors_of", "server_of", "timers_of"]


def timers_of(config: Rtr) -> Timers:
    """What routers are told of when to ask, to retry and to forget. Raises `UsageError`."""
    try:
        return Timers.of(config.refresh, config.retry, config.expire)
    except ValueError as error:
        raise UsageError(f"The configuration is wrong in [rtr]: {error}") from error


def server_of(config: Rtr, cache: Cache) -> RtrServer:
    """A server for `cache` that does not listen yet. Raises `UsageError`."""
    return RtrServer(
        cache,
        notify_seconds=config.notify_interval,
        access=Access.of(config.allow),
        max_sessions=config.max_routers,
        max_sessions_per_address=config.max_routers_per_address,
    )


def doors_of(config: Rtr, plain: ListenAddress) -> Doors:
    """Where it listens: at `plain`, and for TLS where that is wanted. Raises `UsageError`."""
    return Doors.of(
        plain,
        tls_at=parse_listen(config.tls_listen) if config.tls_listen else None,
        certificate=config.tls_certificate,
        key=config.tls_key,
        client_ca=config.tls_client_ca,
        client_names=config.tls_client_names,
        md5=config.md5,
        ao=config.ao,
    )
