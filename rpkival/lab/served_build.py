"""A repository of any size on servers of its own: several hosts, all by rsync and some by RRDP, and its next versions.

DIR is laid out as `rpkival.lab.build` tells, with the servers' addresses for hosts, and DIR/ca.pem is what https
clients must trust.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from rpkival.errors import UsageError
from rpkival.lab.build import Built, Progress, build, change
from rpkival.lab.plan import Host, Plan
from rpkival.lab.rrdp_server import RrdpServer
from rpkival.lab.rsync_daemon import RsyncDaemon

__all__ = ["ServedBuild"]


class ServedBuild:
    """Serves from the start until closed; a context manager.

    Every host has a port for rsync, and the first `rrdp` of them one for RRDP, of `servers` in the same order.
    """

    def __init__(self, directory: Path, plan: Plan, *, rrdp: int) -> None:
        """Nothing is published yet. Raises `UsageError` where there are fewer hosts, or rsync is not installed."""
        if not 0 <= rrdp <= plan.hosts:
            raise UsageError(f"{rrdp} of {plan.hosts} hosts cannot publish by RRDP; give at most as many as there are.")
        self.directory = directory
        self.tal = directory / f"{plan.name}.tal"
        self.ca_file = directory / "ca.pem"
        self.servers: list[RrdpServer] = []
        self._plan = plan
        self._hosts: list[Host] = []
        with ExitStack() as stack:
            for number in range(plan.hosts):
                self._open_host(f"repo{number}", stack, by_rrdp=number < rrdp)
            self._running = stack.pop_all()

    def build(self, *, at: int, days: int = 30, workers: int = 1, on_progress: Progress | None = None) -> Built:
        """The first version of everything. Raises `UsageError` where the directory is not new or empty."""
        hosts = tuple(self._hosts)
        built = build(
            self.directory, self._plan, at=at, days=days, hosts=hosts, workers=workers, on_progress=on_progress
        )
        if self.servers:
            self.ca_file.write_bytes(b"".join(server.ca_file.read_bytes() for server in self.servers))
        self._publish_by_rrdp()
        return built

    def change(self, percent: float, *, on_progress: Progress | None = None) -> Built:
        """A new version of so many of a hundred CAs, by rsync and, a serial later, by RRDP."""
        built = change(self.directory, percent, on_progress=on_progress)
        self._publish_by_rrdp()
        return built

    def begin_sessions(self) -> None:
        """As if every RRDP server had lost its memory (RFC 8182 section 3.3.1)."""
        for server in self.servers:
            server.publication.begin_session()

    def close(self) -> None:
        """End the servers."""
        self._running.close()

    def _open_host(self, module: str, stack: ExitStack, *, by_rrdp: bool) -> None:
        daemon = stack.enter_context(RsyncDaemon())
        uri = daemon.serve(module, self.directory / "rsync" / daemon.authority / module)
        notify = None
        if by_rrdp:
            self.servers.append(stack.enter_context(RrdpServer()))
            notify = self.servers[-1].notify_uri
        self._hosts.append(Host(uri, notify))

    def _publish_by_rrdp(self) -> None:
        for server, host in zip(self.servers, self._hosts, strict=False):
            module = self.directory / "rsync" / host.rsync.removeprefix("rsync://")
            server.publish(
                {
                    host.rsync + path.relative_to(module).as_posix(): path.read_bytes()
                    for path in sorted(module.rglob("*"))
                    if path.is_file()
                }
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
