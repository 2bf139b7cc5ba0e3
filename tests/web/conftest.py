"""A view with real data in it, and a client of the application over it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from feeds.route_batch import Peer
from feeds.status import FeedStatus
from rpkival.monitor.case import Case, Lifecycle
from rpkival.monitor.incidents import Expected, Incident, Observed, Rpki
from rpkival.monitor.store import IncidentStore
from rpkival.origin.index import OriginIndex
from rpkival.payload.payload import Payload
from rpkival.payload.snapshot import Snapshot
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.server import SessionInfo
from rpkival.storage import open_database
from rpkival.validation.report import (
    Counts,
    Rejection,
    RenamedManifest,
    Report,
    RepositoryReport,
    Share,
    TrustAnchorReport,
)
from web.app import make_app
from web.beacons import BeaconFamily, BeaconSet
from web.view import Fetch, ValidationSummary, View

NOW = 1_773_648_000.0
"""2026-03-16T08:00:00Z."""

VRPS = Vrps.of(
    [
        Vrp("192.0.2.0/24", 24, 64496, "ripe", int(NOW) + 86_400, "rsync://rpki.example/repository/a.roa"),
        Vrp("192.0.2.0/24", 26, 64497, "ripe", int(NOW) + 86_400, "rsync://rpki.example/repository/b.roa"),
        Vrp("192.0.2.128/25", 25, 64498, "arin"),
        Vrp("198.51.100.0/24", 24, 0, "arin"),
        Vrp("2001:db8::/32", 48, 64496, "ripe", int(NOW) + 86_400, "rsync://rpki.example/repository/c.roa"),
    ]
).unique_sorted()

TA_URI = "rsync://rpki.example/repository/ta.cer"
NOTIFY = "https://rpki.example/notification.xml"
RIPE = Counts(
    publication_points_valid=3,
    publication_points_rejected=1,
    manifests_rejected=3,
    manifests_missing=1,
    manifests_stale=1,
    crls_rejected=1,
    crls_stale=1,
    roas_valid=3,
    roas_rejected=1,
    other_files_ignored=4,
    vrps=3,
)
SHARES = Share("ipv4", 7, 5, 2, 1), Share("ipv6", 0, 0, 0), Share("aspas", 2, 2, 0), Share("router_keys", 0, 0, 0)
ARIN = Counts(publication_points_valid=2, roas_valid=2, vrps=2)

BEACONS = (
    BeaconSet(
        name="example",
        operator="Example Networks",
        family=BeaconFamily.IPV4,
        control=("https://valid.example/",),
        invalid=("https://invalid.example/",),
    ),
)


INCIDENT = Incident(
    id="01KKTEST",
    kind="more-specific-hijack",
    state="open",
    severity="high",
    confidence=0.9,
    prefix="192.0.2.128/25",
    expected=Expected("192.0.2.0/24", (64496,)),
    observed=Observed(64511, ((64500, 64511),), (Peer(64500, "203.0.113.1"),), ("rrc00",), 1),
    rpki=Rpki("invalid", "as", (Vrp("192.0.2.0/24", 24, 64496, "ripe"),)),
    first_seen=NOW - 300,
    last_seen=NOW - 20,
    reasons=("AS64511 announces <b>a part</b> of 192.0.2.0/24.",),
)


@pytest.fixture
def incident() -> Incident:
    """An open hijack of a more-specific; its reason holds markup that must not become any."""
    return INCIDENT


@pytest.fixture
def store(incident: Incident) -> Iterator[IncidentStore]:
    """A real store, in memory, with that incident."""
    database = open_database(None)
    store = IncidentStore(database)
    case = Case(
        incident.id,
        incident.kind,
        incident.prefix,
        incident.observed.origin,
        incident.expected,
        incident.rpki,
        incident.first_seen,
        incident.last_seen,
        Lifecycle("open"),
    )
    store.save(case, incident)
    yield store
    database.close()


@pytest.fixture
def view(store: IncidentStore) -> View:
    """Everything there is to show, at a fixed moment."""
    return View(
        snapshot=Snapshot(Payload(VRPS), int(NOW) - 90, 17, 4242),
        index=OriginIndex.build(VRPS),
        validation=ValidationSummary(
            NOW - 95,
            NOW - 90,
            Report(
                int(NOW) - 95,
                (
                    TrustAnchorReport("ripe", TA_URI, RIPE, manifest_gaps=2, shares=SHARES),
                    TrustAnchorReport("arin", TA_URI, ARIN),
                ),
                (
                    Rejection(
                        "rsync://rpki.example/repository/d.roa",
                        "ab" * 32,
                        "RFC 9286 section 6.4",
                        "The hash of d.roa is not the one in the manifest.",
                        "ripe",
                    ),
                ),
                (),
                (RepositoryReport("ripe", NOTIFY, RIPE, 2, SHARES),),
                (
                    RenamedManifest(
                        "ripe", "rsync://rpki.example/repository/old.mft", "rsync://rpki.example/repository/new.mft"
                    ),
                ),
            ),
            (
                Fetch(NOTIFY, "rrdp", None, 1.5, 4_096, 77),
                Fetch("rsync://rpki.example/repository/", "rsync", "It is down.", 30.0, status=10),
            ),
        ),
        incidents=store,
        feeds=lambda: [
            FeedStatus(
                "ris-live",
                "wss://ris.example/v1/ws/",
                "live",
                connected_since=NOW - 600,
                last_message=NOW - 2,
                messages=120,
                routes=345,
                malformed=1,
                reconnects=2,
            )
        ],
        routers=lambda: [
            SessionInfo(
                "192.0.2.7:40122", 1, 15, NOW - 60, 4096, "open", None, "", "tls", 20, 2, 1, 3, 0, NOW - 5, NOW - 60
            )
        ],
        aspas_not_served=lambda: (64511,),
        beacons=BEACONS,
        now=lambda: NOW,
    )


@pytest.fixture
async def client(view: View) -> AsyncIterator[TestClient]:
    """Talks to the application over that view."""
    async with TestClient(TestServer(make_app(view))) as client:
        yield client


@pytest.fixture
async def empty_client() -> AsyncIterator[TestClient]:
    """Talks to a process that has nothing yet."""
    async with TestClient(TestServer(make_app(View(now=lambda: NOW)))) as client:
        yield client
