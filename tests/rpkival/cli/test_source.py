"""Where VRPs come from, and how each source fails."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rpkival.cli import download as download_module
from rpkival.cli.download import download
from rpkival.cli.options import parse_peer
from rpkival.cli.source import Source, load_vrps, warn_if_stale
from rpkival.errors import AccessError, FetchError, FormatError, LimitError, StateError, UsageError
from rpkival.payload.payload import Payload
from rpkival.payload.snapshot import Snapshot, save_snapshot
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.cache import Cache
from rpkival.rtr.server import RtrServer

ONE = Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])
FILE = b'{"metadata": {"generated": 1773648000}, "roas": [{"asn": 64496, "prefix": "192.0.2.0/24"}]}'


def load(
    vrps: Path | None = None, rtr: str | None = None, url: str | None = None, data_dir: Path | None = None
) -> Source:
    """`load_vrps` with what is given."""
    return load_vrps(vrps=vrps, rtr=rtr, url=url, data_dir=data_dir, quiet=True)


class TestFile:
    def test_file(self, tmp_path: Path) -> None:
        """Its VRPs, its name, its time."""
        path = tmp_path / "vrps.json.gz"
        path.write_bytes(gzip.compress(FILE))

        source = load(vrps=path)

        assert list(source.vrps) == list(ONE)
        assert (source.name, source.generated) == (str(path), 1773648000)

    def test_a_file_that_is_not_there_is_wrong_usage(self, tmp_path: Path) -> None:
        """So is a directory."""
        with pytest.raises(UsageError, match="gone cannot be read: No such file or directory"):
            load(vrps=tmp_path / "gone")
        with pytest.raises(UsageError, match="cannot be read: Is a directory"):
            load(vrps=tmp_path)

    def test_a_broken_file_is_named(self, tmp_path: Path) -> None:
        """The content is at fault, not the command."""
        path = tmp_path / "vrps.json"
        path.write_bytes(b"{")

        with pytest.raises(FormatError, match=r"vrps\.json is not a VRP file"):
            load(vrps=path)


class TestSnapshot:
    def test_snapshot_of_the_data_directory(self, tmp_path: Path) -> None:
        """What `rpkival up` saved is what is used where nothing else is asked for."""
        save_snapshot(tmp_path / "snapshot.rpkival", Snapshot(Payload(ONE), 1773648000, 1, 2))

        source = load(data_dir=tmp_path)

        assert list(source.vrps) == list(ONE)
        assert source.generated == 1773648000

    def test_nothing_at_all_says_what_to_do(self, tmp_path: Path) -> None:
        """The three options, and the directory that was looked into."""
        with pytest.raises(
            FetchError, match=f"give --vrps FILE, .* or start rpkival up, which keeps them in {tmp_path}"
        ):
            load(data_dir=tmp_path)

    def test_a_damaged_snapshot_is_our_fault(self, tmp_path: Path) -> None:
        """It is named, and nothing is answered from it."""
        (tmp_path / "snapshot.rpkival").write_bytes(b"rubbish")

        with pytest.raises(StateError, match="is damaged"):
            load(data_dir=tmp_path)

    def test_another_users_directory_is_no_missing_snapshot(
        self, tmp_path: Path, no_permission: Callable[[Path], AbstractContextManager[None]]
    ) -> None:
        """Whether there is one cannot be known, so that is what is told."""
        with no_permission(tmp_path), pytest.raises(AccessError, match="run as the user of rpkival up"):
            load(data_dir=tmp_path)


def test_two_sources_are_one_too_many(tmp_path: Path) -> None:
    """Rather than to choose silently."""
    with pytest.raises(UsageError, match="--vrps and --url are each a source"):
        load(vrps=tmp_path, url="http://127.0.0.1/")


async def test_rtr() -> None:
    """From a running cache; RTR does not say when its data was made."""
    cache = Cache(7)
    cache.update(Payload(ONE))
    server = RtrServer(cache)
    _, port = await server.start("127.0.0.1", 0)
    try:
        source = await asyncio.to_thread(load, rtr=f"127.0.0.1:{port}")
    finally:
        await server.close()

    assert list(source.vrps) == list(ONE)
    assert source.generated is None


@pytest.mark.parametrize("text", ["cache", "cache:", "cache:0", "cache:65536", ":323", "a b:1", "2001:db8::1:323"])
def test_a_peer_that_is_none_is_refused(text: str) -> None:
    """Host and port, both."""
    with pytest.raises(UsageError, match="is not an RTR cache; write it as"):
        parse_peer(text)


@pytest.mark.parametrize(
    ("text", "peer"), [("cache.example.net:323", ("cache.example.net", 323)), ("[2001:db8::1]:1", ("2001:db8::1", 1))]
)
def test_a_peer_is_host_and_port(text: str, peer: tuple[str, int]) -> None:
    """Names, IPv4 and bracketed IPv6."""
    assert parse_peer(text) == peer


class Handler(BaseHTTPRequestHandler):
    """A small web server that misbehaves on request."""

    def do_GET(self) -> None:
        if self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
        elif self.path == "/moved":
            self.send_response(301)
            self.send_header("Location", "/vrps.json")
            self.end_headers()
        elif self.path == "/elsewhere":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
        elif self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{")
            self.wfile.flush()
            time.sleep(1.5)
        elif self.path == "/torn":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(FILE)
        elif self.path == "/vrps.json":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(FILE)
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """The address of that server on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class TestUrl:
    def test_url(self, address: str) -> None:
        """Also after a redirect."""
        for path in ("/vrps.json", "/moved"):
            source = load(url=address + path)
            assert list(source.vrps) == list(ONE)
            assert (source.name, source.generated) == (address + path, 1773648000)

    @pytest.mark.parametrize(
        ("path", "sentence"),
        [
            ("/gone", "answered 404"),
            ("/loop", "redirects more than 5 times"),
            ("/elsewhere", "cannot be fetched"),
            ("/torn", "cannot be fetched"),
        ],
    )
    def test_an_address_that_does_not_give_the_file(self, address: str, path: str, sentence: str) -> None:
        """Each with its reason."""
        with pytest.raises(FetchError, match=sentence):
            load(url=address + path)

    def test_a_server_that_stalls_is_left(self, address: str) -> None:
        """The time is for the whole, so a byte now and then holds nobody."""
        with pytest.raises(FetchError, match=r"did not answer completely within 0\.3 seconds"):
            download(f"{address}/slow", limit=1000, seconds=0.3)

    def test_a_server_that_sends_too_much_is_left(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """At the bound, not at the end."""
        monkeypatch.setattr(download_module, "_CHUNK", 10)
        with pytest.raises(LimitError, match="more than 20 bytes"):
            download(f"{address}/vrps.json", limit=20, seconds=30)

    def test_a_server_that_is_not_there(self) -> None:
        """Nothing listens on port 1."""
        with pytest.raises(FetchError, match="cannot be fetched"):
            load(url="http://127.0.0.1:1/vrps.json")

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "vrps.json", "http://", "ftp://127.0.0.1/"])
    def test_only_http_is_fetched(self, url: str) -> None:
        """A file has an option of its own."""
        with pytest.raises(UsageError, match="is not an address that can be fetched"):
            load(url=url)


def test_old_data_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """From a day on, with its age; data that does not tell its time is believed."""
    day = 86_400
    source = Source(Payload(ONE), "vrps.json", 1_000_000)

    assert not warn_if_stale(source, 1_000_000 + day)
    assert not warn_if_stale(Source(Payload(ONE), "vrps.csv", None), 1e12)
    assert capsys.readouterr().err == ""
    assert warn_if_stale(source, 1_000_001 + day)
    assert "the VRPs of vrps.json are 24 hours old" in capsys.readouterr().err
    assert warn_if_stale(source, 1_000_000 + 10 * day)
    assert "are 10 days old" in capsys.readouterr().err


def test_a_large_file_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rpkival: Callable[..., object]
) -> None:
    """In the user's cache, unless RPKIVAL_NO_MEMO says no."""
    path = tmp_path / "vrps.csv"
    rows = (f"AS1,10.{n >> 8}.{n & 255}.0/24,24\n" for n in range(20_000))
    path.write_text("ASN,IP Prefix,Max Length\n" + "".join(rows))
    cache = tmp_path / "xdg_cache_home" / "rpkival" / "vrps"

    monkeypatch.setenv("RPKIVAL_NO_MEMO", "1")
    assert len(load(vrps=path).vrps) == 20_000
    assert not cache.exists()
    monkeypatch.delenv("RPKIVAL_NO_MEMO")
    assert [len(load(vrps=path).vrps) for _ in range(2)] == [20_000, 20_000]
    assert len(list(cache.iterdir())) == 1
