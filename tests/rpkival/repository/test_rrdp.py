"""RRDP against a server that is told to misbehave: what is held afterwards, by which way, and why."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpkival.errors import FetchError, UsageError
from rpkival.lab import rrdp_misbehaviour
from rpkival.lab.rrdp_server import Misbehaviour, RrdpServer
from rpkival.repository import rrdp
from rpkival.repository.http import Http
from rpkival.repository.rrdp import Rrdp, RrdpResult
from rpkival.repository.store import Store

ROA, CRL, MFT = (f"rsync://r.example.net/m/{name}" for name in ("a.roa", "c.crl", "m.mft"))
TREE = {ROA: b"roa 1", CRL: b"crl 1"}


class Client:
    """A store and what updates it from a server."""

    def __init__(self, directory: Path, server: RrdpServer) -> None:
        self.server = server
        self.http = Http(ca_file=server.ca_file, allow_dubious_hosts=True)
        self.rrdp = Rrdp(self.http, allow_dubious_hosts=True)
        self.store = Store(directory)

    def update(self) -> RrdpResult:
        """Once."""
        return self.rrdp.update(self.server.notify_uri, self.store)

    def publish(self, files: dict[str, bytes]) -> RrdpResult:
        """A new tree, and an update."""
        self.server.publish(files)
        return self.update()

    @property
    def files(self) -> dict[str, bytes]:
        """What is held."""
        with self.store.update(self.server.notify_uri) as update:
            digests = {uri: update.digest(uri) for uri in update.uris()}
        return {uri: self.store.content(digest) or b"" for uri, digest in digests.items() if digest}


@pytest.fixture(scope="module")
def one_server() -> Iterator[RrdpServer]:
    with RrdpServer(keep=4) as server:
        yield server


@pytest.fixture
def client(one_server: RrdpServer, tmp_path: Path) -> Iterator[Client]:
    """A client that holds `TREE` by its snapshot."""
    publication = one_server.publication
    publication.files, publication.links = {}, {}
    publication.begin_session()
    one_server.misbehave.clear()
    one_server.publish(TREE)
    client = Client(tmp_path, one_server)
    assert client.update().done == "snapshot"
    one_server.requests.clear()
    yield client
    client.store.close()


def test_snapshot_then_deltas_then_nothing(client: Client) -> None:
    """The short way each time, and 304 where nothing is new."""
    assert client.files == TREE
    result = client.publish({ROA: b"roa 2", MFT: b"mft 1"})
    assert (result.error, result.done, result.deltas, result.reason) == (None, "deltas", 1, None)
    assert result.received
    assert result.serial == client.server.publication.serial
    assert client.files == {ROA: b"roa 2", MFT: b"mft 1"}
    client.server.requests.clear()
    result = client.update()
    assert (result.error, result.done, result.received) == (None, "unchanged", 0)
    assert client.server.requests == ["/notification.xml"]


def test_too_far_behind(client: Client) -> None:
    """What the server does not list any more is made up for by the snapshot."""
    for number in range(5):
        client.server.publish({ROA: b"%d" % number})
    result = client.update()
    assert (result.done, client.files) == ("snapshot", {ROA: b"4"})
    assert "not all listed" in str(result.reason)


def test_more_deltas_than_the_limit(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit, the snapshot is the shorter way."""
    monkeypatch.setattr(rrdp, "MAX_RRDP_DELTAS", 1)
    client.server.publish({ROA: b"2"})
    result = client.publish({ROA: b"3"})
    assert (result.done, client.files) == ("snapshot", {ROA: b"3"})
    assert "2 deltas are more than 1" in str(result.reason)


def test_large_deltas(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deltas that are too long together are left for the snapshot."""
    monkeypatch.setattr(rrdp, "MAX_RRDP_DELTAS_BYTES", 100)
    result = client.publish({ROA: b"2"})
    assert (result.done, client.files) == ("snapshot", {ROA: b"2"})


def test_gap(client: Client) -> None:
    """A missing serial in the middle."""
    client.server.publish({ROA: b"2"})
    client.server.publish({ROA: b"3"})
    del client.server.publication.deltas[client.server.publication.serial - 1]
    result = client.update()
    assert (result.done, client.files) == ("snapshot", {ROA: b"3"})


def test_new_session(client: Client) -> None:
    """RFC 8182 section 3.4.1."""
    client.server.publication.begin_session()
    result = client.publish({ROA: b"2"})
    assert (result.done, client.files) == ("snapshot", {ROA: b"2"})
    assert "session" in str(result.reason)


def test_serial_goes_back(client: Client) -> None:
    """The snapshot counts; that no manifest goes back is for validation to see."""
    client.publish({ROA: b"2"})
    publication = client.server.publication
    publication.serial -= 2
    result = client.publish({ROA: b"1"})
    assert (result.done, client.files) == ("snapshot", {ROA: b"1"})
    assert "went back" in str(result.reason)


def test_rfc_9697_delta_mutation(client: Client) -> None:
    """A delta that was another one before says that the server has lost its history."""
    client.publish({ROA: b"2"})
    publication = client.server.publication
    publication.deltas[publication.serial] += b"<!-- another -->"
    same = client.update()
    assert (same.done, "RFC 9697" in str(same.reason)) == ("snapshot", True)
    publication.deltas[publication.serial] += b"<!-- another -->"
    result = client.publish({ROA: b"3"})
    assert (result.done, "RFC 9697" in str(result.reason)) == ("snapshot", True)
    assert client.files == {ROA: b"3"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("<withdraw", "<withdraw x='1'"), "does not belong"),
        (lambda text: text.replace(" hash='", " hash='00", 1), "SHA-256"),
        (lambda text: text.replace("c.crl", "b.crl"), "not what the delta says"),
        (lambda text: text.replace("m.mft", "a.roa"), "there already"),
        (lambda text: text.replace("</publish>", "*</publish>"), "base64"),
        (lambda text: text[:-10], "broken"),
        (lambda text: "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + text, "DOCTYPE"),
    ],
)
def test_bad_deltas_lead_to_the_snapshot(client: Client, change: Callable[[str], str], told: str) -> None:
    """RFC 8182 section 3.4.2: what does not fit is not applied, not even in part."""
    publication = client.server.publication
    client.server.publish({ROA: b"roa 1", MFT: b"mft 1"})
    publication.deltas[publication.serial] = change(publication.deltas[publication.serial].decode()).encode()
    result = client.update()
    assert (result.error, result.done) == (None, "snapshot")
    assert told in str(result.reason)
    assert client.files == {ROA: b"roa 1", MFT: b"mft 1"}


def test_delta_gone(client: Client) -> None:
    """A delta that is listed and not there."""
    publication = client.server.publication
    client.server.publish({ROA: b"2"})

    async def gone(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPNotFound

    client.server.misbehave[publication.delta_path(publication.serial)] = gone
    result = client.update()
    assert (result.done, client.files) == ("snapshot", {ROA: b"2"})
    assert "404" in str(result.reason)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text[: len(text) // 2], "broken"),
        (lambda text: text.replace("</publish>", "*</publish>"), "base64"),
        (lambda text: text.replace("</snapshot>", "<lolz/></snapshot>"), "lolz"),
        (lambda text: "<!DOCTYPE lolz [<!ENTITY a 'lol'><!ENTITY b '&a;&a;'>]>" + text, "DOCTYPE"),
        (lambda text: text.replace("uri=", "x='" + "a" * 400_000 + "' uri="), "attribute|tag"),
        (lambda text: text.replace("c.crl", "a.roa"), "there already"),
        (lambda text: text.replace('serial="', 'serial="7'), "not as its notification says"),
    ],
)
def test_bad_snapshots_change_nothing(client: Client, change: Callable[[str], str], told: str) -> None:
    """Whatever is wrong with a snapshot, at its end too: what was held stays, and the reason is told."""
    client.server.publication.begin_session()
    client.server.publish({ROA: b"2", CRL: b"2"})
    publication = client.server.publication
    publication.snapshot = change(publication.snapshot.decode()).encode()
    result = client.update()
    assert result.error is not None
    assert any(each in result.error for each in told.split("|")), result.error
    assert (result.done, client.files) == (None, TREE)


def misbehaving(client: Client, path: str, how: Misbehaviour) -> str:
    """The error of an update where `path` ("" for the new snapshot) is answered so; nothing is changed by it."""
    client.server.publication.begin_session()
    client.server.publish({ROA: b"2"})
    client.server.misbehave[path or client.server.publication.snapshot_path] = how
    result = client.update()
    assert client.files == TREE
    client.server.misbehave.clear()
    assert client.update().error is None, "all is well once the server is"
    assert client.files == {ROA: b"2"}
    assert result.error is not None
    return result.error


@pytest.mark.parametrize("path", ["/notification.xml", ""])
@pytest.mark.parametrize(
    ("how", "told"),
    [
        (rrdp_misbehaviour.endless_redirect, "redirects more than"),
        (rrdp_misbehaviour.too_many_requests, "429"),
        (rrdp_misbehaviour.gzip_bomb, "gzip bomb|more than"),
        (rrdp_misbehaviour.cut_short, "could not be fetched"),
        (rrdp_misbehaviour.redirect_to("https://localhost:1/x.xml"), "RFC 9674"),
        (rrdp_misbehaviour.redirect_to("http://127.0.0.1/x.xml"), "https"),
        (rrdp_misbehaviour.redirect_to("file:///etc/passwd"), "https"),
    ],
    ids=["redirects", "429", "bomb", "cut", "cross-origin", "http", "file"],
)
def test_hostile_answers(client: Client, path: str, how: Misbehaviour, told: str) -> None:
    """CVE-2021-43174 and others: an error, in little time, and the next update is right."""
    error = misbehaving(client, path, how)
    assert any(each in error for each in told.split("|")), error


def test_cve_2021_43173_slow_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An octet now and then does not keep an update going beyond its time."""
    monkeypatch.setattr(rrdp, "RRDP_SECONDS", 1.5)
    client.server.misbehave["/notification.xml"] = rrdp_misbehaviour.drip
    result = client.update()
    assert "took too long" in str(result.error)
    assert client.files == TREE


def test_wrong_hash(client: Client) -> None:
    """A snapshot that is not the notification's is not even read."""

    async def other(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"<snapshot/>")

    assert "hash" in misbehaving(client, "", other)


def test_rfc_9674_cross_origin_link(client: Client) -> None:
    """A notification that sends us elsewhere is refused (GHSA-qfm3-577x-rh54)."""
    publication = client.server.publication
    client.server.publish({ROA: b"2"})
    publication.links[publication.delta_path(publication.serial)] = "https://victim.example.net/d.xml"
    result = client.update()
    assert "RFC 9674" in str(result.error)
    assert client.files == TREE


def test_uris_that_are_no_files(client: Client) -> None:
    """A path that climbs, a directory, another scheme: left out, and the rest is taken."""
    bad = ["rsync://r.example.net/m/../../etc/x", "rsync://r.example.net/m/", "https://r.example.net/m/x", "x"]
    tree = {**TREE, **dict.fromkeys(bad, b"1")}
    result = client.publish(tree)
    assert (result.done, result.ignored, client.files) == ("deltas", len(bad), TREE)
    result = client.publish(TREE)
    assert (result.done, result.ignored, client.files) == ("deltas", len(bad), TREE)


@pytest.mark.parametrize("uri", ["https://127.0.0.1/n.xml", "http://r.example.net/n.xml", "rsync://r.example.net/m/"])
def test_bad_notification_uris(client: Client, uri: str) -> None:
    """Nothing is asked of hosts of our own, and nothing raises."""
    assert Rrdp(client.http).update(uri, client.store).error


def test_nobody_there(client: Client) -> None:
    """A port without a server, a file that it has not, and a certificate that nobody trusts."""
    nobody = client.rrdp.update("https://127.0.0.1:1/n.xml", client.store)
    assert "could not be fetched" in str(nobody.error)
    nothing = client.rrdp.update(client.server.notify_uri + "x", client.store)
    assert "HTTP status 404" in str(nothing.error)
    assert (nobody.status, nothing.status, client.update().status) == (None, 404, None)
    strict = Rrdp(Http(allow_dubious_hosts=True), allow_dubious_hosts=True)
    assert "certificate" in str(strict.update(client.server.notify_uri, client.store).error).lower()


def test_unreadable_state(client: Client) -> None:
    """What another version left is no reason to fail."""
    with client.store.update(client.server.notify_uri) as update:
        update.commit(b"\xc1 nonsense")
    assert (client.update().done, client.files) == ("snapshot", TREE)


def test_trust_anchor(client: Client) -> None:
    """A single file, within its bound."""

    async def certificate(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=gzip.compress(b"certificate"), headers={"Content-Encoding": "gzip"})

    client.server.misbehave["/ta.cer"] = certificate
    assert client.http.get(client.server.base + "/ta.cer") == b"certificate"
    with pytest.raises(FetchError, match="5 are allowed"):
        client.http.get_bytes(client.server.base + "/ta.cer", 5)
    with pytest.raises(FetchError, match="404"):
        client.http.get(client.server.base + "/none.cer")


def test_bad_ca_file(tmp_path: Path) -> None:
    """Told at once."""
    with pytest.raises(UsageError, match=r"none\.pem"):
        Http(ca_file=tmp_path / "none.pem")


TREES = st.dictionaries(
    st.sampled_from([f"rsync://r.example.net/m/{number}.roa" for number in range(5)]), st.binary(max_size=3)
)
STEP = st.tuples(st.sampled_from(["publish", "publish", "publish", "session", "lose", "mutate", "update"]), TREES)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEP, max_size=12), st.integers())
def test_any_history(client: Client, steps: list[tuple[str, dict[str, bytes]]], seed: int) -> None:
    """Whatever the server did in between, after an update the client holds the server's tree."""
    publication, chance = client.server.publication, random.Random(seed)
    for action, tree in steps:
        if action == "session":
            publication.begin_session()
        elif action == "lose" and publication.deltas:
            del publication.deltas[chance.choice(list(publication.deltas))]
        elif action == "mutate" and publication.deltas:
            publication.deltas[chance.choice(list(publication.deltas))] += b" "
        elif action == "publish":
            client.server.publish(tree)
        else:
            assert client.update().error is None
            assert client.files == publication.files
    assert client.update().error is None
    assert client.files == publication.files
