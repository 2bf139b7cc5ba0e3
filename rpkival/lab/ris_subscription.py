"""What a client of a RIS Live server wants to hear of (https://ris-live.ripe.net/manual, `ris_subscribe`)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Annotated, Any

import msgspec

from feeds.bgp_update import AsPath
from rpkival.errors import ProtocolError
from rpkival.lab.ris_messages import RisUpdate
from rpkival.lab.topology import Network

__all__ = ["Subscription"]

_Text = Annotated[str, msgspec.Meta(max_length=1000)]


class _SocketOptions(msgspec.Struct, rename="camel"):
    include_raw: bool = False
    acknowledge: bool = False


class _Filter(msgspec.Struct, rename="camel"):
    """As it comes; unknown keys are passed over, as RIS Live does."""

    host: _Text | None = None
    type: _Text | None = None
    require: _Text | None = None
    peer: _Text | None = None
    path: _Text | int | None = None
    prefix: _Text | list[_Text] | None = None
    more_specific: bool = True
    less_specific: bool = False
    socket_options: _SocketOptions = msgspec.field(default_factory=_SocketOptions)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One filter; a message must pass all that it names. `asked` is what the client sent, for the acknowledgement."""

    asked: Any
    wanted: _Filter
    prefixes: tuple[Network, ...]

    @classmethod
    def parse(cls, data: Any) -> Subscription:
        """Of the `data` of a `ris_subscribe`, decoded. Raises `ProtocolError`."""
        try:
            wanted = msgspec.convert({} if data is None else data, _Filter)
        except msgspec.ValidationError as error:
            raise ProtocolError(f"The subscription cannot be understood: {error}.") from error
        texts = [wanted.prefix] if isinstance(wanted.prefix, str) else wanted.prefix or []
        try:
            return cls(data, wanted, tuple(ip_network(text) for text in texts))
        except ValueError as error:
            raise ProtocolError(f"The subscription has a wrong prefix: {error}.") from error

    @property
    def include_raw(self) -> bool:
        return self.wanted.socket_options.include_raw

    @property
    def acknowledge(self) -> bool:
        return self.wanted.socket_options.acknowledge

    def matches(self, heard: RisUpdate) -> bool:
        """Whether the client wants this message."""
        wanted = self.wanted
        has = {"announcements": bool(heard.update.announced), "withdrawals": bool(heard.update.withdrawn)}
        return (
            wanted.host in {None, heard.host}
            and wanted.type in {None, "UPDATE"}
            and wanted.peer in {None, str(heard.peer)}
            and (wanted.require is None or has.get(wanted.require, False))
            and (wanted.path is None or path_matches(str(wanted.path), heard.update.as_path))
            and (wanted.prefix is None or any(self._near(prefix) for prefix in heard.prefixes))
        )

    def _near(self, prefix: Network) -> bool:
        return any(
            prefix == mine
            or (self.wanted.more_specific and _within(prefix, mine))
            or (self.wanted.less_specific and _within(mine, prefix))
            for mine in self.prefixes
        )


def path_matches(pattern: str, path: AsPath) -> bool:
    """Whether the hops of `pattern` stand in `path` in a row; `^` and `$` bind to its ends, a leading `!` negates.

    An AS_SET is written as a sorted JSON array, such as `64496,[64500,64501]$`.
    """
    negated, pattern = pattern.startswith("!"), pattern.removeprefix("!")
    hops = ",".join(str(hop) if isinstance(hop, int) else "[" + ",".join(map(str, sorted(hop))) + "]" for hop in path)
    # A comma at both ends of both makes whole numbers of what would be digits.
    text, needle = f",{hops},", "," + pattern.removeprefix("^").removesuffix("$") + ","
    match pattern.startswith("^"), pattern.endswith("$"):
        case True, True:
            found = text == needle
        case True, False:
            found = text.startswith(needle)
        case False, True:
            found = text.endswith(needle)
        case _:
            found = needle in text
    return found is not negated


def _within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return not isinstance(outer, IPv4Network) and inner.subnet_of(outer)
