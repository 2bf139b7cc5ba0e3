"""Trust anchor locators from files."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpkival.daemon.locators import read_locators
from rpkival.errors import FormatError, UsageError
from rpkival.resources import resource


def test_the_five_registries_ship_with_us() -> None:
    """Without a file there are the registries, each with addresses to fetch from."""
    locators = read_locators()

    assert [locator.name for locator in locators] == ["afrinic", "apnic", "arin", "lacnic", "ripe"]
    assert all(any(uri.startswith("rsync://") for uri in locator.uris) for locator in locators)


@pytest.mark.parametrize(
    "content", [b"", b"rsync://example.net/ta.cer\n\nAAAA\n", b"\xff"], ids=["empty", "key", "text"]
)
def test_a_wrong_file_is_named(tmp_path: Path, content: bytes) -> None:
    """Whoever gave five files must hear which one it is."""
    path = tmp_path / "mine.tal"
    path.write_bytes(content)

    with pytest.raises(FormatError, match=r"mine\.tal"):
        read_locators([path])


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    """A path that is not there is wrong usage."""
    with pytest.raises(UsageError, match=r"absent\.tal"):
        read_locators([tmp_path / "absent.tal"])


def test_names_are_unique(tmp_path: Path) -> None:
    """VRPs tell their trust anchor by name, so no two may share one."""
    (tmp_path / "ripe.tal").write_bytes(resource("tals", "ripe.tal").read_bytes())

    with pytest.raises(UsageError, match="ripe"):
        read_locators([resource("tals", "ripe.tal"), tmp_path / "ripe.tal"])


def test_constraints_beside_a_locator_bind_it(tmp_path: Path) -> None:
    """As rpki-client has them; those named go before, and bind the registries that ship with us too."""
    (tmp_path / "mine.tal").write_bytes(resource("tals", "ripe.tal").read_bytes())
    (tmp_path / "mine.constraints").write_text("deny 10.0.0.0/8\n")
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "mine.constraints").write_text("deny 65000\n")
    (other / "ripe.constraints").write_text("allow 65000\n")

    (mine,) = read_locators([tmp_path / "mine.tal"])
    (instead,) = read_locators([tmp_path / "mine.tal"], [other / "mine.constraints"])
    shipped = {tal.name: tal.terms.constraints for tal in read_locators((), [other / "ripe.constraints"])}

    assert mine.terms.constraints is not None
    assert mine.terms.constraints.deny.ipv4
    assert instead.terms.constraints is not None
    assert instead.terms.constraints.deny.asn == ((65000, 65000),)
    assert shipped.pop("ripe") is not None
    assert set(shipped.values()) == {None}


def test_constraints_for_nobody_are_wrong_usage(tmp_path: Path) -> None:
    """Else a typo in the name would leave a trust anchor unbound."""
    (tmp_path / "rripe.constraints").write_text("deny 10.0.0.0/8\n")
    with pytest.raises(UsageError, match=r"no trust anchor locator rripe\.tal"):
        read_locators((), [tmp_path / "rripe.constraints"])
