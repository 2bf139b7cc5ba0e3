"""Status, feeds, health and version."""

from __future__ import annotations

from aiohttp.test_utils import TestClient

from rpkival import __version__


async def test_readiness_waits_for_data(client: TestClient, empty_client: TestClient) -> None:
    """A process is alive at once and ready with its first data."""
    assert (await empty_client.get("/api/v1/health/live")).status == 200
    waiting = await empty_client.get("/api/v1/health/ready")

    assert waiting.status == 503
    assert "Retry-After" in waiting.headers
    assert "first validation has not finished" in (await waiting.json(content_type=None))["detail"]
    assert (await client.get("/api/v1/health/ready")).status == 200


async def test_the_status_tells_what_the_process_does(client: TestClient) -> None:
    """Routinator's names for the last run; trust anchors, what was refused, feeds and routers beside them."""
    status = await (await client.get("/api/v1/status")).json()

    assert (status["serial"], status["vrps"], status["age"], status["problem"]) == (17, 5, 90, "")
    assert status["lastUpdateStart"] == "2026-03-16T07:58:25Z"
    assert status["lastUpdateDone"] == status["generated"] == "2026-03-16T07:58:30Z"
    assert status["lastUpdateDuration"] == 5
    assert [anchor["name"] for anchor in status["trust_anchors"]] == ["ripe", "arin"]
    (repository,) = status["repositories"]
    for each in (status["trust_anchors"][0], repository):
        assert (each["manifest_gaps"], each["counts"]["manifests_stale"]) == (2, 1)
        assert each["shares"][0] == {"kind": "ipv4", "valid": 7, "unique": 5, "duplicates": 2, "unsafe": 1}
    assert [each["now"].rpartition("/")[2] for each in status["renamed_manifests"]] == ["new.mft"]
    assert status["rejections"][0]["section"] == "RFC 9286 section 6.4"
    assert status["routers"] == [
        {
            "peer": "192.0.2.7:40122",
            "version": 1,
            "serial": 15,
            "connected_since": 1_773_647_940,
            "bytes_sent": 4096,
            "state": "open",
            "last_answer": None,
            "last_error": "",
            "transport": "tls",
            "bytes_received": 20,
            "lag": 2,
            "snapshots": 1,
            "deltas": 3,
            "cache_resets": 0,
            "updated": 1_773_647_995,
            "reset": 1_773_647_940,
        }
    ]
    assert status["aspas_not_served"] == [64511]
    assert status["feeds"] == (await (await client.get("/api/v1/feeds")).json())["feeds"]
    assert status["feeds"][0]["last_message"] == 1_773_647_998


async def test_the_status_of_a_process_without_data_is_null(empty_client: TestClient) -> None:
    """Not zero: nothing is known."""
    status = await (await empty_client.get("/api/v1/status")).json()

    assert (status["serial"], status["age"], status["lastUpdateDone"], status["trust_anchors"]) == (
        None,
        None,
        None,
        [],
    )
    assert "first validation has not finished" in status["problem"]


async def test_the_version_is_name_and_number(client: TestClient) -> None:
    """As Routinator's."""
    assert (await (await client.get("/version")).text()) == f"rpkival/{__version__}\n"
