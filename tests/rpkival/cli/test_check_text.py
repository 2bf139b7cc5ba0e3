"""The verdict for people: what a local exception lets is no holder's word."""

from __future__ import annotations

from rpkival.cli.check_text import allowed_text, validity_text
from rpkival.origin.explain import explain
from rpkival.payload.vrps import Vrp, Vrps

LOCAL = Vrp("192.0.2.0/24", 24, 64496, "", 0, "slurm:/etc/slurm.json")


def test_a_local_exception_has_no_trust_anchor_and_no_end() -> None:
    """Both are known, and not "unknown"."""
    text = validity_text(explain(Vrps.of([LOCAL]), "192.0.2.0/24", 64496))
    assert text.splitlines()[-1].split() == ["192.0.2.0/24", "/24", "AS64496", "local", "exception", "never", "matches"]


def test_who_may_announce_by_a_local_exception() -> None:
    """It is told as what it is."""
    assert "Signed, or let by local exceptions, to be announced, as it is, by: AS64496" in allowed_text(
        "192.0.2.0/24", [LOCAL]
    )
