"""Beacons: addresses whose reachability tells whether a network drops invalid routes.

A set belongs to one operator and one family. Its `control` has a valid route. Its `invalid` has an invalid route and
no other, so a network that drops invalid routes cannot reach it unless a default route takes the traffic elsewhere.
Its `covered` has an invalid more-specific route under a valid covering one, with different servers behind the two;
whichever answers tells which route was taken, so an answer comes either way and silence is never read as a verdict.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec

from rpkival.errors import UsageError
from rpkival.limits import MAX_BEACON_SETS, MAX_BEACON_URLS

__all__ = ["BeaconFamily", "BeaconSet", "load_beacons", "origins"]


class BeaconFamily(StrEnum):
    """What a set tests. ANY: names with addresses of both families; the browser chooses and does not tell."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    ANY = "any"

    @property
    def text(self) -> str:
        """The word for people."""
        return {"ipv4": "IPv4", "ipv6": "IPv6", "any": "IPv4 or IPv6"}[self]


_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
_Words = Annotated[str, msgspec.Meta(max_length=200)]
_Urls = Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_BEACON_URLS)]


class BeaconSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The beacons of one operator in one family; URLs are http or https."""

    name: _Name
    operator: _Words
    family: BeaconFamily = BeaconFamily.ANY
    control: _Urls = ()
    invalid: _Urls = ()
    covered: _Urls = ()

    def __post_init__(self) -> None:
        if not self.covered and not (self.control and self.invalid):
            raise ValueError(f"beacon set {self.name!r} needs `covered`, or `control` and `invalid`")
        for url in self.urls():
            _origin(url)

    def urls(self) -> Iterator[str]:
        """All URLs of the set."""
        yield from (*self.control, *self.invalid, *self.covered)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    beacons: Annotated[tuple[BeaconSet, ...], msgspec.Meta(max_length=MAX_BEACON_SETS)] = ()


def load_beacons(path: Path) -> tuple[BeaconSet, ...]:
    """Read a beacons file (TOML, `[[beacons]]` tables). Raises `UsageError`."""
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
        sets = msgspec.convert(content, _File).beacons
    except OSError as error:
        raise UsageError(f"The beacons file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The beacons file {path} is not TOML: {error}.") from error
    except msgspec.ValidationError as error:
        raise UsageError(f"The beacons file {path} is wrong: {error}.") from error
    names = [each.name for each in sets]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UsageError(f"The beacons file {path} names {min(twice)!r} twice; give each set its own name.")
    return sets


def origins(sets: tuple[BeaconSet, ...]) -> list[str]:
    """The distinct origins that a browser must be allowed to talk to, as a Content-Security-Policy writes them."""
    return sorted({_origin(url) for each in sets for url in each.urls()})


def _origin(url: str) -> str:
    # The origin stands in a Content-Security-Policy, where a semicolon or a blank would end what it belongs to.
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"{url!r} is not a URL") from None
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or parts.username is not None or not re.fullmatch(r"[0-9a-z.:-]+", host):
        raise ValueError(f"{url!r} is not an http or https URL with a host name")
    # CSP's host-source cannot name an IPv6 address, so such a beacon (a lab's) is allowed by its port alone.
    name = "*" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port is not None else "")
