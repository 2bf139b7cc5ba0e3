"""What is packed comes out again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rpkival.validation.lifetime import Lifetime
from rpkival.validation.roas import ValidatedRoa, ValidatedRoas


def prefixes(bits: int) -> st.SearchStrategy[tuple[tuple[int, int, int], ...]]:
    """Of a family."""
    size = st.integers(0, bits)
    return st.lists(st.tuples(st.integers(0, (1 << bits) - 1), size, size), max_size=4).map(tuple)


TIMES = st.integers(0, 2**40)
ROAS = st.lists(
    st.builds(
        ValidatedRoa,
        st.from_regex(r"rsync://h\.example/m/[a-z/]{0,9}/[A-Za-z0-9_-]{1,9}\.roa", fullmatch=True),
        st.binary(min_size=32, max_size=32).map(bytes.hex),
        st.sampled_from(["a", "b"]),
        st.integers(0, 2**32 - 1),
        prefixes(32),
        prefixes(128),
        st.builds(Lifetime, TIMES, TIMES, TIMES, TIMES, TIMES),
    )
)


@given(ROAS)
def test_what_is_packed_comes_out_again(roas: list[ValidatedRoa]) -> None:
    """Every field of each, in order."""
    packed = ValidatedRoas.of(roas)
    assert list(packed) == roas
    assert len(packed) == len(roas)
