"""BER of any shape (X.690 section 8), rewritten as DER."""

from __future__ import annotations

from rpkival.objects.asn1.ber import ber_to_der


def fuzz(data: bytes) -> None:
    """One input."""
    ber_to_der(data)
