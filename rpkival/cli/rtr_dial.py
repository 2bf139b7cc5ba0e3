"""The options of a client's transport as a `Dial`."""

from __future__ import annotations

import os
from pathlib import Path

from rpkival.errors import UsageError
from rpkival.rtr.dial import Dial
from rpkival.rtr.tcp_md5 import read_secret
from rpkival.rtr.tls import client_context

__all__ = ["make_dial"]


def make_dial(
    host: str,
    port: int,
    *,
    tls: bool,
    ca_file: Path | None,
    cert: Path | None,
    key: Path | None,
    md5_key_file: str | None,
    ssh: str | None,
) -> Dial:
    """One transport, or plain TCP where none is asked for. Raises `UsageError`."""
    asked = [name for name, on in (("--tls", tls), ("--md5-key-file", md5_key_file), ("--ssh", ssh)) if on]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(asked)} are each a transport; give one of them.")
    if not tls and (ca_file or cert or key):
        raise UsageError("--ca-file, --cert and --key are of TLS; give --tls too.")
    if key and not cert:
        raise UsageError("A --key belongs to a --cert; give both, or one file with both as --cert.")
    return Dial(
        host,
        port,
        tls=client_context(ca_file, cert, key or cert) if tls else None,
        md5=read_secret(md5_key_file, os.environ) if md5_key_file else None,
        ssh=ssh,
    )
