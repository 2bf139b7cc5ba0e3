"""The verdict on an announcement, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rpkival.asn import format_asn
from rpkival.origin.explain import Validity, is_local
from rpkival.origin.times import rfc3339
from rpkival.origin.verdict import State
from rpkival.payload.vrps import Vrp

__all__ = ["allowed_text", "line_text", "validity_text"]

_HEADER = ("VRP", "MAX LENGTH", "ORIGIN", "TRUST ANCHOR", "EXPIRES", "")


def validity_text(validity: Validity) -> str:
    """One announcement: the state, the reason in a sentence, and the VRPs that cover it."""
    head = f"{validity.prefix} from {format_asn(validity.asn)}: {_state(validity)}"
    text = f"{head}\n{validity.sentence()}\n"
    vrps = validity.vrps()
    return text + ("\n" + _table((vrp, validity.fits(vrp)) for vrp in vrps) if vrps else "")


def line_text(validity: Validity) -> str:
    """One announcement of many, in a line."""
    return f"{validity.prefix} {format_asn(validity.asn)} {_state(validity)}\n"


def allowed_text(prefix: str, vrps: list[Vrp]) -> str:
    """What may be announced of `prefix`: the VRPs that cover it."""
    if not vrps:
        return f"{prefix}\nNo VRP covers it: nobody has signed who may announce it, and any origin is not-found.\n"
    length = int(prefix.rpartition("/")[2])
    fitting = [vrp for vrp in vrps if length <= vrp.max_length and vrp.asn]
    origins = sorted({vrp.asn for vrp in fitting})
    how = "Signed, or let by local exceptions," if any(map(is_local, fitting)) else "Signed"
    named = ", ".join(map(format_asn, origins)) or "nobody"
    rows = _table((vrp, "too short" if length > vrp.max_length else "") for vrp in vrps)
    return f"{prefix}\n{how} to be announced, as it is, by: {named}\n\n{rows}"


def _state(validity: Validity) -> str:
    reason = f" ({validity.reason.text})" if validity.state is State.INVALID else ""
    return validity.state.text + reason


def _table(rows: Iterable[tuple[Vrp, str]]) -> str:
    cells = [
        _HEADER,
        *(
            (
                vrp.prefix,
                f"/{vrp.max_length}",
                format_asn(vrp.asn),
                "local exception" if is_local(vrp) else _printable(vrp.trust_anchor) or "unknown",
                rfc3339(vrp.expires) if vrp.expires else "never" if is_local(vrp) else "unknown",
                verdict,
            )
            for vrp, verdict in rows
        ),
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "".join(f"{line}\n" for line in _padded(cells, widths))


def _padded(rows: Sequence[tuple[str, ...]], widths: Sequence[int]) -> Iterator[str]:
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _printable(name: str) -> str:
    """Names come from files of others, and a terminal obeys some characters."""
    return "".join(character if character.isprintable() else "?" for character in name)
