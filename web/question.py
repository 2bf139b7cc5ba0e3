"""What somebody typed into the lookup: a prefix, an address, an AS number, or a prefix and an AS number."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote

from rpkival.asn import format_asn, parse_asn
from rpkival.errors import InputError
from rpkival.limits import MAX_QUERY_LENGTH
from rpkival.prefixes import Prefixes, format_prefix, parse_prefix

__all__ = ["Question", "parse_question"]

_HELP = "Write a prefix, an address or an AS number, as 192.0.2.0/24, 2001:db8::1 or AS64496."


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """At least one of both is there; `prefix` has one row."""

    prefix: Prefixes | None
    asn: int | None

    @property
    def prefix_text(self) -> str:
        """The prefix in canonical form, empty where none was asked for."""
        return format_prefix(self.prefix) if self.prefix is not None else ""

    @property
    def text(self) -> str:
        """The question in canonical form."""
        return " ".join(
            part for part in (self.prefix_text, format_asn(self.asn) if self.asn is not None else "") if part
        )

    @property
    def permalink(self) -> str:
        """The page that answers it."""
        if self.prefix is None:
            return f"/as/{self.asn}"
        return f"/prefix/{self.prefix_text}" if self.asn is None else f"/lookup?q={quote(self.text)}"


def parse_question(text: str) -> Question:
    """Raises `InputError` whose sentence says what is wrong."""
    if len(text) > MAX_QUERY_LENGTH:
        raise InputError(f"That is longer than any prefix and AS number. {_HELP}")
    prefix, asn = None, None
    for word in re.split(r"[\s,;]+", text.strip()):
        if not word:
            raise InputError(f"Nothing was asked. {_HELP}")
        if re.fullmatch(r"(?i:as)?[0-9]+|(?i:as).*", word):
            if asn is not None:
                raise InputError(f"Two AS numbers were given; ask for one at a time. {_HELP}")
            asn = parse_asn(word)
        else:
            if prefix is not None:
                raise InputError(f"More than one prefix was given; ask for one at a time. {_HELP}")
            prefix = _prefix(word)
    return Question(prefix, asn)


def _prefix(word: str) -> Prefixes:
    if "/" not in word:
        try:
            address = ipaddress.ip_address(word)
        except ValueError:
            raise InputError(f"{word!r} is neither a prefix nor an address nor an AS number. {_HELP}") from None
        word = f"{address}/{address.max_prefixlen}"
    return parse_prefix(word)
