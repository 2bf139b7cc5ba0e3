"""What an attack is made on: a CA of its own, under the same trust anchor as the one that behaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeAlias, TypeVar

from rpkival.errors import UsageError
from rpkival.lab.ca import CertificateAuthority, Product
from rpkival.lab.certificates import Validity
from rpkival.lab.number_resources import Resources
from rpkival.lab.plan import Vrp
from rpkival.lab.rrdp_server import RrdpServer

__all__ = ["GOOD", "Block", "Case", "Files", "Ground", "Open"]

Files: TypeAlias = Mapping[str, bytes]
"""Files of a publication point by name."""

_Server = TypeVar("_Server")


class Open(Protocol):
    """Starts a server that ends with the whole."""

    def __call__(self, server: AbstractContextManager[_Server], /) -> _Server:
        """The server."""


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses and AS numbers for private use, set aside for the CA of this number, 0 to 255."""

    number: int

    @property
    def prefix(self) -> str:
        """All its IPv4 addresses, a /16."""
        return f"10.{self.number}.0.0/16"

    @property
    def ipv6(self) -> str:
        """All its IPv6 addresses, a /16."""
        return f"fd{self.number:02x}::/16"

    @property
    def asn(self) -> int:
        """The first of its sixteen AS numbers."""
        return 4_200_000_000 + 16 * self.number

    @property
    def resources(self) -> Resources:
        """All of it."""
        return Resources([self.prefix, self.ipv6], [(self.asn, self.asn + 15)])


GOOD: Final = Block(0)
"""Of the CA that behaves."""


@dataclass(frozen=True, slots=True)
class Case:
    """An attack by name.

    `sources`: where the public has told of it. `answer` is what holds against it, bounds by their names in
    `rpkival.limits`. `reason` is a regular expression for what this validator says, empty where it has nothing to
    object to. `keeps` says whether the attacker's own ROA, which is well signed, counts all the same. `size` is that of
    the attack where it has one. Some come to light when they are published for the second time: `visits`. An attack
    that is `served` is no file, but a server.
    """

    name: str
    attack: str
    sources: tuple[str, ...]
    answer: str
    reason: str
    prepare: Callable[[Ground], None]
    keeps: bool = False
    size: int = 0
    visits: int = 1
    served: bool = False


@dataclass(slots=True, eq=False)
class Ground:
    """A case under way.

    `attacker` has a ROA for its whole IPv4 block and is published in the rsync module `base`. `good` is the CA that
    behaves. `current` is how long manifests and CRLs hold. `expected` are VRPs that count beside the ROA's.
    `changes` are made to what authorities have signed before it is published, by the authority's name; `afterwards` is
    called before it is published for the second time, `on_disk` with the tree of `host/module/path` each time, and
    `publish_rrdp` is told what the attacker publishes. `notify` is the attacker's notification file.
    """

    case: Case
    block: Block
    size: int
    authority: str
    anchor: CertificateAuthority
    good: CertificateAuthority
    current: Validity
    _open: Open | None
    notify: str | None = None
    made: CertificateAuthority | None = None
    expected: set[Vrp] = field(default_factory=set)
    changes: dict[str, Callable[[Files], Files]] = field(default_factory=dict)
    afterwards: Callable[[], None] = lambda: None
    on_disk: Callable[[Path], None] = lambda _: None
    publish_rrdp: Callable[[Files], None] = lambda _: None
    servers: list[RrdpServer] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The attacker's rsync module."""
        return f"rsync://{self.authority}/{self.case.name}/"

    @property
    def attacker(self) -> CertificateAuthority:
        """Certified when first asked for, so that `notify` may be set before."""
        if self.made is None:
            name = self.case.name
            self.made = self.anchor.issue_ca(
                name, self.block.resources, repository=f"{self.base}{name}/", notify=self.notify
            )
            self.made.issue_roa(self.block.asn, [(self.block.prefix, 16)])
        return self.made

    def publish(self, name: str, content: bytes) -> None:
        """A file of any content, on the attacker's manifest."""
        self.attacker.products[name] = Product(content, 0)

    def change(self, change: Callable[[Files], Files]) -> None:
        """Change what the attacker publishes, its CRL and its manifest among it."""
        self.changes[self.attacker.name] = change

    def open(self, server: AbstractContextManager[_Server]) -> _Server:
        """Start a server of the attacker's. Raises `UsageError` where only files are wanted."""
        if self._open is None:
            raise UsageError(f"{self.case.name} is the attack of a server, and here are files only.")
        return self._open(server)

    def rrdp(self) -> RrdpServer:
        """An RRDP server with what the attacker publishes, which its certificate then names."""
        server = self.open(RrdpServer())
        self.servers.append(server)
        self.notify = server.notify_uri
        self.publish_rrdp = lambda files: server.publish(
            {self.attacker.repository + name: content for name, content in files.items()}
        )
        return server
