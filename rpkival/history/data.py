"""A change as scripts get it: the same names in the API, the command line and its files."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from rpkival.asn import format_asn
from rpkival.history.store import Recorded

__all__ = ["CHANGE_FIELDS", "ChangeData", "change_data"]


class ChangeData(msgspec.Struct, frozen=True):
    """`action` is announced or withdrawn, `kind` vrp, aspa or router-key; `value` an ASPA's providers or a key's id."""

    number: int
    at: str
    serial: int
    action: str
    kind: str
    asn: str
    prefix: str
    max_length: int
    value: str
    trust_anchor: str
    source: str
    cause: str
    sentence: str


CHANGE_FIELDS = ChangeData.__struct_fields__


def change_data(recorded: Recorded) -> ChangeData:
    """In words."""
    change = recorded.change
    return ChangeData(
        recorded.number,
        datetime.fromtimestamp(recorded.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        recorded.serial,
        "announced" if change.announced else "withdrawn",
        change.kind,
        format_asn(change.asn),
        change.prefix,
        change.max_length,
        change.value,
        change.trust_anchor,
        change.source,
        change.cause,
        change.sentence,
    )
