"""Router keys and ASPAs as PDUs: which version has which, in what order, and what no PDU can hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.limits import MAX_RTR_ASPA_PROVIDERS, MAX_RTR_PDU_BYTES
from rpkival.payload.changes import Changes, diff
from rpkival.payload.payload import Aspa, Payload
from rpkival.payload.vrps import Vrps
from rpkival.rtr.cache import Cache
from rpkival.rtr.pdu import AspaPdu, Pdu, ResetQuery, RouterKeyPdu
from rpkival.rtr.records import encode_records, servable_aspas


def order(pdu: Pdu) -> tuple[object, ...]:
    """draft-ietf-sidrops-8210bis-26 sections 11.2.2 and 11.2.3, as it is written there."""
    if isinstance(pdu, RouterKeyPdu):
        spki = pdu.subject_public_key_info
        return (9, 1 - pdu.announce, pdu.subject_key_identifier, len(spki), spki, pdu.asn)
    assert isinstance(pdu, AspaPdu)
    return (11, 1 - pdu.announce, pdu.customer)


@given(st.data(), st.sampled_from([0, 1, 2]))
def test_each_version_has_what_it_has_words_for(
    few_payloads: st.SearchStrategy[Payload],
    split_pdus: Callable[[bytes], list[Pdu]],
    data: st.DataObject,
    version: int,
) -> None:
    """In strict order, every key and customer at most once with the same flag, and nothing is lost."""
    old, new = data.draw(few_payloads), data.draw(few_payloads)
    changes = diff(old, new)

    pdus = split_pdus(encode_records(changes, version))

    keys = [pdu for pdu in pdus if isinstance(pdu, RouterKeyPdu)]
    aspas = [pdu for pdu in pdus if isinstance(pdu, AspaPdu)]
    assert len(keys) == (version >= 1) * len(set(old.router_keys) ^ set(new.router_keys))
    assert {pdu.customer: pdu.providers for pdu in aspas} == (
        {
            **{aspa.customer: () for aspa in changes.withdrawn.aspas},
            **{aspa.customer: aspa.providers for aspa in changes.announced.aspas},
        }
        if version == 2
        else {}
    )
    assert [order(pdu) for pdu in pdus] == sorted({order(pdu) for pdu in pdus})


@pytest.mark.parametrize(
    ("providers", "served"),
    [
        ((), None),
        ((0,), (0,)),
        ((0, 5), (5,)),
        (tuple(range(1, MAX_RTR_ASPA_PROVIDERS + 1)), tuple(range(1, MAX_RTR_ASPA_PROVIDERS + 1))),
        (tuple(range(1, MAX_RTR_ASPA_PROVIDERS + 2)), None),
    ],
    ids=["none", "AS 0 alone", "AS 0 and another", "as many as fit", "one too many"],
)
def test_what_no_pdu_can_hold_is_not_served(providers: tuple[int, ...], served: tuple[int, ...] | None) -> None:
    """A part of such a list would make routes invalid that are not."""
    aspas = servable_aspas([Aspa(1, providers)])

    assert [aspa.providers for aspa in aspas] == ([] if served is None else [served])
    pdus = encode_records(Changes(Payload(Vrps.empty(), aspas), Payload.empty()), 2)
    assert len(pdus) <= MAX_RTR_PDU_BYTES
    cache = Cache(7)
    cache.update(Payload(Vrps.empty(), (Aspa(1, providers),)))
    assert cache.respond(ResetQuery(2)).buffers[1] == pdus
    assert cache.aspas_not_served == ((1,) if served is None else ())


def test_an_aspa_that_grows_too_long_is_withdrawn() -> None:
    """Otherwise routers would keep the providers that it had."""
    cache = Cache(7)
    cache.update(Payload(Vrps.empty(), (Aspa(1, (2,)),)))

    assert cache.update(Payload(Vrps.empty(), (Aspa(1, tuple(range(1, MAX_RTR_ASPA_PROVIDERS + 2))),)))
    assert cache.payload.aspas == ()
