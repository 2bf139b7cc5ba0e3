"""`rpkival router`: what it prints for whom, and what it refuses. That it works is shown in tests/interop."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rpkival.cli.main import app
from rpkival.errors import UsageError
from rpkival.resources import resource

VENDORS = sorted(path.stem for path in resource("routers").glob("*.txt"))


@pytest.mark.parametrize("vendor", VENDORS)
def test_each_has_our_address_and_port_and_rejects(vendor: str) -> None:
    """Nothing of the template is left."""
    result = CliRunner().invoke(app, ["router", vendor, "--server", "[2001:db8::7]:4323"])
    assert result.exit_code == 0
    assert "2001:db8::7" in result.stdout
    assert "4323" in result.stdout
    assert "$" not in result.stdout
    assert re.search("reject|drop|deny", result.stdout)
    assert "invalid" in result.stdout.lower()
    assert result.stderr == ""


def test_frr_is_told_in_both_its_languages() -> None:
    """Releases up to 9 know only the one, later ones from some 10 on only the other."""
    text = CliRunner().invoke(app, ["router", "frr", "--server", "192.0.2.1:3323"]).stdout
    assert "\n rpki cache 192.0.2.1 3323 preference 1\n" in text
    assert "rpki cache tcp 192.0.2.1 3323 preference 1" in text


def test_the_help_names_every_vendor() -> None:
    """And none that is not there."""
    (listed,) = re.findall(r"bird, frr.*mikrotik", Path(resource().parent, "rpkival/cli/router.py").read_text("utf-8"))
    assert sorted(listed.replace(" or ", ", ").split(", ")) == VENDORS


def test_the_address_is_the_configured_one(tmp_path: Path) -> None:
    """From the file of `rpkival up`; a hardware router is told that loopback is not for it."""
    config = tmp_path / "rpkival.toml"
    config.write_text('[rtr]\nlisten = "127.0.0.1:4711"\n')
    result = CliRunner().invoke(app, ["router", "juniper", "-c", str(config)])
    assert "port 4711;" in result.stdout
    assert "cannot reach 127.0.0.1" in result.stderr
    assert CliRunner().invoke(app, ["router", "bird", "-c", str(config)]).stderr == ""


@pytest.mark.parametrize(
    "arguments", [["huawei"], ["bird", "--server", "nowhere"], ["bird", "--server", "a:0"], ["../x"]]
)
def test_what_makes_no_sense_is_refused(arguments: list[str]) -> None:
    """With a sentence that names what there is."""
    result = CliRunner().invoke(app, ["router", *arguments])
    assert isinstance(result.exception, UsageError)
