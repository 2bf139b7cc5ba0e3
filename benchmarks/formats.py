"""Writing formats: by columns, as rpkival does, and a line at a time, as a script would; the same octets, in one run.

    python benchmarks/formats.py VRPS [--rounds 3]

VRPS is a VRP file, such as vrps/rpkiclient_20250720T0931.json.bz2 of the real data. Both sides start from the same
columns, the best round counts, and what is written must be equal.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from rpkival.payload.formats import WRITERS, read_vrps
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps

GENERATED = 1_753_003_893


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vrps", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    payload = Payload(read_vrps(options.vrps.read_bytes(), name=str(options.vrps)).vrps)
    print(f"{len(payload.vrps)} VRPs\n{'format':<10}{'bytes':>12}{'columns':>10}{'lines':>10}{'ratio':>8}")
    for fmt, by_lines in BY_LINES.items():
        ours, text = best(partial(WRITERS[fmt], payload, GENERATED), options.rounds)
        theirs, other = best(partial(encoded, by_lines, payload.vrps), options.rounds)
        if text != other:
            sys.exit(f"{fmt} is not the same")
        print(f"{fmt:<10}{len(text):>12,}{ours:>9.2f}s{theirs:>9.2f}s{theirs / ours:>8.1f}")


def encoded(by_lines: Callable[[Vrps], Iterable[str]], vrps: Vrps) -> Iterable[bytes]:
    """What a writer of lines makes, in octets."""
    return map(str.encode, by_lines(vrps))


def best(write: Callable[[], Iterable[bytes]], rounds: int) -> tuple[float, bytes]:
    """Seconds of the best round, and what it wrote."""
    seconds, text = float("inf"), b""
    for _ in range(rounds):
        started = time.perf_counter()
        text = b"".join(write())
        seconds = min(seconds, time.perf_counter() - started)
    return seconds, text


def csv(rows: Iterable[Vrp]) -> Iterator[str]:
    """Routinator's csv."""
    yield "ASN,IP Prefix,Max Length,Trust Anchor\n"
    for row in rows:
        yield f"AS{row.asn},{row.prefix},{row.max_length},{row.trust_anchor or 'N/A'}\n"


def bird2(rows: Iterable[Vrp]) -> Iterator[str]:
    """Routinator's bird2."""
    for row in rows:
        yield f"route {row.prefix} max {row.max_length} as {row.asn};\n"


def openbgpd(rows: Iterable[Vrp]) -> Iterator[str]:
    """rpki-client's openbgpd."""
    yield "roa-set {\n"
    for row in rows:
        longer = f" maxlen {row.max_length}" if row.max_length > int(row.prefix.rpartition("/")[2]) else ""
        expires = f" expires {row.expires}" if row.expires else ""
        yield f"\t{row.prefix}{longer} source-as {row.asn}{expires}\n"
    yield "}\n"


BY_LINES: dict[str, Callable[[Iterable[Vrp]], Iterator[str]]] = {"csv": csv, "bird2": bird2, "openbgpd": openbgpd}


if __name__ == "__main__":
    main()
