"""The configuration tree: defaults, file, environment, and what is wrong with a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from rpkival.config import Config, load_config
from rpkival.errors import UsageError


def test_defaults_listen_on_loopback_only() -> None:
    """Without a file everything has a default and nothing is open to the network."""
    config = load_config(None, {})

    assert config == Config()
    assert config.rtr.listen.startswith("127.0.0.1:")
    assert config.http.listen.startswith("127.0.0.1:")


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    """TOML < RPKIVAL_*."""
    file = tmp_path / "rpkival.toml"
    file.write_text('[validation]\nrefresh = 300\n[monitor]\nown = ["AS64496"]\n')

    config = load_config(file, {"RPKIVAL_VALIDATION_REFRESH": "60", "RPKIVAL_MONITOR_OWN": "AS64500,192.0.2.0/24"})

    assert config.validation.refresh == 60
    assert config.monitor.own == ("AS64500", "192.0.2.0/24")


def test_webhooks_are_tables(tmp_path: Path) -> None:
    """Several webhooks, each with its secret by file or environment."""
    file = tmp_path / "rpkival.toml"
    file.write_text('[[webhooks]]\nurl = "https://noc.example.net/hook"\nsecret_env = "HOOK"\n')

    (webhook,) = load_config(file, {}).webhooks

    assert (webhook.url, webhook.secret_env) == ("https://noc.example.net/hook", "HOOK")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[rtr]\nlisten = 5\n", "rtr.listen"),
        ("[rtr]\nlissten = '127.0.0.1:1'\n", "lissten"),
        ("surprise = 1\n", "surprise"),
        ("[rtr\n", "not TOML"),
        ("rtr = 5\n", "rtr"),
    ],
    ids=["wrong type", "unknown key", "unknown table", "broken", "not a table"],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    """A mistake is one sentence with the key in it."""
    file = tmp_path / "rpkival.toml"
    file.write_text(text)

    with pytest.raises(UsageError, match=named):
        load_config(file, {})


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A path that does not exist is wrong usage."""
    with pytest.raises(UsageError, match=r"absent\.toml"):
        load_config(tmp_path / "absent.toml", {})
