"""What stands on the pages, and that they are sound HTML."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from typing import Literal

import pytest
from aiohttp.test_utils import TestClient
from yarl import URL

from feeds.status import FeedStatus
from rpkival.limits import MAX_QUERY_LENGTH
from rpkival.monitor.case import Case, Lifecycle
from rpkival.monitor.incidents import Incident
from rpkival.monitor.store import IncidentStore
from rpkival.payload.exceptions.exceptions import ExceptionFile, Number
from web.view import Isp, LocalState, View

PAGES = {
    "/": "Does your ISP drop invalid routes?",
    "/lookup": "Lookup",
    "/lookup?q=192.0.2.0/24+AS64511": "192.0.2.0/24 AS64511",
    "/prefix/192.0.2.0/24": "192.0.2.0/24",
    "/prefix/2001:db8::/32": "2001:db8::/32",
    "/as/AS64496": "AS64496",
    "/as/64496": "AS64496",
    "/incidents": "Incidents",
    "/incidents/01KKTEST": "192.0.2.128/25 announced by AS64511",
    "/status": "Status",
    "/nothing": "Not Found",
}
VOID = {"meta", "link", "input", "img", "br", "path", "circle", "rect", "use"}
HTML = {"Accept": "text/html"}


class Outline(HTMLParser):
    """What a page consists of; complains of tags that do not match."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.refs: list[str] = []
        self.labels: list[str] = []
        self.fields: list[str] = []
        self.headings: list[int] = []
        self.images_without_alt = 0
        self.inline: list[str] = []
        self.lang = ""
        self._open: list[str] = []
        self._words: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        if "id" in given:
            self.ids.append(given["id"])
        for name in ("aria-labelledby", "aria-describedby"):
            self.refs += given.get(name, "").split()
        if tag == "html":
            self.lang = given.get("lang", "")
        if tag == "label":
            self.labels.append(given["for"])
        if tag == "input":
            self.fields.append(given["id"])
        if tag == "img" and "alt" not in given:
            self.images_without_alt += 1
        if tag in {"h1", "h2", "h3", "h4"} and "template" not in self._open:
            self.headings.append(int(tag[1]))
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.inline.append(tag)
        if tag == "script" and "src" not in given:
            self.inline.append(tag)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open, f"</{tag}> closes nothing"
            assert self._open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        for tag in {"h1", "title", "main"} & set(self._open) - ({"title"} if "svg" in self._open else set()):
            self._words[tag] = self._words.get(tag, "") + f" {data}"

    def words(self, tag: str) -> str:
        """The text inside a tag, with single blanks."""
        return " ".join(self._words.get(tag, "").split())


async def outline(client: TestClient, path: str) -> Outline:
    """The page at `path`, taken apart."""
    answer = await client.get(path, headers=HTML)
    page = Outline()
    page.feed(await answer.text())
    page.close()
    return page


@pytest.mark.parametrize(("path", "heading"), PAGES.items())
async def test_a_page_is_sound(client: TestClient, path: str, heading: str) -> None:
    """Language, title, one main and one h1, headings without gaps, unique ids, labelled fields, nothing inline."""
    page = await outline(client, path)

    assert page.lang == "en"
    assert page.words("title").endswith("rpkival")
    assert page.words("h1") == heading
    assert (page.tags["h1"], page.tags["main"]) == (1, 1)
    assert page.headings[0] == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert [name for name, count in Counter(page.ids).items() if count > 1] == []
    assert set(page.refs) <= set(page.ids)
    assert set(page.fields) == set(page.labels)
    assert page.images_without_alt == 0
    assert page.inline == []


@pytest.mark.parametrize("path", ["/", "/lookup", "/lookup?q=AS1", "/incidents", "/incidents/x", "/status"])
async def test_a_process_without_data_says_so(empty_client: TestClient, path: str) -> None:
    """Nothing is a fault before the first validation; what cannot be answered yet is 503 with the reason."""
    answer = await empty_client.get(path, headers=HTML)
    text = await answer.text()

    assert answer.status == {"/lookup?q=AS1": 503, "/incidents/x": 404}.get(path, 200)
    assert "No data yet." in text
    if path in {"/", "/status", "/lookup?q=AS1"}:
        assert "the first validation has not finished" in text


async def test_the_front_page_tells_the_story(client: TestClient) -> None:
    """Counts, age, trust anchors, the last incident, feeds and routers, without any script."""
    text = (await outline(client, "/")).words("main")

    for part in ("Signed permissions (VRPs) 5", "1 minute", "Open incidents 1", "Routers connected 1", "ripe", "arin"):
        assert part in text
    assert "192.0.2.128/25 announced by AS64511" in text
    assert "ris-live live 345 routes seen" in text
    assert "A valid route (Example Networks, IPv4)" in text


async def test_old_data_is_told_on_the_front_page(view: View, client: TestClient) -> None:
    """A stale page must not look fresh."""
    fresh = view.now()
    view.now = lambda: fresh + 3 * 3600

    assert "The data is 3 hours old, so answers may be wrong." in (await outline(client, "/")).words("main")


@pytest.mark.parametrize(("state", "words"), [("stale", "has gone silent"), ("down", "is down"), ("connecting", "")])
async def test_a_feed_that_fails_is_told_on_the_front_page(
    view: View, client: TestClient, state: Literal["stale", "down", "connecting"], words: str
) -> None:
    """No news is good news only while the feed lives."""
    view.feeds = lambda: [FeedStatus("ris-live", "wss://ris.example/", state)]
    text = (await outline(client, "/")).words("main")

    assert ("so a hijack may go unseen" in text) == bool(words)
    assert words in text


async def test_the_lab_says_that_it_is_one(view: View, client: TestClient) -> None:
    """On every page."""
    view.lab = True
    for path in PAGES:
        assert "This is the lab." in await (await client.get(path, headers=HTML)).text()


@pytest.mark.parametrize(("query", "chosen"), [("", "drops"), ("?isp=accepts", "accepts"), ("?isp=%22%3E", "drops")])
async def test_a_lab_lets_its_visitor_choose_the_provider(
    view: View, client: TestClient, query: str, chosen: str
) -> None:
    """The choice is in the address, and goes along to the beacons with and without JavaScript."""
    view.isps = (Isp("drops", "Guarded Fibre"), Isp("accepts", "Open Broadband"))

    text = await (await client.get(f"/{query}")).text()

    assert f'data-isp="{chosen}"' in text
    assert f'<a href="/?isp={chosen}" aria-current="true">' in text
    assert f'href="https://invalid.example/?isp={chosen}"' in text


async def test_outside_a_lab_nobody_chooses(client: TestClient) -> None:
    """On the Internet one has the provider that one has."""
    text = await (await client.get("/?isp=accepts")).text()

    assert "?isp=" not in text
    assert 'data-isp=""' in text


async def test_a_lookup_shows_state_reason_and_vrps(client: TestClient) -> None:
    """With the object that each VRP comes from, its trust anchor and its end."""
    text = (await outline(client, "/lookup?q=192.0.2.0/25+AS64496")).words("main")

    assert "invalid AS64496 may announce 192.0.2.0/24, but this is a /25" in text
    assert "rsync://rpki.example/repository/a.roa" in text
    assert "ripe 17 Mar 2026, 08:00 UTC" in text
    assert "From serial 17, 1 minute old." in text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("192.0.2.1/24", "did you mean 192.0.2.0/24?"),
        ("AS4294967296", "AS numbers go from 0 to 4294967295"),
        ("<script>alert(1)</script>", "is not an IP prefix"),
        ("1" * (MAX_QUERY_LENGTH + 1), "longer than any prefix"),
    ],
)
async def test_a_bad_question_keeps_the_form_and_explains(client: TestClient, query: str, words: str) -> None:
    """400, the sentence beside the form, and nothing of the question becomes markup."""
    answer = await client.get("/lookup", params={"q": query}, headers=HTML)
    text = await answer.text()

    assert answer.status == 400
    assert words in text
    assert 'name="q"' in text
    assert "<script>alert" not in text


async def test_what_incidents_say_never_becomes_markup(client: TestClient) -> None:
    """Reasons come from outside."""
    text = await (await client.get("/incidents/01KKTEST")).text()

    assert "&lt;b&gt;a part&lt;/b&gt;" in text
    assert "<b>" not in text


@pytest.mark.parametrize("query", ["", "?state=open"])
async def test_many_incidents_are_shown_page_by_page(
    store: IncidentStore, incident: Incident, client: TestClient, query: str
) -> None:
    """Fifty at a time, the newest first, each of them once."""
    for number in range(99):
        one = replace(incident, id=f"01KK{number:04}")
        case = Case(one.id, one.kind, one.prefix, 64511, one.expected, one.rpki, 0, 0, Lifecycle("open"))
        store.save(case, one)
    seen: list[str] = []
    path, pages = f"/incidents{query}", 0
    while path:
        pages += 1
        text = await (await client.get(path)).text()
        seen += re.findall(r'href="/incidents/(\w+)"', text)
        older = re.search(r'href="(/incidents\?[^"]*before=\w+)"', text)
        path = unescape(older[1]) if older else ""
        assert query.lstrip("?") in path or not path

    assert pages == 2
    assert len(seen) == len(set(seen)) == 100
    assert seen == sorted(seen, reverse=True)


async def test_the_status_page_names_what_was_refused(client: TestClient) -> None:
    """URI, hash, rule and sentence."""
    text = (await outline(client, "/status")).words("main")

    for part in ("rsync://rpki.example/repository/d.roa", "ab" * 32, "RFC 9286 section 6.4", "The hash of d.roa"):
        assert part in text


async def test_the_status_page_tells_of_manifests_under_another_name(client: TestClient) -> None:
    """With both names."""
    text = (await outline(client, "/status")).words("main")
    assert "at rsync://rpki.example/repository/new.mft and no longer at rsync://rpki.example/repository/old.mft" in text


async def test_the_status_page_tells_of_local_exceptions(view: View, client: TestClient) -> None:
    """What they do, and what is wrong with newer ones; without any there is nothing to tell."""
    assert "Local exceptions" not in (await outline(client, "/status")).words("main")
    view.exceptions = LocalState(
        (ExceptionFile("/s.json", 1, 2, 1),),
        1_773_640_000,
        (Number("ripe", 3),),
        (Number("/s.json", 2),),
        "It breaks.",
    )
    text = (await outline(client, "/status")).words("main")

    assert "It breaks. The last good files stay in force." in text
    assert "ripe taken away 3 0 0 /s.json added 2 0 0" in " ".join(text.split())


async def test_the_status_page_tells_of_each_repository(client: TestClient) -> None:
    """What it served, and how it was fetched."""
    text = (await outline(client, "/status")).words("main")
    assert "https://rpki.example/notification.xml ripe 3 1 3 rrdp" in text


async def test_status_is_text_for_programs(client: TestClient) -> None:
    """Routinator's lines, unless HTML is asked for."""
    answer = await client.get("/status", headers={"Accept": "*/*"})
    lines = dict(line.split(": ", 1) for line in (await answer.text()).splitlines())

    assert answer.content_type == "text/plain"
    assert (lines["serial"], lines["vrps"], lines["valid-roas"]) == ("17", "5", "5")
    assert lines["valid-roas-per-tal"] == "ripe=3 arin=2"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/as/foo", "&#39;foo&#39; is not an AS number"),
        ("/as/ASX", "&#39;ASX&#39; is not an AS number"),
        ("/as/4294967296", "AS4294967296 does not exist"),
        ("/as/192.0.2.0%2F24", "&#39;192.0.2.0/24&#39; is not an AS number"),
    ],
)
async def test_what_is_no_as_number_is_quoted_as_it_was_asked(client: TestClient, path: str, words: str) -> None:
    """Whoever reads it has typed it."""
    answer = await client.get(URL(path, encoded=True), headers=HTML)
    assert answer.status == 400
    assert words in await answer.text()


async def test_incidents_of_one_state(client: TestClient) -> None:
    """As the API has them; there is one, and it is open."""
    assert "01KKTEST" in await (await client.get("/incidents?state=open")).text()
    none = await client.get("/incidents?state=resolved")
    assert none.status == 200
    assert "01KKTEST" not in await none.text()
    bad = await client.get("/incidents?state=foo", headers=HTML)
    assert bad.status == 400
    assert "An incident is open or resolved" in await bad.text()
