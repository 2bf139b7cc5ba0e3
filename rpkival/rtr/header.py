"""The first eight octets of every PDU: version, type, a session id or an error code or zero, the length of the whole.

Section 5 of RFC 8210, which draft-ietf-sidrops-8210bis-26 has kept.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

__all__ = ["HEADER", "HEADER_BYTES", "HIGHEST_VERSION", "UINT32", "VERSIONS", "Header", "PduType"]

VERSIONS = (0, 1, 2)
HIGHEST_VERSION = max(VERSIONS)

HEADER = struct.Struct("!BBHI")
UINT32 = struct.Struct("!I")
HEADER_BYTES = HEADER.size


class PduType(IntEnum):
    """Section 5; 5 was never assigned, 9 came with version 1 and 11 with version 2."""

    SERIAL_NOTIFY = 0
    SERIAL_QUERY = 1
    RESET_QUERY = 2
    CACHE_RESPONSE = 3
    IPV4_PREFIX = 4
    IPV6_PREFIX = 6
    END_OF_DATA = 7
    CACHE_RESET = 8
    ROUTER_KEY = 9
    ERROR_REPORT = 10
    ASPA = 11


@dataclass(frozen=True, slots=True)
class Header:
    """The first eight octets. `field` is the session id, the error code, or zero, as the type has it."""

    version: int
    type: int
    field: int
    length: int

    @classmethod
    def parse(cls, data: bytes | bytearray | memoryview) -> Self:
        """Read the header at the start of `data`, which holds at least eight octets."""
        return cls(*HEADER.unpack_from(data))
