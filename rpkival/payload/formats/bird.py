"""BIRD's configuration: rpki-client's whole file, and Routinator's lines for a file of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rpkival.payload.formats.text import Field, decimals, family_lines, lines, prefix_texts
from rpkival.payload.payload import Aspa, Payload
from rpkival.payload.vrps import VrpColumns

__all__ = ["write_bird", "write_bird1", "write_bird2"]


def write_bird1(payload: Payload, generated: int) -> Iterator[bytes]:  # noqa: ARG001 - as every writer is asked
    """Routinator's bird1: the lines of a `roa table` of BIRD 1, which has one family a process."""
    yield from lines(payload.vrps, _with(b"roa "))


def write_bird2(payload: Payload, generated: int) -> Iterator[bytes]:  # noqa: ARG001 - as every writer is asked
    """Routinator's bird2: the lines of a `protocol static` of BIRD 2, which has one family a protocol."""
    yield from lines(payload.vrps, _with(b"route "))


def write_bird(payload: Payload, generated: int) -> Iterator[bytes]:
    """rpki-client's: tables ROAS4, ROAS6 and, where there are ASPAs (BIRD 2.16), ASPAS; to be included as it is."""
    aspas = b"aspa table ASPAS;\n" if payload.aspas else b""
    # BIRD rereads a static table only where its configuration has changed, and this line always does.
    yield b"\ndefine force_roa_table_update = %d;\n\nroa4 table ROAS4;\nroa6 table ROAS6;\n%b" % (generated, aspas)
    yield b"\nprotocol static {\n\troa4 { table ROAS4; };\n\n"
    yield from family_lines(payload.vrps.ipv4, _with(b"\troute "))
    yield b"}\n\nprotocol static {\n\troa6 { table ROAS6; };\n\n"
    yield from family_lines(payload.vrps.ipv6, _with(b"\troute "))
    yield b"}\n"
    if payload.aspas:
        yield b"\nprotocol static {\n\taspa { table ASPAS; };\n\n"
        yield from map(_aspa, payload.aspas)
        yield b"}\n"


def _with(first: bytes) -> Callable[[VrpColumns], Sequence[Field]]:
    def fields(part: VrpColumns) -> Sequence[Field]:
        return (
            first,
            *prefix_texts(part.prefixes),
            b" max ",
            decimals(part.max_length),
            b" as ",
            decimals(part.asn),
            b";\n",
        )

    return fields


def _aspa(aspa: Aspa) -> bytes:
    return f"\troute aspa {aspa.customer} providers {', '.join(map(str, aspa.providers))};\n".encode()
