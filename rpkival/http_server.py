"""An aiohttp application on one address, and its end without anything left open."""

from __future__ import annotations

import socket

from aiohttp import web

from rpkival.listening import ListenAddress, cannot_listen, shown_listen
from rpkival.listening_socket import bound_socket, stop_accepting

__all__ = ["HttpServer", "listen"]


class HttpServer:
    """Answers on `address`, the one in use, until closed."""

    def __init__(self, runner: web.AppRunner, listening: socket.socket) -> None:
        self._runner = runner
        self._listening = listening
        host, port = listening.getsockname()[:2]
        self.address: ListenAddress = host, port

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return f"http://{shown_listen(self.address)}"

    async def close(self) -> None:
        """Accept no more, end idle connections at once and the others when they are answered or have had their time."""
        if self._listening.fileno() >= 0:
            await stop_accepting([self._listening])
        await self._runner.cleanup()


async def listen(
    app: web.Application, host: str, port: int, what: str, *, patience: float = 0.2, cancel_handlers: bool = True
) -> HttpServer:
    """Serve `app` at an IP address, on a free port for 0. Raises `UsageError` naming `what`.

    Answers under way hold up the end for `patience` seconds, and end with their client if `cancel_handlers`.
    """
    listening = bound_socket(what, host, port)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=cancel_handlers, shutdown_timeout=patience)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
    except OSError as error:
        await runner.cleanup()
        listening.close()
        raise cannot_listen(what, host, port, error) from error
    return HttpServer(runner, listening)
