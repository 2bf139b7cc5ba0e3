"""Signatures against the specification's vector and an independent implementation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from rpkival.alerts.signature import Secret, read_secrets, sign
from rpkival.errors import UsageError


def test_published_vector() -> None:
    """The example that the Standard Webhooks libraries share."""
    secret = Secret.parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

    signature = sign([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(
    st.binary(min_size=24, max_size=64),
    st.from_regex(r"msg_[a-z0-9]{1,40}", fullmatch=True),
    st.integers(0, 2**32),
    st.text(),
)
def test_as_the_independent_implementation(key: bytes, message_id: str, timestamp: int, body: str) -> None:
    """Any key, id, time and body."""
    body = body.encode("utf-8", "replace").decode()
    theirs = Webhook(key).sign(message_id, datetime.fromtimestamp(timestamp, UTC), body)

    assert sign([Secret(key)], message_id, timestamp, body.encode()) == theirs
    assert Secret.parse(Secret(key).text()) == Secret(key)


def test_two_secrets_make_two_signatures() -> None:
    """Rotation: first the one in use, then the next, apart by a space."""
    old, new = Secret.new(), Secret.new()

    assert sign([old, new], "m", 1, b"").split(" ") == [sign([old], "m", 1, b""), sign([new], "m", 1, b"")]


@pytest.mark.parametrize("text", ["", "hunter2hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!", "whsec_" + "A" * 200])
def test_bad_secrets_are_refused_and_not_repeated(text: str) -> None:
    """The sentence does not show what might be nearly a secret."""
    with pytest.raises(UsageError) as caught:
        Secret.parse(text)
    assert not text.removeprefix("whsec_") or text not in str(caught.value)


def test_a_secret_does_not_show_itself() -> None:
    """Neither in logs nor in tracebacks."""
    assert repr(Secret(b"x" * 24)) == "Secret()"


def test_secret_files(tmp_path: Path) -> None:
    """One a line; missing, empty and binary files get a sentence."""
    path = tmp_path / "secrets"
    old, new = Secret.new(), Secret.new()
    path.write_text(f"{old.text()}\n\n{new.text()}\n")
    assert read_secrets(path) == (old, new)

    path.write_text("\n")
    with pytest.raises(UsageError, match="is empty"):
        read_secrets(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not text"):
        read_secrets(path)
    with pytest.raises(UsageError, match="No such file"):
        read_secrets(tmp_path / "none")
