"""PDUs of RTR, all versions: what is read can be written, and is the same then."""

from __future__ import annotations

from rpkival.rtr.pdu import parse


def fuzz(data: bytes) -> None:
    """One input."""
    pdu = parse(data)
    assert parse(pdu.serialize()) == pdu
