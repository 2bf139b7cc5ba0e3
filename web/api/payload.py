"""`/json`, `/csv` and their kin: the whole VRP set as a file, rendered once a serial and off the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import io
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import partial
from typing import Final

from aiohttp import web

from rpkival.payload.formats import write_payload
from rpkival.payload.snapshot import Snapshot
from web.answers import loaded
from web.keys import view_of

__all__ = ["FILES", "PayloadFiles", "payload_file"]

FILES: Final = {"json": "application/json", "csv": "text/csv", "csvext": "text/csv"}
"""The path's name, which is also the format's, and its media type."""

_SERIAL_IS_ALL: Final = frozenset({"csv"})
"""The formats that stay as they are while the serial does; the others hold times, of the validation or of objects."""

_CHUNK_BYTES: Final = 256 * 1024
"""What waits in memory for one slow client, who would else hold a copy of the whole file, 80 MB of JSON."""


@dataclass(slots=True)
class _File:
    """One format of one snapshot; `packed` is made for the first client that takes gzip."""

    snapshot: Snapshot
    plain: bytes
    packed: bytes | None = None


@dataclass(slots=True)
class PayloadFiles:
    """The rendered files of the last snapshot that was asked for: at most one a format."""

    _files: dict[str, _File] = field(default_factory=dict)
    _making: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, name: str, snapshot: Snapshot, *, packed: bool) -> bytes:
        """The file, plain or as gzip. A hundred clients after a new serial cost one rendering."""
        async with self._making:
            file = self._files.get(name)
            if file is None or file.snapshot is not snapshot:
                file = self._files[name] = _File(snapshot, await asyncio.to_thread(_write, name, snapshot))
            if packed and file.packed is None:
                # Level 1 costs a fifth of the default's time and 20 % more octets.
                file.packed = await asyncio.to_thread(partial(gzip.compress, file.plain, 1, mtime=0))
            return file.packed if packed and file.packed is not None else file.plain


FILES_KEY = web.AppKey("payload_files", PayloadFiles)


async def payload_file(request: web.Request) -> web.StreamResponse:
    """All VRPs; 304 where the client has this serial already."""
    name = request.path.strip("/")
    snapshot, _ = loaded(request)
    version = _version(name, snapshot)
    headers = {
        # Weak, as plain and packed answers share it.
        "ETag": f'W/"{version}"',
        "Last-Modified": formatdate(snapshot.generated, usegmt=True),
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
        "X-Rpkival-Serial": str(snapshot.serial),
        "X-Rpkival-Age": str(max(0, int(view_of(request).now() - snapshot.generated))),
    }
    if _has_it(request, version, snapshot.generated):
        return web.Response(status=304, headers=headers)
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    body = await request.app[FILES_KEY].get(name, snapshot, packed=packed)
    if packed:
        headers["Content-Encoding"] = "gzip"
    answer = web.StreamResponse(headers=headers)
    answer.content_type, answer.content_length = FILES[name], len(body)
    await answer.prepare(request)
    if request.method == "HEAD":
        return answer
    # A client that goes away meanwhile is no fault and needs no answer.
    with contextlib.suppress(ConnectionError):
        for start in range(0, len(body), _CHUNK_BYTES):
            await answer.write(memoryview(body)[start : start + _CHUNK_BYTES])
        await answer.write_eof()
    return answer


def _version(name: str, snapshot: Snapshot) -> str:
    """What changes with the content: most validations find nothing new, and a client need not fetch that again."""
    version = f"{name}-{snapshot.session_id:x}-{snapshot.serial}"
    return version if name in _SERIAL_IS_ALL else f"{version}-{snapshot.generated}"


def _has_it(request: web.Request, version: str, generated: int) -> bool:
    """RFC 9110 section 13.1: If-None-Match goes before If-Modified-Since."""
    if request.if_none_match is not None:
        return any(tag.value in {"*", version} for tag in request.if_none_match)
    since = request.if_modified_since
    return since is not None and since.timestamp() >= generated


def _write(name: str, snapshot: Snapshot) -> bytes:
    stream = io.BytesIO()
    write_payload(snapshot.payload, name, stream, generated=snapshot.generated)
    return stream.getvalue()
