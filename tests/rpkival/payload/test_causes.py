"""Why something is gone: each cause from the report that a run leaves."""

from __future__ import annotations

import pytest

from rpkival.payload.causes import Cause, Inquiry
from rpkival.payload.payload import Aspa, Payload
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.validation.report import LIMIT_SECTION, Rejection, Report

ROA = "rsync://rpki.example/repo/ca/a.roa"
MANIFEST = "rsync://rpki.example/repo/ca/ca.mft"


def report(*rejections: Rejection) -> Report:
    return Report(1000, (), rejections, ())


def rejected(uri: str, sentence: str, section: str = "RFC 6487 section 7.2") -> Rejection:
    return Rejection(uri, "", section, sentence, "ripe")


@pytest.mark.parametrize(
    ("rejections", "lost", "expires", "cause"),
    [
        ((), (), 2000, Cause.WITHDRAWN),
        ((), (), 1000, Cause.EXPIRED),
        ((), ("ripe",), 2000, Cause.ANCHOR_LOST),
        ((), ("arin",), 2000, Cause.WITHDRAWN),
        ((rejected(ROA, "The certificate with serial number 7 is revoked."),), (), 2000, Cause.REVOKED),
        ((rejected(ROA, "The certificate expired at 2026-01-01T00:00:00Z."),), (), 2000, Cause.EXPIRED),
        ((rejected(ROA, "The ROA has 10.0.0.0/8, which its certificate does not have."),), (), 2000, Cause.REJECTED),
        ((rejected(MANIFEST, "The manifest is missing."),), (), 2000, Cause.POINT_FAILED),
        ((rejected("rsync://rpki.example/repo/ca/ca.crl", "Too long."),), (), 2000, Cause.POINT_FAILED),
        (
            (rejected("rsync://rpki.example/repo/ca/b.roa", "It is missing.", "RFC 9286 section 6.4"),),
            (),
            2000,
            Cause.POINT_FAILED,
        ),
        (
            (rejected("rsync://rpki.example/repo/above/b.roa", "It is missing.", "RFC 9286 section 6.4"),),
            (),
            2000,
            Cause.CA_LOST,
        ),
        ((rejected("rsync://rpki.example/repo/ca/b.roa", "Broken."),), (), 2000, Cause.WITHDRAWN),
        ((rejected("rsync://rpki.example/repo/ca.cer", "Too long."),), (), 2000, Cause.CA_LOST),
        (
            (rejected("rsync://rpki.example/repo/ca.cer", "The certificate with serial number 1 is revoked."),),
            (),
            2000,
            Cause.WITHDRAWN,
        ),
    ],
)
def test_each_cause(rejections: tuple[Rejection, ...], lost: tuple[str, ...], expires: int, cause: Cause) -> None:
    """One ROA of a CA, and what the report says of it or of what is above it."""
    assert Inquiry(report(*rejections), lost, 1000).why("ripe", ROA, expires).cause is cause


@pytest.mark.parametrize(
    ("neighbour", "cause"),
    [
        ("rsync://rpki.example/repo/ca/b.roa", Cause.WITHDRAWN),
        ("rsync://rpki.example/repo/other/b.roa", Cause.CA_LOST),
    ],
)
@pytest.mark.parametrize("aspa", [True, False])
def test_a_broken_ca_is_no_reason_where_others_of_the_point_still_are(
    neighbour: str, cause: Cause, *, aspa: bool
) -> None:
    """Then the CA was reached, and its manifest lists the object no more: in a registry some CA is always broken."""
    found = (
        Payload(Vrps.empty(), (Aspa(1, (2,), "ripe", 2000, neighbour),))
        if aspa
        else Payload(Vrps.of([Vrp("10.0.0.0/24", 24, 1, "ripe", 2000, neighbour)]))
    )
    broken = rejected("rsync://rpki.example/repo/broken/x.mft", "It is missing.")
    inquiry = Inquiry(report(broken), (), 1000, found)
    assert inquiry.why("ripe", ROA, 2000).cause is cause
    failed = Inquiry(report(rejected(MANIFEST, "It is missing.")), (), 1000, found)
    assert failed.why("ripe", ROA, 2000).cause is Cause.POINT_FAILED


def test_a_full_report_is_silent_of_some() -> None:
    """So nothing is taken for withdrawn that may be among them, whatever is found beside it."""
    full = rejected("rsync://rpki.example/ta.cer", "The report is full; 7 more are not listed.", LIMIT_SECTION)
    found = Payload(Vrps.of([Vrp("10.0.0.0/24", 24, 1, "ripe", 2000, "rsync://rpki.example/repo/ca/b.roa")]))
    assert Inquiry(report(full), (), 1000, found).why("ripe", ROA, 2000).cause is Cause.CA_LOST


def test_a_column_is_answered_row_by_row() -> None:
    """In the order of the rows, also where several rows are of one object."""
    vrps = Vrps.of(
        [
            Vrp("10.0.0.0/24", 24, 1, "ripe", 2000, ROA),
            Vrp("10.0.1.0/24", 24, 1, "ripe", 900, ROA),
            Vrp("10.0.2.0/24", 24, 1, "ripe", 2000, "rsync://rpki.example/repo/other/b.roa"),
            Vrp("10.0.3.0/24", 24, 1, "ripe", 2000, ROA),
        ]
    )
    inquiry = Inquiry(report(rejected(ROA, "Broken.")), (), 1000)
    causes = [why.cause for why in inquiry.of_columns(vrps, vrps.ipv4)]
    # A rejected CA would take others along, a rejected ROA nobody.
    assert causes == [Cause.REJECTED, Cause.EXPIRED, Cause.WITHDRAWN, Cause.REJECTED]
    assert inquiry.of_columns(vrps, vrps.ipv6) == []
