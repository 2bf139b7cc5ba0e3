"""The lookup: which VRPs speak of a prefix or an AS, and what they say of an announcement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rpkival.asn import format_asn
from rpkival.limits import MAX_LISTED_VRPS
from rpkival.origin.index import OriginIndex
from rpkival.origin.verdict import Reason, State
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
    verdict = None if asn is None else _judge(index, covering, prefix, asn)
    sentence = _who(covering, prefix) if asn is None else ""
    return Answer(
        question, verdict, sentence, _list(index.vrps, [covering]), _more_specific(index.vrps, prefix), Listed()
    )


def _judge(index: OriginIndex, covering: VrpColumns, wanted: Prefixes, asn: int) -> Judged:
    verdicts = index.classify(wanted, np.array([asn], np.uint32))
    state, reason = State(verdicts.state[0]), Reason(verdicts.reason[0])
    prefix, origin = format_prefix(wanted), format_asn(asn)
    if state is State.VALID:
        return Judged(state.text, "", f"Yes. A signed permission allows {origin} to announce {prefix}.")
    if state is State.NOT_FOUND:
        return Judged(
            state.text,
            "",
            f"Nobody signed anything that covers {prefix}, so nothing speaks for or against {origin}.",
            f"If {prefix} is yours, create a ROA for it in your registry’s portal.",
        )
    if reason is Reason.LENGTH:
        longest = int(covering.max_length[covering.asn == asn].max())
        return Judged(
            state.text,
            reason.text,
            f"No. {origin} may announce these addresses, but nothing longer than /{longest}; {prefix} is too specific.",
            f"If the announcement is meant, its holder needs a ROA for exactly {prefix} and {origin}.",
        )
    origins = _origins(covering)
    return Judged(
        state.text,
        reason.text,
        f"No. The signed permissions that cover {prefix} are for {origins}, not for {origin}.",
        f"If {origin} is meant to announce it, the holder of the addresses needs a ROA for {prefix} and {origin}.",
    )


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
