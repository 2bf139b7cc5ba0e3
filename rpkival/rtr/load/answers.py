"""What a cache sends, taken apart just so far that one process can play a thousand routers. No socket, no clock.

Prefixes are counted and dropped: in a run of PDUs of one size the type stands at every 20th or 32nd octet, so a slice
finds where the run ends without an object for any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from rpkival.rtr.pdu import (
    HEADER_BYTES,
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorReport,
    Header,
    PduType,
    SerialNotify,
    check_header,
    parse,
)

__all__ = ["Answers", "Event"]

Event: TypeAlias = SerialNotify | CacheResponse | EndOfData | CacheReset | ErrorReport

_SIZES: dict[int, int] = {PduType.IPV4_PREFIX: 20, PduType.IPV6_PREFIX: 32}
_SKIPPED = frozenset({PduType.IPV4_PREFIX, PduType.IPV6_PREFIX, PduType.ROUTER_KEY, PduType.ASPA})


@dataclass(slots=True)
class Answers:
    """One connection's octets. `records`: how many prefixes, router keys and ASPAs came."""

    records: int = 0
    _rest: bytes = b""

    def receive(self, data: bytes) -> list[Event]:
        """What `data` brings to its end, but for records. Raises `PduError`."""
        buffer = self._rest + data if self._rest else data
        at, events = 0, []
        while len(buffer) - at >= HEADER_BYTES:
            size = _SIZES.get(buffer[at + 1])
            run = _run(buffer, at, size) if size else 0
            if size and run:
                self.records += run
                at += run * size
                continue
            header = Header.parse(buffer[at : at + HEADER_BYTES])
            check_header(header)
            if len(buffer) - at < header.length:
                break
            if header.type in _SKIPPED:
                self.records += 1
            else:
                event = parse(buffer[at : at + header.length])
                if isinstance(event, Event):
                    events.append(event)
            at += header.length
        self._rest = buffer[at:]
        return events


def _run(buffer: bytes, at: int, size: int) -> int:
    """How many whole PDUs like the one at `at` follow each other there, in version, type and length."""
    end = at + (len(buffer) - at) // size * size
    wanted = {0: buffer[at], 1: buffer[at + 1], 4: 0, 5: 0, 6: 0, 7: size}
    return min(_leading(buffer[at + place : end : size], octet) for place, octet in wanted.items())


def _leading(column: bytes, octet: int) -> int:
    """How many octets at the start of `column` are `octet`."""
    return len(column) - len(column.lstrip(bytes((octet,))))
