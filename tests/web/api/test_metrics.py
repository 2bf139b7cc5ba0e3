"""Figures for Prometheus."""

from __future__ import annotations

import re
from pathlib import Path

from aiohttp.test_utils import TestClient
from prometheus_client.parser import text_string_to_metric_families

from rpkival.payload.exceptions.exceptions import ExceptionFile, Number
from web.view import LocalState, View


async def test_metrics_are_what_the_view_has(client: TestClient) -> None:
    """Parsed by the parser of Prometheus' own library."""
    text = await (await client.get("/metrics")).text()
    found = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }

    assert found["rpkival_vrps", "ipv4", "ripe"] == 2
    assert found["rpkival_vrps", "ipv4", "arin"] == 2
    assert found["rpkival_vrps", "ipv6", "ripe"] == 1
    assert found["rpkival_data_age_seconds",] == 90
    assert found["rpkival_serial",] == 17
    assert found["rpkival_validation_duration_seconds",] == 5
    assert found["rpkival_objects", "rejected", "ripe", "roas"] == 1
    assert found["rpkival_objects", "valid", "arin", "roas"] == 2
    assert found["rpkival_publication_points", "rejected", "ripe"] == 1
    assert found["rpkival_valid_vrps", "ripe"] == 3
    assert found["rpkival_rejected_objects", "RFC 9286 section 6.4", "ripe"] == 1
    notify = "https://rpki.example/notification.xml"
    assert found["rpkival_repository_objects", notify, "valid", "ripe", "roas"] == 3
    assert found["rpkival_repository_valid_vrps", notify, "ripe"] == 3
    for reason in ("missing", "stale", "invalid"):
        assert found["rpkival_rejected_manifests", reason, "ripe"] == 1
        assert found["rpkival_repository_rejected_manifests", reason, notify, "ripe"] == 1
    assert found["rpkival_rejected_manifests", "premature", "ripe"] == 0
    assert found["rpkival_rejected_crls", "stale", "ripe"] == 1
    assert found["rpkival_repository_rejected_crls", "invalid", notify, "ripe"] == 0
    assert not any(name.startswith("rpkival_rejected_") and "arin" in labels for name, *labels in found)
    assert (found["rpkival_manifest_gaps", "ripe"], found["rpkival_manifest_gaps", "arin"]) == (2, 0)
    assert found["rpkival_repository_manifest_gaps", notify, "ripe"] == 2
    assert (found["rpkival_ignored_files", "ripe"], found["rpkival_ignored_files", "arin"]) == (4, 0)
    for of, labels in (("", ("ripe",)), ("repository_", (notify, "ripe"))):
        for state, number in (
            ("valid_payload", 7),
            ("unique_payload", 5),
            ("duplicate_payload", 2),
            ("unsafe_vrps", 1),
        ):
            assert found[f"rpkival_{of}{state}", *labels, "ipv4"] == number
    assert found["rpkival_unsafe_vrps", "ripe", "ipv6"] == 0
    assert found["rpkival_valid_payload", "ripe", "aspas"] == 2
    assert ("rpkival_unsafe_vrps", "ripe", "aspas") not in found
    assert ("rpkival_repository_valid_payload", notify, "ripe", "ipv6") not in found
    assert found["rpkival_fetch_up", "rrdp", notify] == 1
    assert found["rpkival_fetch_up", "rsync", "rsync://rpki.example/repository/"] == 0
    assert found["rpkival_fetch_failed_status", "rsync", "rsync://rpki.example/repository/"] == 10
    assert ("rpkival_fetch_failed_status", "rrdp", notify) not in found
    assert found["rpkival_fetch_duration_seconds", "rrdp", notify] == 1.5
    assert found["rpkival_fetch_received_bytes", "rrdp", notify] == 4_096
    assert found["rpkival_rrdp_serial", notify] == 77
    assert found["rpkival_feed_messages_total", "ris-live"] == 120
    assert found["rpkival_feed_state", "ris-live", "live"] == 1
    assert found["rpkival_feed_last_message_age_seconds", "ris-live"] == 2
    assert found["rpkival_rtr_sessions",] == 1
    assert found["rpkival_incidents", "open"] == 1


async def test_local_exceptions_are_counted(view: View, client: TestClient) -> None:
    """By trust anchor and file; and whether those on disk are in force."""
    view.exceptions = LocalState(
        (ExceptionFile("/s.json", 1, 2, 1),),
        1_773_640_000,
        (Number("ripe", 3, 1, 0),),
        (Number("/s.json", 2),),
        "broken",
    )
    text = await (await client.get("/metrics")).text()

    assert 'rpkival_locally_filtered{trust_anchor="ripe",type="vrp"} 3.0' in text
    assert 'rpkival_locally_filtered{trust_anchor="ripe",type="aspa"} 1.0' in text
    assert 'rpkival_locally_added{file="/s.json",type="vrp"} 2.0' in text
    assert "rpkival_exceptions_up 0.0" in text
    status = (await (await client.get("/api/v1/status")).json())["exceptions"]
    assert status["files"] == [{"name": "/s.json", "version": 1, "filters": 2, "assertions": 1}]
    assert (status["loaded"], status["problem"]) == (1_773_640_000, "broken")
    assert status["filtered"] == [{"of": "ripe", "vrps": 3, "aspas": 1, "router_keys": 0}]


async def test_answers_are_counted(client: TestClient) -> None:
    """By status, those that found nothing and those of files too; a scrape's own is in the next."""
    first = await (await client.get("/metrics")).text()
    for path in ("/nothing", "/static/nothing", "/version"):
        await client.get(path)
    text = await (await client.get("/metrics")).text()

    assert "rpkival_http_answers_total{" not in first
    assert 'rpkival_http_answers_total{status="404"} 2.0' in text
    assert 'rpkival_http_answers_total{status="200"} 2.0' in text


async def test_metrics_are_there_before_any_data(empty_client: TestClient) -> None:
    """What is not known yet is absent, not zero."""
    text = await (await empty_client.get("/metrics")).text()

    assert "rpkival_rtr_sessions 0.0" in text
    assert "rpkival_vrps" not in text


async def test_what_is_served_is_documented(view: View, client: TestClient) -> None:
    """docs/web.md has a row for every metric, and none that there is not."""
    view.exceptions = LocalState(
        (ExceptionFile("/s.json", 1, 2, 1),),
        1_773_640_000,
        (Number("ripe", 3, 1, 0),),
        (Number("/s.json", 2),),
    )
    await client.get("/version")
    text = await (await client.get("/metrics")).text()
    served = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    docs = (Path(__file__).parents[3] / "docs" / "web.md").read_text("utf-8").partition("## Metrics")[2]
    documented = set(re.findall(r"`(rpkival_\w+)`", docs))

    absent = {
        "rpkival_held_vrps",
        "rpkival_held_aspas",
        "rpkival_held_router_keys",
        "rpkival_aspas",
        "rpkival_router_keys",
    }
    assert served - documented == set()
    assert documented - served <= absent, "only what this view has nothing of"
