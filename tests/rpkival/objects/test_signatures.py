"""Tests for rpkival.objects.signatures: at once or together, the same signatures are found bad."""

from __future__ import annotations

import pytest

from rpkival.errors import ObjectError
from rpkival.lab.keys import KeyRing
from rpkival.objects.keys import load_key
from rpkival.objects.signatures import SignatureBatch, check_signature

FAULT = ("RFC 6488 section 3", "The signature is bad.")
OTHER = ("RFC 6487 section 7.2", "Another is bad, too.")


def test_a_bad_signature_is_an_error_at_once(lab_keys: KeyRing) -> None:
    """With the section and sentence that were given."""
    key = lab_keys.key("anchor")
    loaded = load_key(key.public_key_info)
    check_signature(loaded, key.sign(b"octets"), b"octets", FAULT)
    with pytest.raises(ObjectError, match=FAULT[1]) as caught:
        check_signature(loaded, key.sign(b"octets"), b"others", FAULT)
    assert caught.value.section == FAULT[0]


def test_a_batch_names_what_has_a_bad_signature(lab_keys: KeyRing) -> None:
    """And the first of its faults; what it has told of is not told again."""
    key = lab_keys.key("anchor")
    loaded, good = load_key(key.public_key_info), key.sign(b"octets")
    batch = SignatureBatch("a")
    batch.check(loaded, good, b"octets", FAULT)
    batch.of = "b"
    batch.check(loaded, good, b"octets", FAULT)
    batch.check(loaded, good, b"others", OTHER)
    batch.check(loaded, good, b"more", FAULT)
    assert len(batch) == 4

    assert {of: (error.section, error.sentence) for of, error in batch.faults().items()} == {"b": OTHER}
    assert batch.faults() == {}
