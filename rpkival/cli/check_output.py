"""What `rpkival check` prints, in each format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from rpkival.asn import format_asn
from rpkival.cli.check_text import allowed_text, line_text, validity_text
from rpkival.cli.options import TextFormat
from rpkival.origin.explain import Validity
from rpkival.origin.times import rfc3339
from rpkival.payload.vrps import Vrp

__all__ = ["allowed", "many", "one"]


def one(validity: Validity, listing: TextFormat, generated: int | None) -> bytes:
    """A single announcement; JSON is Routinator's answer with our `explanation` beside it."""
    if listing is TextFormat.TEXT:
        return validity_text(validity).encode()
    if listing is TextFormat.CSV:
        return b"".join(many([validity], listing, generated))
    answer = {
        "validated_route": validity.to_routinator(),
        "generatedTime": _time(generated),
        "explanation": validity.details(),
    }
    return _json(answer, listing)


def many(verdicts: Sequence[Validity], listing: TextFormat, generated: int | None) -> Iterator[bytes]:
    """Announcements in the order in which they were asked; JSON is Routinator's answer to its POST /validity."""
    if listing is TextFormat.TEXT:
        yield from (line_text(validity).encode() for validity in verdicts)
    elif listing is TextFormat.CSV:
        yield b"prefix,origin,state,reason\n"
        for validity in verdicts:
            state, reason = validity.state.text, validity.reason.text
            yield f"{validity.prefix},{format_asn(validity.asn)},{state},{reason}\n".encode()
    elif listing is TextFormat.NDJSON:
        for validity in verdicts:
            yield _json(validity.to_routinator() | {"explanation": validity.details()}, listing)
    else:
        answer = {
            "validated_routes": [validity.to_routinator() for validity in verdicts],
            "generatedTime": _time(generated),
        }
        yield _json(answer, listing)


def allowed(prefix: str, vrps: list[Vrp], listing: TextFormat) -> bytes:
    """The VRPs that cover a prefix."""
    if listing is TextFormat.TEXT:
        return allowed_text(prefix, vrps).encode()
    if listing is TextFormat.CSV:
        rows = [f"{vrp.prefix},{vrp.max_length},{format_asn(vrp.asn)}\n" for vrp in vrps]
        return ("prefix,max_length,origin\n" + "".join(rows)).encode()
    records = [
        {
            "asn": format_asn(vrp.asn),
            "prefix": vrp.prefix,
            "max_length": vrp.max_length,
            "trust_anchor": vrp.trust_anchor or None,
            "expires": rfc3339(vrp.expires) if vrp.expires else None,
            "source": vrp.source or None,
        }
        for vrp in vrps
    ]
    return _json({"prefix": prefix, "vrps": records}, listing)


def _time(generated: int | None) -> str | None:
    return None if generated is None else rfc3339(generated)


def _json(value: dict[str, Any], listing: TextFormat) -> bytes:
    encoded = msgspec.json.encode(value)
    return (encoded if listing is TextFormat.NDJSON else msgspec.json.format(encoded, indent=2)) + b"\n"
