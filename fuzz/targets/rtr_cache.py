"""What a cache sends to a router (RFC 8210, draft-ietf-sidrops-8210bis): the answer to a query, judged and counted."""

from __future__ import annotations

from rpkival.rtr.download import Download
from rpkival.rtr.pdu import ResetQuery


def fuzz(data: bytes) -> None:
    """One input."""
    download = Download(ResetQuery(2))
    download.receive(data)
    if download.kind is not None:
        download.changes()
