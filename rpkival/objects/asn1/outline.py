"""What elements BER has, as far as it can be read: for people who look at what no decoder takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rpkival.limits import MAX_BER_DEPTH, MAX_OUTLINE_ELEMENTS

__all__ = ["Element", "Outline", "element_name", "outline", "outline_lines"]

_CONSTRUCTED: Final = 0x20
_INDEFINITE: Final = 0x80
_END_OF_CONTENTS: Final = b"\0\0"
_LONGEST_LENGTH: Final = 4
_LONGEST_SHOWN: Final = 20
_NAMES: Final = {
    0x01: "BOOLEAN",
    0x02: "INTEGER",
    0x03: "BIT STRING",
    0x04: "OCTET STRING",
    0x05: "NULL",
    0x06: "OBJECT IDENTIFIER",
    0x0C: "UTF8String",
    0x13: "PrintableString",
    0x16: "IA5String",
    0x17: "UTCTime",
    0x18: "GeneralizedTime",
    0x24: "OCTET STRING in pieces",
    0x30: "SEQUENCE",
    0x31: "SET",
}


def element_name(tag: int) -> str:
    """What X.690 calls the type of an identifier octet."""
    return f"[{tag & 0x1F}]" if tag & 0xC0 == 0x80 else _NAMES.get(tag, f"tag {tag:#04x}")


@dataclass(frozen=True, slots=True)
class Element:
    """One element: offsets of its header, its content and its end. One that is not `whole` ends where the data do."""

    tag: int
    start: int
    content: int
    end: int
    whole: bool
    parts: tuple[Element, ...]

    @property
    def name(self) -> str:
        """What X.690 calls its type."""
        return element_name(self.tag)


@dataclass(frozen=True, slots=True)
class Outline:
    """The outermost element, None where there is none, and a sentence on the first place that cannot be read, or ""."""

    root: Element | None
    fault: str


def outline(data: bytes) -> Outline:
    """The elements of whatever this is; at most `MAX_OUTLINE_ELEMENTS`. Raises nothing."""
    reader = _Reader(data)
    root = reader.element(0, len(data), 0)
    if root is not None and root.whole and root.end < len(data):
        reader.blame(f"{len(data) - root.end} octets follow the end of the outermost element.")
    return Outline(root, reader.fault)


def outline_lines(data: bytes) -> Iterator[str]:
    """One line an element, as `offset: name, size`, indented as they nest; short primitive values in hex."""
    root = outline(data).root
    waiting = [(root, 0)] if root else []
    while waiting:
        element, depth = waiting.pop()
        value = data[element.content : element.end]
        told = f" {value.hex()}" if not element.tag & _CONSTRUCTED and len(value) <= _LONGEST_SHOWN else ""
        cut = "" if element.whole else ", cut off"
        yield f"{'  ' * depth}{element.start}: {element.name}, {len(value)} octets{cut}{told}"
        waiting.extend((part, depth + 1) for part in reversed(element.parts))


class _Reader:
    """Goes on as far as it can, and remembers why not further."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._count = 0
        self.fault = ""

    def blame(self, sentence: str) -> None:
        """The first fault is the one that counts."""
        self.fault = self.fault or sentence

    def element(self, start: int, limit: int, depth: int) -> Element | None:
        self._count += 1
        if depth > MAX_BER_DEPTH or self._count > MAX_OUTLINE_ELEMENTS:
            self.blame(f"At octet {start} elements nest too deep, or there are too many.")
            return None
        if start + 2 > limit:
            self.blame(f"At octet {start} an element should begin, but {limit - start} octets are left.")
            return None
        tag, first = self._data[start], self._data[start + 1]
        octets = first & 0x7F if first > _INDEFINITE else 0
        content = start + 2 + octets
        if octets > _LONGEST_LENGTH or content > limit:
            self.blame(f"The element at octet {start} has a length of {octets} octets, which cannot be.")
            return None
        if first == _INDEFINITE:
            return self._endless(tag, start, limit, depth)
        size = int.from_bytes(self._data[start + 2 : content], "big") if octets else first
        end = min(content + size, limit)
        whole = content + size <= limit
        parts = self._parts(content, end, depth) if tag & _CONSTRUCTED else ()
        element = Element(tag, start, content, end, whole, parts)
        if not whole:
            self.blame(
                f"The {element.name} at octet {start} says that it has {size} octets, but {limit - content} are left."
            )
        return element

    def _parts(self, at: int, end: int, depth: int) -> tuple[Element, ...]:
        parts = []
        while at < end:
            part = self.element(at, end, depth + 1)
            if part is None:
                break
            parts.append(part)
            at = part.end
        return tuple(parts)

    def _endless(self, tag: int, start: int, limit: int, depth: int) -> Element:
        at, parts = start + 2, list[Element]()
        while at < limit:
            if self._data[at : at + 2] == _END_OF_CONTENTS:
                return Element(tag, start, start + 2, at + 2, True, tuple(parts))
            part = self.element(at, limit, depth + 1)
            if part is None:
                break
            parts.append(part)
            at = part.end
        self.blame(f"The element of indefinite length at octet {start} has no end.")
        return Element(tag, start, start + 2, limit, False, tuple(parts))
