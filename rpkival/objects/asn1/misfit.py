"""Which field it is that keeps octets from being of a declared type: the decoder only says that they are not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from cryptography.hazmat.asn1 import (
    TLV,
    BitString,
    Default,
    Explicit,
    GeneralizedTime,
    IA5String,
    Implicit,
    Null,
    PrintableString,
    SetOf,
    UTCTime,
)
from cryptography.x509 import ObjectIdentifier

from rpkival.errors import ObjectError
from rpkival.objects.asn1.der import decode
from rpkival.objects.asn1.outline import Element, element_name, outline

__all__ = ["misfit"]

_LEAVES: Final[dict[Any, int]] = {
    bool: 0x01,
    int: 0x02,
    BitString: 0x03,
    bytes: 0x04,
    Null: 0x05,
    ObjectIdentifier: 0x06,
    str: 0x0C,
    PrintableString: 0x13,
    IA5String: 0x16,
    UTCTime: 0x17,
    GeneralizedTime: 0x18,
}
_SEQUENCE, _SET, _CONSTRUCTED = 0x30, 0x31, 0x20
_EXPLICIT, _IMPLICIT = 0xA0, 0x80


def misfit(declaration: Any, data: bytes) -> str:
    """One sentence on the first field of `data` that is not as declared, or "" where none is found.

    Names are those of the RFC's ASN.1, as in `tbsCertificate.validity.notAfter`. `data` is to be DER as a whole, as
    `outline` finds no fault with; any octets are taken. Raises nothing.
    """
    root = outline(data).root
    return "" if root is None else _Search(data).in_value(declaration, root, "")


class _Search:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def in_value(self, hint: Any, element: Element, path: str) -> str:
        """The fault of one value, whose type may be one of several."""
        choices = _choices(hint)
        fitting = [choice for choice in choices if _tag(choice) in (None, element.tag)]
        if not fitting:
            wanted = " or ".join(element_name(tag) for tag in map(_tag, choices) if tag is not None)
            return f"{_named(path)} at octet {element.start} is of type {element.name}, but must be {wanted}."
        # Two choices with one tag (an address or a range of them) are told apart by what is in them.
        return min((self._inside(choice, element, path) for choice in fitting), key=bool)

    def _inside(self, hint: Any, element: Element, path: str) -> str:
        if get_origin(hint) is Annotated:
            inner, encoding = _tagged(hint)
            if isinstance(encoding, Implicit):
                return self._inside(_choices(inner)[0], element, path)
            return self.in_value(inner, element.parts[0], path) if element.parts else _empty(element, path)
        if get_origin(hint) in (list, SetOf):
            (item,) = get_args(hint)
            return _first(self.in_value(item, part, f"{path}[{at}]") for at, part in enumerate(element.parts))
        if hint in _LEAVES:
            return self._in_leaf(hint, element, path)
        return "" if hint is TLV else self._in_sequence(hint, element, path)

    def _in_leaf(self, hint: Any, element: Element, path: str) -> str:
        header = bytes((_LEAVES[hint],)) + self._data[element.start + 1 : element.content]
        try:
            decode(hint, header + self._data[element.content : element.end], "", "")
        except ObjectError:
            return f"{_named(path)} at octet {element.start} holds no value of type {element_name(_LEAVES[hint])}."
        return ""

    def _in_sequence(self, declaration: Any, element: Element, path: str) -> str:
        left = list(element.parts)
        for name, hint in get_type_hints(declaration, include_extras=True).items():
            place = f"{path}.{_camel(name)}" if path else _camel(name)
            if left and any(_tag(choice) in (None, left[0].tag) for choice in _choices(hint)):
                fault = self.in_value(hint, left.pop(0), place)
            elif _is_optional(hint):
                continue
            elif left:
                fault = self.in_value(hint, left[0], place)
            else:
                fault = f"{_named(place)} is missing at octet {element.end}."
            if fault:
                return fault
        return f"A further {left[0].name} at octet {left[0].start} is none of {_named(path)}." if left else ""


def _choices(hint: Any) -> Sequence[Any]:
    """What a value may be. A tag of its own makes any value one kind."""
    if get_origin(hint) is Annotated and _tagged(hint)[1] is None:
        hint = get_args(hint)[0]
    if get_origin(hint) in (Union, UnionType):
        return [choice for choice in get_args(hint) if choice is not NoneType]
    return [hint]


def _tagged(hint: Any) -> tuple[Any, Any]:
    """The type without its annotations, and its tag, None where it has none of its own."""
    inner, *annotations = get_args(hint)
    return inner, next((each for each in annotations if isinstance(each, Explicit | Implicit)), None)


def _tag(hint: Any) -> int | None:
    """The identifier octet; None for any."""
    if get_origin(hint) is Annotated:
        inner, encoding = _tagged(hint)
        number: int = getattr(encoding, type(encoding).__match_args__[0])
        if isinstance(encoding, Explicit):
            return _EXPLICIT | number
        return _IMPLICIT | number | (_tag(_choices(inner)[0]) or 0) & _CONSTRUCTED
    if hint is TLV:
        return None
    return _SET if get_origin(hint) is SetOf else _LEAVES.get(hint, _SEQUENCE)


def _is_optional(hint: Any) -> bool:
    inner, *annotations = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    return NoneType in get_args(inner) or any(isinstance(each, Default) for each in annotations)


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


def _named(path: str) -> str:
    return path or "the whole"


def _empty(element: Element, path: str) -> str:
    return f"{_named(path)} at octet {element.start} is empty."


def _first(faults: Iterable[str]) -> str:
    return next(filter(None, faults), "")
