"""The configuration of `rpkival up`: one typed, frozen tree, built once at the edge.

TOML file < environment `RPKIVAL_<TABLE>_<KEY>` < command line. An unknown key is an error, so a typing mistake cannot
silently leave a network unwatched. Secrets stand in files or in the environment, never in the TOML itself.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from rpkival.errors import UsageError
from rpkival.limits import LEAST_REFRESH_SECONDS, MAX_RTR_SESSIONS, MAX_RTR_SESSIONS_PER_ADDRESS

__all__ = ["Config", "Guard", "History", "Http", "Monitor", "Rtr", "Slurm", "Validation", "Webhook", "load_config"]


_WEB_ADDRESS = r"^$|^https?://[^\s/]"
_SOCKET_ADDRESS = r"^wss?://[^\s/]"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of the TOML file."""


class Validation(_Table, frozen=True):
    """`[validation]`: where signed objects come from and how often they are looked at."""

    tals: tuple[Path, ...] = ()
    """Trust anchor locators; none means the five registries'."""
    constraints: tuple[Path, ...] = ()
    """What trust anchors may certify: NAME.constraints for the locator NAME, as rpki-client has them."""
    reconsidered: bool = False
    """Take certificates of RFC 8360, and of each what its issuer has."""
    refresh: Annotated[int, msgspec.Meta(ge=1)] = 600
    """Seconds from the end of one run to the start of the next; Routinator's default."""
    repository_dir: Path | None = None
    """A local copy of the repositories, laid out host/module/path."""
    offline: bool = False
    """Fetch nothing; `repository_dir` or what the last run brought is all there is."""
    strict: bool = False
    """Refuse signed objects that are BER and not DER."""
    workers: Annotated[int, msgspec.Meta(ge=0, le=64)] | None = None
    """Processes that judge and can do nothing else; None: one a processor, up to four. 0: the fetching one judges."""
    rsync: bool = True
    """Fetch by rsync where there is no RRDP, or where it fails and `rrdp_fallback` lets rsync follow."""
    rrdp: bool = True
    """Fetch by RRDP, and trust anchors by HTTPS."""
    rrdp_fallback: Literal["never", "stale", "new"] = "stale"
    """When rsync follows a failure of RRDP: never; only where RRDP never succeeded; or also when that is long ago."""
    ca_file: Path | None = None
    """Certificates to trust for HTTPS besides the system's, as PEM."""
    allow_dubious_hosts: bool = False
    """Accept repositories on loopback, IP literals and explicit ports; for labs."""

    def __post_init__(self) -> None:
        """In a lab there is nobody to be spared."""
        if self.refresh < LEAST_REFRESH_SECONDS and not (self.offline or self.allow_dubious_hosts):
            sentence = f"refresh is {self.refresh}, but repositories may not be asked more than once in"
            raise ValueError(f"{sentence} {LEAST_REFRESH_SECONDS} seconds (RFC 8182 section 3.4.4)")


class Guard(_Table, frozen=True):
    """`[guard]`: what sudden loss is held back; `rpkival.payload.guard` has the reasons of the defaults."""

    enabled: bool = True
    anchor_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.05
    """Of a trust anchor's VRPs, ASPAs or router keys that may be lost within a day without CRL, manifest or expiry as
    the reason."""
    total_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.02
    """The same of all VRPs, of all ASPAs or of all router keys."""
    least: Annotated[int, msgspec.Meta(ge=1)] = 100
    """Fewer VRPs than this are never held."""
    least_of_others: Annotated[int, msgspec.Meta(ge=1)] = 10
    """The same of ASPAs and of router keys."""


class Slurm(_Table, frozen=True):
    """`[slurm]`: local exceptions to what the RPKI says (RFC 8416)."""

    files: tuple[Path, ...] = ()
    """SLURM files, of version 1 or 2; read again when they change."""


class History(_Table, frozen=True):
    """`[history]`: what changed in the payload."""

    days: Annotated[float, msgspec.Meta(ge=0)] = 90
    """How long changes are kept; 0 keeps none."""


class Rtr(_Table, frozen=True):
    """`[rtr]`: the cache that routers connect to."""

    listen: str = "127.0.0.1:3323"
    refresh: int = 3600
    """Seconds after which routers ask without being notified."""
    retry: int | None = None
    """Seconds that they wait after a failure; 600 where nothing is said, or `refresh` where that is less."""
    expire: int | None = None
    """Seconds after which they drop what they could not renew; 7200, or twice `refresh` where that is more."""
    notify_interval: Annotated[float, msgspec.Meta(ge=0)] = 60.0
    """Seconds between Serial Notifies. RFC 8210 section 8.2: no more than one a minute."""
    allow: tuple[str, ...] = ()
    """Networks that routers may connect from; none means all."""
    max_routers: Annotated[int, msgspec.Meta(ge=1)] = MAX_RTR_SESSIONS
    max_routers_per_address: Annotated[int, msgspec.Meta(ge=1)] = MAX_RTR_SESSIONS_PER_ADDRESS
    tls_listen: str = ""
    """Where routers connect that speak TLS; RFC 8210 has port 324 for them."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    """Routers must show a certificate of this CA that names their address, or one of `tls_client_names`."""
    tls_client_names: tuple[str, ...] = ()
    md5: tuple[str, ...] = ()
    """`NETWORK=FILE` or `NETWORK=env:NAME`: routers of the network sign with the key in the file (TCP-MD5)."""
    ao: tuple[str, ...] = ()
    """`NETWORK=ID:FILE` or `NETWORK=ID:env:NAME`: the same by TCP-AO."""


class Http(_Table, frozen=True):
    """`[http]`: page, API and metrics."""

    listen: str = "127.0.0.1:8323"
    public_url: Annotated[str, msgspec.Meta(pattern=_WEB_ADDRESS)] = ""
    """How the page is reached from outside; stands in alerts as the link to an incident."""
    beacons: Path | None = None
    """A beacons file of your own in place of the one that ships with rpkival."""


class Monitor(_Table, frozen=True):
    """`[monitor]`: what is yours and where it is watched."""

    own: tuple[str, ...] = ()
    """AS numbers (their prefixes are taken from their ROAs) and prefixes."""
    feeds: tuple[Literal["ris-live"], ...] = ("ris-live",)
    ris_live_url: Annotated[str, msgspec.Meta(pattern=_SOCKET_ADDRESS)] = "wss://ris-live.ripe.net/v1/ws/"
    min_peers: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Distinct peers that must have seen a hijack before it becomes an incident."""


class Webhook(_Table, frozen=True):
    """`[[webhooks]]`: where alerts go."""

    url: str
    secret_file: Path | None = None
    """A file with one `whsec_...` secret a line; two while rotating."""
    secret_env: str = ""
    """An environment variable that holds the secret instead."""
    allow: tuple[str, ...] = ()
    """Hosts or networks that may be private or loopback, which are refused otherwise."""


class Config(_Table, frozen=True):
    """The whole file."""

    data_dir: Path | None = None
    validation: Validation = Validation()
    guard: Guard = Guard()
    slurm: Slurm = Slurm()
    history: History = History()
    rtr: Rtr = Rtr()
    http: Http = Http()
    monitor: Monitor = Monitor()
    webhooks: tuple[Webhook, ...] = ()


def load_config(path: Path | None, environment: Mapping[str, str]) -> Config:
    """Read `path` (None: defaults), lay the environment over it, check everything. Raises `UsageError`."""
    content: dict[str, Any] = {}
    if path is not None:
        try:
            content = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise UsageError(f"The configuration {path} cannot be read: {error.strerror}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"The configuration {path} is not TOML: {error}.") from error
    _lay_over(content, environment)
    try:
        return msgspec.convert(content, Config, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"The configuration {path or 'in the environment'} is wrong: {_told(str(error))} "
            "docs/configuration.md has every key."
        ) from error


_WORDS = {
    f"`str` matching regex {_WEB_ADDRESS!r}": "an address that begins with https:// or http://",
    f"`str` matching regex {_SOCKET_ADDRESS!r}": "an address that begins with wss:// or ws://",
    "`int`": "a whole number",
    "`int | null`": "a whole number",
    "`float`": "a number",
    "`str`": "text in quotes",
    "`bool`": "true or false",
    "`array`": "a list",
    "`object`": "a table",
    "`datetime`": "a time",
    "`date`": "a date",
}
"""What msgspec calls by the names of types or by patterns."""


def _told(problem: str) -> str:
    """What msgspec found wrong, in words of the file: its tables, its keys, and the values that a key may have."""
    what, _, place = problem.partition(" - at `$")
    keys = re.findall(r"\w+", place)
    shown = ".".join(key for key in keys if not key.isdigit()) or "the top of the file"
    if unknown := re.search(r"unknown field `(.*)`", what):
        known = _keys_of(keys)
        near = get_close_matches(unknown[1], known, 1)
        meant = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known)}."
        return f"{shown} has no key {unknown[1]!r}{meant}"
    if missing := re.search(r"missing required field `(.*)`", what):
        return f"{shown} needs the key {missing[1]!r}."
    if value := re.search(r"Invalid enum value (.*)", what):
        choices = _choices(_tables()[keys[0]][keys[1]])
        return f"{shown} cannot be {value[1]}; choose {' or '.join(choices)}."
    for type_name, words in _WORDS.items():
        what = what.replace(type_name, words)
    return f"{shown}: {what[:1].lower()}{what[1:]}."


def _keys_of(place: list[str]) -> list[str]:
    """What may stand in a table, or, without `place`, at the top."""
    if not place:
        return [field.name for field in msgspec.structs.fields(Config)]
    table = Webhook if place[0] == "webhooks" else type(getattr(Config(), place[0]))
    return [field.name for field in msgspec.structs.fields(table)]


def _choices(kind: Any) -> list[str]:
    """What a key of one of a few words can be, alone or in a list."""
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    return [word for inner in get_args(kind) for word in _choices(inner)]


def _path(wanted: type, value: object) -> Path:
    if wanted is not Path or not isinstance(value, str) or not value:
        raise ValueError("Expected a path")
    return Path(value)


def _lay_over(content: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Put `RPKIVAL_<TABLE>_<KEY>` over the file's content. Raises `UsageError` for a key that does not exist."""
    tables = _tables()
    for variable, value in environment.items():
        prefix, _, rest = variable.partition("_")
        name, _, key = rest.lower().partition("_")
        if prefix != "RPKIVAL" or name not in tables:
            continue
        if key not in tables[name]:
            raise UsageError(f"{variable} in the environment means nothing: [{name}] has no key {key!r}.")
        table = content.setdefault(name, {})
        if isinstance(table, dict):  # if not, the conversion names it
            is_list = "tuple" in str(tables[name][key])
            table[key] = [part for part in value.split(",") if part] if is_list else value


def _tables() -> dict[str, dict[str, Any]]:
    return {
        field.name: {inner.name: inner.type for inner in msgspec.structs.fields(field.type)}
        for field in msgspec.structs.fields(Config)
        if isinstance(field.type, type) and issubclass(field.type, _Table)
    }
