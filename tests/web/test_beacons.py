"""The beacons file."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpkival.errors import UsageError
from rpkival.resources import resource
from web.beacons import BeaconFamily, load_beacons, origins

SET = '[[beacons]]\nname = "a"\noperator = "A"\n'


def test_the_shipped_file_is_read() -> None:
    """The default set has a control and an invalid address."""
    (shipped,) = load_beacons(resource("beacons.toml"))

    assert shipped.family is BeaconFamily.ANY
    assert origins((shipped,)) == ["https://invalid.rpki.isbgpsafeyet.com", "https://valid.rpki.isbgpsafeyet.com"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[[beacons", "is not TOML"),
        (SET + 'colour = "red"', "colour"),
        (SET + 'control = ["https://a.example/"]', "needs `covered`, or `control` and `invalid`"),
        (SET + 'covered = ["ftp://a.example/"]', "not an http or https URL"),
        (SET + "covered = [\"https://a.example; script-src 'unsafe-inline'/\"]", "not an http or https URL"),
        (SET + 'covered = ["https://user@a.example/"]', "not an http or https URL"),
        (SET + 'covered = ["https://a.example:99999/"]', "not a URL"),
        (SET + 'family = "ipv5"\ncovered = ["https://a.example/"]', "ipv5"),
        ((SET + 'covered = ["https://a.example/"]\n') * 2, "names 'a' twice"),
        (SET + f"covered = {['https://a.example/'] * 5}", "length"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(tmp_path: Path, text: str, match: str) -> None:
    """The sentence names the file and what is wrong in it."""
    path = tmp_path / "beacons.toml"
    path.write_text(text, "utf-8")

    with pytest.raises(UsageError, match=match) as error:
        load_beacons(path)

    assert str(path) in str(error.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """An unreadable path is a usage error."""
    with pytest.raises(UsageError, match="cannot be read"):
        load_beacons(tmp_path / "none.toml")


def test_an_ipv6_address_is_allowed_by_its_port(tmp_path: Path) -> None:
    """A Content-Security-Policy cannot name an IPv6 address."""
    path = tmp_path / "beacons.toml"
    path.write_text(SET + 'family = "ipv6"\ncovered = ["http://[::1]:8080/x"]', "utf-8")

    assert origins(load_beacons(path)) == ["http://*:8080"]
