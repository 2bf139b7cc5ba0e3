"""Everything that an RTR cache serves, one line a record, as `rpkival rtr dump --format all` prints it."""

from __future__ import annotations

import base64
from typing import BinaryIO

from rpkival.payload.payload import Payload

__all__ = ["write_all"]


def write_all(payload: Payload, stream: BinaryIO) -> None:
    """`vrp PREFIX MAX_LENGTH ASN`, `router-key ASN SKI KEY` (hexadecimal, Base64), `aspa CUSTOMER PROVIDER...`."""
    stream.writelines(f"vrp {vrp.prefix} {vrp.max_length} AS{vrp.asn}\n".encode() for vrp in payload.vrps)
    for key in payload.router_keys:
        info = base64.b64encode(key.key_info).decode()
        stream.write(f"router-key AS{key.asn} {key.key_id.hex()} {info}\n".encode())
    for aspa in payload.aspas:
        providers = " ".join(f"AS{provider}" for provider in aspa.providers)
        stream.write(f"aspa AS{aspa.customer} {providers}\n".encode())
