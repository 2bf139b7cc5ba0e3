"""Tests for rpkival.lab.served_build: what both ways serve is what was built."""

from __future__ import annotations

import socket
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from rpkival.errors import UsageError
from rpkival.lab.plan import Plan
from rpkival.lab.served_build import ServedBuild
from rpkival.objects.certificate import Role, parse_certificate

AT = 1_773_648_000
SMALL = Plan(cas=8, roas=20, aspas=2, router_keys=1, depth=3, hosts=3)


def content(directory: Path) -> dict[str, bytes]:
    """Of all files below, by path."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_every_host_has_servers_of_its_own(program: Callable[..., str], tmp_path: Path) -> None:
    """All rsync, the first ones RRDP too; certificates say so."""
    rsync = program("rsync")
    with ServedBuild(tmp_path / "lab", SMALL, rrdp=2) as served:
        assert served.build(at=AT).points == 9
        modules = {module.name: module for module in (tmp_path / "lab/rsync").glob("*/*")}
        assert sorted(modules) == ["repo0", "repo1", "repo2"]
        for name, module in modules.items():
            uri = f"rsync://{module.parent.name}/{name}/"
            subprocess.run([rsync, "-rt", uri, tmp_path / name], check=True, timeout=60)
            assert content(tmp_path / name) == content(module)
        for name, server in zip(("repo0", "repo1"), served.servers, strict=True):
            base = f"rsync://{modules[name].parent.name}/{name}/"
            assert server.publication.files == {base + path: data for path, data in content(modules[name]).items()}
            assert server.ca_file.read_bytes() in served.ca_file.read_bytes()
        announced = {
            path.name: parse_certificate(path.read_bytes(), Role.CA).locations.notify
            for path in tmp_path.glob("lab/rsync/**/ca-*.cer")
        }
        assert {announced[f"ca-{number}.cer"] for number in (1, 4, 7)} == {served.servers[1].notify_uri}
        assert {announced[f"ca-{number}.cer"] for number in (2, 5, 8)} == {""}


@pytest.mark.usefixtures("needs_rsync")
def test_a_change_is_the_next_serial(tmp_path: Path) -> None:
    """Whose delta has what has changed; and a new session forgets it."""
    with ServedBuild(tmp_path / "lab", SMALL, rrdp=3) as served:
        served.build(at=AT)
        before = [server.publication.files for server in served.servers]
        assert served.change(100).points == 8
        for server, old in zip(served.servers, before, strict=True):
            publication = server.publication
            delta = ET.fromstring(publication.deltas[publication.serial])
            changed = {uri for uri in old.keys() | publication.files if old.get(uri) != publication.files.get(uri)}
            assert {element.attrib["uri"] for element in delta} == changed != set()
        sessions = {server.publication.session for server in served.servers}
        served.begin_sessions()
        assert sessions.isdisjoint(server.publication.session for server in served.servers)
        assert not any(server.publication.deltas for server in served.servers)


@pytest.mark.usefixtures("needs_rsync")
def test_nothing_is_served_afterwards(tmp_path: Path) -> None:
    """Neither way."""
    with ServedBuild(tmp_path / "lab", SMALL, rrdp=1) as served:
        served.build(at=AT)
        ports = [int(path.name.rpartition(":")[2]) for path in (tmp_path / "lab/rsync").iterdir()]
        ports.append(int(served.servers[0].base.rpartition(":")[2]))
    for port in ports:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 5)


def test_more_by_rrdp_than_there_are(tmp_path: Path) -> None:
    """Is refused before anything is started."""
    for rrdp in (-1, 4):
        with pytest.raises(UsageError, match="3 hosts"):
            ServedBuild(tmp_path / "lab", SMALL, rrdp=rrdp)
