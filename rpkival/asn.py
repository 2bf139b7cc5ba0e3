"""AS numbers as text: RFC 5396 asplain, with or without "AS"."""

from rpkival.errors import AsnError
from rpkival.limits import MAX_ASN

__all__ = ["format_asn", "parse_asn"]


def parse_asn(text: str | int) -> int:
    """Read `64496`, `"64496"` or `"AS64496"`. Raises `AsnError` for anything else or beyond 32 bits."""
    if isinstance(text, int) and not isinstance(text, bool):
        number = text
    else:
        digits = str(text).strip()
        if digits[:2].upper() == "AS":
            digits = digits[2:]
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 10:
            raise AsnError(f"{str(text)[:40]!r} is not an AS number; write it as AS64496 or 64496.")
        number = int(digits)
    if not 0 <= number <= MAX_ASN:
        shown = f"AS{number}" if abs(number) < 10**30 else "An AS number of so many digits"
        raise AsnError(f"{shown} does not exist; AS numbers go from 0 to {MAX_ASN}.")
    return number


def format_asn(asn: int) -> str:
    """`64496` as `"AS64496"`."""
    return f"AS{asn}"
