"""Whatever somebody gives to `rpkival inspect`, under each name that means something to it."""

from __future__ import annotations

from rpkival.objects.inspection import inspect_object

EXTENSIONS = ("asa", "ccr", "cer", "crl", "gbr", "mft", "roa", "sig", "spl", "tak", "tal", "xyz")


def fuzz(data: bytes) -> None:
    """One input; its length chooses the name."""
    inspect_object(data, f"object.{EXTENSIONS[len(data) % len(EXTENSIONS)]}")
