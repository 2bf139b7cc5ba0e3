"""The configuration tree: defaults, file, environment, and what is wrong with a wrong one."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path

import msgspec
import pytest

from rpkival.config import Config, Webhook, load_config
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


def test_repositories_are_not_asked_all_the_time(tmp_path: Path) -> None:
    """RFC 8182 section 3.4.4; a lab of one's own bears more, and offline nobody is asked."""
    file = tmp_path / "rpkival.toml"
    for more, allowed in (("", False), ("offline = true", True), ("allow_dubious_hosts = true", True)):
        file.write_text(f"[validation]\nrefresh = 59\n{more}\n")
        with nullcontext() if allowed else pytest.raises(UsageError, match="refresh is 59, but repositories may not"):
            assert load_config(file, {}).validation.refresh == 59


def test_webhooks_are_tables(tmp_path: Path) -> None:
    """Several webhooks, each with its secret by file or environment."""
    file = tmp_path / "rpkival.toml"
    file.write_text('[[webhooks]]\nurl = "https://noc.example.net/hook"\nsecret_env = "HOOK"\n')

    (webhook,) = load_config(file, {}).webhooks

    assert (webhook.url, webhook.secret_env) == ("https://noc.example.net/hook", "HOOK")


def test_the_readmes_example_is_one(tmp_path: Path) -> None:
    """What the README shows works as it stands there, paths and all."""
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", readme, re.DOTALL)
    file = tmp_path / "rpkival.toml"
    file.write_text(example)

    config = load_config(file, {"RPKIVAL_VALIDATION_REPOSITORY_DIR": "/srv/rpki", "RPKIVAL_VALIDATION_TALS": "a,b"})

    assert config.webhooks[0].secret_file == Path("/etc/rpkival/webhook.secret")
    assert config.validation.repository_dir == Path("/srv/rpki")
    assert config.validation.tals == (Path("a"), Path("b"))


def test_every_key_is_documented() -> None:
    """docs/configuration.md names each table and each key of it."""
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text("utf-8")

    for table in msgspec.structs.fields(Config):
        assert f"`{table.name}`" in text or f"[{table.name}]" in text
        inner = getattr(Config(), table.name) if table.name != "webhooks" else Webhook(url="https://noc.example/")
        for key in msgspec.structs.fields(inner) if isinstance(inner, msgspec.Struct) else ():
            assert f"`{key.name}`" in text, f"{table.name}.{key.name}"


def test_a_mistyped_variable_is_named() -> None:
    """A network must not stay unwatched because of a letter."""
    with pytest.raises(UsageError, match="RPKIVAL_MONITOR_OWM"):
        load_config(None, {"RPKIVAL_MONITOR_OWM": "AS64496", "RPKIVAL_DATA_DIR": "/var/lib/rpkival"})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[rtr]\nlisten = 5\n", "rtr.listen: expected text in quotes, got a whole number"),
        ("[rtr]\nretry = 'soon'\n", "rtr.retry: expected a whole number, got text in quotes"),
        ("[rtr]\nlissten = '127.0.0.1:1'\n", "rtr has no key 'lissten'; did you mean 'listen'?"),
        ("surprise = 1\n", "has no key 'surprise'; there are data_dir, validation, "),
        ("[rtr\n", "not TOML"),
        ("rtr = 5\n", "rtr"),
        ("[monitor]\nfeeds = ['foo']\n", "monitor.feeds cannot be 'foo'; choose ris-live."),
        ("[validation]\nrrdp_fallback = 'x'\n", "rrdp_fallback cannot be 'x'; choose never or stale or new."),
        ("[monitor]\nmin_peers = 0\n", "monitor.min_peers: expected a whole number >= 1."),
        ("[http]\npublic_url = 'foo'\n", "http.public_url: expected an address that begins with https:// or http://."),
        (
            "[monitor]\nris_live_url = 'x'\n",
            "monitor.ris_live_url: expected an address that begins with wss:// or ws://",
        ),
        ("[validation]\ntals = [5]\n", "validation.tals"),
        (
            "[[webhooks]]\nurl = 'x'\nsecretfile = 'x'\n",
            "webhooks has no key 'secretfile'; did you mean 'secret_file'?",
        ),
        ("[[webhooks]]\nsecret_env = 'x'\n", "webhooks needs the key 'url'."),
    ],
    ids=[
        "type",
        "number",
        "key",
        "table",
        "broken",
        "no table",
        "feed",
        "choice",
        "no peers",
        "no URL",
        "no socket",
        "no path",
        "key of a list",
        "missing",
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    """A mistake is one sentence with the key in it."""
    file = tmp_path / "rpkival.toml"
    file.write_text(text)

    with pytest.raises(UsageError, match=re.escape(named)):
        load_config(file, {})


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A path that does not exist is wrong usage."""
    with pytest.raises(UsageError, match=r"absent\.toml"):
        load_config(tmp_path / "absent.toml", {})
