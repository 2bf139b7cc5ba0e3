"""Tests for rpkival.objects.extensions: the usual form of a value is recognised by its octets, whatever its size."""

from __future__ import annotations

import pytest
from cryptography.x509 import ObjectIdentifier
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import ObjectError
from rpkival.lab.der import ia5_string, implicit, object_identifier, sequence
from rpkival.objects import extensions, oids
from rpkival.objects.asn1.der import encode, header
from rpkival.objects.extensions import SubjectLocations, subject_locations

SIGNED_OBJECT = "1.3.6.1.5.5.7.48.11"


def access(*uris: str) -> bytes:
    """A subject information access with a signed object at each URI."""
    return sequence(*(sequence(object_identifier(SIGNED_OBJECT), implicit(6, ia5_string(uri))) for uri in uris))


@pytest.mark.parametrize("size", [20, 90, 100, 101, 110, 111, 112, 113, 127, 128, 129, 239, 240, 241, 255, 256, 400])
def test_the_uri_of_a_signed_object_of_any_length(size: int) -> None:
    """DER writes lengths in one, two or three octets."""
    uri = "rsync://h.example/m/".ljust(size, "x")
    assert subject_locations(access(uri)) == SubjectLocations(signed_objects=(uri,))


def test_what_only_starts_so_is_taken_apart() -> None:
    """Two URIs, an unusable one, octets left over."""
    good, https = "rsync://h.example/m/a.roa", "https://h.example/m/a.roa"
    assert subject_locations(access(https, good)) == SubjectLocations(signed_objects=(good,))
    assert subject_locations(access(good, good + "b")) == SubjectLocations(signed_objects=(good, good + "b"))
    assert subject_locations(access(https)) == SubjectLocations()
    for broken in (access(good) + b"\0", access(good)[:-1], b"", b"\x30"):
        with pytest.raises(ObjectError):
            subject_locations(broken)


def test_what_has_a_size_that_der_skips_is_refused() -> None:
    """Two octets of content more need one octet of length more: nothing with one URI has 130 octets."""
    for first in range(256):
        with pytest.raises(ObjectError):
            subject_locations(bytes((first,)) + b"rsync://h.example/m/".ljust(129, b"x"))


def descriptions(found: list[tuple[ObjectIdentifier, str]]) -> bytes:
    """DER of access methods with URIs."""
    octets = b""
    for method, uri in found:
        description = encode(method) + header(0x86, len(uri)) + uri.encode()
        octets += header(0x30, len(description)) + description
    return header(0x30, len(octets)) + octets


DESCRIPTIONS = st.lists(
    st.tuples(
        st.sampled_from([oids.CA_REPOSITORY, oids.RPKI_MANIFEST_ACCESS, oids.RPKI_NOTIFY, oids.SIGNED_OBJECT]),
        st.text("ab:/", max_size=300),
    ),
    min_size=1,
    max_size=4,
)


@given(DESCRIPTIONS)
def test_the_usual_descriptions_are_read_quickly(found: list[tuple[ObjectIdentifier, str]]) -> None:
    """And as the decoder reads them."""
    value = descriptions(found)
    kinds = {oids.CA_REPOSITORY: "repository", oids.RPKI_MANIFEST_ACCESS: "manifest", oids.RPKI_NOTIFY: "notify"}
    read = [(kinds.get(method, "signed_objects"), uri) for method, uri in found]
    assert extensions._usual_descriptions(value) == read
    assert list(extensions._subject_descriptions(value)) == read


@given(DESCRIPTIONS, st.data())
def test_what_is_read_quickly_is_der(found: list[tuple[ObjectIdentifier, str]], data: st.DataObject) -> None:
    """Whatever an octet becomes: the decoder reads the same, or it is left to the decoder to say what is wrong."""
    value = bytearray(descriptions(found))
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, min(len(value) - 1, 24)))] = data.draw(st.integers(0, 255))
    quickly = extensions._usual_descriptions(bytes(value))
    if quickly is not None:
        assert list(extensions._subject_descriptions(bytes(value))) == quickly
