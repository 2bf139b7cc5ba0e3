"""The page in a real browser: the ISP check against beacons on loopback, the lookup, a phone, and no JavaScript."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright, expect

from rpkival.http_server import HttpServer, listen
from rpkival.origin.index import OriginIndex
from rpkival.payload.payload import Payload
from rpkival.payload.snapshot import Snapshot
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.validation.report import Counts, Rejection, Report, TrustAnchorReport
from web.app import make_app, start
from web.beacons import BeaconFamily, BeaconSet
from web.view import ValidationSummary, View

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="module")]

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
PATIENCE_MS = 60_000
PATHS = ("/", "/lookup", "/prefix/192.0.2.0/24", "/as/64496", "/incidents", "/status")

VRPS = Vrps.of(
    [
        Vrp("192.0.2.0/24", 24, 64496, "ripe", 1_900_000_000, "rsync://rpki.example/repository/" + "a" * 60 + ".roa"),
        Vrp("192.0.2.128/25", 25, 64498, "arin"),
    ]
)

REPORT = Report(
    1_773_647_990,
    (
        TrustAnchorReport(
            "ripe",
            "rsync://rpki.example/repository/ta.cer",
            Counts(publication_points_valid=3, publication_points_rejected=1, roas_valid=3, roas_rejected=1, vrps=3),
        ),
    ),
    (Rejection("rsync://rpki.example/d/" + "b" * 60 + ".roa", "ab" * 32, "RFC 9286 6.4", "Bad hash.", "ripe"),),
    (),
)


def answers(body: dict[str, object] | None) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A beacon that answers this JSON, or stays silent."""

    async def answer(_: web.Request) -> web.StreamResponse:
        if body is None:
            await asyncio.sleep(3600)
        return web.json_response(body, headers={"Access-Control-Allow-Origin": "*"})

    return answer


@dataclass
class Site:
    """The page over a view, the beacons beside it, and what the browser complained of."""

    view: View
    url: str
    browser: Browser
    servers: list[HttpServer]
    complaints: list[str] = field(default_factory=list)

    async def beacon(self, body: dict[str, object] | None, host: str = "127.0.0.1") -> str:
        """Start a beacon and give its URL."""
        app = web.Application()
        app.router.add_get("/", answers(body))
        server = await listen(app, host, 0, "A beacon")
        self.servers.append(server)
        return f"{server.url}/"

    async def open(self, path: str, *, width: int = 1280, javascript: bool = True) -> Page:
        """A fresh visitor on a page."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": 800}, java_script_enabled=javascript
        )
        page = await context.new_page()
        page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(self.url + path)
        return page

    async def check(self) -> Page:
        """Press the button and wait for the verdict."""
        page = await self.open("/")
        await page.get_by_role("button", name="Run the check").click()
        await expect(page.locator("#result")).to_be_visible()
        return page


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(program: Callable[..., str]) -> AsyncIterator[Browser]:
    """One browser; every test visits in a context of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program("chromium"), args=ARGS)
        expect.set_options(timeout=PATIENCE_MS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def site(browser: Browser) -> AsyncIterator[Site]:
    """A page with a few VRPs and no beacons yet, and the browser that visits it."""
    view = View(
        snapshot=Snapshot(Payload(VRPS.unique_sorted()), 1_773_648_000, 17, 4242),
        index=OriginIndex.build(VRPS),
        validation=ValidationSummary(1_773_647_990, 1_773_648_000, REPORT),
        now=lambda: 1_773_648_090.0,
    )
    server = await start(make_app(view), "127.0.0.1", 0)
    servers = [server]
    yield Site(view, server.url, browser, servers)
    for context in browser.contexts:
        await context.close()
    await asyncio.gather(*(each.close() for each in servers))


async def test_an_invalid_address_that_answers_is_found(site: Site) -> None:
    """The verdict, its words and every request are on the page; the browser has nothing to complain of."""
    control, invalid = await site.beacon({"route": "valid"}), await site.beacon({"route": "invalid"})
    site.view.beacons = (
        BeaconSet(name="a", operator="A", family=BeaconFamily.IPV4, control=(control,), invalid=(invalid,)),
    )
    page = await site.check()

    await expect(page.locator("#result-headline")).to_have_text("Invalid routes reach you.")
    card = page.locator("article")
    await expect(card).to_have_attribute("data-verdict", "accepts-invalid")
    await expect(card).to_contain_text("Over IPv4 invalid routes reach you.")
    await expect(card.locator("tbody tr")).to_have_count(6)
    await expect(card.locator("tbody")).to_be_hidden()
    await card.get_by_text("Evidence").click()
    await expect(card.locator("tbody")).to_contain_text("answered")
    await expect(page.locator("#status")).to_have_attribute("role", "status")
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await page.get_by_role("button", name="Copy this result").click()
    await expect(page.locator("#status")).to_have_text("The result is on your clipboard.")
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert "A: the invalid address answered 3 of 3 times, the valid one 3 of 3 times." in copied
    assert site.complaints == []


async def test_silence_beside_a_firm_control_is_dropping_and_families_are_told_apart(site: Site) -> None:
    """IPv4: silence for five seconds, three times. IPv6: a beacon that tells it was reached by the invalid route."""
    control, invalid = await site.beacon({"route": "valid"}), await site.beacon(None)
    beacons = [BeaconSet(name="four", operator="A", family=BeaconFamily.IPV4, control=(control,), invalid=(invalid,))]
    if has_ipv6_loopback():
        covered = await site.beacon({"route": "invalid", "family": 6}, "::1")
        beacons.append(BeaconSet(name="six", operator="A", family=BeaconFamily.IPV6, covered=(covered,)))
    site.view.beacons = tuple(beacons)
    page = await site.check()

    verdicts = [await card.get_attribute("data-verdict") for card in await page.locator("article").all()]
    assert verdicts == ["drops-invalid", "accepts-invalid"][: len(beacons)]
    assert site.complaints == []


async def test_a_refused_connection_is_inconclusive(site: Site) -> None:
    """A content blocker looks like that too, so nobody is told to be protected."""
    control = await site.beacon({"route": "valid"})
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        site.view.beacons = (
            BeaconSet(name="a", operator="A", family=BeaconFamily.IPV4, control=(control,), invalid=(url,)),
        )
        page = await site.check()

    await expect(page.locator("article")).to_have_attribute("data-verdict", "inconclusive")
    await expect(page.locator("#result-headline")).to_have_text("This check could not tell.")


async def test_a_check_that_cannot_be_done_says_so(site: Site) -> None:
    """The server went away between the page and the check."""
    site.view.beacons = (BeaconSet(name="a", operator="A", covered=("http://127.0.0.1:9/",)),)
    page = await site.open("/")
    await site.servers[0].close()
    await page.get_by_role("button", name="Run the check").click()

    await expect(page.locator("#status")).to_contain_text("The check could not be done")
    await expect(page.get_by_role("button", name="Run the check again")).to_be_enabled()


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_lookup_answers(site: Site, *, javascript: bool) -> None:
    """From the form on the front page to the state, with and without JavaScript."""
    page = await site.open("/", javascript=javascript)
    await page.get_by_label("Prefix, address or AS number").fill("192.0.2.0/24 AS64511")
    await page.get_by_role("button", name="Look up").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("192.0.2.0/24 AS64511")
    await expect(page.locator(".verdict")).to_contain_text("signed for AS64496, not for AS64511")
    await page.get_by_role("link", name="AS64496").first.click()
    await expect(page.locator("tbody")).to_contain_text("192.0.2.0/24")
    assert site.complaints == []


async def test_without_javascript_the_page_reads_well(site: Site) -> None:
    """What it is about, the story of the moment, and the test addresses to try by hand; no button that does nothing."""
    site.view.beacons = (
        BeaconSet(name="a", operator="A", control=("https://valid.example/",), invalid=("https://invalid.example/",)),
    )
    page = await site.open("/", javascript=False)

    for text in ("Does your ISP drop invalid routes?", "A hijack is a false claim", "Without JavaScript", "Right now"):
        await expect(page.get_by_text(text).first).to_be_visible()
    await expect(page.get_by_role("link", name="Only an invalid route")).to_have_attribute(
        "href", "https://invalid.example/"
    )
    await expect(page.get_by_role("button", name="Run the check")).to_have_count(0)


async def test_the_story_refreshes_itself(site: Site) -> None:
    """New data shows without a reload."""
    page = await site.open("/")
    await page.clock.install()
    await page.reload()
    await expect(page.locator("#now")).to_contain_text("Signed permissions (VRPs)2")
    site.view.snapshot = Snapshot(Payload(Vrps.of([Vrp("192.0.2.0/24", 24, 64496)])), 1_773_648_090, 18, 4242)

    await page.clock.fast_forward("00:11")
    await expect(page.locator("#now")).to_contain_text("Signed permissions (VRPs)1")
    assert site.complaints == []


async def test_a_phone_of_360_pixels_scrolls_down_only(site: Site) -> None:
    """No page is wider than the screen, no notice than its box, and the browser has nothing to complain of on any."""
    site.view.troubles["held"] = f"Held back, for example: rsync://{'a' * 60}.example/ca.mft: The manifest is missing."
    page = await site.open("/", width=360)
    for path in PATHS:
        await page.goto(site.url + path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360, path
        for notice in await page.locator(".notice").all():
            assert await notice.evaluate("box => box.scrollWidth <= box.clientWidth"), path
    assert site.complaints == []


def has_ipv6_loopback() -> bool:
    """Whether this machine has ::1."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
