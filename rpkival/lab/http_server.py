"""An aiohttp application on one address."""

from __future__ import annotations

from aiohttp import web

from rpkival.listening import cannot_listen

__all__ = ["listen"]


async def listen(app: web.Application, host: str, port: int, what: str) -> tuple[web.AppRunner, str, int]:
    """Serve `app`; returns its runner, to be cleaned up, and the address in use. Raises `UsageError` naming `what`.

    Requests end with their client, and nothing that is still being answered holds up the end of the server.
    """
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise cannot_listen(what, host, port, error) from error
    address = runner.addresses[0]
    return runner, address[0], address[1]
