"""Incidents as JSON."""

from __future__ import annotations

from aiohttp.test_utils import TestClient

from rpkival.monitor.incidents import Incident


async def test_incidents_are_told_as_webhooks_tell_them(client: TestClient, incident: Incident) -> None:
    """The same JSON, in the list and alone."""
    listed = await (await client.get("/api/v1/incidents?state=open")).json()
    alone = await (await client.get(f"/api/v1/incidents/{incident.id}")).json()

    assert listed == {"watching": True, "counts": {"open": 1, "resolved": 0}, "incidents": [incident.as_data()]}
    assert alone == incident.as_data()


async def test_an_unknown_incident_is_404(client: TestClient) -> None:
    """With the place where all are listed."""
    answer = await client.get("/api/v1/incidents/none")

    assert answer.status == 404
    assert "/api/v1/incidents lists all" in (await answer.json(content_type=None))["detail"]
