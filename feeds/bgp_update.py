"""BGP UPDATE: what is announced and withdrawn, with the path it came (RFC 4271 section 4.3, RFC 4760, RFC 6793)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from itertools import groupby
from typing import Final, TypeAlias

from feeds.bgp_message import AFI, AS_TRANS, SAFI_UNICAST, MessageType, NotificationCode, frame
from feeds.bgp_octets import Address, Network, Octets, decode_prefixes, encode_prefixes
from rpkival.errors import BgpError
from rpkival.prefixes import Family

__all__ = ["AsPath", "Origin", "Reach", "Update", "end_of_rib"]

AsPath: TypeAlias = tuple[int | tuple[int, ...], ...]
"""Nearest AS first; an AS_SET stands as a tuple of its members, as in RIS Live."""


class Origin(IntEnum):
    """RFC 4271 section 5.1.1."""

    IGP = 0
    EGP = 1
    INCOMPLETE = 2


class _Attribute(IntEnum):
    ORIGIN = 1
    AS_PATH = 2
    NEXT_HOP = 3
    MULTI_EXIT_DISC = 4
    COMMUNITIES = 8
    MP_REACH_NLRI = 14
    MP_UNREACH_NLRI = 15
    AS4_PATH = 17


_OPTIONAL, _TRANSITIVE, _EXTENDED = 0x80, 0x40, 0x10
_FLAGS: Final = {
    _Attribute.ORIGIN: _TRANSITIVE,
    _Attribute.AS_PATH: _TRANSITIVE,
    _Attribute.NEXT_HOP: _TRANSITIVE,
    _Attribute.MULTI_EXIT_DISC: _OPTIONAL,
    _Attribute.COMMUNITIES: _OPTIONAL | _TRANSITIVE,
    _Attribute.MP_REACH_NLRI: _OPTIONAL,
    _Attribute.MP_UNREACH_NLRI: _OPTIONAL,
    _Attribute.AS4_PATH: _OPTIONAL | _TRANSITIVE,
}
_FIRST: Final = frozenset({_Attribute.MP_REACH_NLRI, _Attribute.MP_UNREACH_NLRI})
_AS_SET, _AS_SEQUENCE = 1, 2
_LONGEST_SEGMENT: Final = 255


@dataclass(frozen=True, slots=True)
class Reach:
    """Prefixes of one family, at least one, and their next hop.

    There are two next hops where a link-local address follows the global one of IPv6 (RFC 2545 section 3).
    """

    next_hops: tuple[Address, ...]
    prefixes: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """One UPDATE; the attributes belong to everything `announced`.

    `announced` has at most one `Reach` with an IPv4 next hop and one with an IPv6 next hop: there is room for no more.
    """

    announced: tuple[Reach, ...] = ()
    withdrawn: tuple[Network, ...] = ()
    as_path: AsPath = ()
    origin: Origin = Origin.IGP
    med: int | None = None
    communities: tuple[tuple[int, int], ...] = ()

    def encode(self, *, four_octet_as: bool = True) -> bytes:
        """The whole message. Raises `ValueError` where it would be longer than a BGP message can be."""
        # RFC 7606 section 5.1: the multiprotocol routes come first, so that they are found in a broken message.
        parts: list[tuple[_Attribute, bytes]] = []
        classic: tuple[Network, ...] = ()
        if withdrawn6 := encode_prefixes(prefix for prefix in self.withdrawn if prefix.version == 6):
            parts.append((_Attribute.MP_UNREACH_NLRI, _unicast(6) + withdrawn6))
        for reach in self.announced:
            if reach.next_hops[0].version == 6:
                parts.append((_Attribute.MP_REACH_NLRI, _encode_reach(reach)))
            else:
                parts.append((_Attribute.NEXT_HOP, reach.next_hops[0].packed))
                classic = reach.prefixes
        if self.announced:
            parts.append((_Attribute.ORIGIN, bytes([self.origin])))
            parts += _encode_as_path(self.as_path, four_octet_as=four_octet_as)
        if self.announced and self.med is not None:
            parts.append((_Attribute.MULTI_EXIT_DISC, self.med.to_bytes(4)))
        if self.announced and self.communities:
            pairs = b"".join(high.to_bytes(2) + low.to_bytes(2) for high, low in self.communities)
            parts.append((_Attribute.COMMUNITIES, pairs))
        kinds = [kind for kind, _ in parts]
        if len(set(kinds)) != len(kinds):
            raise ValueError("One BGP UPDATE cannot announce through two IPv4 or two IPv6 next hops.")
        # RFC 4271 section 5: in the order of their types, but for the multiprotocol routes.
        parts.sort(key=lambda part: (part[0] not in _FIRST, part[0]))
        withdrawn4 = encode_prefixes(prefix for prefix in self.withdrawn if prefix.version == 4)
        attributes = b"".join(_encode_attribute(kind, value) for kind, value in parts)
        return frame(
            MessageType.UPDATE,
            len(withdrawn4).to_bytes(2)
            + withdrawn4
            + len(attributes).to_bytes(2)
            + attributes
            + encode_prefixes(classic),
        )

    @classmethod
    def decode(cls, body: bytes, *, four_octet_as: bool = True) -> Update:
        """Raises `BgpError` with the subcodes of RFC 4271 section 6.3.

        Whether that ends the session or, as RFC 7606 wants of most, only withdraws the routes is up to the caller.
        """
        octets = Octets(body, _malformed_list("The lengths in the BGP UPDATE do not fit each other."))
        withdrawn = decode_prefixes(octets.take(octets.number(2)), 4, _invalid_field("withdrawn routes"))
        attributes = _split_attributes(octets.take(octets.number(2)))
        announced4 = decode_prefixes(octets.rest(), 4, _invalid_field("announced routes"))

        reaches: list[Reach] = []
        if announced4:
            next_hop = _required(attributes, _Attribute.NEXT_HOP)
            if len(next_hop) != 4:
                raise _attribute_error(5, _Attribute.NEXT_HOP, next_hop)
            reaches.append(Reach((IPv4Address(next_hop),), announced4))
        if (value := attributes.get(_Attribute.MP_REACH_NLRI)) is not None and (reach := _decode_reach(value)):
            reaches.append(reach)
        if (value := attributes.get(_Attribute.MP_UNREACH_NLRI)) is not None:
            withdrawn += _decode_unreach(value)
        if not reaches:
            return cls(withdrawn=withdrawn)

        origin = _required(attributes, _Attribute.ORIGIN)
        if len(origin) != 1 or origin[0] > Origin.INCOMPLETE:
            raise _attribute_error(6, _Attribute.ORIGIN, origin)
        path = _decode_as_path(_required(attributes, _Attribute.AS_PATH), 4 if four_octet_as else 2)
        if not four_octet_as and (value := attributes.get(_Attribute.AS4_PATH)) is not None:
            path = _merge(path, _decode_as_path(value, 4))
        med = attributes.get(_Attribute.MULTI_EXIT_DISC)
        if med is not None and len(med) != 4:
            raise _attribute_error(5, _Attribute.MULTI_EXIT_DISC, med)
        communities = attributes.get(_Attribute.COMMUNITIES, b"")
        if len(communities) % 4:
            raise _attribute_error(5, _Attribute.COMMUNITIES, communities)
        return cls(
            tuple(reaches),
            withdrawn,
            path,
            Origin(origin[0]),
            None if med is None else int.from_bytes(med),
            tuple(
                (int.from_bytes(communities[at : at + 2]), int.from_bytes(communities[at + 2 : at + 4]))
                for at in range(0, len(communities), 4)
            ),
        )


def end_of_rib(family: Family) -> bytes:
    """The whole message that says: these were all routes of this family (RFC 4724 section 2)."""
    value = b"" if family == 4 else _encode_attribute(_Attribute.MP_UNREACH_NLRI, _unicast(family))
    return frame(MessageType.UPDATE, bytes(2) + len(value).to_bytes(2) + value)


def _unicast(family: Family) -> bytes:
    return AFI[family].to_bytes(2) + bytes([SAFI_UNICAST])


def _malformed_list(sentence: str) -> BgpError:
    return BgpError(NotificationCode.UPDATE, 1, sentence)


def _invalid_field(what: str) -> BgpError:
    return BgpError(NotificationCode.UPDATE, 10, f"The {what} of the BGP UPDATE are not prefixes.")


def _attribute_error(subcode: int, kind: _Attribute, value: bytes) -> BgpError:
    return BgpError(
        NotificationCode.UPDATE, subcode, f"The {kind.name} of the BGP UPDATE is wrong.", _encode_attribute(kind, value)
    )


def _required(attributes: dict[int, bytes], kind: _Attribute) -> bytes:
    if kind not in attributes:
        raise BgpError(NotificationCode.UPDATE, 3, f"The BGP UPDATE announces without {kind.name}.", bytes([kind]))
    return attributes[kind]


# LOCAL_PREF and ATOMIC_AGGREGATE say nothing that is used here.
_WELL_KNOWN_UNUSED: Final = frozenset({5, 6})


def _split_attributes(data: bytes) -> dict[int, bytes]:
    """Values by type. Of a repeated attribute the first counts, but routes must not be repeated (RFC 7606 3.g)."""
    octets = Octets(data, _malformed_list("A path attribute of the BGP UPDATE is longer than their list."))
    found: dict[int, bytes] = {}
    while octets:
        flags, kind = octets.number(1), octets.number(1)
        value = octets.take(octets.number(2 if flags & _EXTENDED else 1))
        expected = _FLAGS.get(_Attribute(kind)) if kind in _FLAGS else None
        if expected is not None and flags & (_OPTIONAL | _TRANSITIVE) != expected:
            raise _attribute_error(4, _Attribute(kind), value)
        if expected is None and not flags & _OPTIONAL and kind not in _WELL_KNOWN_UNUSED:
            raise BgpError(NotificationCode.UPDATE, 2, f"The BGP UPDATE has an unknown well-known attribute {kind}.")
        if kind in found and kind in _FIRST:
            raise _malformed_list(f"The BGP UPDATE has {_Attribute(kind).name} twice.")
        found.setdefault(kind, value)
    return found


def _encode_attribute(kind: _Attribute, value: bytes) -> bytes:
    if len(value) > 255:
        return bytes([_FLAGS[kind] | _EXTENDED, kind]) + len(value).to_bytes(2) + value
    return bytes([_FLAGS[kind], kind, len(value)]) + value


def _encode_as_path(path: AsPath, *, four_octet_as: bool) -> list[tuple[_Attribute, bytes]]:
    if four_octet_as:
        return [(_Attribute.AS_PATH, _encode_segments(path, 4))]
    parts = [(_Attribute.AS_PATH, _encode_segments(_two_octet(path), 2))]
    if _two_octet(path) != path:
        parts.append((_Attribute.AS4_PATH, _encode_segments(path, 4)))
    return parts


def _two_octet(path: AsPath) -> AsPath:
    def short(asn: int) -> int:
        return asn if asn < 2**16 else AS_TRANS

    return tuple(short(hop) if isinstance(hop, int) else tuple(short(asn) for asn in hop) for hop in path)


def _encode_segments(path: AsPath, width: int) -> bytes:
    return b"".join(
        bytes([kind, len(asns)]) + b"".join(asn.to_bytes(width) for asn in asns) for kind, asns in _segments(path)
    )


def _segments(path: AsPath) -> Iterable[tuple[int, tuple[int, ...]]]:
    for single, hops in groupby(path, lambda hop: isinstance(hop, int)):
        if not single:
            yield from ((_AS_SET, hop) for hop in hops if isinstance(hop, tuple))
            continue
        asns = tuple(hop for hop in hops if isinstance(hop, int))
        for at in range(0, len(asns), _LONGEST_SEGMENT):
            yield _AS_SEQUENCE, asns[at : at + _LONGEST_SEGMENT]


def _decode_as_path(value: bytes, width: int) -> AsPath:
    """RFC 4271 section 4.3 b. Confederations (RFC 5065) end at the border of an AS, so their segments are wrong."""
    error = BgpError(NotificationCode.UPDATE, 11, "The AS_PATH of the BGP UPDATE cannot be understood.")
    octets = Octets(value, error)
    path: list[int | tuple[int, ...]] = []
    while octets:
        kind, count = octets.number(1), octets.number(1)
        asns = tuple(octets.number(width) for _ in range(count))
        if kind not in {_AS_SET, _AS_SEQUENCE} or not asns:
            raise error
        path += [asns] if kind == _AS_SET else asns
    return tuple(path)


def _merge(path: AsPath, path4: AsPath) -> AsPath:
    """RFC 6793 section 4.2.3: AS4_PATH replaces as many hops, from the origin on, as it has itself."""
    if len(path4) > len(path):
        return path
    return path[: len(path) - len(path4)] + path4


def _encode_reach(reach: Reach) -> bytes:
    family: Family = 4 if reach.prefixes[0].version == 4 else 6
    next_hops = b"".join(address.packed for address in reach.next_hops)
    return _unicast(family) + bytes([len(next_hops)]) + next_hops + b"\0" + encode_prefixes(reach.prefixes)


def _decode_reach(value: bytes) -> Reach | None:
    """RFC 4760 section 3; None for families that are not unicast IPv4 or IPv6."""
    error = _attribute_error(9, _Attribute.MP_REACH_NLRI, value)
    octets = Octets(value, error)
    family = _family(octets)
    next_hop = octets.take(octets.number(1))
    octets.take(1)
    if family is None:
        return None
    prefixes = decode_prefixes(octets.rest(), family, error)
    # RFC 2545 section 3: a link-local address may follow the global one. RFC 8950: IPv4 behind IPv6 addresses too.
    if len(next_hop) in {16, 32}:
        hops: tuple[Address, ...] = tuple(IPv6Address(next_hop[at : at + 16]) for at in range(0, len(next_hop), 16))
    elif len(next_hop) == 4 and family == 4:
        hops = (IPv4Address(next_hop),)
    else:
        raise error
    return Reach(hops, prefixes) if prefixes else None


def _decode_unreach(value: bytes) -> tuple[Network, ...]:
    error = _attribute_error(9, _Attribute.MP_UNREACH_NLRI, value)
    octets = Octets(value, error)
    family = _family(octets)
    return () if family is None else decode_prefixes(octets.rest(), family, error)


def _family(octets: Octets) -> Family | None:
    afi, safi = octets.number(2), octets.number(1)
    for family, number in AFI.items():
        if (afi, safi) == (number, SAFI_UNICAST):
            return family
    return None
