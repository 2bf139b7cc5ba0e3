"""What handlers find in the application."""

from aiohttp import web

from web.view import View

__all__ = ["VIEW", "view_of"]

VIEW = web.AppKey("view", View)


def view_of(request: web.Request) -> View:
    """The view that the process fills."""
    return request.app[VIEW]
