"""The verdict of the ISP check, as a table and as properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import InputError
from web.beacons import BeaconFamily, BeaconSet
from web.check import Evidence, Outcome, Role, Route, Sample, judge
from web.kinds import Kind

URL = ("https://beacon.example/",)
BARE4 = BeaconSet(name="bare4", operator="One", family=BeaconFamily.IPV4, control=URL, invalid=URL)
BARE6 = BeaconSet(name="bare6", operator="One", family=BeaconFamily.IPV6, control=URL, invalid=URL)
BOTH4 = BeaconSet(name="both4", operator="Two", family=BeaconFamily.IPV4, control=URL, invalid=URL, covered=URL)
ANY = BeaconSet(name="any", operator="Three", control=URL, invalid=URL)
SETS = (BARE4, BARE6, BOTH4, ANY)


def samples(beacons: BeaconSet, role: str, outcomes: str) -> list[Sample]:
    """One sample a letter.

    `r` reached, `s` reached slowly, `t` five seconds of silence, `p` one second of it, `f` failed at once; of a covered
    beacon `v` by the valid route, `i` by the invalid one.
    """
    meaning = {
        "r": (Outcome.REACHED, 30.0, None),
        "s": (Outcome.REACHED, 3500.0, None),
        "t": (Outcome.TIMEOUT, 5000.0, None),
        "p": (Outcome.TIMEOUT, 1000.0, None),
        "f": (Outcome.FAILED, 4.0, None),
        "v": (Outcome.REACHED, 30.0, Route.VALID),
        "i": (Outcome.REACHED, 30.0, Route.INVALID),
    }
    return [Sample(beacons.name, Role(role), *meaning[letter]) for letter in outcomes]


def verdicts(*seen: list[Sample]) -> dict[BeaconFamily, Kind]:
    """The verdict of each family."""
    verdict = judge(Evidence(tuple(sample for part in seen for sample in part)), SETS)
    return {each.family: each.verdict for each in verdict.families}


@pytest.mark.parametrize(
    ("control", "invalid", "expected"),
    [
        ("rrr", "ttt", Kind.DROPS),
        ("rrrr", "tttt", Kind.DROPS),
        ("rrr", "rrr", Kind.ACCEPTS),
        ("rrr", "rtr", Kind.MIXED),
        ("rrr", "rff", Kind.MIXED),
        ("ttt", "rrr", Kind.ACCEPTS),
        ("rtr", "rtr", Kind.ACCEPTS),
        ("ttt", "ttt", Kind.INCONCLUSIVE),
        ("fff", "ttt", Kind.INCONCLUSIVE),
        ("", "ttt", Kind.INCONCLUSIVE),
        ("rtr", "ttt", Kind.INCONCLUSIVE),
        ("rr", "tt", Kind.INCONCLUSIVE),
        ("rrr", "tt", Kind.INCONCLUSIVE),
        ("rrr", "ppp", Kind.INCONCLUSIVE),
        ("rrr", "fff", Kind.INCONCLUSIVE),
        ("rrr", "ttf", Kind.INCONCLUSIVE),
        ("sss", "ttt", Kind.INCONCLUSIVE),
        ("rrr", "", Kind.INCONCLUSIVE),
    ],
)
def test_a_bare_invalid_beacon_is_judged_beside_its_control(control: str, invalid: str, expected: Kind) -> None:
    """Silence counts only when it is long and repeated, while the control answered always and quickly."""
    seen = verdicts(samples(BARE4, "control", control), samples(BARE4, "invalid", invalid))

    assert seen == {BeaconFamily.IPV4: expected}


@pytest.mark.parametrize(
    ("covered", "invalid", "expected"),
    [
        ("vvv", "ttt", Kind.DROPS),
        ("vvv", "rrr", Kind.DROPS_ELSEWHERE),
        ("vvv", "fff", Kind.DROPS),
        ("iii", "rrr", Kind.ACCEPTS),
        ("iii", "ttt", Kind.MIXED),
        ("viv", "ttt", Kind.MIXED),
        ("ttt", "ttt", Kind.DROPS),
        ("ttt", "fff", Kind.INCONCLUSIVE),
        ("rrr", "fff", Kind.INCONCLUSIVE),
    ],
)
def test_a_covered_beacon_tells_a_default_route_from_dropping(covered: str, invalid: str, expected: Kind) -> None:
    """It answers over either route, so it is believed before silence; together they find a way around."""
    seen = verdicts(
        samples(BOTH4, "control", "rrr"), samples(BOTH4, "covered", covered), samples(BOTH4, "invalid", invalid)
    )

    assert seen == {BeaconFamily.IPV4: expected}


def test_a_family_that_is_not_there_is_neither_good_nor_bad() -> None:
    """Nothing over IPv6 while IPv4 works is no IPv6, not protection."""
    seen = verdicts(
        samples(BARE4, "control", "rrr"),
        samples(BARE4, "invalid", "rrr"),
        samples(BARE6, "control", "fff"),
        samples(BARE6, "invalid", "fff"),
    )

    assert seen == {BeaconFamily.IPV4: Kind.ACCEPTS, BeaconFamily.IPV6: Kind.NO_FAMILY}


def test_families_are_judged_apart() -> None:
    """A provider may check in one family alone."""
    seen = verdicts(
        samples(BARE4, "control", "rrr"),
        samples(BARE4, "invalid", "ttt"),
        samples(BARE6, "control", "rrr"),
        samples(BARE6, "invalid", "rrr"),
    )

    assert seen == {BeaconFamily.IPV4: Kind.DROPS, BeaconFamily.IPV6: Kind.ACCEPTS}


def test_the_headline_says_when_families_differ() -> None:
    """No single sentence would be true of both."""
    apart = judge(
        Evidence(
            (
                *samples(BARE4, "control", "rrr"),
                *samples(BARE4, "invalid", "ttt"),
                *samples(BARE6, "control", "rrr"),
                *samples(BARE6, "invalid", "rrr"),
            )
        ),
        SETS,
    )

    assert (apart.verdict, apart.headline) == (
        Kind.ACCEPTS,
        "It depends: the results differ.",
    )


def test_the_control_of_one_operator_does_not_vouch_for_another() -> None:
    """The beacons of `bare4` are silent altogether; that those of `any` answer says nothing of them."""
    seen = verdicts(samples(BARE4, "invalid", "ttt"), samples(ANY, "control", "rrr"), samples(ANY, "invalid", "rrr"))

    assert seen[BeaconFamily.ANY] is Kind.ACCEPTS
    assert seen[BeaconFamily.IPV4] not in {Kind.DROPS, Kind.DROPS_ELSEWHERE}


def test_operators_that_disagree_make_it_mixed() -> None:
    """One operator's invalid prefix is dropped, another's is not."""
    seen = verdicts(
        samples(BARE4, "control", "rrr"),
        samples(BARE4, "invalid", "ttt"),
        samples(BOTH4, "control", "rrr"),
        samples(BOTH4, "invalid", "rrr"),
    )

    assert seen == {BeaconFamily.IPV4: Kind.MIXED}


def test_an_unknown_beacon_set_is_refused() -> None:
    """A page that was loaded before the beacons changed is told to load again."""
    with pytest.raises(InputError, match="load the page again"):
        judge(Evidence((Sample("gone", Role.CONTROL, Outcome.REACHED, 1.0),)), SETS)


def test_no_evidence_is_inconclusive() -> None:
    """Nothing seen, nothing said."""
    verdict = judge(Evidence(()), SETS)

    assert (verdict.verdict, verdict.families) == (Kind.INCONCLUSIVE, ())


any_sample = st.builds(
    Sample,
    set=st.sampled_from([each.name for each in SETS]),
    role=st.sampled_from(Role),
    outcome=st.sampled_from(Outcome),
    ms=st.floats(0, 10_000),
    route=st.none() | st.sampled_from(Route),
)


@given(st.lists(any_sample, max_size=40))
def test_silence_alone_never_drops(seen: list[Sample]) -> None:
    """Whatever else was seen: a family is called protected only where a valid route of that family answered."""
    verdict = judge(Evidence(tuple(seen)), SETS)

    for family in verdict.families:
        if family.verdict in {Kind.DROPS, Kind.DROPS_ELSEWHERE}:
            assert any(
                sample.outcome is Outcome.REACHED and (sample.role is Role.CONTROL or sample.route is Route.VALID)
                for sample in family.samples
            )


@given(st.lists(any_sample, max_size=40))
def test_an_answer_from_an_invalid_address_is_never_called_dropped(seen: list[Sample]) -> None:
    """Where an invalid address answered, the verdict says that invalid routes get through somewhere."""
    verdict = judge(Evidence(tuple(seen)), SETS)

    for family in verdict.families:
        if any(sample.role is Role.INVALID and sample.outcome is Outcome.REACHED for sample in family.samples):
            assert family.verdict in {Kind.ACCEPTS, Kind.MIXED, Kind.DROPS_ELSEWHERE}


@given(st.lists(any_sample, max_size=40))
def test_every_verdict_has_its_words(seen: list[Sample]) -> None:
    """No placeholder is left, and nothing is ever called safe."""
    verdict = judge(Evidence(tuple(seen)), SETS)

    for family in verdict.families:
        for text in (family.headline, family.means, family.limits, family.advice, *family.because):
            assert text
            assert "{" not in text
            assert "safe" not in text.lower()
