"""All that a validator tells a router: VRPs, ASPAs and router keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rpkival.payload.vrps import Vrps
from rpkival.validation.lifetime import UNKNOWN_LIFETIME, Lifetime

__all__ = ["Aspa", "Payload", "RouterKey", "unite_aspas", "unite_router_keys"]


@dataclass(frozen=True, slots=True)
class Aspa:
    """The providers of one customer AS (draft-ietf-sidrops-aspa-profile), ascending and unique.

    `expires` is unix seconds at which the chain of signatures ends, 0 where unknown; `source` is the object's URI, ""
    where unknown, `lifetime` that object's.
    """

    customer: int
    providers: tuple[int, ...]
    trust_anchor: str = ""
    expires: int = 0
    source: str = ""
    lifetime: Lifetime = UNKNOWN_LIFETIME


@dataclass(frozen=True, slots=True)
class RouterKey:
    """A BGPsec router's key (RFC 8209) for one AS. `key_id` is its 20 octets, `key_info` the DER of the public key."""

    asn: int
    key_id: bytes
    key_info: bytes
    trust_anchor: str = ""
    expires: int = 0
    source: str = ""
    lifetime: Lifetime = UNKNOWN_LIFETIME

    @property
    def identity(self) -> tuple[int, bytes, bytes]:
        """What makes a router key what it is: whatever else differs is the same key from elsewhere."""
        return self.asn, self.key_id, self.key_info


@dataclass(frozen=True, slots=True, eq=False)
class Payload:
    """One state of the world. `aspas` has each customer once, ascending; `router_keys` each key once, ascending."""

    vrps: Vrps
    aspas: tuple[Aspa, ...] = ()
    router_keys: tuple[RouterKey, ...] = ()

    def __len__(self) -> int:
        return len(self.vrps) + len(self.aspas) + len(self.router_keys)

    @classmethod
    def empty(cls) -> Payload:
        """Nothing."""
        return cls(Vrps.empty())

    def unique_sorted(self) -> Payload:
        """In order, nothing twice."""
        return Payload(self.vrps.unique_sorted(), unite_aspas(self.aspas), unite_router_keys(self.router_keys))

    @classmethod
    def concat(cls, parts: Iterable[Payload]) -> Payload:
        """All that any of `parts` (at least one) says, in order, nothing twice."""
        parts = tuple(parts)
        return cls(
            Vrps.concat([part.vrps for part in parts]),
            tuple(aspa for part in parts for aspa in part.aspas),
            tuple(key for part in parts for key in part.router_keys),
        ).unique_sorted()


def unite_aspas(aspas: Iterable[Aspa]) -> tuple[Aspa, ...]:
    """Each customer once, with the providers of all its ASPAs (draft-ietf-sidrops-8210bis: their union).

    The union holds until the first of its parts ends; all else is that of the first part.
    """
    united: dict[int, Aspa] = {}
    for aspa in aspas:
        other = united.get(aspa.customer)
        if other is not None:
            expiries = [each.expires for each in (other, aspa) if each.expires]
            providers = tuple(sorted({*other.providers, *aspa.providers}))
            aspa = replace(other, providers=providers, expires=min(expiries, default=0))
        united[aspa.customer] = aspa
    return tuple(united[customer] for customer in sorted(united))


def unite_router_keys(keys: Iterable[RouterKey]) -> tuple[RouterKey, ...]:
    """Each key once; of equal ones that which expires last stays, one of unknown expiry before all others."""
    kept: dict[tuple[int, bytes, bytes], RouterKey] = {}
    for key in keys:
        other = kept.get(key.identity)
        if other is None or (other.expires and (not key.expires or key.expires > other.expires)):
            kept[key.identity] = key
    return tuple(kept[identity] for identity in sorted(kept))
