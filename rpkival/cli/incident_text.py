"""Incidents for people and for files: a line, a page, or records."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

import msgspec

from rpkival.asn import format_asn
from rpkival.monitor.incidents import Incident, format_time

__all__ = ["incident_line", "incident_page", "incident_records"]


def incident_line(word: str, time: float, incident: Incident) -> str:
    """`2015-10-23T02:01:48Z opened high origin-hijack 193.230.194.0/24 by AS62414 ...`."""
    peers = "1 peer" if incident.observed.peer_count == 1 else f"{incident.observed.peer_count} peers"
    return (
        f"{format_time(time)} {word:<8} {incident.severity:<6} {incident.kind} {incident.prefix} by"
        f" {format_asn(incident.observed.origin)}, expected {_origins(incident)}; RPKI {_rpki(incident)};"
        f" {peers}; {incident.id}"
    )


def incident_records(incidents: Sequence[Incident], listing: str) -> Iterator[bytes]:
    """A list of incidents as `text`, `json`, `ndjson` or `csv`."""
    match listing:
        case "json":
            document = {"incidents": [incident.as_data() for incident in incidents]}
            yield msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
        case "ndjson":
            for incident in incidents:
                yield msgspec.json.encode(incident.as_data()) + b"\n"
        case "csv":
            rows = io.StringIO()
            writer = csv.writer(rows, lineterminator="\n")
            writer.writerow(_COLUMNS)
            for incident in incidents:
                data = incident.as_data()
                writer.writerow([*(data[name] for name in _COLUMNS[:-1]), data["observed"]["origin"]])
            yield rows.getvalue().encode()
        case _:
            for incident in incidents:
                yield f"{incident_line(incident.state, incident.first_seen, incident)}\n".encode()


_COLUMNS = (
    "id",
    "kind",
    "state",
    "severity",
    "confidence",
    "prefix",
    "first_seen",
    "last_seen",
    "resolved_at",
    "origin",
)


def incident_page(incident: Incident) -> Iterator[str]:
    """All that is known of one incident, line by line."""
    yield f"{incident.id}: {incident.kind} of {incident.prefix} by {format_asn(incident.observed.origin)}"
    yield f"  state        {incident.state}, severity {incident.severity}, confidence {incident.confidence}"
    yield f"  seen         {format_time(incident.first_seen)} to {format_time(incident.last_seen)}"
    if incident.resolved_at is not None:
        yield f"  resolved     {format_time(incident.resolved_at)}"
    if incident.acknowledged_at is not None:
        yield f"  acknowledged {format_time(incident.acknowledged_at)}"
    yield f"  expected     {incident.expected.prefix} by {_origins(incident)}"
    yield f"  RPKI         {_rpki(incident)}"
    for vrp in incident.rpki.vrps:
        yield f"    VRP        {vrp.prefix}-{vrp.max_length} {format_asn(vrp.asn)} {vrp.trust_anchor}".rstrip()
    for reason in incident.reasons:
        yield f"  because      {reason}"
    for path in incident.observed.paths:
        yield f"  path         {' '.join(map(str, path))}"
    names = [f"{format_asn(peer.asn)} {_printable(peer.address)}" for peer in incident.observed.peers]
    yield f"  peers        {', '.join(names)}"
    if incident.observed.collectors:
        yield f"  collectors   {', '.join(map(_printable, incident.observed.collectors))}"
    if incident.url:
        yield f"  page         {incident.url}"


def _printable(name: str) -> str:
    """A name that a feed gave, without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _origins(incident: Incident) -> str:
    return " or ".join(map(format_asn, incident.expected.origins)) or "nobody"


def _rpki(incident: Incident) -> str:
    return f"{incident.rpki.state} ({incident.rpki.reason})" if incident.rpki.reason else incident.rpki.state
