"""`rpkival watch` on recorded routes, and `rpkival alerts` over what it kept."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from rpkival.alerts.signature import Secret
from rpkival.storage import hold_directory

Rpkival = Callable[..., Any]


@pytest.fixture
def recorded(shared_data: Path, tmp_path: Path) -> list[str | Path]:
    """The words that replay a full table of 2015 against a few of the VRPs of 2025."""
    vrps = tmp_path / "vrps.csv"
    vrps.write_text(
        "ASN,IP Prefix,Max Length,Trust Anchor\nAS3333,193.230.194.0/24,24,ripe\nAS48716,185.102.72.0/22,24,ripe\n"
    )
    return ["watch", "--replay", shared_data / "mrt" / "updates.et-header.2015.gz", "--vrps", vrps]


class Receiver:
    """A webhook receiver in a thread, that verifies independently."""

    def __init__(self) -> None:
        self.secret, self.status, self.received = Secret.new(), 200, list[dict[str, Any]]()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.received.append(Webhook(outer.secret.text()).verify(body, dict(self.headers)))
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(b"thanks")

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """One that listens; its secret is in tmp_path / "secret"."""
    receiver = Receiver()
    (tmp_path / "secret").write_text(receiver.secret.text())
    thread = threading.Thread(target=receiver.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield receiver
    receiver.server.shutdown()
    thread.join()
    receiver.server.server_close()


def test_a_real_case_is_found(
    rpkival: Rpkival, recorded: list[str | Path], shared_data: Path, tmp_path: Path, receiver: Receiver
) -> None:
    """Of 577,740 routes of 2015 one takes a prefix for which AS3333 holds a ROA in 2025; it is kept, sent and shown."""
    data_dir = tmp_path / "state"
    hook = ["--webhook", receiver.url, "--webhook-secret-file", tmp_path / "secret", "--webhook-allow", "127.0.0.1"]

    recorded[-1] = shared_data / "vrps" / "rpkiclient_20250720T0931.json.bz2"

    ended = rpkival(*recorded, "--own", "AS3333", "--data-dir", data_dir, "--format", "ndjson", *hook)

    assert ended.code == 1
    (event,) = [json.loads(line) for line in ended.out.splitlines()]
    assert event["type"] == "incident.opened"
    data = event["data"]
    assert data["kind"] == "origin-hijack"
    assert data["prefix"] == "193.230.194.0/24"
    assert data["expected"] == {"prefix": "193.230.194.0/24", "origins": ["AS3333"]}
    assert data["observed"]["origin"] == "AS62414"
    assert data["rpki"]["vrps"] == [{"asn": "AS3333", "prefix": "193.230.194.0/24", "maxLength": 24, "ta": "ripe"}]
    assert data["first_seen"] == "2015-10-23T02:01:48Z"
    assert "577,740 routes seen; 1 incident opened" in ended.err
    assert [message["data"]["id"] for message in receiver.received] == [data["id"]]

    listed = rpkival("alerts", "list", "--data-dir", data_dir)
    assert listed.code == 1
    assert "193.230.194.0/24 by AS62414, expected AS3333" in listed.out
    assert rpkival("alerts", "list", "--state", "resolved", "--data-dir", data_dir).code == 0
    table = rpkival("alerts", "list", "--format", "csv", "--data-dir", data_dir).out.splitlines()
    assert table[0].startswith("id,kind,state")
    assert table[1].startswith(f"{data['id']},origin-hijack,open,high,0.9,193.230.194.0/24")

    assert rpkival("alerts", "ack", data["id"], "--data-dir", data_dir).code == 0
    page = rpkival("alerts", "show", data["id"], "--data-dir", data_dir).out
    assert "acknowledged" in page
    assert "43376 62414" in page
    assert "delivered after 1 attempt (200)" in page
    shown = json.loads(rpkival("alerts", "show", data["id"], "--format", "json", "--data-dir", data_dir).out)
    assert shown["deliveries"][0]["state"] == "delivered"

    again = rpkival("alerts", "redeliver", data["id"], "--data-dir", data_dir)
    assert again.code == 0
    assert "1 delivery waits" in again.out


def test_recorded_ris_live_messages(rpkival: Rpkival, shared_data: Path, recorded: list[str | Path]) -> None:
    """A thousand messages of 2019: others in parts of what AS48716 has a ROA for in 2025, at several collectors."""
    dump = shared_data / "live" / "rislive" / "1k-msgs"

    ended = rpkival("watch", "--own", "AS48716", "--replay", dump, *recorded[3:], "--format", "ndjson")

    assert ended.code == 1
    opened = [json.loads(line)["data"] for line in ended.out.splitlines() if "incident.opened" in line]
    assert {(data["prefix"], data["observed"]["origin"], data["kind"]) for data in opened} == {
        (prefix, "AS200593", "more-specific-hijack")
        for prefix in ("185.102.72.0/23", "185.102.73.0/24", "185.102.74.0/23", "185.102.74.0/24", "185.102.75.0/24")
    }
    mixed = rpkival(*recorded, "--own", "AS1", "--replay", dump)
    assert mixed.code == 2
    assert "in runs of their own" in mixed.err


def test_a_calm_replay(rpkival: Rpkival, recorded: list[str | Path]) -> None:
    """Nothing of this network is touched: exit code 0 and nothing on standard output."""
    ended = rpkival(*recorded, "--own", "198.51.100.0/24")

    assert (ended.code, ended.out) == (0, "")
    assert "0 incidents opened" in ended.err
    assert "no VRP covers it" in ended.err


def test_an_alert_that_nobody_takes(
    rpkival: Rpkival, recorded: list[str | Path], tmp_path: Path, receiver: Receiver
) -> None:
    """The answer is printed all the same; exit code 3 says that the alert did not arrive."""
    receiver.status = 500
    hook = ["--webhook", receiver.url, "--webhook-secret-file", tmp_path / "secret", "--webhook-allow", "127.0.0.1"]

    ended = rpkival(*recorded, "--own", "AS3333", "--output", tmp_path / "out.txt", *hook)

    assert ended.code == 3
    assert "1 alert could not be delivered" in ended.err
    assert (tmp_path / "out.txt").read_text().startswith("2015-10-23T02:01:48Z opened   high   origin-hijack")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Tell what is yours"),
        (["--own", "192.0.2.1/24"], "did you mean 192.0.2.0/24"),
        (["--own", "AS4294967296"], "AS4294967296 does not exist"),
        (["--own", "AS999999"], "No VRP of"),
        (["carrier-pigeon", "--own", "AS1"], "not a feed that can be watched"),
        (["ris-live", "--own", "AS1"], "a run of its own"),
        (["--own", "AS1", "--webhook", "https://hooks.example/"], "A webhook needs a secret"),
        (["--own", "AS1", "--webhook-secret-file", "none"], "give --webhook URL too"),
        (["--own", "AS1", "--webhook", "https://hooks.example/", "--webhook-secret-file", "none"], "cannot be read"),
    ],
)
def test_wrong_usage(rpkival: Rpkival, recorded: list[str | Path], words: list[str], sentence: str) -> None:
    """One sentence and exit code 2."""
    ended = rpkival(*recorded, *words)

    assert ended.code == 2
    assert sentence in ended.err
    assert "Traceback" not in ended.err


def test_a_missing_file(rpkival: Rpkival, recorded: list[str | Path]) -> None:
    """Named."""
    ended = rpkival("watch", "--own", "AS1", "--replay", "/nowhere/updates.gz", *recorded[3:])

    assert ended.code == 2
    assert "/nowhere/updates.gz cannot be read: No such file" in ended.err


def test_a_torn_file_is_told(rpkival: Rpkival, recorded: list[str | Path], tmp_path: Path) -> None:
    """What could be read is followed; exit code 3 says that there is more that could not."""
    torn = tmp_path / "torn.gz"
    assert isinstance(recorded[2], Path)
    torn.write_bytes(recorded[2].read_bytes()[:-1000])

    ended = rpkival("watch", "--own", "AS3333", "--replay", torn, *recorded[3:])

    assert ended.code == 3
    assert "193.230.194.0/24" in ended.out
    assert "torn.gz" in ended.err


def test_a_data_directory_in_use(rpkival: Rpkival, recorded: list[str | Path], tmp_path: Path) -> None:
    """Two monitors over one database would tell everything twice."""
    with hold_directory(tmp_path / "state"):
        ended = rpkival(*recorded, "--own", "AS1", "--data-dir", tmp_path / "state")

    assert ended.code == 2
    assert "Another rpkival uses" in ended.err


def test_alerts_without_a_database(rpkival: Rpkival, tmp_path: Path) -> None:
    """Reading does not make one."""
    ended = rpkival("alerts", "list", "--data-dir", tmp_path)

    assert ended.code == 2
    assert "There are no incidents" in ended.err
    assert not list(tmp_path.glob("rpkival.sqlite*"))


def test_alerts_of_no_such_incident(rpkival: Rpkival, recorded: list[str | Path], tmp_path: Path) -> None:
    """For each verb that names one."""
    rpkival(*recorded, "--own", "198.51.100.0/24", "--data-dir", tmp_path)

    for verb in ("show", "ack", "redeliver"):
        ended = rpkival("alerts", verb, "inc_nothing", "--data-dir", tmp_path)
        assert ended.code == 2
        assert "inc_nothing" in ended.err


def test_alerts_test(rpkival: Rpkival, tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signed event at once, and what the receiver said of it."""
    words = ["alerts", "test", receiver.url, "--secret-file", tmp_path / "secret"]

    refused = rpkival(*words)
    assert refused.code == 2
    assert "not encrypted" in refused.err

    taken = rpkival(*words, "--allow", "127.0.0.1")
    assert taken.code == 0
    assert "answered 200" in taken.out
    assert taken.out.strip().endswith("thanks")
    assert receiver.received[0]["type"] == "test"

    monkeypatch.setenv("RPKIVAL_WEBHOOK_SECRET", f"{Secret.new().text()} {receiver.secret.text()}")
    assert rpkival("alerts", "test", receiver.url, "--allow", "127.0.0.1").code == 0
    receiver.status = 403
    assert rpkival(*words, "--allow", "127.0.0.0/8").code == 1


async def test_alerts_test_without_an_answer(tmp_path: Path, unused_tcp_port: int, rpkival: Rpkival) -> None:
    """Nobody listens: said in words."""
    (tmp_path / "secret").write_text(Secret.new().text())
    url = f"http://127.0.0.1:{unused_tcp_port}/"

    ended = await asyncio.to_thread(
        rpkival, "alerts", "test", url, "--secret-file", tmp_path / "secret", "--allow", "127.0.0.1"
    )

    assert ended.code == 1
    assert "could not be reached" in ended.out
