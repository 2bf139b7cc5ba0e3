"""`/lookup?q=`, `/prefix/{prefix}` and `/as/{asn}`: which VRPs speak of it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from aiohttp import web

from rpkival.asn import parse_asn
from rpkival.errors import InputError
from rpkival.payload.vrps import Vrps
from web.answers import loaded
from web.keys import view_of
from web.lookup import look_up
from web.question import Question, parse_question
from web.render import render
from web.view import View

__all__ = ["lookup_as", "lookup_page", "lookup_prefix"]


async def lookup_page(request: web.Request) -> web.Response:
    """The form, and the answer if something was asked."""
    return _page(request, request.query.get("q", ""))


async def lookup_prefix(request: web.Request) -> web.Response:
    """The permanent address of a prefix."""
    return _page(request, request.match_info["prefix"])


async def lookup_as(request: web.Request) -> web.Response:
    """The permanent address of an AS."""
    return _page(request, request.match_info["asn"], lambda text: Question(None, parse_asn(text)))


def _page(request: web.Request, text: str, parse: Callable[[str], Question] = parse_question) -> web.Response:
    if not text.strip():
        return render(
            request, "lookup.html", q="", answer=None, problem="", examples=_examples(view_of(request)), status=200
        )
    try:
        question = parse(text)
    except InputError as error:
        return render(request, "lookup.html", q=text[:100], answer=None, problem=str(error), examples=[], status=400)
    _, index = loaded(request)
    return render(
        request, "lookup.html", q=question.text, answer=look_up(question, index), problem="", examples=[], status=200
    )


def _examples(view: View) -> list[str]:
    """Questions that have an answer here: the first VRP of each family, its AS, and a wrong origin."""
    if view.snapshot is None:
        return []
    vrps: Vrps = view.snapshot.vrps
    first = [vrp for columns in (vrps.ipv4, vrps.ipv6) for vrp in islice(vrps.rows(columns.take(slice(0, 1))), 1)]
    examples = [vrp.prefix for vrp in first]
    if first:
        examples += [f"{first[0].prefix} AS{first[0].asn}", f"{first[0].prefix} AS64511", f"AS{first[0].asn}"]
    return examples
