"""Changes one element of a DER encoding, and mends all lengths around it, so that what is inside is reached."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

_MOST_DEPTH = 40
_SMALL = (b"", b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff" * 20, b"\x00" * 20, b"\x80" + b"\x00" * 16)


@dataclass
class _Node:
    """One element: primitive with its octets, or constructed with what is in it."""

    tag: int
    octets: bytes = b""
    children: list[_Node] | None = field(default=None)

    def content(self) -> bytes:
        return self.octets if self.children is None else b"".join(child.encoded() for child in self.children)

    def encoded(self) -> bytes:
        octets = self.content()
        size = len(octets)
        if size < 0x80:
            return bytes((self.tag, size)) + octets
        length = size.to_bytes((size.bit_length() + 7) // 8, "big")
        return bytes((self.tag, 0x80 | len(length))) + length + octets


def mutate(data: bytes, dice: random.Random) -> bytes:
    """Another encoding, with one to three changes; some octets more where `data` is no DER."""
    nodes = _read(data, 0)
    if nodes is None:
        return data + dice.randbytes(dice.randrange(1, 9))
    for _ in range(dice.randint(1, 3)):
        _change(nodes, dice)
    return b"".join(node.encoded() for node in nodes)


def _read(data: bytes, depth: int) -> list[_Node] | None:
    """All elements side by side, None where these octets are none."""
    nodes = []
    at = 0
    while at < len(data):
        if at + 2 > len(data) or depth > _MOST_DEPTH:
            return None
        tag, size = data[at], data[at + 1]
        at += 2
        if size & 0x80:
            octets = size & 0x7F
            if not 0 < octets <= 4:
                return None
            size = int.from_bytes(data[at : at + octets], "big")
            at += octets
        content = data[at : at + size]
        if len(content) != size:
            return None
        at += size
        # What octet and bit strings hold is often DER too: extensions, contents.
        hidden = tag in {0x04, 0x80} and len(content) > 2
        children = _read(content, depth + 1) if tag & 0x20 or hidden else None
        nodes.append(_Node(tag, content, children))
    return nodes


def _change(nodes: list[_Node], dice: random.Random) -> None:
    places = list(_places(nodes))
    if not places:
        return
    siblings, index = dice.choice(places)
    node = siblings[index]
    match dice.randrange(8):
        case 0:
            del siblings[index]
        case 1:
            siblings.insert(index, node)
        case 2:
            other, at = dice.choice(places)
            siblings[index] = _Node(other[at].tag, other[at].content())  # a copy: no element may hold itself
        case 3:
            siblings[index] = _Node(dice.choice((*range(0x01, 0x20), 0x30, 0x31, 0x80, 0xA0, 0xA1, 0xA3)), node.octets)
        case 4:
            siblings[index] = _Node(node.tag, dice.choice(_SMALL))
        case 5:
            siblings[index] = _Node(node.tag, node.octets, []) if node.children else _Node(node.tag)
        case 6:
            siblings[index:] = siblings[index:] * dice.randint(2, 20)
            del siblings[200:]
        case _:
            octets = bytearray(node.octets)
            if octets:
                octets[dice.randrange(len(octets))] ^= 1 << dice.randrange(8)
            siblings[index] = _Node(node.tag, bytes(octets))


def _places(nodes: list[_Node]) -> list[tuple[list[_Node], int]]:
    found = []
    for index, node in enumerate(nodes):
        found.append((nodes, index))
        if node.children is not None:
            found.extend(_places(node.children))
    return found
