"""Tests for rpkival.repository.opening."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpkival.errors import UsageError
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.objects.place import Place
from rpkival.repository.local import LocalDirectory
from rpkival.repository.opening import Fetching, open_source
from rpkival.repository.stored_source import StoredSource


def test_what_was_fetched_is_there_offline(rsync_daemon: RsyncDaemon, tmp_path: Path) -> None:
    """From the store, which the directory then has."""
    module = tmp_path / "module"
    module.mkdir()
    (module / "m.mft").write_bytes(b"manifest")
    uri = rsync_daemon.serve("m", module)
    place = Place(uri, uri + "m.mft", "", b"k" * 32)
    directory = tmp_path / "state/repository"
    with open_source(directory, Fetching(allow_dubious_hosts=True)) as source:
        assert isinstance(source, StoredSource)
        assert source.request(place).result(60) is None
    rsync_daemon.close()

    for fetching in (Fetching(offline=True), Fetching(rsync=False, rrdp=False)):
        with open_source(directory, fetching) as source:
            assert isinstance(source, StoredSource)
            assert source.manifest(place) is not None
            assert source.results == []


def test_a_directory_without_a_store_is_only_read(tmp_path: Path) -> None:
    """As other validators leave them."""
    with open_source(tmp_path, Fetching(offline=True)) as source:
        assert isinstance(source, LocalDirectory)
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_fetch_with_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With RRDP, rsync may be missing."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="is not installed"), open_source(tmp_path / "a", Fetching(rrdp=False)):
        pass
    with open_source(tmp_path / "b", Fetching()) as source:
        assert isinstance(source, StoredSource)


def test_a_directory_that_cannot_be_made_is_wrong_usage(tmp_path: Path) -> None:
    """It is told before anything is fetched."""
    (tmp_path / "file").touch()
    with (
        pytest.raises(UsageError, match="cannot be written"),
        open_source(tmp_path / "file/repository", Fetching(rsync=False)),
    ):
        pass


def test_another_programs_files_are_not_fetched_into(tmp_path: Path) -> None:
    """Who forgets to say --offline finds them as they were."""
    (tmp_path / "rpki.example.net" / "repo").mkdir(parents=True)
    (tmp_path / "lost+found").mkdir()
    for fetching in (Fetching(), Fetching(rsync=False), Fetching(rrdp=False)):
        with pytest.raises(UsageError, match="or stay offline to judge"), open_source(tmp_path, fetching):
            pass
        with pytest.raises(UsageError, match="choose another directory"):
            fetching.check(tmp_path)
        fetching.check(tmp_path / "new")
    assert {path.name for path in tmp_path.iterdir()} == {"rpki.example.net", "lost+found"}
    with open_source(tmp_path, Fetching(offline=True)) as source:
        assert isinstance(source, LocalDirectory)


@pytest.mark.parametrize("left", [".staging", "store.sqlite.damaged", "lost+found"])
def test_what_is_left_of_a_store_is_ours(tmp_path: Path, left: str) -> None:
    """Modules whose store was moved away, and a file system of its own."""
    (tmp_path / left).mkdir()
    if left != "lost+found":
        (tmp_path / "rpki.example.net").mkdir()
    with open_source(tmp_path, Fetching()) as source:
        assert isinstance(source, StoredSource)
