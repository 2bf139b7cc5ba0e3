"""A run that knows the tree of the last gives what one gives that knows nothing, whatever has changed in between."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpkival.lab.build import build
from rpkival.lab.ca import REPOSITORY, Product, trust_anchor
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.plan import Plan
from rpkival.limits import MAX_TREE_AGE_SECONDS
from rpkival.objects.tal import Tal, parse_tal
from rpkival.validation.memo import KeptTree
from rpkival.validation.walk import validate

AT = 1_773_648_000
NO_EXTRA = [HealthCheck.function_scoped_fixture]


SERVER = "https://rrdp.lab.example/notification.xml"


def certify_beta(by: Any, lab: Any, notify: str | None) -> None:
    """Once more, and all the same but for who does it and for the server."""
    by.issue_ca("beta", Resources(["10.2.0.0/16"], [64501]), repository=lab.beta.repository, notify=notify)
    by.children.pop()


class History:
    """A lab and a second anchor above a CA of it, over time: what they publish, and what they have published before.

    The second anchor names a server for that CA which may lag behind.
    """

    def __init__(self, lab: Any, keys: KeyRing) -> None:
        self.lab = lab
        self.now = lab.now
        self.other = trust_anchor("other", Resources(["10.0.0.0/8"], [(64496, 64511)]), lab.year, keys)
        certify_beta(self.other, lab, SERVER)
        other_tal = Tal("other", (self.other.certificate_uri,), self.other.key.public_key_info)
        self.tals = [lab.tal, other_tal]
        self.files: dict[str, bytes] = lab.files | self.other.tree(lab.day)
        self.server = dict(self.files)
        self.problems: dict[str, str] = {}
        self._past = [dict(self.files)]

    def change(self, data: st.DataObject) -> None:
        """In one of the ways in which repositories change, well or badly."""
        lab = self.lab
        authorities = {each.name: each for each in (*lab.anchor.descendants(), self.other)}
        authority = authorities[data.draw(st.sampled_from(sorted(authorities)), label="authority")]
        how = data.draw(st.sampled_from(WAYS), label="how")
        if how == "roa":
            authority.issue_roa(data.draw(st.integers(1, 5)), [("10.1.128.0/20", 24)])
        elif how == "aspa":
            authority.issue_aspa(64500, [data.draw(st.integers(1, 5))])
        elif how == "router":
            authority.issue_router_key(64500)
        elif how == "revoke" and authority.products:
            authority.revoke(data.draw(st.sampled_from(sorted(authority.products))), self.now - 60)
        elif how == "move":
            authority = authorities[data.draw(st.sampled_from(["anchor", "other"]))]
            certify_beta(authority, lab, data.draw(st.sampled_from([None, SERVER])))
        if how in ("roa", "aspa", "router", "renew", "revoke", "move"):
            until = self.now + data.draw(st.integers(4_000, 200_000))
            point = authority.publication_point(type(self.lab.day)(self.now - 10, until))
            self.files |= {authority.repository + name: content for name, content in point.items()}
        else:
            self._upset(how, authority, data)
        self._past.append(dict(self.files))

    def _upset(self, how: str, authority: Any, data: st.DataObject) -> None:
        """In a way that no CA has signed."""
        if how == "replay":
            there = self._past[data.draw(st.integers(0, len(self._past) - 1))]
            self.files |= {uri: content for uri, content in there.items() if uri.startswith(authority.repository)}
        elif how == "wait":
            self.now += data.draw(st.integers(-20_000, 100_000))
        elif how == "fetch":
            self.server = dict(self.files)
        elif how == "anchors":
            self.tals = self.tals[::-1]
        elif how == "down":
            source = data.draw(st.sampled_from([SERVER, REPOSITORY]))
            self.problems = {} if source in self.problems else {source: f"{source} is down."}
        elif how in ("drop", "flip"):
            uri = data.draw(st.sampled_from(sorted(self.files)))
            content = self.files.pop(uri)
            if how == "flip":
                self.files[uri] = content[:-1] + bytes([content[-1] ^ 1])


WAYS = [
    *("roa", "aspa", "router", "renew", "revoke", "drop", "flip", "replay", "wait"),
    *("move", "fetch", "fetch", "anchors", "down"),
]


@pytest.mark.parametrize("revisions", [False, True])
@settings(suppress_health_check=NO_EXTRA, max_examples=50, deadline=None)
@given(data=st.data())
def test_a_known_tree_changes_nothing(
    lab: Any, lab_keys: Any, memory: Any, notes: Any, data: st.DataObject, revisions: bool
) -> None:
    """Neither what is found nor what is accepted, whether the source tells what its repositories are at or not."""
    history = History(type(lab)(lab_keys), lab_keys)
    memo = notes()
    knowing, forgetful = memory({}, revisions=revisions), memory({})
    for _ in range(data.draw(st.integers(2, 5))):
        for _ in range(data.draw(st.integers(0, 2))):
            history.change(data)
        for source in (knowing, forgetful):
            source.files, source.servers = dict(history.files), {SERVER: dict(history.server)}
            source.problems = history.problems
        known = validate(history.tals, knowing, clock=lambda: history.now, memo=memo)
        assert known == validate(history.tals, forgetful, clock=lambda: history.now)
        assert knowing.versions == forgetful.versions


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, memory: Any) -> list[str]:
    """The directories of places whose manifest was looked for."""
    seen: list[str] = []
    manifest = memory.manifest

    def note(self: Any, place: Any) -> Any:
        seen.append(place.repository)
        return manifest(self, place)

    monkeypatch.setattr(memory, "manifest", note)
    return seen


def run(lab: Any, source: Any, memo: Any, files: Mapping[str, bytes], now: int) -> Any:
    """One, with progress."""
    source.files = files
    told: list[tuple[int, int]] = []
    found = validate(
        [lab.tal], source, clock=lambda: now, memo=memo, on_progress=lambda _, done, known: told.append((done, known))
    )
    return found, told


def test_what_stands_is_not_looked_at(lab: Any, memory: Any, notes: Any, asked: list[str]) -> None:
    """Nothing at all where nothing has changed; else what lies on the way down to what has."""
    memo, source, files = notes(), memory({}, revisions=True), lab.files
    first, told = run(lab, source, memo, files, lab.now)
    assert told[-1] == (4, 4)
    asked.clear()
    again, told = run(lab, source, memo, files, lab.now + 60)
    assert (asked, told) == ([], [(4, 4)])
    assert again.roas == first.roas

    lab.customer.issue_roa(64503, [("10.1.129.0/24", 24)])
    point = lab.customer.publication_point(type(lab.day)(lab.now, lab.now + 80_000))
    files |= {lab.customer.repository + name: content for name, content in point.items()}
    changed, told = run(lab, source, memo, files, lab.now + 120)
    assert len(changed.roas) == len(first.roas) + 1
    assert told[-1] == (4, 4)
    asked.clear()
    run(lab, source, memo, files, lab.now + 180)
    assert asked == []


def test_each_place_is_looked_at_now_and_then(lab: Any, memory: Any, notes: Any, asked: list[str]) -> None:
    """It is then that the version accepted of it is noted to be in use."""
    memo, source, files = notes(), memory({}, revisions=True), lab.files
    run(lab, source, memo, files, lab.now)
    asked.clear()
    run(lab, source, memo, files, lab.now + MAX_TREE_AGE_SECONDS - 1)
    assert asked == []
    run(lab, source, memo, files, lab.now + MAX_TREE_AGE_SECONDS)
    assert len(asked) == 4


def test_an_old_manifest_of_an_unchanged_revision_is_refused_where_another_was_accepted(
    lab: Any, memory: Any, notes: Any
) -> None:
    """By another run on the same store, of which this one's tree knows nothing."""
    memo, source, old = notes(), memory({}, revisions=True), lab.files
    run(lab, source, memo, old, lab.now)
    lab.beta.issue_roa(64505, [("10.2.5.0/24", 24)])
    new = lab.files
    run(lab, source, notes(), new, lab.now + 60)
    found, _ = run(lab, source, memo, old, lab.now + 120)
    assert any("was accepted before" in rejection.sentence for rejection in found.rejections)
    assert 64505 in {roa.asn for roa in found.roas}


def test_what_a_run_could_not_accept_is_accepted_by_the_next_that_can(lab: Any, memory: Any, notes: Any) -> None:
    """Else an older manifest could be replayed afterwards."""

    class Offline(memory):  # type: ignore[misc]
        def accept(self, *_: object) -> None:
            pass

        def acceptances(self) -> int:
            return -2

    memo, files = notes(), lab.files
    run(lab, Offline({}), memo, files, lab.now)
    source = memory({})
    run(lab, source, memo, files, lab.now + 60)
    assert len(source.versions) == 4


def test_a_known_tree_is_no_larger_than_it_may_be(
    lab: Any, memory: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound holds for what stands as for what is judged."""
    memo, source = notes(), memory({}, revisions=True)
    run(lab, source, memo, lab.files, lab.now)
    monkeypatch.setattr("rpkival.validation.walk.MAX_TREE_VRPS", 1)
    lab.anchor.issue_roa(64496, [("10.3.0.0/16", 16)])
    found, _ = run(lab, source, memo, lab.files, lab.now + 60)
    assert [anchor.complete for anchor in found.trust_anchors] == [False]


def test_the_records_of_a_tree_are_bounded_while_it_grows(
    lab: Any, memory: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory of bad objects may be that of thousands of CAs; what is left out of one run is looked at again."""
    monkeypatch.setattr("rpkival.validation.walk.MAX_TREE_REJECTIONS", 4)
    for number in range(3):
        lab.alpha.products[f"bad{number}.roa"] = Product(b"", number)
        lab.beta.products[f"bad{number}.roa"] = Product(b"", number)
    memo, source = notes(), memory(lab.files, revisions=True)
    for _ in range(3):
        run = validate([lab.tal], source, clock=lambda: lab.now, memo=memo)
        assert [each.uri.rpartition("/")[2] for each in run.rejections[:-1]] == [
            *(f"bad{n}.roa" for n in range(3)),
            "bad0.roa",
        ]
        assert run.rejections[-1].sentence.startswith("The report is full; 2 more records")
        assert run.counts.roas_rejected == 6


def test_what_is_lost_in_a_tree_is_bounded(lab: Any, memory: Any, notes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of CAs that publish nothing may inherit all that a large one has; and it is known again later."""
    beta, customer = f"{lab.beta.repository}beta.mft", f"{lab.customer.repository}customer.mft"
    files = lab.files
    memo, source = notes(), memory({}, revisions=True)

    def lost(*gone: str) -> int:
        source.files = {uri: data for uri, data in files.items() if uri not in gone}
        run = validate([lab.tal], source, clock=lambda: lab.now, memo=memo)
        return sum(last - first + 1 for first, last in run.lost.ipv4) >> 15

    source.accept = lambda *_: None
    assert [lost(), lost(beta), lost(beta, customer), lost(beta, customer)] == [0, 2, 3, 3]
    monkeypatch.setattr("rpkival.validation.walk.MAX_TREE_LOST_RANGES", 1)
    memo.clear()
    assert [lost(beta, customer), lost(beta, customer), lost(customer)] == [2, 2, 1]
    monkeypatch.undo()
    assert [lost(beta, customer), lost(beta, customer), lost()] == [3, 3, 0]


def test_a_member_gets_no_more_cas_from_run_to_run(
    lab: Any, memory: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the last run are counted with the new ones before they are taken."""
    monkeypatch.setattr("rpkival.validation.admission.MAX_SUBTREE_POINTS", 3)
    memo, source, files = notes(), memory({}, revisions=True), lab.files
    for number in range(3):
        below = lab.customer.issue_ca(f"below-{number}", Resources(["10.1.128.0/17"]))
        for name in ("first", "second"):
            below.issue_ca(f"{name}-{number}", Resources(["10.1.128.0/17"])).issue_roa(65000, [("10.1.128.0/17", 17)])
        for authority in (lab.customer, *below.descendants()):
            point = authority.publication_point(lab.day)
            files |= {authority.repository + name: content for name, content in point.items()}
        known, _ = run(lab, source, memo, files, lab.now)
        assert known == lab.validate(files)
        assert known.counts.publication_points_valid == 7


def test_a_tree_that_is_too_large_is_not_kept(
    lab: Any, memory: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its points are remembered all the same."""
    monkeypatch.setattr("rpkival.validation.walk.MAX_TREE_BYTES", 1_000)
    memo = notes()
    for _ in range(2):
        run(lab, memory({}), memo, lab.files, lab.now)
    assert not [record for record in memo.values() if isinstance(pickle.loads(record), KeptTree)]


def test_a_repository_that_nobody_leads_to_is_forgotten(lab: Any, memory: Any, notes: Any) -> None:
    """A CA that names another in each run does not make the tree grow."""
    memo, source, files = notes(), memory({}, revisions=True), lab.files
    for number in range(4):
        certify_beta(lab.anchor, lab, f"https://{number}.lab.example/notification.xml")
        point = lab.anchor.publication_point(lab.day)
        files |= {lab.anchor.repository + name: content for name, content in point.items()}
        source.servers = {f"https://{number}.lab.example/notification.xml": files}
        found, _ = run(lab, source, memo, files, lab.now)
        assert len(found.roas) == 4
        (tree,) = (each.tree for each in map(pickle.loads, memo.values()) if isinstance(each, KeptTree))
        assert len(tree.sources) == 2


def test_a_repository_that_only_the_last_run_led_to_is_no_problem(lab: Any, memory: Any, notes: Any) -> None:
    """It is fetched early, before it is known that nobody leads to it any more; one that somebody leads to is told."""
    memo, source = notes(), memory({}, revisions=True, servers={SERVER: lab.files})
    certify_beta(lab.anchor, lab, SERVER)
    source.problems = {lab.beta.repository: "It is down."}
    for _ in range(2):
        found, _ = run(lab, source, memo, lab.files, lab.now)
        assert [(each.uri, each.sentence) for each in found.fetch_problems] == [(SERVER, "It is down.")]
    lab.anchor.withdraw("beta.cer")
    found, _ = run(lab, source, memo, lab.files, lab.now)
    assert found.fetch_problems == ()


@pytest.fixture
def hosts(tmp_path: Path) -> tuple[Tal, dict[str, bytes]]:
    """A locator, and all of a tree on four hosts."""
    build(tmp_path, Plan(cas=30, roas=60, aspas=6, router_keys=4, depth=3, hosts=4), at=AT)
    files = {
        f"rsync://{path.relative_to(tmp_path / 'rsync').as_posix()}": path.read_bytes()
        for path in (tmp_path / "rsync").rglob("*")
        if path.is_file()
    }
    return parse_tal((tmp_path / "lab.tal").read_bytes(), "lab"), files


@pytest.mark.parametrize("last", range(4))
def test_a_repository_that_comes_late_holds_up_what_it_serves_alone(
    hosts: tuple[Tal, dict[str, bytes]], memory: Any, notes: Any, last: int
) -> None:
    """All others' CAs stand, or are recalled, before it is there; then what is found is the same."""
    tal, files = hosts
    memo = notes()
    sources = sorted({"/".join(uri.split("/", 4)[:4]) + "/" for uri in files})
    late, pending = sources[last], {source: Future[str | None]() for source in sources}

    class Slow(memory):  # type: ignore[misc]
        def request(self, place: Any) -> Future[str | None]:
            return pending[place.source]

    for future in pending.values():
        future.set_result(None)
    first = validate([tal], Slow(files, revisions=True), clock=lambda: AT, memo=memo)
    pending[late] = Future()
    told: list[int] = []
    waited: list[int] = []

    def on_progress(_: str, done: int, __: int) -> None:
        told.append(done)

    def on_fetch(source: str, there: bool) -> None:
        if not there:
            threading.Timer(0.2, pending[late].set_result, [None]).start()
        else:
            assert source == late
            waited.append(told[-1] if told else 0)

    again = validate(
        [tal], Slow(files, revisions=True), clock=lambda: AT, memo=memo, on_progress=on_progress, on_fetch=on_fetch
    )
    assert again == first
    assert told[-1] == first.counts.publication_points_valid == 31
    served = {report.uri: report.counts.publication_points_valid for report in first.repositories}
    assert waited[0] <= 31 - served[late]


def test_a_ca_that_moves_to_another_server_is_read_there(lab: Any, memory: Any, notes: Any) -> None:
    """Though where it was before nothing has changed."""
    memo, source, old = notes(), memory({}, revisions=True), lab.files
    forgetful = memory(old)
    run(lab, source, memo, old, lab.now)
    validate([lab.tal], forgetful, clock=lambda: lab.now)
    lab.beta.issue_roa(64505, [("10.2.5.0/24", 24)])
    new = lab.files
    certify_beta(lab.anchor, lab, SERVER)
    source.servers = forgetful.servers = {SERVER: new}
    forgetful.files = moved = old | {
        uri: data for uri, data in lab.files.items() if uri.startswith(lab.anchor.repository)
    }
    found, _ = run(lab, source, memo, moved, lab.now + 60)
    assert 64505 in {roa.asn for roa in found.roas}
    assert found == validate([lab.tal], forgetful, clock=lambda: lab.now + 60)


@pytest.fixture
def history(lab: Any, lab_keys: KeyRing) -> History:
    """One that has just begun."""
    return History(lab, lab_keys)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("when", [0, 1])
def test_what_another_anchor_has_led_to_is_no_replay_unnoticed(
    history: History, memory: Any, notes: Any, first: int, when: int
) -> None:
    """An old manifest on a server where nothing changes, of a CA of which a newer one is accepted in the same run."""
    memo, knowing, forgetful = notes(), memory({}, revisions=True), memory({})
    tals = history.tals[first:] + history.tals[:first]
    for step in range(4):
        if step == when:
            history.lab.beta.issue_roa(64505, [("10.2.5.0/24", 24)])
            history.files |= history.lab.files
        for source in (knowing, forgetful):
            source.files, source.servers = dict(history.files), {SERVER: dict(history.server)}
        known = validate(tals, knowing, clock=lambda: history.now, memo=memo)
        assert known == validate(tals, forgetful, clock=lambda: history.now)
    assert {roa.asn for roa in known.roas} >= {64501, 64505}


@pytest.mark.parametrize("accepts", [True, False])
def test_only_the_way_to_a_change_is_recalled(lab: Any, memory: Any, notes: Any, accepts: bool) -> None:
    """In runs that accept and in runs that do not; a neighbour of what has changed stands."""

    class Counted(notes):  # type: ignore[misc]
        asked = 0

        def get(self, key: bytes, default: Any = None) -> Any:
            self.asked += 1
            return super().get(key, default)

    class Source(memory):  # type: ignore[misc]
        def accept(self, *what: Any) -> None:
            if accepts:
                super().accept(*what)

    Source.accepts = accepts
    memo, source, files = Counted(), Source({}, revisions=True), lab.files
    run(lab, source, memo, files, lab.now)
    lab.customer.issue_roa(64503, [("10.1.129.0/24", 24)])
    point = lab.customer.publication_point(type(lab.day)(lab.now, lab.now + 80_000))
    memo.asked = 0
    run(lab, source, memo, files | {lab.customer.repository + name: data for name, data in point.items()}, lab.now + 60)
    assert memo.asked == 4  # the tree, the anchor, alpha and the customer; not beta
