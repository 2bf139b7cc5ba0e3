"""What is remembered of an RRDP repository between two updates."""

from __future__ import annotations

import msgspec

from rpkival.limits import MAX_RRDP_REMEMBERED_DELTAS
from rpkival.repository.http import Validators
from rpkival.repository.rrdp_xml import Notification

__all__ = ["RrdpState"]


class RrdpState(msgspec.Struct, frozen=True, array_like=True):
    """The version that is held, and the SHA-256 of the deltas that its notification listed, by serial."""

    session: str
    serial: int
    deltas: dict[int, bytes]
    etag: str | None = None
    last_modified: str | None = None

    @classmethod
    def of(cls, notification: Notification, validators: Validators) -> RrdpState:
        """After this notification was followed."""
        latest = sorted(notification.deltas)[-MAX_RRDP_REMEMBERED_DELTAS:]
        return cls(
            notification.session,
            notification.serial,
            {serial: notification.deltas[serial].sha256 for serial in latest},
            validators.etag,
            validators.last_modified,
        )

    @classmethod
    def decode(cls, octets: bytes | None) -> RrdpState | None:
        """As `encode` wrote it; None where there is none, or another version's, after which a snapshot follows."""
        if octets is None:
            return None
        try:
            return msgspec.msgpack.decode(octets, type=cls)
        except (msgspec.DecodeError, msgspec.ValidationError):
            return None

    def encode(self) -> bytes:
        """As the store keeps it."""
        return msgspec.msgpack.encode(self)

    @property
    def validators(self) -> Validators:
        """For a conditional request."""
        return Validators(self.etag, self.last_modified)

    def mutated(self, notification: Notification) -> int | None:
        """A delta that was another one before, by its serial (RFC 9697 section 3.1), or None."""
        return next(
            (
                serial
                for serial, known in self.deltas.items()
                if serial in notification.deltas and notification.deltas[serial].sha256 != known
            ),
            None,
        )
