"""VRPs as JSON: rpki-client's, Routinator's (json and jsonext), FORT's, rpki-prover's; ours is Routinator's.

rpki-client writes `{"metadata": {"buildtime"}, "roas": [{"asn": 64496, "prefix", "maxLength", "ta", "expires"}]}`,
Routinator `{"metadata": {"generated"}, "roas": [{"asn": "AS64496", "prefix", "maxLength", "ta"}]}`, its jsonext has a
list `source` in place of `ta`, and rpki-prover has the list alone. All are read by the same declarations.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from rpkival.errors import FormatError
from rpkival.limits import MAX_UNIX_TIME
from rpkival.payload.formats.columns import ABSENT, RawVrps, assemble
from rpkival.payload.formats.text import chosen, decimals, lines, prefix_texts
from rpkival.payload.vrps import VrpColumns, Vrps

__all__ = ["read_json", "write_json"]


class _Interval(msgspec.Struct, gc=False, rename="camel"):
    not_after: datetime | None = None


class _Source(msgspec.Struct, gc=False, rename="camel"):
    """Where Routinator's jsonext says a VRP comes from: a ROA or a local exception."""

    tal: str = ""
    uri: str = ""
    validity: _Interval | None = None
    chain_validity: _Interval | None = None

    def expires(self) -> int:
        """The end of the chain, or of the object where an older Routinator does not tell the chain's."""
        interval = self.chain_validity or self.validity
        return int(interval.not_after.timestamp()) if interval and interval.not_after else 0


class _Roa(msgspec.Struct, gc=False, rename="camel"):
    prefix: str
    asn: int | str
    max_length: int = ABSENT
    ta: str = ""
    expires: int = 0
    source: tuple[_Source, ...] = ()


class _Metadata(msgspec.Struct, gc=False):
    generated: int | None = None
    buildtime: str | None = None


class _Document(msgspec.Struct):
    roas: list[_Roa]
    metadata: _Metadata | None = None


def read_json(data: bytes, *, name: str) -> tuple[Vrps, int | None]:
    """The VRPs, and when they were made in unix seconds where the file says so. Raises `FormatError`, `LimitError`."""
    try:
        if data.lstrip()[:1] == b"[":
            document = _Document(msgspec.json.decode(data, type=list[_Roa]))
        else:
            document = msgspec.json.decode(data, type=_Document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"{name} is not a VRP file in JSON as we know it: {error}.") from error
    vrps = assemble(_raw(document.roas), name=name)
    return vrps, _generated(document.metadata, name)


def _raw(roas: list[_Roa]) -> RawVrps:
    raw = RawVrps([roa.prefix for roa in roas], [roa.asn for roa in roas], [roa.max_length for roa in roas])
    # jsonext has a source in every entry, the other formats in none.
    if roas and roas[0].source:
        raw.trust_anchors = [next((source.tal for source in roa.source if source.tal), roa.ta) for roa in roas]
        # The VRP holds as long as any of the objects behind it.
        raw.expires = [max((source.expires() for source in roa.source), default=roa.expires) for roa in roas]
        raw.sources = [next((source.uri for source in roa.source if source.uri), "") for roa in roas]
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


def write_json(vrps: Vrps, generated: int) -> Iterator[bytes]:
    """INTERFACE's JSON: Routinator's, with `expires` where it is known."""
    moment = datetime.fromtimestamp(generated, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    head = f'{{\n  "metadata": {{\n    "generated": {generated},\n    "generatedTime": "{moment}"\n  }},\n  "roas": [\n'
    yield head.encode()
    rows = _rows(vrps, vrps.ipv4), _rows(vrps, vrps.ipv6)
    separator = b""
    for chunk in (chunk for family in rows for chunk in family):
        # Every row brings its comma; the last one of all has none behind it.
        yield separator + chunk[:-2]
        separator = b",\n"
    yield b"\n  ]\n}\n"


def _rows(vrps: Vrps, columns: VrpColumns) -> Iterator[bytes]:
    anchors = [msgspec.json.encode(name or "N/A") for name in vrps.trust_anchors]
    return lines(
        columns,
        lambda part: (
            b'    { "asn": "AS',
            decimals(part.asn),
            b'", "prefix": "',
            *prefix_texts(part.prefixes),
            b'", "maxLength": ',
            decimals(part.max_length),
            b', "ta": ',
            chosen(anchors, part.trust_anchor),
            chosen([b"", b', "expires": '], part.expires > 0),
            decimals(part.expires, blank_zero=True),
            b" },\n",
        ),
    )
