"""Tests for rpkival.repository.local."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rpkival.errors import UsageError
from rpkival.objects.place import Place
from rpkival.repository.local import LocalDirectory

HOST = "rsync://rpki.example.net/m/"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """`tree/rpki.example.net/m/a/x.roa` beside a file that is none of its business."""
    (tmp_path / "secret").write_bytes(b"secret")
    directory = tmp_path / "tree"
    (directory / "rpki.example.net/m/a").mkdir(parents=True)
    (directory / "rpki.example.net/m/a/x.roa").write_bytes(b"x")
    return directory


def problem(source: LocalDirectory, repository: str) -> str | None:
    """What is said of a place."""
    return source.request(Place(repository, repository + "m.mft", "", b"")).result()


def test_objects_are_read_by_their_uri(tree: Path) -> None:
    """The layout is host/module/path, and hosts are the same in any case."""
    source = LocalDirectory(tree)

    assert source.read_uri(HOST + "a/x.roa") == b"x"
    assert source.read_uri("rsync://RPKI.example.NET/m/a/x.roa") == b"x"
    assert source.trust_anchor(HOST + "a/x.roa") == b"x"


@pytest.mark.parametrize("uri", ["https://rpki.example.net/ta/anchor.cer", "rsync://rpki.example.net/ta/anchor.cer"])
def test_trust_anchors_are_where_rpki_client_keeps_them(tree: Path, uri: str) -> None:
    """In a directory with the name of the locator; nothing is told of an https URI that others make up for."""
    source = LocalDirectory(tree)
    assert source.trust_anchor(uri) is None
    assert source.unreadable == {}
    (tree / "ta/other").mkdir(parents=True)
    (tree / "ta/mine").mkdir()
    (tree / "ta/mine/anchor.cer").write_bytes(b"anchor")
    assert source.trust_anchor(uri) == b"anchor"
    assert source.trust_anchor("https://rpki.example.net/../../secret") is None
    (tree / "ta/mine/anchor.cer").unlink()
    (tree / "ta/mine/anchor.cer").symlink_to(tree.parent / "secret")
    assert source.trust_anchor(uri) is None


def test_a_missing_object_has_no_reason(tree: Path) -> None:
    """It is simply not there, also where its directory is not or is a file."""
    source = LocalDirectory(tree)

    for uri in (HOST + "a/y.roa", HOST + "b/x.roa", "rsync://other.example.net/m/x.roa"):
        assert source.read_uri(uri) is None
        assert uri not in source.unreadable
    assert source.read_uri(HOST + "a/x.roa/y.roa") is None


def test_prepare_tells_what_is_not_there_at_all(tree: Path) -> None:
    """A module that the directory has is fine, one that it has not is an error, as is what is no URI."""
    source = LocalDirectory(tree)

    assert problem(source, HOST + "a/") is None
    assert "nothing of rsync://other.example.net/m/" in str(problem(source, "rsync://other.example.net/m/a/"))
    assert problem(source, "https://rpki.example.net/") is not None


@pytest.mark.parametrize("target", ["../../../../secret", "/etc/passwd"])
def test_links_that_leave_the_directory_are_refused(tree: Path, target: str) -> None:
    """As files and as directories; the reason says so."""
    (tree / "rpki.example.net/m/a/out.roa").symlink_to(target)
    (tree / "rpki.example.net/m/out").symlink_to(Path(target).parent)
    source = LocalDirectory(tree)

    for uri in (HOST + "a/out.roa", HOST + "out/" + Path(target).name):
        assert source.read_uri(uri) is None
        assert "leads out of the repository directory" in source.unreadable[uri]


def test_links_that_stay_are_followed(tree: Path) -> None:
    """As files and as directories, and the directory itself may be one."""
    (tree / "rpki.example.net/m/a/same.roa").symlink_to("x.roa")
    (tree / "rpki.example.net/m/b").symlink_to("a")
    (tree.parent / "link").symlink_to(tree)
    source = LocalDirectory(tree.parent / "link")

    assert source.read_uri(HOST + "a/same.roa") == b"x"
    assert source.read_uri(HOST + "b/x.roa") == b"x"


def test_what_is_no_file_is_not_read(tree: Path) -> None:
    """A directory or a pipe in place of an object neither blocks nor ends anything."""
    os.mkfifo(tree / "rpki.example.net/m/a/pipe.roa")
    (tree / "rpki.example.net/m/a/directory.roa").mkdir()
    source = LocalDirectory(tree)

    for name in ("pipe.roa", "directory.roa"):
        assert source.read_uri(HOST + "a/" + name) is None
        assert "not a regular file" in source.unreadable[HOST + "a/" + name]
    assert source.read_uri(HOST + "a/") is None


def test_an_object_may_be_as_large_as_allowed_and_no_larger(tree: Path) -> None:
    """One byte more makes it missing, with both sizes in the reason."""
    (tree / "rpki.example.net/m/a/large.roa").write_bytes(b"12345")

    assert LocalDirectory(tree, max_object_bytes=5).read_uri(HOST + "a/large.roa") == b"12345"
    source = LocalDirectory(tree, max_object_bytes=4)
    assert source.read_uri(HOST + "a/large.roa") is None
    assert "has 5 bytes, 4 are allowed" in source.unreadable[HOST + "a/large.roa"]


def test_a_file_that_cannot_be_read_counts_as_missing(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the reason is the system's; root may read everything, so the refusal is played."""

    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "open", refuse)
    source = LocalDirectory(tree)

    assert source.read_uri(HOST + "a/x.roa") is None
    assert source.unreadable[HOST + "a/x.roa"] == f"{HOST}a/x.roa cannot be read: Permission denied."


def test_what_is_no_uri_is_missing(tree: Path) -> None:
    """A URI that leaves the tree is not even looked for."""
    source = LocalDirectory(tree)

    assert source.read_uri(HOST + "../../../secret") is None
    assert "forbidden character" in source.unreadable[HOST + "../../../secret"]


def test_the_directory_must_be_one(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing one, a file and one without permission are wrong usage."""
    for path in (tree / "nothing", tree.parent / "secret"):
        with pytest.raises(UsageError, match="is not a directory"):
            LocalDirectory(path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UsageError, match="cannot be read"):
        LocalDirectory(tree)
