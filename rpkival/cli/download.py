"""One file over HTTP, bounded in size, time and redirects."""

from __future__ import annotations

import asyncio

import aiohttp

from rpkival import __version__
from rpkival.errors import FetchError, LimitError, UsageError
from rpkival.http_fault import http_fault
from rpkival.limits import MAX_HTTP_REDIRECTS

__all__ = ["download"]

_CHUNK = 1024 * 1024


def download(url: str, *, limit: int, seconds: float) -> bytes:
    """The body of `url`. Raises `UsageError`, `FetchError`, or `LimitError` beyond `limit` bytes."""
    if not url.startswith(("http://", "https://")):
        raise UsageError(f"{url!r} is not an address that can be fetched; it starts with https:// or http://.")
    return asyncio.run(_download(url, limit, seconds))


async def _download(url: str, limit: int, seconds: float) -> bytes:
    timeout = aiohttp.ClientTimeout(total=seconds)
    headers = {"User-Agent": f"rpkival/{__version__}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers, trust_env=True) as session,
            session.get(url, max_redirects=MAX_HTTP_REDIRECTS) as response,
        ):
            if response.status != 200:
                raise FetchError(f"{url} answered {response.status} {response.reason or ''}".rstrip() + ".")
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > limit:
                    raise LimitError(f"{url} sends more than {limit} bytes, which cannot be right.")
            return bytes(body)
    except aiohttp.InvalidURL as error:
        raise UsageError(f"{url!r} is not an address that can be fetched.") from error
    except aiohttp.TooManyRedirects as error:
        raise FetchError(f"{url} redirects more than {MAX_HTTP_REDIRECTS} times.") from error
    except TimeoutError as error:
        raise FetchError(f"{url} did not answer completely within {seconds:g} seconds.") from error
    except aiohttp.ClientError as error:
        raise FetchError(f"{url} cannot be fetched: {http_fault(error)}.") from error
