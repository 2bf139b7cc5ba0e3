"""How bad, how sure, and why."""

from __future__ import annotations

import pytest

from rpkival.monitor.incidents import Expected, Rpki
from rpkival.monitor.score import Score, score
from rpkival.payload.vrps import Vrp

VRPS = tuple(Vrp("192.0.2.0/24", 24, 64490 + number) for number in range(5))
PATH = (64500, 64666)


def scored(kind: str = "origin-hijack", *, rpki: Rpki | None = None, peers: int = 1, **changes: object) -> Score:
    """The score of a plain hijack, with changes."""
    facts = {"paths": [PATH], "collectors": 1, **changes}
    expected = Expected("192.0.2.0/24", (64496,))
    return score(kind, "192.0.2.0/24", 64666, expected, rpki or Rpki("invalid", "as", VRPS), peers=peers, **facts)  # type: ignore[arg-type]


def test_invalid_is_high_and_says_why() -> None:
    """Every sentence can be read aloud."""
    assert scored().severity == "high"
    assert scored().reasons == (
        "AS64666 announced your 192.0.2.0/24, which only AS64496 may announce.",
        (
            "The RPKI says it is invalid: VRPs cover it (192.0.2.0/24-24 AS64490, 192.0.2.0/24-24 AS64491, "
            "192.0.2.0/24-24 AS64492 and 2 more) and none allows this origin."
        ),
        "Seen by 1 peer.",
    )


def test_not_found_is_medium() -> None:
    """Only the operator's word stands against it."""
    assert scored(rpki=Rpki("not-found")).severity == "medium"
    assert scored(rpki=Rpki("not-found")).confidence < scored().confidence


@pytest.mark.parametrize("state", ["invalid", "not-found"])
def test_confidence_grows_with_peers_and_never_is_certainty(state: str) -> None:
    """Each peer halves the doubt."""
    confidences = [scored(rpki=Rpki(state), peers=peers).confidence for peers in range(1, 50)]

    assert confidences == sorted(confidences)
    assert confidences[-1] == 0.99


def test_the_owner_on_every_path_explains_much() -> None:
    """Most likely a customer; but only if no path goes around the owner."""
    behind = (64500, 64496, 64666)

    assert scored(paths=[behind]).severity == "high", "a path can be forged, a ROA cannot"
    assert scored(rpki=Rpki("not-found"), paths=[behind]).severity == "low"
    assert scored(paths=[behind]).confidence < scored().confidence
    assert "customer" in scored(paths=[behind]).reasons[-1]
    assert scored(paths=[behind, PATH]) == scored()
