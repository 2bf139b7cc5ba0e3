"""A real rsync daemon on loopback, on a port that nobody else has."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from rpkival.errors import UsageError

__all__ = ["RsyncDaemon"]


class RsyncDaemon:
    """Serves directories as rsync modules until closed; a context manager.

    The socket is ours and each connection gets an `rsync --daemon` of its own, as under inetd: so the port is the
    system's choice without a race, and `authority` (`127.0.0.1:PORT`) is known before there is anything to serve.
    """

    def __init__(self) -> None:
        """Raises `UsageError` where rsync is not installed."""
        program = shutil.which("rsync")
        if program is None:
            raise UsageError("The program rsync is not installed; install it to serve repositories with it.")
        self._place = tempfile.TemporaryDirectory(prefix="rpkival-rsyncd-")
        self._config = Path(self._place.name) / "rsyncd.conf"
        # Run by root, rsync would serve as nobody, who cannot read what is ours alone; others may not choose.
        user = "uid = 0\ngid = 0\n" if os.geteuid() == 0 else ""
        self._config.write_text(f"use chroot = no\nreverse lookup = no\n{user}")
        self._command = [program, "--daemon", f"--config={self._config}"]
        self._running: list[subprocess.Popen[bytes]] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.authority = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._closing = False
        self._thread = threading.Thread(target=self._accept, name="rsync-daemon", daemon=True)
        self._thread.start()

    def serve(self, module: str, path: Path) -> str:
        """Serve `path` (it may appear later) as `module`; returns the module's URI."""
        with self._config.open("a") as config:
            config.write(f"\n[{module}]\npath = {path}\nread only = yes\nlist = no\n")
        return f"rsync://{self.authority}/{module}/"

    def write_client(self, path: Path) -> None:
        """Write to `path` a program that is rsync, but finds every host here.

        For validators of trees whose hosts are those of the world: they are told to take it for their rsync.
        """
        path.write_text(
            "#!/bin/sh\n"
            "for argument; do\n"
            "  shift\n"
            f"""  set -- "$@" "$(printf %s "$argument" | sed 's#^rsync://[^/]*/#rsync://{self.authority}/#')"\n"""
            "done\n"
            f'exec {shlex.quote(self._command[0])} "$@"\n'
        )
        path.chmod(0o755)

    def close(self) -> None:
        """End the daemon and every connection it has."""
        self._closing = True
        with suppress(OSError):
            # Wakes the accept that waits in the other thread; closing alone would not.
            socket.create_connection(self._socket.getsockname(), 1).close()
        self._thread.join()
        self._socket.close()
        for process in self._running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._place.cleanup()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                if self._closing:
                    return
                self._running = [process for process in self._running if process.poll() is None]
                self._running.append(
                    subprocess.Popen(
                        self._command,
                        stdin=connection.fileno(),
                        stdout=connection.fileno(),
                        stderr=subprocess.DEVNULL,
                        start_new_session=True,
                    )
                )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
