"""One signed POST to one endpoint."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from rpkival import __version__
from rpkival.alerts.schedule import Answer
from rpkival.alerts.signature import Secret, sign
from rpkival.alerts.target import check_url, guarded_sockets
from rpkival.errors import UsageError
from rpkival.http_fault import http_fault
from rpkival.limits import MAX_WEBHOOK_RESPONSE, WEBHOOK_TIMEOUT

__all__ = ["Endpoint", "open_session", "post"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver. `secrets`: one, or two while rotating. `allow`: host names and networks that may be private."""

    url: str
    secrets: tuple[Secret, ...]
    allow: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_url(self.url, self.allow)
        if not self.secrets:
            raise UsageError(f"The webhook {self.url} has no secret; unsigned alerts could be anybody's.")


@asynccontextmanager
async def open_session(endpoint: Endpoint, timeout: float = WEBHOOK_TIMEOUT) -> AsyncIterator[aiohttp.ClientSession]:  # noqa: ASYNC109 - of each request, not of this
    """What `post` sends through: no proxies, no cookies, no private addresses that are not allowed."""
    connector = aiohttp.TCPConnector(
        socket_factory=guarded_sockets(check_url(endpoint.url, endpoint.allow), endpoint.allow)
    )
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout),
        trust_env=False,
        auto_decompress=False,
    ) as session:
        yield session


async def post(session: aiohttp.ClientSession, endpoint: Endpoint, message_id: str, body: bytes, now: float) -> Answer:
    """Send a body and tell what came back; never raises for what the receiver or the network does."""
    timestamp = int(now)
    headers = {
        "content-type": "application/json",
        "user-agent": f"rpkival/{__version__}",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(endpoint.secrets, message_id, timestamp, body),
    }
    try:
        async with session.post(endpoint.url, data=body, headers=headers, allow_redirects=False) as response:
            octets = await response.content.read(MAX_WEBHOOK_RESPONSE)
            return Answer(response.status, _shown(octets), response.headers.get("retry-after", ""))
    except TimeoutError:
        return Answer(None, "no answer in time")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(None, http_fault(error))


def _shown(octets: bytes) -> str:
    """Text that can be printed on any terminal, whatever a receiver wrote."""
    return "".join(letter if letter.isprintable() else " " for letter in octets.decode("utf-8", "replace")).strip()
