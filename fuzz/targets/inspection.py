"""Whatever somebody gives to `rpkival inspect`, under every name that means something to it."""

from __future__ import annotations

from rpkival.objects.inspection import inspect_object


def fuzz(data: bytes) -> None:
    """One input."""
    for extension in ("cer", "crl", "mft", "roa", "asa", "tal"):
        inspect_object(data, f"object.{extension}")
