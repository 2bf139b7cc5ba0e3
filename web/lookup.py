"""The lookup: which VRPs speak of a prefix or an AS, and what they say of an announcement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rpkival.asn import format_asn
from rpkival.limits import MAX_LISTED_VRPS
from rpkival.origin.explain import Validity, explain
from rpkival.origin.index import OriginIndex
from rpkival.origin.verdict import State
from rpkival.payload.vrps import Vrp, VrpColumns, Vrps
from rpkival.prefixes import Prefixes, format_prefix
from web.question import Question

__all__ = ["Answer", "Judged", "Listed", "look_up"]


@dataclass(frozen=True, slots=True)
class Listed:
    """The first `MAX_LISTED_VRPS` of `total`."""

    vrps: tuple[Vrp, ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """The RFC 6811 state of an announcement in words; `reason` is `as` or `length` where it is invalid."""

    state: str
    reason: str
    sentence: str
    advice: str = ""

    @property
    def look(self) -> str:
        """The style class of the state."""
        return {"valid": "good", "invalid": "bad"}.get(self.state, "open")


@dataclass(frozen=True, slots=True)
class Answer:
    """`verdict` where both a prefix and an origin were asked for; the lists are empty where they make no sense."""

    question: Question
    verdict: Judged | None
    sentence: str
    covering: Listed
    more_specific: Listed
    by_origin: Listed


def look_up(question: Question, index: OriginIndex) -> Answer:
    """All that `index` knows of `question`."""
    prefix, asn = question.prefix, question.asn
    if prefix is None:
        listed = _by_origin(index.vrps, asn or 0)
        sentence = (
            f"{format_asn(asn or 0)} may announce what these {listed.total:,} signed permissions name."
            if listed.total
            else f"No signed permission names {format_asn(asn or 0)}, so nothing that it announces is valid."
        )
        return Answer(question, None, sentence, Listed(), Listed(), listed)
    covering = index.covering(prefix).family(prefix.family)
    verdict = None if asn is None else _judge(index, prefix, asn)
    sentence = _who(covering, prefix) if asn is None else ""
    return Answer(
        question, verdict, sentence, _list(index.vrps, [covering]), _more_specific(index.vrps, prefix), Listed()
    )


def _judge(index: OriginIndex, prefix: Prefixes, asn: int) -> Judged:
    validity = explain(index, format_prefix(prefix), asn)
    return Judged(validity.state.text, validity.reason.text, validity.sentence(), _advice(validity))


def _advice(validity: Validity) -> str:
    """What the holder can do, empty where all is well."""
    if validity.state is State.VALID:
        return ""
    if validity.state is State.NOT_FOUND:
        return f"If {validity.prefix} is yours, create a ROA for it in your registry’s portal."
    if not validity.asn:
        return ""
    origin = format_asn(validity.asn)
    return f"If this announcement is meant, the holder of the addresses needs a ROA for {validity.prefix} and {origin}."


def _who(covering: VrpColumns, wanted: Prefixes) -> str:
    prefix = format_prefix(wanted)
    if not len(covering):
        return f"Nobody signed anything that covers {prefix}. Whoever announces it is not-found."
    allowed = covering.take((covering.max_length >= wanted.length[0]) & (covering.asn != 0))
    if not len(allowed):
        return f"Nobody: signed permissions cover {prefix}, but none allows it to be announced as it stands."
    return f"{_origins(allowed)} may announce {prefix} as it stands; any other origin is invalid."


def _origins(covering: VrpColumns) -> str:
    """Up to six ASes in words."""
    asns: list[int] = np.unique(covering.asn).tolist()
    if asns == [0]:
        return "AS0, which is nobody"
    names = [format_asn(asn) for asn in asns]
    if len(names) > 6:
        return f"{', '.join(names[:5])} and {len(names) - 5} others"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _more_specific(vrps: Vrps, prefix: Prefixes) -> Listed:
    columns = vrps.family(prefix.family)
    length = int(prefix.length[0])
    inside = columns.prefixes.length > length
    for word, wanted in zip(columns.prefixes.masked(length).words, prefix.words, strict=True):
        inside &= word == wanted[0]
    return _list(vrps, [columns.take(np.flatnonzero(inside))])


def _by_origin(vrps: Vrps, asn: int) -> Listed:
    return _list(vrps, [columns.take(np.flatnonzero(columns.asn == asn)) for columns in (vrps.ipv4, vrps.ipv6)])


def _list(vrps: Vrps, parts: list[VrpColumns]) -> Listed:
    rows: list[Vrp] = []
    for part in parts:
        rows += vrps.rows(part.take(slice(0, MAX_LISTED_VRPS - len(rows))))
    return Listed(tuple(rows), sum(map(len, parts)))
