"""draft-ietf-sidrops-aspa-profile section 3."""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.asn1 import Default, Explicit, sequence

__all__ = ["ASProviderAttestation"]


@sequence
class ASProviderAttestation:
    version: Annotated[int, Default(value=0), Explicit(0)]
    customer_asid: int
    providers: list[int]
