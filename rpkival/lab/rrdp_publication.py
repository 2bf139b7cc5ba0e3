"""What an RRDP server publishes: one history of trees as notification, snapshot and deltas (RFC 8182 section 3.5)."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Mapping
from hashlib import sha256
from xml.sax.saxutils import quoteattr

__all__ = ["RrdpPublication"]


class RrdpPublication:
    """Trees (rsync URI to content), one serial each; the `keep` latest deltas are listed.

    `snapshot` and `deltas` hold the files' octets and may be changed to lie: the notification has the hashes of what
    they are. `links` are URIs that the notification has in place of the right ones, by path.
    """

    def __init__(self, base: str, keep: int = 10) -> None:
        """`base` is `https://host:port`."""
        self.base = base
        self.keep = keep
        self.files: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.begin_session()

    def begin_session(self) -> None:
        """Forget all deltas and the session; the tree stays."""
        self.session = str(uuid.uuid4())
        self.serial = 1
        self.deltas: dict[int, bytes] = {}
        self.snapshot = self._file("snapshot", map(_publish, self.files.items()))

    def publish(self, files: Mapping[str, bytes]) -> None:
        """Make this the tree, with the next serial."""
        before, self.files = self.files, dict(files)
        self.serial += 1
        gone = [
            f"<withdraw uri={quoteattr(uri)} hash='{sha256(before[uri]).hexdigest()}'/>"
            for uri in before.keys() - self.files.keys()
        ]
        changed = [
            _publish((uri, content), before.get(uri))
            for uri, content in self.files.items()
            if before.get(uri) != content
        ]
        self.deltas[self.serial] = self._file("delta", gone + changed)
        self.deltas = {serial: self.deltas[serial] for serial in sorted(self.deltas)[-self.keep :]}
        self.snapshot = self._file("snapshot", map(_publish, self.files.items()))

    @property
    def notification(self) -> bytes:
        """The notification file as it is now."""
        deltas = (
            f"<delta serial='{serial}' {self._link(self.delta_path(serial), octets)}/>"
            for serial, octets in sorted(self.deltas.items(), reverse=True)
        )
        return self._file("notification", [f"<snapshot {self._link(self.snapshot_path, self.snapshot)}/>", *deltas])

    @property
    def snapshot_path(self) -> str:
        """Of the present snapshot."""
        return f"/{self.session}/{self.serial}/snapshot.xml"

    def delta_path(self, serial: int) -> str:
        """Of a delta."""
        return f"/{self.session}/{serial}/delta.xml"

    def paths(self) -> dict[str, bytes]:
        """All files there are, by path."""
        return {
            "/notification.xml": self.notification,
            self.snapshot_path: self.snapshot,
            **{self.delta_path(serial): octets for serial, octets in self.deltas.items()},
        }

    def _link(self, path: str, octets: bytes) -> str:
        return f"uri={quoteattr(self.links.get(path, self.base + path))} hash='{sha256(octets).hexdigest()}'"

    def _file(self, name: str, elements: Iterable[str]) -> bytes:
        return "\n".join(
            (
                (
                    f'<{name} xmlns="http://www.ripe.net/rpki/rrdp" version="1" '
                    f'session_id="{self.session}" serial="{self.serial}">'
                ),
                *elements,
                f"</{name}>\n",
            )
        ).encode()


def _publish(entry: tuple[str, bytes], before: bytes | None = None) -> str:
    uri, content = entry
    replaces = "" if before is None else f" hash='{sha256(before).hexdigest()}'"
    return f"<publish uri={quoteattr(uri)}{replaces}>{base64.b64encode(content).decode()}</publish>"
