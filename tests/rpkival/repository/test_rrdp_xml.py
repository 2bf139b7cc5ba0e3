"""RRDP's files: what is read of real ones, and what is refused."""

from __future__ import annotations

import base64
import tracemalloc
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import FormatError, LimitError
from rpkival.limits import MAX_OBJECT_BYTES
from rpkival.repository.rrdp_xml import Publish, Withdraw, read_delta, read_notification, read_snapshot

SESSION = "9df4b597-af9e-4dca-bdda-719cce2c4e28"
HASH = "AB" * 32
HEAD = f"xmlns='http://www.ripe.net/rpki/rrdp' version='1' session_id='{SESSION}' serial='3'"
SNAPSHOT = f"<snapshot uri='https://r.example.net/s.xml' hash='{HASH}'/>"
URI = "rsync://r.example.net/m/a.roa"


def notification(content: str = SNAPSHOT, head: str = HEAD) -> bytes:
    """One with this content."""
    return f"<notification {head}>{content}</notification>".encode()


def snapshot(content: str, head: str = HEAD) -> list[Publish]:
    """What is read of one with this content, in chunks of seven octets."""
    octets = f"<snapshot {head}>{content}</snapshot>".encode()
    return list(read_snapshot("s", (octets[i : i + 7] for i in range(0, len(octets), 7)), SESSION, 3))


def delta(content: str) -> list[Publish | Withdraw]:
    """What is read of one with this content."""
    return list(read_delta("d", [f"<delta {HEAD}>{content}</delta>".encode()], SESSION, 3))


def test_ripe_files(unpacked: Callable[[str], Path]) -> None:
    """RIPE's snapshot of 277 objects, notifications with 91 deltas in order, unsorted and with a gap."""
    place = unpacked("objects/misc-objects.tar.xz") / "rpki-rs" / "rrdp"
    good = read_notification("n", (place / "ripe-notification.xml").read_bytes())
    unsorted = read_notification("n", (place / "ripe-notification-unsorted.xml").read_bytes())
    gaps = read_notification("n", (place / "ripe-notification-with-gaps.xml").read_bytes())
    assert (good.serial, len(good.deltas)) == (1742, 91)
    assert dict(unsorted.deltas) == dict(good.deltas)
    steps = good.since(1742 - 91)
    assert steps is not None
    assert [serial for serial, _ in steps] == list(range(1652, 1743))
    assert good.since(1742 - 92) is None
    assert gaps.since(1742 - 91) is None
    objects = list(read_snapshot("s", [(place / "ripe-snapshot.xml").read_bytes()], good.session, 1742))
    assert len(objects) == 277
    changes = list(read_delta("d", [(place / "ripe-delta.xml").read_bytes()], good.session, 1739))
    assert len(changes) == 66


def test_consecutive_deltas(unpacked: Callable[[str], Path]) -> None:
    """Krill's snapshot has what its last deltas published."""
    place = unpacked("objects/misc-objects.tar.xz") / "krill" / "repo" / "rrdp"
    known = read_notification("n", (place / "notification.xml").read_bytes(), allow_dubious_hosts=True)
    path = next(place.glob("*/382/*/snapshot.xml"))
    content = path.read_bytes()
    assert sha256(content).digest() == known.snapshot.sha256
    objects = {each.uri: each.content for each in read_snapshot("s", [content], known.session, 382)}
    for serial, link in known.deltas.items():
        octets = next(place.glob(f"*/{serial}/*/delta.xml")).read_bytes()
        assert sha256(octets).digest() == link.sha256
        if serial == 382:
            for event in read_delta("d", [octets], known.session, serial):
                assert objects.get(event.uri) == (event.content if isinstance(event, Publish) else None)


@pytest.mark.parametrize(
    "name", ["rpki-rs/rrdp/lolz-notification.xml", "rpki-client-regress/rpki-client/rrdp/billion_lol.xml",
             "rpki-client-regress/rpki-client/rrdp/xxe.xml"]
)  # fmt: skip
def test_entities_are_refused(unpacked: Callable[[str], Path], name: str) -> None:
    """XXE and billion laughs end at their DOCTYPE."""
    content = (unpacked("objects/misc-objects.tar.xz") / name).read_bytes()
    with pytest.raises(FormatError, match="DOCTYPE"):
        read_notification("n", content)


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (notification(""), "no snapshot"),
        (notification(SNAPSHOT * 2), "not twice"),
        (notification("<other/>"), "'other'"),
        (notification(f"{SNAPSHOT}text"), "text"),
        (notification(f"<snapshot uri='https://r.example.net/s' hash='{HASH}'><a/></snapshot>"), "in another"),
        (notification(f"<snapshot uri='https://127.0.0.1/s.xml' hash='{HASH}'/>"), "IP address"),
        (notification(f"<snapshot uri='http://r.example.net/s.xml' hash='{HASH}'/>"), "https"),
        (notification("<snapshot uri='https://r.example.net/s.xml' hash='AB'/>"), "SHA-256"),
        (notification("<snapshot uri='https://r.example.net/s.xml'/>"), "hash is missing"),
        (notification(SNAPSHOT.replace("hash=", "more='x' hash=")), "'more'"),
        (notification(f"{SNAPSHOT}<delta serial='0' uri='https://r.example.net/d' hash='{HASH}'/>"), "serial"),
        (notification(SNAPSHOT + f"<delta serial='3' uri='https://r.example.net/d' hash='{HASH}'/>" * 2), "twice"),
        (notification(head=HEAD.replace("version='1'", "version='2'")), "version"),
        (notification(head=HEAD.replace("-4dca", "-1dca")), "UUID"),
        (notification(head=HEAD.replace("serial='3'", "serial='-3'")), "serial"),
        (notification(head=HEAD.replace("serial='3'", f"serial='{'9' * 5000}'")), "serial"),
        (notification(head=HEAD.replace("rrdp'", "other'")), "namespace"),
        (notification(head=HEAD + " xmlns:x='http://example.net/'"), "namespaces"),
        (notification() + b"<again/>", "broken"),
        (notification()[:-5], "broken"),
        (b"", "broken"),
        (b"\xff\xfe\x00", "broken"),
        (b"<?xml version='1.0' encoding='iso-8859-1'?>" + notification(), "encoding"),
        (b"<?php ?>" + notification(), "instruction"),
        (f"<snapshot {HEAD}/>".encode(), "not a notification"),
    ],
)  # fmt: skip
def test_bad_notifications(octets: bytes, told: str) -> None:
    """Each is refused with its reason."""
    with pytest.raises(FormatError, match=told):
        read_notification("n", octets)


def test_changes() -> None:
    """Hashes are read, blanks in base64 are nothing."""
    assert snapshot(f"<publish uri='{URI}'>\n YWJ\n jZA == </publish>") == [Publish(URI, b"abcd")]
    read = delta(f"<publish uri='{URI}' hash='{HASH}'>YQ==</publish><withdraw uri='{URI}' hash='{HASH}'> </withdraw>")
    assert read == [Publish(URI, b"a", bytes.fromhex(HASH)), Withdraw(URI, bytes.fromhex(HASH))]


@pytest.mark.parametrize("text", ["YQ", "Y", "YQ==YQ==", "Y*Q=", "====", "YQ=a", "\u00e9\u00e9\u00e9\u00e9", "YQ==="])
def test_cve_2022_3029_bad_base64(text: str) -> None:
    """It costs that file, and is told."""
    with pytest.raises(FormatError, match="base64"):
        snapshot(f"<publish uri='{URI}'>{text}</publish>")


@pytest.mark.parametrize(
    "content",
    [
        f"<withdraw uri='{URI}' hash='{HASH}'/>",
        f"<publish uri='{URI}' hash='{HASH}'>YQ==</publish>",
        "<publish>YQ==</publish>",
        f"<publish uri='{URI}'><publish uri='{URI}'/></publish>",
        f"<publish uri='{URI}'>&lol;</publish>",
    ],
)
def test_bad_snapshots(content: str) -> None:
    """A snapshot publishes, and does nothing else."""
    with pytest.raises(FormatError):
        snapshot(content)


def test_withdraw_needs_its_hash() -> None:
    """RFC 8182 section 3.5.3.3."""
    with pytest.raises(FormatError, match="hash is missing"):
        delta(f"<withdraw uri='{URI}'/>")


@pytest.mark.parametrize(("old", "new"), [("serial='3'", "serial='4'"), ("9df4", "9df5")])
def test_other_version(old: str, new: str) -> None:
    """A snapshot is of the session and serial that its notification told."""
    with pytest.raises(FormatError, match="not as its notification says"):
        snapshot("", HEAD.replace(old, new))


@pytest.mark.parametrize(
    "piece", [b"<publish uri='" + b"a" * 50_000, b"<!--" + b"a" * 50_000, b"<publish" + b" " * 50_000]
)
def test_cve_2021_43174_huge_tokens(piece: bytes) -> None:
    """A tag or a comment without end is not collected until memory is gone."""

    def chunks() -> Iterator[bytes]:
        yield f"<snapshot {HEAD}>".encode()
        yield piece
        for _ in range(2000):
            yield b"a" * 50_000 if b"publish " not in piece or b"uri" in piece else b" " * 50_000

    tracemalloc.start()
    try:
        with pytest.raises((LimitError, FormatError)):
            list(read_snapshot("s", chunks(), SESSION, 3))
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_huge_object() -> None:
    """An object's size has its bound while it is read."""

    def chunks() -> Iterator[bytes]:
        yield f"<snapshot {HEAD}><publish uri='{URI}'>".encode()
        for _ in range(MAX_OBJECT_BYTES // 600_000 + 1):
            yield b"YWFh" * 200_000

    with pytest.raises(LimitError, match=r"a\.roa"):
        list(read_snapshot("s", chunks(), SESSION, 3))


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(1, 200), st.integers(1, 80))
def test_any_content_any_cut(contents: list[bytes], step: int, width: int) -> None:
    """However a file is cut and its base64 wrapped, the objects are the same."""
    wrapped = (
        "\n".join(text[i : i + width] for i in range(0, len(text), width))
        for text in (base64.b64encode(content).decode() for content in contents)
    )
    body = "".join(f"<publish uri='{URI}'>{text}</publish>" for text in wrapped)
    octets = f"<snapshot {HEAD}>{body}</snapshot>".encode()
    chunks = (octets[i : i + step] for i in range(0, len(octets), step))
    assert [each.content for each in read_snapshot("s", chunks, SESSION, 3)] == contents


@given(st.binary(max_size=400))
def test_cve_2026_49235_any_octets(octets: bytes) -> None:
    """Nothing but the named errors comes out of garbage."""
    for content in (octets, notification()[:60] + octets, notification(octets.decode("latin-1"))):
        try:
            read_notification("n", content)
        except (FormatError, LimitError):
            continue
