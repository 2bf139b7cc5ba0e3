"""The lab's Internet as one thing to start: what the ASes announce, seen by routers, by monitors, and by browsers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from types import TracebackType
from typing import Self

from rpkival.lab.beacons import BeaconAddress, Beacons
from rpkival.lab.bgp_speaker import BgpSpeaker, SessionStatus
from rpkival.lab.collector import Collector, CollectorPeer
from rpkival.lab.propagation import IsInvalid, Tables, best_routes, nothing_invalid
from rpkival.lab.scenario import Event, Scenario
from rpkival.lab.topology import LAB, Topology
from rpkival.lab.updates import Paths
from rpkival.log import Log

__all__ = ["Addresses", "LabInternet"]

log = Log(__name__)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the lab can be seen. `bgp`: host and port, spoken by `bgp_asn`; `collector`: the websocket's URL."""

    bgp: tuple[str, int]
    bgp_asn: int
    collector: str
    beacons: tuple[BeaconAddress, ...]


class LabInternet:
    """Announcements come and go by the scenario; after each change all see the routes that the ASes settle on.

    `is_invalid` is the verdict that ASes which drop invalid routes go by; `clock` gives unix seconds.
    """

    def __init__(
        self,
        topology: Topology = LAB,
        scenario: Scenario | None = None,
        *,
        is_invalid: IsInvalid = nothing_invalid,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.topology = topology
        self.scenario = scenario or Scenario(topology.hijack, heartbeat=topology.heartbeat)
        self.announcements = topology.announcements()
        self._is_invalid = is_invalid
        self._peers = collector_peers(topology)
        self._tables: Tables = {}
        self._speaker = BgpSpeaker(topology.speaker, IPv4Address("192.0.2.1"))
        self._collector = Collector(clock=clock)
        self._beacons = Beacons(topology, self._tables)
        self._settle()

    async def start(
        self,
        *,
        host: str = "127.0.0.1",
        host6: str | None = "::1",
        bgp_port: int = 0,
        collector_port: int = 0,
        beacon_port: int = 0,
    ) -> Addresses:
        """Listen everywhere; port 0 takes a free one. Raises `UsageError`, and then listens nowhere."""
        try:
            bgp = await self._speaker.start(host, bgp_port)
            collector = await self._collector.start(host, collector_port)
            beacons = await self._beacons.start(host, host6, beacon_port)
        except BaseException:
            await self.close()
            raise
        shown = f"[{collector[0]}]" if ":" in collector[0] else collector[0]
        return Addresses(bgp, self.topology.speaker, f"ws://{shown}:{collector[1]}/v1/ws/", beacons)

    async def run(self, *, speed: float = 1.0) -> None:
        """Let the scenario happen, `speed` times as fast as it says; returns at its end, if it has one."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        for event in self.scenario.events():
            await asyncio.sleep(event.at / speed - (loop.time() - started))
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Let one event happen now."""
        self.announcements = (self.announcements - event.withdraw) | event.announce
        tell = log.debug if event.routine else log.info
        for what, announcements in (("lab_announces", event.announce), ("lab_withdraws", event.withdraw)):
            for announcement in announcements:
                tell(what, prefix=str(announcement.prefix), origin=announcement.origin)
        self._settle()

    def set_verdict(self, is_invalid: IsInvalid) -> None:
        """The VRPs in force changed: ASes that drop invalid routes look at all their routes again."""
        self._is_invalid = is_invalid
        self._settle()

    def set_isp(self, name: str) -> None:
        """Move the visitor of the beacons behind another ISP of `Topology.isps`. Raises `UsageError`."""
        self._beacons.set_isp(name)

    @property
    def isp(self) -> str:
        """Behind which ISP the visitor of the beacons sits."""
        return self._beacons.isp

    @property
    def hijacked(self) -> bool:
        """Whether the hijack is announced now."""
        return self.topology.hijack in self.announcements

    @property
    def tables(self) -> Tables:
        """The routes of all ASes now."""
        return self._tables

    def sessions(self) -> tuple[SessionStatus, ...]:
        """The routers that are connected."""
        return self._speaker.sessions()

    def collector_clients(self) -> int:
        """How many follow the collector."""
        return self._collector.clients()

    async def close(self) -> None:
        """End everything."""
        await self._speaker.close()
        await self._collector.close()
        await self._beacons.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _settle(self) -> None:
        self._tables = best_routes(self.topology, self.announcements, self._is_invalid)
        self._speaker.set_table(_paths(self._tables, self.topology.speaker))
        self._collector.set_tables({peer: _paths(self._tables, peer.asn) for peer in self._peers})
        self._beacons.set_tables(self._tables)


def collector_peers(topology: Topology) -> tuple[CollectorPeer, ...]:
    """The ASes that feed the collector, with addresses in a peering LAN of documentation addresses (RFC 5737, 3849)."""
    feeding = [system for system in topology.systems if system.feeds_collector]
    return tuple(
        CollectorPeer(
            system.asn,
            ((4, IPv4Address("192.0.2.10") + number), (6, IPv6Address("2001:db8:ffff::10") + number)),
        )
        for number, system in enumerate(feeding)
    )


def _paths(tables: Tables, asn: int) -> Paths:
    return {prefix: route.as_path for prefix, route in tables[asn].items()}
