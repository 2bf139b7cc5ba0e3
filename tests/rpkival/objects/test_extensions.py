"""Tests for rpkival.objects.extensions: the usual form of a value is recognised by its octets, whatever its size."""

from __future__ import annotations

import pytest

from rpkival.errors import ObjectError
from rpkival.lab.der import ia5_string, implicit, object_identifier, sequence
from rpkival.objects.extensions import SubjectLocations, subject_locations

SIGNED_OBJECT = "1.3.6.1.5.5.7.48.11"


def access(*uris: str) -> bytes:
    """A subject information access with a signed object at each URI."""
    return sequence(*(sequence(object_identifier(SIGNED_OBJECT), implicit(6, ia5_string(uri))) for uri in uris))


@pytest.mark.parametrize("size", [20, 90, 100, 101, 110, 111, 112, 113, 127, 128, 129, 239, 240, 241, 255, 256, 400])
def test_the_uri_of_a_signed_object_of_any_length(size: int) -> None:
    """DER writes lengths in one, two or three octets."""
    uri = "rsync://h.example/m/".ljust(size, "x")
    assert subject_locations(access(uri)) == SubjectLocations(signed_object=uri)


def test_what_only_starts_so_is_taken_apart() -> None:
    """Two URIs, an unusable one, octets left over."""
    good, https = "rsync://h.example/m/a.roa", "https://h.example/m/a.roa"
    assert subject_locations(access(https, good)) == SubjectLocations(signed_object=good)
    assert subject_locations(access(good, good + "b")) == SubjectLocations(signed_object=good)
    assert subject_locations(access(https)) == SubjectLocations()
    for broken in (access(good) + b"\0", access(good)[:-1], b"", b"\x30"):
        with pytest.raises(ObjectError):
            subject_locations(broken)
