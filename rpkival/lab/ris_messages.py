"""What a collector's peers said, in the words of RIS Live: one message an UPDATE (https://ris-live.ripe.net/manual)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from feeds.bgp_update import Update
from rpkival.lab.topology import Address, Network

__all__ = ["RisUpdate", "envelope"]


@dataclass(frozen=True, slots=True)
class RisUpdate:
    """One UPDATE as the collector `host` got it from `peer`, at `timestamp` (unix seconds), the `number`-th of all.

    The keys and their order are those of RIS Live: what an UPDATE does not have is left out, `peer_asn` is text.
    """

    host: str
    peer: Address
    peer_asn: int
    timestamp: float
    number: int
    update: Update

    @property
    def prefixes(self) -> tuple[Network, ...]:
        """All that it speaks of, announced and withdrawn."""
        announced = tuple(prefix for reach in self.update.announced for prefix in reach.prefixes)
        return announced + self.update.withdrawn

    def message(self, *, include_raw: bool) -> bytes:
        """The JSON text that subscribers get."""
        data: dict[str, Any] = {
            "timestamp": round(self.timestamp, 2),
            "peer": str(self.peer),
            "peer_asn": str(self.peer_asn),
            "id": f"{self.peer}-{self.number:016x}",
        }
        if include_raw:
            data["raw"] = self.update.encode().hex().upper()
        data |= {"host": self.host, "type": "UPDATE"}
        if self.update.announced:
            data["path"] = self.update.as_path
            if self.update.communities:
                data["community"] = self.update.communities
            data["origin"] = self.update.origin.name.lower()
            if self.update.med:
                data["med"] = self.update.med
            data["announcements"] = [
                {"next_hop": str(reach.next_hops[0]), "prefixes": [str(prefix) for prefix in reach.prefixes]}
                for reach in self.update.announced
            ]
        if self.update.withdrawn:
            data["withdrawals"] = [str(prefix) for prefix in self.update.withdrawn]
        return envelope("ris_message", data)


def envelope(kind: str, data: Any) -> bytes:
    """Any message of RIS Live as JSON text."""
    return msgspec.json.encode({"type": kind, "data": data})
