"""Programs that know ASPAs take those that we write as their configuration: OpenBGPD 8.8 and BIRD 2.17.

Debian 12 has older ones; RPKIVAL_NEWER_PEERS names a directory with newer ones.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rpkival.limits import MAX_ASPA_PROVIDERS, MAX_OPENBGPD_ASPA_PROVIDERS
from rpkival.payload.formats import WRITERS
from rpkival.payload.payload import Aspa, Payload
from rpkival.payload.vrps import Vrp, Vrps

pytestmark = pytest.mark.interop

GENERATED = 1_773_648_000
PAYLOAD = Payload(
    Vrps.of([Vrp("192.0.2.0/24", 26, 64496, "ripe", GENERATED), Vrp("2001:db8::/32", 48, 4294967295)]),
    (
        Aspa(1, (0,), "ripe", GENERATED),
        *(Aspa(customer, tuple(range(customer + 1, customer + 2 + customer % 5))) for customer in range(2, 2000)),
        Aspa(64496, tuple(range(1, MAX_OPENBGPD_ASPA_PROVIDERS + 1)), "ripe", GENERATED),
        Aspa(64497, tuple(range(1, MAX_ASPA_PROVIDERS + 1)), "ripe", GENERATED),
        Aspa(4294967295, (64500, 4294967294), "ripe", GENERATED),
    ),
)
"""Of all sizes: the most providers that OpenBGPD takes, and that a PDU can tell; and AS numbers beyond 2^31, which
rpki-client 9.5 writes with a minus, so that OpenBGPD refuses its file.
"""


@pytest.mark.parametrize(
    ("name", "fmt", "before", "options"),
    [
        ("bgpd", "openbgpd", "AS 65001\n", ("-n", "-f")),
        ("bird", "bird", "router id 192.0.2.1;\n", ("-p", "-c")),
    ],
)
def test_aspas_are_taken(
    needed_newer_peers: Path, tmp_path: Path, name: str, fmt: str, before: str, options: tuple[str, ...]
) -> None:
    """The whole file, which only we may read, since bgpd refuses any other."""
    path = tmp_path / "configuration"
    path.touch(mode=0o600)
    path.write_bytes(before.encode() + b"".join(WRITERS[fmt](PAYLOAD, GENERATED)))

    done = subprocess.run([needed_newer_peers / name, *options, path], capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stdout + done.stderr
