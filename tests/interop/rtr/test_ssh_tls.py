"""RTR through SSH and TLS: OpenSSH in front of our cache, StayRTR as cache, rtrdump, rtrclient and our own client."""

from __future__ import annotations

import getpass
import json
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rpkival.errors import FetchError
from rpkival.payload.vrps import Vrp, Vrps
from rpkival.rtr.client import fetch_payload
from rpkival.rtr.dial import Dial
from rpkival.rtr.tls import TlsClient, TlsServer

pytestmark = pytest.mark.interop

HOST = "127.0.0.1"
VRPS = [Vrp("192.0.2.0/24", 24, 64496), Vrp("2001:db8::/32", 48, 64497)]
PREFIXES = {vrp.prefix for vrp in VRPS}


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server((HOST, 0)) as free:
        return int(free.getsockname()[1])


def new_ssh_key(program: Callable[..., str], path: Path) -> Path:
    """A private key without a passphrase, in the old form that all read; the public one is beside it."""
    argv = (program("ssh-keygen"), "-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "", "-f", str(path))
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    return path


@pytest.fixture
def ssh_client(program: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's key; `ssh` takes it, and believes any host, as the configuration of a user may say."""
    key = new_ssh_key(program, tmp_path / "user")
    (tmp_path / "ssh.conf").write_text(
        f"Host *\n IdentityFile {key}\n IdentitiesOnly yes\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n"
        " LogLevel ERROR\n"
    )
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "ssh").write_text(f'#!/bin/sh\nexec {program("ssh")} -F {tmp_path / "ssh.conf"} "$@"\n')
    (directory / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    return key


@pytest.fixture
def sshd(
    program: Callable[..., str], start: Callable[..., Any], live_cache: Any, ssh_client: Path, tmp_path: Path
) -> int:
    """The port of an sshd whose subsystem is our cache, as docs/rtr.md has it."""
    host_key = new_ssh_key(program, tmp_path / "host")
    (tmp_path / "authorized").write_text((tmp_path / "user.pub").read_text())
    port = free_port()
    (tmp_path / "sshd.conf").write_text(
        f"ListenAddress {HOST}:{port}\nHostKey {host_key}\nAuthorizedKeysFile {tmp_path / 'authorized'}\n"
        f"PidFile none\nStrictModes no\nPermitRootLogin yes\nPubkeyAcceptedAlgorithms +ssh-rsa\n"
        f"HostKeyAlgorithms +ssh-rsa\n"
        f"Subsystem rpki-rtr {program('nc')} -N {live_cache.host} {live_cache.port}\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it confines itself before authentication
    start(program("sshd"), "-D", "-e", "-f", str(tmp_path / "sshd.conf"))
    return port


def fetched(port: int, **dial: Any) -> set[str]:
    """The prefixes that our client gets; none while nobody answers."""
    try:
        return {vrp.prefix for vrp in fetch_payload(HOST, port, timeout=20, dial=Dial(HOST, port, **dial)).vrps}
    except FetchError:
        return set()


def test_our_client_and_rtrdump_through_openssh(
    program: Callable[..., str], sshd: int, live_cache: Any, ssh_client: Path, eventually: Any, tmp_path: Path
) -> None:
    """Both take the whole set from the subsystem rpki-rtr; our client leaves no ssh behind."""
    live_cache.serve(Vrps.of(VRPS))
    eventually(lambda: fetched(sshd, ssh=getpass.getuser()), PREFIXES)

    output = tmp_path / "dump.json"
    ssh = ("-type", "ssh", "-ssh.method", "key", "-ssh.auth.key", str(ssh_client), "-ssh.auth.user", getpass.getuser())
    argv = (program("rtrdump"), "-connect", f"{HOST}:{sshd}", *ssh, "-rtr.version", "1", "-file", str(output))
    subprocess.run(argv, capture_output=True, timeout=60, check=True)
    assert {roa["prefix"] for roa in json.loads(output.read_text())["roas"]} == PREFIXES


def test_rtrclient_through_openssh(
    program: Callable[..., str], sshd: int, live_cache: Any, ssh_client: Path, eventually: Any
) -> None:
    """rtrlib with libssh."""
    live_cache.serve(Vrps.of(VRPS))
    eventually(lambda: fetched(sshd, ssh=getpass.getuser()), PREFIXES)
    argv = (program("rtrclient"), "-e", "-t", "csv", "ssh", HOST, str(sshd), getpass.getuser(), str(ssh_client))

    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)

    assert all(vrp.prefix.partition("/")[0] in done.stdout for vrp in VRPS), done


@pytest.fixture
def certificate(program: Callable[..., str], tmp_path: Path) -> tuple[Path, Path]:
    """For this host, and its key."""
    cert, key = tmp_path / "c.pem", tmp_path / "k.pem"
    request = ("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=cache")
    files = ("-addext", f"subjectAltName=IP:{HOST}", "-keyout", str(key), "-out", str(cert))
    subprocess.run((program("openssl"), *request, *files), check=True, capture_output=True, timeout=60)
    return cert, key


def test_rtrdump_takes_what_we_serve_by_tls(
    program: Callable[..., str], live_cache: Any, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    """Go's TLS against ours."""
    live_cache.serve(Vrps.of(VRPS))
    host, port = live_cache.listen_too(tls=TlsServer(*certificate))
    output = tmp_path / "dump.json"
    tls = ("-type", "tls", "-tls.validate=false", "-rtr.version", "1")

    argv = (program("rtrdump"), "-connect", f"{host}:{port}", *tls, "-file", str(output))
    subprocess.run(argv, capture_output=True, timeout=60, check=True)

    assert {roa["prefix"] for roa in json.loads(output.read_text())["roas"]} == PREFIXES


def test_we_fetch_from_stayrtr_by_tls_and_ssh(
    program: Callable[..., str],
    start: Callable[..., Any],
    certificate: tuple[Path, Path],
    ssh_client: Path,
    eventually: Any,
    tmp_path: Path,
) -> None:
    """A cache that is not ours, on both transports."""
    file = tmp_path / "vrps.json"
    roas = [{"prefix": vrp.prefix, "maxLength": vrp.max_length, "asn": f"AS{vrp.asn}", "ta": "x"} for vrp in VRPS]
    file.write_text(json.dumps({"metadata": {"buildtime": "2026-03-16T08:00:00Z"}, "roas": roas}))
    tls, ssh = free_port(), free_port()
    cert, key = certificate
    start(
        program("stayrtr"),
        *("-cache", str(file), "-checktime=false", "-bind", "", "-metrics.addr", f"{HOST}:0"),
        *("-tls.bind", f"{HOST}:{tls}", "-tls.cert", str(cert), "-tls.key", str(key)),
        *("-ssh.bind", f"{HOST}:{ssh}", "-ssh.key", str(key), "-ssh.method.key", "-ssh.auth.key.bypass"),
    )
    eventually(lambda: fetched(tls, tls=TlsClient(cert)), PREFIXES)
    eventually(lambda: fetched(ssh, ssh="rpki"), PREFIXES)
