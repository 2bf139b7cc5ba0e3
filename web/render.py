"""Templates into pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rpkival import __version__
from rpkival.limits import MAX_QUERY_LENGTH
from web import words
from web.keys import view_of
from web.story import tell

__all__ = ["render"]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=words.number,
        span=words.span,
        when=words.when,
        instant=words.instant,
        iso=words.iso,
        plain=lambda kind: kind.replace("-", " "),
    )
    environment.globals.update(version=__version__, max_query=MAX_QUERY_LENGTH)
    return environment


def render(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """A page; the view and its story are there for every template."""
    view = view_of(request)
    here = "/" + request.path.split("/")[1]
    page = _environment().get_template(template).render(view=view, story=tell(view), here=here, **values)
    return web.Response(text=page, status=status, content_type="text/html", charset="utf-8")
