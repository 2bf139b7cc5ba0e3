"""Router keys and ASPAs as PDUs and back. There are thousands of them, not hundreds of thousands: one object each.

The order is that of draft-ietf-sidrops-8210bis-26 sections 11.2.2 and 11.2.3: announcements first, then ascending.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from rpkival.limits import MAX_RTR_ASPA_PROVIDERS
from rpkival.payload.changes import Changes
from rpkival.payload.payload import Aspa, RouterKey
from rpkival.rtr.pdu import AspaPdu, RouterKeyPdu

__all__ = ["SINCE", "Record", "decode_records", "encode_records", "servable_aspas", "wire_order"]

Record: TypeAlias = RouterKeyPdu | AspaPdu

SINCE = {RouterKeyPdu: 1, AspaPdu: 2}
"""The version that brought each."""


def encode_records(changes: Changes, version: int) -> bytes:
    """The PDUs of router keys and ASPAs that `version` has, in the order of the protocol.

    An ASPA that got other providers is only announced: that replaces the former one.
    """
    announced, withdrawn = changes.announced, changes.withdrawn
    pdus: list[Record] = []
    if version >= SINCE[RouterKeyPdu]:
        pdus += [
            RouterKeyPdu(version, announce, key.key_id, key.asn, key.key_info)
            for announce, payload in ((True, announced), (False, withdrawn))
            for key in payload.router_keys
        ]
    if version >= SINCE[AspaPdu]:
        stay = {aspa.customer for aspa in announced.aspas}
        pdus += [AspaPdu(version, True, aspa.customer, aspa.providers) for aspa in announced.aspas]
        pdus += [AspaPdu(version, False, aspa.customer) for aspa in withdrawn.aspas if aspa.customer not in stay]
    return b"".join(pdu.serialize() for pdu in sorted(pdus, key=wire_order))


def wire_order(pdu: Record) -> tuple[object, ...]:
    """By what the protocol orders PDUs; those that are equal in it say the same thing twice."""
    if isinstance(pdu, AspaPdu):
        return (pdu.type, not pdu.announce, pdu.customer)
    key = pdu.subject_public_key_info
    return (pdu.type, not pdu.announce, pdu.subject_key_identifier, len(key), key, pdu.asn)


def servable_aspas(aspas: Iterable[Aspa]) -> tuple[Aspa, ...]:
    """Those that a PDU can hold, as the protocol wants them.

    AS 0 says "no provider", so it has nothing to say beside others (section 5.12). Of an ASPA with too many providers
    or none, a part would make routes invalid that are not; without it they are unknown.
    """
    cleaned = (
        replace(aspa, providers=aspa.providers[1:]) if len(aspa.providers) > 1 and aspa.providers[0] == 0 else aspa
        for aspa in aspas
    )
    return tuple(aspa for aspa in cleaned if 1 <= len(aspa.providers) <= MAX_RTR_ASPA_PROVIDERS)


def decode_records(records: Iterable[Record]) -> tuple[list[Aspa], list[RouterKey]]:
    """The ASPAs and the router keys that `records` speak of, in the order they came."""
    aspas, keys = [], []
    for pdu in records:
        if isinstance(pdu, AspaPdu):
            aspas.append(Aspa(pdu.customer, pdu.providers))
        else:
            keys.append(RouterKey(pdu.asn, pdu.subject_key_identifier, pdu.subject_public_key_info))
    return aspas, keys
