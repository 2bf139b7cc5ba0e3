"""Contents of manifests (RFC 9286), signed or not: a CA signs what it likes."""

from __future__ import annotations

from rpkival.objects.manifest import listed_entries, parse_manifest_content


def fuzz(data: bytes) -> None:
    """One input."""
    if data[:1] == b"\x30" and b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" in data[:32]:
        listed_entries(data)
    else:
        parse_manifest_content(data)
