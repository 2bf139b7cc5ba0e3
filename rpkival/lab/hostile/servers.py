"""Servers that never come to an end, lead elsewhere, or answer with what takes a parser apart."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from typing import Final

from rpkival.lab import rrdp_misbehaviour
from rpkival.lab.hostile.ground import Case, Files, Ground
from rpkival.lab.rrdp_server import Misbehaviour, RrdpServer
from rpkival.lab.rsync_misbehaviour import DrippingDaemon

__all__ = ["SERVERS"]

_NOTIFICATION: Final = "/notification.xml"
_NAMESPACE: Final = "http://www.ripe.net/rpki/rrdp"
_SESSION: Final = "9df4b597-af9e-4dca-bdda-719cce2c4e28"
_LINK: Final = "uri='https://127.0.0.1/s.xml' hash='" + "0" * 64 + "'"


def _at_notification(misbehaviour: Misbehaviour) -> Callable[[Ground], None]:
    def prepare(ground: Ground) -> None:
        ground.rrdp().misbehave[_NOTIFICATION] = misbehaviour

    return prepare


def _notification(*, prolog: str = "", serial: str = "1", body: str = "") -> Misbehaviour:
    """One that would be right but for what is given."""
    content = (
        f"{prolog}<notification xmlns='{_NAMESPACE}' version='1' session_id='{_SESSION}' serial='{serial}'>"
        f"{body or f'<snapshot {_LINK}/>'}</notification>"
    )
    return rrdp_misbehaviour.answer_with(content.encode())


def _long_serial(ground: Ground) -> None:
    ground.rrdp().misbehave[_NOTIFICATION] = _notification(serial="9" * ground.size)


def _long_link(ground: Ground) -> None:
    body = f"<snapshot uri='https://127.0.0.1/{'a' * ground.size}' hash='{'0' * 64}'/>"
    ground.rrdp().misbehave[_NOTIFICATION] = _notification(body=body)


def _many_deltas(ground: Ground) -> None:
    server = ground.rrdp()
    uri = f"{server.base}/d.xml"
    deltas = "".join(f"<delta serial='{each}' uri='{uri}' hash='{'0' * 64}'/>" for each in range(1, ground.size + 1))
    body = f"<snapshot uri='{uri}' hash='{'0' * 64}'/>{deltas}"
    server.misbehave[_NOTIFICATION] = _notification(serial=str(ground.size), body=body)


def _billion_laughs() -> str:
    entities = "".join(f"<!ENTITY l{each} '{f'&l{each - 1};' * 10}'>" for each in range(1, 10))
    return f"<!DOCTYPE notification [<!ENTITY l0 'lol'>{entities}]>"


_XXE: Final = "<!DOCTYPE notification [<!ENTITY f SYSTEM 'file:///etc/passwd'>]>"


def _with_snapshot(change: Callable[[Ground, RrdpServer], None]) -> Callable[[Ground], None]:
    """Change the server each time after it has published."""

    def prepare(ground: Ground) -> None:
        server = ground.rrdp()
        publish = ground.publish_rrdp

        def published(files: Files) -> None:
            publish(files)
            change(ground, server)

        ground.publish_rrdp = published

    return prepare


def _elsewhere(_ground: Ground, server: RrdpServer) -> None:
    publication = server.publication
    publication.links[publication.snapshot_path] = "https://127.0.0.1:1/snapshot.xml"


def _redirected(_ground: Ground, server: RrdpServer) -> None:
    path = server.publication.snapshot_path
    server.misbehave[path] = rrdp_misbehaviour.redirect_to("https://127.0.0.1:1/snapshot.xml")


def _other_snapshot(_ground: Ground, server: RrdpServer) -> None:
    content = server.publication.snapshot.replace(b"<publish", b"<!-- --><publish")
    server.misbehave[server.publication.snapshot_path] = rrdp_misbehaviour.answer_with(content)


def _cut_short(_ground: Ground, server: RrdpServer) -> None:
    server.misbehave[server.publication.snapshot_path] = rrdp_misbehaviour.cut_short


def _bad_base64(_ground: Ground, server: RrdpServer) -> None:
    publication = server.publication
    publication.snapshot = publication.snapshot.replace(b"</publish>", b"=\xc3\xa9*\x7f</publish>")


def _wide_snapshot(ground: Ground, server: RrdpServer) -> None:
    publication = server.publication
    publication.snapshot = publication.snapshot.replace(b"<publish", b"<publish" + b" " * ground.size, 1)
    # As gzip it would be a bomb of another kind.
    server.misbehave[publication.snapshot_path] = rrdp_misbehaviour.answer_with(publication.snapshot)


def _endless_snapshot(ground: Ground, server: RrdpServer) -> None:
    publication = server.publication
    head = publication.snapshot[: publication.snapshot.index(b">") + 1]
    octets = base64.b64encode(bytes(60_000)).decode()
    piece = f"<publish uri='{ground.attacker.repository}x.xyz'>{octets}</publish>".encode()
    server.misbehave[publication.snapshot_path] = rrdp_misbehaviour.endless(head, piece)


def _endless_header(ground: Ground) -> None:
    header = b"HTTP/1.1 200 OK\r\n" + b"X-Header: more\r\n" * 1_000
    ground.rrdp().misbehave[_NOTIFICATION] = rrdp_misbehaviour.endless_octets(header)


def _silent_tls(ground: Ground) -> None:
    # Nobody accepts; the system connects all the same.
    listening = ground.open(socket.create_server(("127.0.0.1", 0)))
    ground.notify = f"https://127.0.0.1:{listening.getsockname()[1]}/notification.xml"


def _foreign_objects(ground: Ground) -> None:
    server = ground.rrdp()
    good = ground.good
    forged = {f"{good.repository}{name}": b"forged" for name in (good.manifest, f"{good.name}.crl")}
    ground.publish_rrdp = lambda files: server.publish(
        {ground.attacker.repository + name: content for name, content in files.items()} | forged
    )


def _rsync_drip(ground: Ground) -> None:
    daemon = ground.open(DrippingDaemon())
    name = f"{ground.case.name}-below"
    ground.attacker.issue_ca(name, ground.block.resources, repository=f"rsync://{daemon.authority}/{name}/")


SERVERS: Final = tuple(
    Case(name, attack, sources, answer, reason, prepare, keeps=True, size=size, served=True)
    for name, attack, sources, answer, reason, prepare, size in (
        (
            "retry-after",
            "HTTP status 429, and the request to come again in ten days.",
            ("RPRP B",),
            "Retry-After is not heard; `MAX_FETCH_RETRY_SECONDS` is the longest pause.",
            "HTTP status 429",
            _at_notification(rrdp_misbehaviour.too_many_requests),
            0,
        ),
        (
            "endless-redirect",
            "Redirections without end.",
            ("RPRP C",),
            "`MAX_HTTP_REDIRECTS`, all to the same origin (RFC 9674).",
            "redirects more than 5 times",
            _at_notification(rrdp_misbehaviour.endless_redirect),
            0,
        ),
        (
            "gzip-bomb",
            "64 GiB of blanks as 64 MB of gzip.",
            ("RPRP D", "CVE-2021-43174", "CVE-2021-3912"),
            "`MAX_HTTP_RATIO`, `HTTP_RATIO_FREE_BYTES`, `MAX_RRDP_NOTIFICATION_BYTES`, all while it streams.",
            "is a gzip bomb",
            _at_notification(rrdp_misbehaviour.gzip_bomb),
            0,
        ),
        (
            "drip-feed",
            "An octet now and then.",
            ("RPRP E", "CVE-2021-43173", "CVE-2021-3909", "Stalloris"),
            "`HTTP_MIN_RATE`, `HTTP_FILE_SECONDS`, `RRDP_SECONDS`.",
            "bytes a second; below",
            _at_notification(rrdp_misbehaviour.drip),
            0,
        ),
        (
            "redirect-to-http",
            "A redirection to a plain address of the machine's own network.",
            ("GHSA-qfm3-577x-rh54",),
            "RRDP is https and nothing else (RFC 8182 section 3.2).",
            "is not an https:// URI",
            _at_notification(rrdp_misbehaviour.redirect_to("http://169.254.169.254/latest/meta-data/")),
            0,
        ),
        (
            "endless-header",
            "Header fields without end.",
            ("CVE-2021-3909",),
            "`HTTP_ANSWER_SECONDS`, and what the HTTP parser takes for one line and one header.",
            "could not be fetched|took too long",
            _endless_header,
            0,
        ),
        (
            "endless-continue",
            "Interim answers without end, each of which promises a final one.",
            ("CVE-2021-3909", "Stalloris"),
            "`HTTP_CONNECT_SECONDS`, `HTTP_ANSWER_SECONDS`.",
            "took too long",
            _at_notification(rrdp_misbehaviour.endless_octets(b"HTTP/1.1 100 Continue\r\n\r\n")),
            0,
        ),
        (
            "tls-silence",
            "A server that takes connections, and then says nothing.",
            ("CVE-2021-3909", "Stalloris"),
            "`HTTP_CONNECT_SECONDS`.",
            "took too long|could not be fetched",
            _silent_tls,
            0,
        ),
        (
            "billion-laughs",
            "Ten entities, each of ten of the one before it.",
            ("RPRP G", "CVE-2021-43174"),
            "A document type declaration ends the parsing.",
            "it has a DOCTYPE",
            _at_notification(_notification(prolog=_billion_laughs(), body="&l9;")),
            0,
        ),
        (
            "xxe",
            "An entity in an attribute that is a file of the reader's.",
            ("RPRP M",),
            "A document type declaration ends the parsing.",
            "it has a DOCTYPE",
            _at_notification(_notification(prolog=_XXE, serial="&f;")),
            0,
        ),
        (
            "bomb-serial",
            "A serial of three million digits.",
            ("rpki-rs test data",),
            "`MAX_RRDP_NOTIFICATION_BYTES`, `MAX_RRDP_SERIAL`.",
            "is no serial number",
            _long_serial,
            3_000_000,
        ),
        (
            "bomb-snapshot-uri",
            "A snapshot at a URI of three million characters.",
            ("rpki-rs test data",),
            "`MAX_RRDP_NOTIFICATION_BYTES`, `MAX_URI_LENGTH`.",
            "URI of [0-9]+ characters is too long",
            _long_link,
            3_000_000,
        ),
        (
            "bomb-whitespace",
            "Three million blanks in a tag of a snapshot.",
            ("rpki-rs test data",),
            "`MAX_RRDP_TOKEN_BYTES`.",
            "tag or comment of more than [0-9]+ bytes",
            _with_snapshot(_wide_snapshot),
            3_000_000,
        ),
        (
            "many-deltas",
            "A notification file that lists 20,001 deltas.",
            ("rpki-client", "Routinator"),
            "`MAX_RRDP_LISTED_DELTAS`, `MAX_RRDP_DELTAS`.",
            "lists more than 20000 deltas",
            _many_deltas,
            20_001,
        ),
        (
            "broken-xml",
            "A notification file that is no UTF-8, and no XML.",
            ("CVE-2026-49235", "rpki-client 9.5", "rpki-client 9.8"),
            "Whatever the parser refuses ends in `FetchError`.",
            "the XML is broken",
            _at_notification(rrdp_misbehaviour.answer_with(b"<notification \xff\xfe='\x00'><![CDATA[")),
            0,
        ),
        (
            "endless-notification",
            "A notification file of comments without end.",
            ("RPRP L",),
            "`MAX_RRDP_NOTIFICATION_BYTES`.",
            "more than 4194304 bytes",
            _at_notification(rrdp_misbehaviour.endless(b"", b"<!-- " + b"x" * 1000 + b" -->")),
            0,
        ),
        (
            "endless-snapshot",
            "A snapshot of objects without end.",
            ("RPRP L",),
            "`MAX_RRDP_SNAPSHOT_BYTES`, `MAX_REPOSITORY_BYTES`.",
            "more than [0-9]+ bytes",
            _with_snapshot(_endless_snapshot),
            0,
        ),
        (
            "cross-origin-snapshot",
            "A snapshot on somebody else's host.",
            ("RPRP L", "GHSA-qfm3-577x-rh54"),
            "All files of a repository have one origin (RFC 9674).",
            "another origin",
            _with_snapshot(_elsewhere),
            0,
        ),
        (
            "cross-origin-redirect",
            "A snapshot that is redirected to somebody else's host.",
            ("GHSA-qfm3-577x-rh54",),
            "Redirections are to the same origin (RFC 9674).",
            "another origin",
            _with_snapshot(_redirected),
            0,
        ),
        (
            "bad-base64-rrdp",
            "Objects in a snapshot that are no Base64.",
            ("CVE-2022-3029",),
            "Base64 is decoded strictly, and a snapshot counts as a whole or not at all.",
            "is no base64",
            _with_snapshot(_bad_base64),
            0,
        ),
        (
            "other-snapshot",
            "Another snapshot than the one whose hash is on the notification file.",
            ("RFC 8182",),
            "Nothing of it is kept before its hash is right (RFC 8182 section 3.4.3).",
            "has not the hash",
            _with_snapshot(_other_snapshot),
            0,
        ),
        (
            "cut-short",
            "The connection ends in the middle of a snapshot.",
            ("rpki-client 8.8",),
            "A repository changes in one transaction, or not at all.",
            "could not be fetched",
            _with_snapshot(_cut_short),
            0,
        ),
        (
            "rrdp-foreign-objects",
            "Objects in a repository under the URIs of another's.",
            ("rpki-prover PR #302",),
            "Objects are kept by repository; what one publishes, no other is asked for.",
            "",
            _foreign_objects,
            0,
        ),
        (
            "rsync-drip-feed",
            "An rsync daemon that greets, and then says an octet now and then.",
            ("CVE-2024-48943",),
            "`RSYNC_TOTAL_SECONDS`, whatever comes.",
            "took longer than",
            _rsync_drip,
            0,
        ),
    )
)
