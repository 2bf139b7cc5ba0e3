"""Web servers that answer as destinations in the lab would, if the visitor sat behind one of its ISPs.

A browser on this machine has no lab route to follow, so each beacon asks the model where packets of that ISP would end,
and plays what is there: the server with the valid route, the one with the invalid route, or nothing, which is silence.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from rpkival.errors import UsageError
from rpkival.http_server import HttpServer, listen
from rpkival.lab.propagation import Tables, traffic_path
from rpkival.lab.topology import Beacon, Topology
from rpkival.limits import MAX_SILENT_REQUESTS, SILENT_SECONDS
from rpkival.log import Log

__all__ = ["BeaconAddress", "Beacons"]

_HEADERS: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "no-store",
    "Timing-Allow-Origin": "*",
}

log = Log(__name__)


@dataclass(frozen=True, slots=True)
class BeaconAddress:
    """Where a browser finds a beacon: `name` is valid, invalid or covered; `family` 4 or 6."""

    name: str
    family: int
    url: str


class Beacons:
    """All beacons of a topology, seen from behind one ISP, or from behind that which a request names as `?isp=`."""

    def __init__(self, topology: Topology, tables: Tables) -> None:
        self._topology = topology
        self._isps = dict(topology.isps)
        self._tables = tables
        self._servers: list[HttpServer] = []
        self._silent = 0
        self.isp = topology.isps[0][0]

    async def start(
        self, host: str = "127.0.0.1", host6: str | None = "::1", port: int = 0
    ) -> tuple[BeaconAddress, ...]:
        """Listen, each beacon on a port of its own, from `port` on where it is not 0. Raises `UsageError`.

        Beacons of IPv6 are left out where `host6` is None or this machine does not have that address.
        """
        found = []
        for number, beacon in enumerate(self._topology.beacons):
            address = host if beacon.family == 4 else host6
            if address is None or (beacon.family == 6 and not _has_address(address)):
                log.info("no_ipv6_beacon", beacon=beacon.name)
                continue
            app = web.Application()
            app.router.add_get("/{path:.*}", partial(self._answer, beacon))
            what = f"The lab's beacon {beacon.name!r}"
            server = await listen(app, address, port + number if port else 0, what)
            self._servers.append(server)
            found.append(BeaconAddress(beacon.name, beacon.family, f"{server.url}/"))
        return tuple(found)

    async def close(self) -> None:
        """Stop listening; requests that wait in silence end."""
        servers, self._servers = self._servers, []
        await asyncio.gather(*(server.close() for server in servers))

    def set_tables(self, tables: Tables) -> None:
        """The routes of all ASes from now on."""
        self._tables = tables

    def set_isp(self, name: str) -> None:
        """Move the visitor behind another ISP of `Topology.isps`. Raises `UsageError`."""
        if name not in self._isps:
            raise UsageError(_no_such_isp(name, self._isps))
        self.isp = name

    async def _answer(self, beacon: Beacon, request: web.Request) -> web.Response:
        isp = request.query.get("isp", self.isp)
        if isp not in self._isps:
            raise web.HTTPNotFound(text=_no_such_isp(isp, self._isps), headers=_HEADERS)
        asn = self._isps[isp]
        crossed = traffic_path(self._tables, asn, beacon.address)
        if crossed is None:
            return await self._say_nothing(request)
        body = {
            "route": "invalid" if crossed[-1] == beacon.invalid_origin else "valid",
            "family": beacon.family,
            "asn": asn,
            "name": self._topology.system(asn).name,
            "crossed": crossed,
        }
        return web.json_response(body, headers=_HEADERS)

    async def _say_nothing(self, request: web.Request) -> web.Response:
        """As packets do that nobody has a route for: no answer, no refusal. It ends when the visitor gives up."""
        if self._silent < MAX_SILENT_REQUESTS:
            self._silent += 1
            try:
                await asyncio.sleep(SILENT_SECONDS)
            finally:
                self._silent -= 1
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=504)


def _no_such_isp(name: str, isps: Iterable[str]) -> str:
    return f"The lab has no ISP {name!r}; choose one of {', '.join(isps)}."


def _has_address(host: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return True
    return False
