"""Prefixes as text and columns: what `ipaddress` says is the measure."""

from __future__ import annotations

import ipaddress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import PrefixError
from rpkival.prefixes import Prefixes, parse_prefix, split_families

NETWORKS = st.one_of(
    st.tuples(st.ip_addresses(v=4), st.integers(0, 32)),
    st.tuples(st.ip_addresses(v=6), st.integers(0, 128)),
).map(lambda pair: ipaddress.ip_network(pair, strict=False))


@given(st.lists(NETWORKS, max_size=30))
def test_columns_hold_what_the_texts_say(networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> None:
    """Parsing gives the addresses, lengths and rows; formatting gives the texts back."""
    texts = [str(network) for network in networks]

    for (prefixes, rows), version in zip(split_families(texts), (4, 6), strict=True):
        mine = [network for network in networks if network.version == version]
        assert prefixes.integers() == [int(network.network_address) for network in mine]
        assert prefixes.length.tolist() == [network.prefixlen for network in mine]
        assert [texts[row] for row in rows.tolist()] == [str(network) for network in mine]
        assert [ipaddress.ip_network(text) for text in prefixes.texts()] == mine


@given(st.text(alphabet="0123456789abcdef.:/|+_ -%", max_size=24))
def test_text_is_a_prefix_only_where_ipaddress_says_so(text: str) -> None:
    """Whatever is accepted is one prefix for `ipaddress` too, and says the same."""
    try:
        (ipv4, _), (ipv6, _) = split_families([text])
    except PrefixError:
        return
    prefixes = ipv4 if len(ipv4) else ipv6
    assert ipaddress.ip_network(text, strict=True) == ipaddress.ip_network(prefixes.texts()[0])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("192.0.2.1/24", "host bits set; did you mean 192.0.2.0/24"),
        ("2001:db8::1/32", "host bits set; did you mean 2001:db8::/32"),
        ("192.0.2.0", "has no prefix length"),
        ("192.0.2.0/33", "is not an IP prefix"),
        ("192.0.2.0/024", "write it as 192.0.2.0/24"),
        ("192.0.2.0/255.255.255.0", "write it as 192.0.2.0/24"),
        ("192.0.02.0/24", "is not an IP prefix"),
        ("192.0.2.0/24|192.0.3.0/24", "is not an IP prefix"),
        ("192.0.2/24", "is not an IP prefix"),
        ("٣.0.0.0/8", "is not an IP prefix"),
        ("2001:db8::/129", "is not an IP prefix"),
        ("2001:db8::%eth0/64", "is not an IP prefix"),
        ("2001:db8::\0/64", "is not an IP prefix"),
        ("", "has no prefix length"),
    ],
)
def test_a_text_that_is_no_prefix_is_refused_with_its_row_and_the_reason(text: str, sentence: str) -> None:
    """One bad text among good ones of both families is found, wherever it stands."""
    texts = ["192.0.2.0/24", "2001:db8::/32", text, "nonsense"]

    with pytest.raises(PrefixError, match=sentence) as raised:
        split_families(texts)

    assert raised.value.row == 2


def test_one_prefix_is_read_with_spaces_around() -> None:
    """The single question forgives blanks at the ends and nothing else."""
    assert parse_prefix(" 192.0.2.0/24\n").texts() == ["192.0.2.0/24"]


@pytest.mark.parametrize("text", ["::ffff:c000:201/128", "::1:0/112", "::/0", "::1/128", "2001:db8:0:1::/64"])
def test_ipv6_text_never_holds_a_dotted_quad(text: str) -> None:
    """The platform's inet_ntop writes some addresses with a quad; ours read the same everywhere."""
    assert parse_prefix(text).texts() == [text]


@given(st.lists(NETWORKS, min_size=1, max_size=30), st.data())
def test_mask_last_address_and_host_bits_agree_with_ipaddress(
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network], data: st.DataObject
) -> None:
    """Cutting a prefix at any length sets the bits behind it to zero; the last address has them all set."""
    for prefixes, _ in split_families(map(str, networks)):
        if not len(prefixes):
            continue
        bits = 32 if prefixes.family == 4 else 128
        length = data.draw(st.integers(0, bits))
        host = 2 ** (bits - length) - 1
        assert prefixes.masked(length).integers() == [address & ~host for address in prefixes.integers()]
        last = Prefixes(prefixes.last_words(), np.full(len(prefixes), bits, np.uint8))
        assert last.integers() == [int(ipaddress.ip_network(text).broadcast_address) for text in prefixes.texts()]
        assert not prefixes.host_bits().any()


def test_host_bits_are_found_in_either_word() -> None:
    """One set bit behind the length is enough, high word or low."""
    prefixes = Prefixes.of_integers(6, [1 << 64, 1, 0, 1 << 127], [63, 64, 64, 1])

    assert prefixes.host_bits().tolist() == [True, True, False, False]
