"""`rpkival up --lab` as its user meets it: a real process, a real BIRD behind it, the page, the alert."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import pytest

HIJACK = "198.18.66.0/24"
VICTIM = "198.18.64.0/20"
SHOWN_WITHIN = 20.0
"""Seconds in which a visitor of the lab has seen everything."""
PATIENCE = 60.0

BIRD_CONFIG = """
log stderr all;
router id 192.0.2.50;
protocol device {{ }}
roa4 table r4;
roa6 table r6;
protocol rpki cache {{
  roa4 {{ table r4; }}; roa6 {{ table r6; }};
  remote 127.0.0.1 port {rtr}; refresh 30; retry 2; expire 7200;
}}
filter drop_invalid {{
  if roa_check(r4, net, bgp_path.last) = ROA_INVALID then reject;
  accept;
}}
protocol bgp transit {{
  local 127.0.0.1 port {own} as 65550; neighbor 127.0.0.1 port {bgp} as 64496; multihop; connect delay time 1;
  ipv4 {{ import keep filtered; import table; import filter drop_invalid; export none; }};
}}
"""

T = TypeVar("T")


def until(look: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + patience
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@dataclass
class Lab:
    """A running `rpkival up --lab` and what it printed."""

    process: subprocess.Popen[str]
    started: float
    lines: list[str] = field(default_factory=list)

    def line(self, pattern: str, patience: float = PATIENCE) -> re.Match[str]:
        """Wait for a line that matches."""
        return until(
            lambda: next(filter(None, (re.search(pattern, line) for line in tuple(self.lines))), None), patience
        )

    @property
    def page(self) -> str:
        return self.line(r"page, API, metrics +(http://\S+)")[1]

    def get(self, path: str) -> str:
        """GET from the page."""
        with urllib.request.urlopen(f"{self.page}{path}", timeout=10) as answer:
            return answer.read().decode()

    def json(self, path: str) -> Any:
        return json.loads(self.get(path))


@contextmanager
def running_lab(hijack_lasts: int) -> Iterator[Lab]:
    """A lab on ports that nobody else has, ended as a user ends it."""
    command = [sys.executable, "-m", "rpkival", "up", "--lab", "--listen", "127.0.0.1:0"]
    command += ["--rtr-listen", "127.0.0.1:0", "--bgp-port", "0", "--hijack-lasts", str(hijack_lasts)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        running = Lab(process, time.monotonic())
        assert process.stdout is not None
        reader = Thread(target=lambda stream: [running.lines.append(line) for line in stream], args=(process.stdout,))
        reader.start()
        try:
            yield running
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0
            reader.join()


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """One lab for all tests whose hijack does not end."""
    with running_lab(hijack_lasts=3600) as running:
        yield running


def free_port() -> int:
    """For BIRD's own listening socket, which is 179 otherwise and there only once."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture
def birdc(lab: Lab, program: Callable[..., str], tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """A BIRD that takes RTR and BGP from the lab and rejects what is invalid; `birdc("show route")` asks it."""
    bird, control = program("bird"), program("birdc")
    rtr = lab.line(r"RTR for routers +\S+:(\d+)")[1]
    bgp = lab.line(r"BGP for your router +\S+:(\d+) ")[1]
    config, answers = tmp_path / "bird.conf", tmp_path / "bird.ctl"
    config.write_text(BIRD_CONFIG.format(rtr=rtr, bgp=bgp, own=free_port()))
    command = [bird, "-f", "-c", str(config), "-s", str(answers), "-P", str(tmp_path / "bird.pid")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        until(answers.exists)

        def ask(question: str) -> str:
            return subprocess.run(
                [control, "-r", "-s", str(answers), *question.split()], capture_output=True, text=True, timeout=10
            ).stdout

        try:
            yield ask
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.interop
def test_everything_is_seen_soon(lab: Lab) -> None:
    """Within seconds of the start: validated data, the hijack as an incident, a verified alert, metrics."""
    left = SHOWN_WITHIN - (time.monotonic() - lab.started)

    lab.line(rf"ALERT, signature verified: incident.opened: {HIJACK} announced by AS64510", max(left, 1.0))

    (incident,) = lab.json("/api/v1/incidents")["incidents"]
    assert (incident["prefix"], incident["kind"], incident["state"]) == (HIJACK, "more-specific-hijack", "open")
    assert incident["expected"]["origins"] == ["AS64505"]
    assert (incident["rpki"]["state"], incident["rpki"]["reason"]) == ("invalid", "as")
    assert 'rpkival_incidents{state="open"} 1.0' in lab.get("/metrics")
    assert HIJACK in lab.get("/")


@pytest.mark.interop
def test_the_validity_of_the_labs_routes(lab: Lab) -> None:
    """The VRPs come from objects that were signed, fetched and validated when the lab began."""
    lab.line(r"BGP for your router")
    until(lambda: "rpkival_vrps{" in lab.get("/metrics"))

    valid = lab.json(f"/api/v1/validity/AS64505/{VICTIM}")["validated_route"]["validity"]
    hijack = lab.json(f"/api/v1/validity/AS64510/{HIJACK}")["validated_route"]["validity"]
    unknown = lab.json("/api/v1/validity/AS64511/198.18.112.0/20")["validated_route"]["validity"]

    assert (valid["state"], hijack["state"], unknown["state"]) == ("valid", "invalid", "not-found")
    assert hijack["reason"] == "length", "as Routinator has it where a VRP is wrong in both ways"


@pytest.mark.interop
def test_bird_drops_the_hijack_and_nothing_else_that_is_valid(lab: Lab, birdc: Callable[[str], str]) -> None:
    """A router that takes our RTR keeps the victim's route and rejects the hijacker's."""
    until(lambda: "Established" in birdc("show protocols cache"))
    until(lambda: VICTIM in birdc("show route protocol transit"))

    until(lambda: HIJACK in birdc("show route filtered"))

    kept = birdc("show route protocol transit")
    assert HIJACK not in kept
    assert VICTIM in kept
    assert "198.18.112.0/20" in kept, "what has no ROA is kept"


@pytest.mark.interop
def test_the_hijack_ends() -> None:
    """Whoever was alarmed hears that it is over."""
    with running_lab(hijack_lasts=3) as lab:
        lab.line(rf"ALERT, signature verified: incident.resolved: {HIJACK}")

        (incident,) = lab.json("/api/v1/incidents?state=resolved")["incidents"]

    assert incident["state"] == "resolved"
