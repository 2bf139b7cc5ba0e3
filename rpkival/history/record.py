"""One change of the payload as rows that can be kept and asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rpkival.payload.causes import Cause, Inquiry, Why
from rpkival.payload.changes import diff_vrps
from rpkival.payload.payload import Aspa, Payload, RouterKey
from rpkival.payload.vrps import VrpColumns, Vrps
from rpkival.prefixes import Family

__all__ = ["CAUSES", "Change", "changes_between"]

Kind = Literal["vrp", "aspa", "router-key"]


@dataclass(frozen=True, slots=True)
class Change:
    """One VRP, ASPA or router key that came or went.

    `prefix` and `max_length` are of a VRP, `value` is an ASPA's providers or a router key's identifier in hex; the rest
    is "" or 0. `asn` is the origin, the customer or the router's. `cause` is "added" or one of `Cause`; `sentence` says
    more where the run's report does. `source` is the URI of the object that it was signed in.
    """

    announced: bool
    kind: Kind
    prefix: str
    max_length: int
    asn: int
    value: str
    trust_anchor: str
    source: str
    cause: str
    sentence: str


_ADDED = "added"
CAUSES = (_ADDED, *(cause.value for cause in Cause))
"""All that `Change.cause` can be."""
_FAMILIES: tuple[Family, ...] = (4, 6)


def changes_between(old: Payload, new: Payload, inquiry: Inquiry) -> Iterator[Change]:
    """Everything that turns `old` into `new`, withdrawals first; each with its cause."""
    vrps = diff_vrps(old.vrps, new.vrps)
    for family in _FAMILIES:
        gone = vrps.withdrawn.family(family)
        yield from _vrps(vrps.withdrawn, gone, inquiry.of_columns(vrps.withdrawn, gone))
    yield from _others(old, new, inquiry)
    for family in _FAMILIES:
        yield from _vrps(vrps.announced, vrps.announced.family(family), None)


def _vrps(vrps: Vrps, columns: VrpColumns, whys: Sequence[Why] | None) -> Iterator[Change]:
    for row, vrp in enumerate(vrps.rows(columns)):
        cause, sentence = (_ADDED, "") if whys is None else (whys[row].cause, whys[row].sentence)
        yield Change(
            whys is None,
            "vrp",
            vrp.prefix,
            vrp.max_length,
            vrp.asn,
            "",
            vrp.trust_anchor,
            vrp.source,
            str(cause),
            sentence,
        )


def _others(old: Payload, new: Payload, inquiry: Inquiry) -> Iterator[Change]:
    """ASPAs and router keys. An ASPA with other providers is one that went and one that came."""
    before, after = _by_identity(old), _by_identity(new)
    for identity in before.keys() - after.keys():
        each = before[identity]
        yield _other(each, inquiry.why(each.trust_anchor, each.source, each.expires))
    for identity in after.keys() - before.keys():
        yield _other(after[identity], None)


def _by_identity(payload: Payload) -> dict[tuple[object, ...], Aspa | RouterKey]:
    aspas: dict[tuple[object, ...], Aspa | RouterKey] = {
        (each.customer, each.providers): each for each in payload.aspas
    }
    return aspas | {key.identity: key for key in payload.router_keys}


def _other(each: Aspa | RouterKey, why: Why | None) -> Change:
    if isinstance(each, Aspa):
        kind: Kind = "aspa"
        asn, value = each.customer, " ".join(f"AS{provider}" for provider in each.providers)
    else:
        kind = "router-key"
        asn, value = each.asn, each.key_id.hex()
    cause, sentence = (_ADDED, "") if why is None else (why.cause, why.sentence)
    return Change(why is None, kind, "", 0, asn, value, each.trust_anchor, each.source, str(cause), sentence)
