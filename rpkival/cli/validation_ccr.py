"""A validation as a canonical cache representation (draft-ietf-sidrops-rpki-ccr), for other validators to hold theirs
against: its manifests, VRPs, ASPAs, router keys and trust anchors.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rpkival.objects.ccr import CachedManifest, CachedPrefix, CachedRoas, Ccr, write_ccr
from rpkival.objects.keys import key_identifier
from rpkival.objects.tal import Tal
from rpkival.payload.payload import Aspa, Payload
from rpkival.payload.vrps import VrpColumns
from rpkival.validation.report import ValidationRun

__all__ = ["validation_ccr"]


def validation_ccr(
    run: ValidationRun,
    payload: Payload,
    locators: Iterable[Tal],
    manifests: Iterable[CachedManifest],
    *,
    produced_at: int,
) -> bytes:
    """DER; the same manifests and payload under the same trust anchors at the same moment give the same octets.

    `produced_at` (unix seconds) is when the run was over: manifests may have been issued while it went on.
    """
    used = {anchor.name for anchor in run.trust_anchors if anchor.uri}
    keys: defaultdict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
    for key in payload.router_keys:
        keys[key.asn].append((key.key_id, key.key_info))
    return write_ccr(
        Ccr(
            produced_at,
            tuple(manifests),
            roas=tuple(_roas(payload)),
            aspas=tuple((aspa.customer, _providers(aspa)) for aspa in payload.aspas),
            trust_anchors=tuple({key_identifier(tal.key_info) for tal in locators if tal.name in used}),
            router_keys=tuple((asn, tuple(pairs)) for asn, pairs in keys.items()),
        )
    )


def _providers(aspa: Aspa) -> tuple[int, ...]:
    """AS 0 of one of several ASPAs says that there is no provider, which the others know better (section 4.4.3)."""
    return aspa.providers[1:] if len(aspa.providers) > 1 and aspa.providers[0] == 0 else aspa.providers


def _roas(payload: Payload) -> Iterable[CachedRoas]:
    ipv4, ipv6 = _by_asn(payload.vrps.ipv4), _by_asn(payload.vrps.ipv6)
    for asn in ipv4.keys() | ipv6.keys():
        yield CachedRoas(asn, tuple(ipv4.get(asn, ())), tuple(ipv6.get(asn, ())))


def _by_asn(columns: VrpColumns) -> dict[int, list[CachedPrefix]]:
    found: defaultdict[int, list[CachedPrefix]] = defaultdict(list)
    for asn, address, length, max_length in zip(
        columns.asn.tolist(),
        columns.prefixes.integers(),
        columns.prefixes.length.tolist(),
        columns.max_length.tolist(),
        strict=True,
    ):
        found[asn].append((address, length, max_length))
    return found
