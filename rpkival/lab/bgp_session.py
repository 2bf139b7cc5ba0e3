"""One BGP session with a router that came to us, as a state machine: messages in, answers out (RFC 4271 section 8).

The router connects, both sides send OPEN, each confirms the other's with a KEEPALIVE, and the session is established.
The states Idle, Connect and Active belong to whoever connects, so they are not here; nor is the clock: who holds the
socket minds `hold_seconds` and `keepalive_seconds`.
"""

from __future__ import annotations

from enum import Enum
from ipaddress import IPv4Address

from feeds.bgp_message import KEEPALIVE, MessageType, Notification, NotificationCode, Open, route_refresh_family
from feeds.bgp_update import Update
from rpkival.errors import BgpError
from rpkival.limits import BGP_HOLD_SECONDS
from rpkival.prefixes import Family

__all__ = ["BgpSession", "NotificationReceived", "State"]


class State(Enum):
    """RFC 4271 section 8.2.2. The value is the subcode for a message that does not belong there (RFC 6608)."""

    OPEN_SENT = 1
    OPEN_CONFIRM = 2
    ESTABLISHED = 3


class NotificationReceived(Exception):  # noqa: N818 - not an error of ours or the router's: it says goodbye
    """The router ended the session."""

    def __init__(self, notification: Notification) -> None:
        super().__init__(f"NOTIFICATION {notification.code}/{notification.subcode}")
        self.notification = notification


class BgpSession:
    """The state of one session. `peer` is the router's OPEN, once it came."""

    def __init__(self, asn: int, router_id: IPv4Address) -> None:
        self._mine = Open(asn, BGP_HOLD_SECONDS, router_id)
        self.peer: Open | None = None
        self.state = State.OPEN_SENT
        self.updates_received = 0

    def greeting(self) -> bytes:
        """What to send first."""
        return self._mine.encode()

    @property
    def hold_seconds(self) -> float | None:
        """How long the router may be silent; None: for ever, it asked for that (RFC 4271 section 4.2)."""
        hold = min(self._mine.hold_seconds, self.peer.hold_seconds) if self.peer else self._mine.hold_seconds
        return float(hold) or None

    @property
    def keepalive_seconds(self) -> float | None:
        """How often the router wants to hear of us: a third of the hold time (RFC 4271 section 10)."""
        return self.hold_seconds and self.hold_seconds / 3

    @property
    def families(self) -> tuple[Family, ...]:
        """Those that both sides announced."""
        return tuple(family for family in self._mine.families if self.peer and family in self.peer.families)

    @property
    def four_octet_as(self) -> bool:
        """Whether AS_PATHs carry four octets an AS (RFC 6793)."""
        return self.peer is not None and self.peer.four_octet_as

    def receive(self, kind: MessageType, body: bytes) -> tuple[bytes, Family | None]:
        """Take one message; returns what to answer, and the family whose routes the router wants again.

        Raises `BgpError` where the session must end with a NOTIFICATION, `NotificationReceived` where one came.
        """
        match self.state, kind:
            case _, MessageType.NOTIFICATION:
                raise NotificationReceived(Notification.decode(body))
            case State.OPEN_SENT, MessageType.OPEN:
                self.peer = self._acceptable(Open.decode(body))
                self.state = State.OPEN_CONFIRM
                return KEEPALIVE, None
            case State.OPEN_CONFIRM | State.ESTABLISHED, MessageType.KEEPALIVE:
                self.state = State.ESTABLISHED
            case State.ESTABLISHED, MessageType.UPDATE:
                Update.decode(body, four_octet_as=self.four_octet_as)
                self.updates_received += 1
            case State.ESTABLISHED, MessageType.ROUTE_REFRESH:
                return b"", route_refresh_family(body)
            case _:
                raise BgpError(
                    NotificationCode.STATE_MACHINE,
                    self.state.value,
                    f"A BGP {kind.name} does not belong into the state {self.state.name}.",
                )
        return b"", None

    def _acceptable(self, peer: Open) -> Open:
        if peer.asn == self._mine.asn:
            raise BgpError(
                NotificationCode.OPEN,
                2,
                f"The router calls itself AS{peer.asn} as its provider does; give it another number, such as AS65550.",
            )
        return peer
