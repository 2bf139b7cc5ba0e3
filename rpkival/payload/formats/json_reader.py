"""A payload out of JSON: rpki-client's, Routinator's (json and jsonext), FORT's, rpki-prover's, StayRTR's.

rpki-client writes `{"metadata": {"buildtime"}, "roas": [{"asn": 64496, "prefix", "maxLength", "ta", "expires"}],
"bgpsec_keys": [{"asn", "ski", "pubkey"}], "aspas": [{"customer_asid", "providers": [64500]}]}`, Routinator
`{"metadata": {"generated"}, "roas": [{"asn": "AS64496", "prefix", "maxLength", "ta"}], "routerKeys": [{"asn", "SKI",
"routerPublicKey"}], "aspas": [{"customer": "AS64496", "providers": ["AS64500"]}]}`, its jsonext has a list `source` in
place of `ta`, and rpki-prover has the list of VRPs alone. All are read by the same declarations.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from rpkival.errors import FormatError
from rpkival.json_fault import json_fault
from rpkival.limits import MAX_UNIX_TIME
from rpkival.payload.formats.columns import ABSENT, RawVrps, assemble
from rpkival.payload.formats.json_records import AspaEntry, KeyEntry, Source, aspas_of, router_keys_of
from rpkival.payload.payload import Payload

__all__ = ["read_json"]


class _Roa(msgspec.Struct, gc=False, rename="camel"):
    prefix: str
    asn: int | str
    max_length: int = ABSENT
    ta: str = ""
    expires: int = 0
    source: tuple[Source, ...] = ()


class _Metadata(msgspec.Struct, gc=False):
    generated: int | None = None
    buildtime: str | None = None


class _Document(msgspec.Struct, rename={"router_keys": "routerKeys"}):
    roas: list[_Roa]
    metadata: _Metadata | None = None
    router_keys: list[KeyEntry] = []
    bgpsec_keys: list[KeyEntry] = []
    aspas: list[AspaEntry] = []


def read_json(data: bytes, *, name: str) -> tuple[Payload, int | None]:
    """The payload, and when it was made in unix seconds where the file says so. Raises `FormatError`, `LimitError`."""
    try:
        if data.lstrip()[:1] == b"[":
            document = _Document(msgspec.json.decode(data, type=list[_Roa]))
        else:
            document = msgspec.json.decode(data, type=_Document)
    except msgspec.ValidationError as error:
        raise FormatError(f"{name} is not a VRP file in JSON as we know it, at {json_fault(error)}.") from error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"{name} is not a VRP file in JSON as we know it: {error}.") from error
    payload = Payload(
        assemble(_raw(document.roas), name=name),
        aspas_of(document.aspas, name=name),
        router_keys_of([*document.router_keys, *document.bgpsec_keys], name=name),
    )
    return payload, _generated(document.metadata, name)


def _raw(roas: list[_Roa]) -> RawVrps:
    raw = RawVrps([roa.prefix for roa in roas], [roa.asn for roa in roas], [roa.max_length for roa in roas])
    # jsonext has a source in every entry, the other formats in none.
    if roas and roas[0].source:
        raw.trust_anchors = [next((source.tal for source in roa.source if source.tal), roa.ta) for roa in roas]
        # The VRP holds as long as any of the objects behind it.
        raw.expires = [max((source.expires() for source in roa.source), default=roa.expires) for roa in roas]
        raw.sources = [next((name for source in roa.source if (name := source.name())), "") for roa in roas]
    else:
        raw.trust_anchors = [roa.ta for roa in roas]
        raw.expires = [roa.expires for roa in roas]
    return raw


def _generated(metadata: _Metadata | None, name: str) -> int | None:
    """Routinator's `generated`, else rpki-client's `buildtime`; None where neither tells a time."""
    if metadata is None:
        return None
    if metadata.generated is None and metadata.buildtime:
        try:
            moment = datetime.fromisoformat(metadata.buildtime)
        except ValueError:
            return None
        return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())
    if metadata.generated is not None and not 0 <= metadata.generated <= MAX_UNIX_TIME:
        raise FormatError(f"{name} says that it was made at {metadata.generated}, which is not a time.")
    return metadata.generated
