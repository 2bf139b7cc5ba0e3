"""What a router sends to the cache (RFC 8210): the session answers each query, or ends."""

from __future__ import annotations

from rpkival.payload.payload import Payload
from rpkival.rtr.cache import Cache
from rpkival.rtr.session import Session

CACHE = Cache(7)
CACHE.update(Payload.empty())


def fuzz(data: bytes) -> None:
    """One input."""
    session = Session(CACHE)
    session.receive(data)
    while session.next_answer() is not None:
        pass
