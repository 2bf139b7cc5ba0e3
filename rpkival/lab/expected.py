"""What a validator has to find in a built repository, worked out from its plan alone."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from rpkival.lab.plan import Plan, Vrp
from rpkival.lab.point_signer import router_key

__all__ = ["write_expected"]


def write_expected(directory: Path, plan: Plan, versions: Mapping[int, int], more: Iterable[Vrp] = ()) -> int:
    """Write `expected.csv` and `expected.json`; returns the number of VRPs.

    `versions` has the present version of each CA, 0 where it has none; `more` are VRPs from elsewhere.
    """
    vrps: set[Vrp] = set(more)
    aspas: dict[int, set[int]] = {}
    keys = []
    for ca in plan.numbers():
        point = plan.point(ca, versions.get(ca, 0))
        vrps |= point.vrps
        for aspa in point.aspas:
            aspas.setdefault(aspa.customer, set()).update(aspa.providers)
        for index, asn in enumerate(point.router_asns):
            key = router_key(plan, ca, index)
            info = base64.b64encode(key.public_key_info).decode()
            keys.append({"asn": asn, "ski": key.identifier.hex(), "pubkey": info})
    with (directory / "expected.csv").open("w", encoding="ascii") as file:
        file.write("ASN,IP Prefix,Max Length\n")
        file.writelines(f"AS{asn},{prefix},{max_length}\n" for asn, prefix, max_length in sorted(vrps))
    document = {
        "vrps": len(vrps),
        "aspas": [{"customer_asid": asn, "providers": sorted(providers)} for asn, providers in sorted(aspas.items())],
        "bgpsec_keys": sorted(keys, key=lambda key: (key["asn"], key["ski"])),
    }
    (directory / "expected.json").write_text(json.dumps(document, indent=1), "ascii")
    return len(vrps)
