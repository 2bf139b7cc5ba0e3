"""An rsync daemon that never comes to an end."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

__all__ = ["DrippingDaemon"]

_PAUSE = 0.2


class DrippingDaemon:
    """Greets as rsync daemons do, and then says an octet now and then, for ever; a context manager."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.authority = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._closing = threading.Event()
        self._threads = [threading.Thread(target=self._accept, name="dripping-daemon", daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """End it and all its connections; again, nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        with suppress(OSError):
            socket.create_connection(self._socket.getsockname(), 1).close()  # wakes the thread that waits
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if self._closing.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._drip, args=(connection,), name="drip", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _drip(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.sendall(b"@RSYNCD: 31.0\n")
            while not self._closing.wait(_PAUSE):
                connection.sendall(b"x")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
