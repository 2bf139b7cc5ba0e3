"""VRP files: every dialect is read, what is written comes back, and what is wrong is named."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import ipaddress
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpkival.errors import FormatError, LimitError, UsageError
from rpkival.payload.formats import WRITERS, Loaded, read_vrps, write_payload
from rpkival.payload.payload import Payload
from rpkival.payload.vrps import Vrp, Vrps

PAIR = [Vrp("192.0.2.0/24", 26, 64496, "ripe", 1773648000), Vrp("2001:db8::/32", 48, 4294967295, "apnic", 0)]
Compressor = Callable[[bytes], bytes]
COMPRESSORS: list[Compressor] = [gzip.compress, bz2.compress]


def read(text: str | bytes) -> Loaded:
    """One file's content."""
    return read_vrps(text.encode() if isinstance(text, str) else text, name="vrps.txt")


def written(vrps: Vrps, fmt: str) -> bytes:
    """What a writer writes."""
    stream = io.BytesIO()
    write_payload(Payload(vrps), fmt, stream, generated=1773648000)
    return stream.getvalue()


class TestReading:
    @pytest.mark.parametrize(
        "text",
        [
            (
                '{"metadata": {"buildtime": "2026-03-16T07:00:00Z"}, "roas": ['
                '{"asn": 64496, "prefix": "192.0.2.0/24", "maxLength": 26, "ta": "ripe", "expires": 1773648000},'
                '{"asn": 4294967295, "prefix": "2001:db8::/32", "maxLength": 48, "ta": "apnic"}], "spls": [7]}'
            ),
            (
                '{"metadata": {"generated": 1773644400}, "roas": ['
                '{"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 26, "ta": "ripe", "expires": 1773648000},'
                '{"asn": "4294967295", "prefix": "2001:db8::/32", "maxLength": 48, "ta": "apnic"}]}'
            ),
        ],
        ids=["rpki-client", "routinator"],
    )
    def test_json_of_both_habits(self, text: str) -> None:
        """AS numbers as numbers or text, the time as text or a number, more keys than we know."""
        loaded = read(text)

        assert list(loaded.vrps) == PAIR
        assert (loaded.generated, loaded.format) == (1773644400, "json")

    def test_jsonext_tells_the_object_and_the_end_of_its_chain(self, shared_data: Path) -> None:
        """Routinator's sample: two VRPs; the chain ends, or gets stale, years before the ROA's certificate does."""
        loaded = read((shared_data / "vrps/samples/rpkilog_roa_test.routinator_jsonext").read_bytes())

        first, second = loaded.vrps
        assert (first.prefix, first.trust_anchor, first.expires) == ("1.0.0.0/24", "apnic", 1742048251)
        assert first.source.endswith("797B4DEC293B11E8B187196DC4F9AE02.roa")
        assert (second.asn, second.max_length, second.trust_anchor) == (37125, 128, "afrinic")
        assert loaded.generated == 1741556754

    @pytest.mark.parametrize(
        ("sample", "count", "generated"),
        [
            ("rpkilog_roa_test.rpkiclient2021_json", 70, 1630454659),
            ("rpkilog_roa_test.rpkiclient2023_json", 379, 1696118743),
            ("stayrtr_test.rpki.json", 19, 1690484162),
        ],
    )
    def test_samples_of_other_validators(self, shared_data: Path, sample: str, count: int, generated: int) -> None:
        """Older and newer rpki-client, and StayRTR's test file with a trust anchor of its own."""
        loaded = read((shared_data / "vrps/samples" / sample).read_bytes())

        assert (len(loaded.vrps), loaded.generated) == (count, generated)

    def test_a_bare_list_without_max_lengths(self) -> None:
        """rpki-prover's layout; a max_length that is left out is the prefix length."""
        loaded = read(' [{"asn": "AS64496", "prefix": "192.0.2.0/24"}]')

        assert list(loaded.vrps) == [Vrp("192.0.2.0/24", 24, 64496)]

    @pytest.mark.parametrize(
        "text",
        [
            (
                "ASN,IP Prefix,Max Length,Trust Anchor,Expires\n"
                "AS64496,192.0.2.0/24,26,ripe,1773648000\nAS4294967295,2001:db8::/32,48,apnic,\n"
            ),
            (
                '"ASN","IP Prefix","Max Length","Trust Anchor","Expires"\r\n'
                '"64496","192.0.2.0/24","26","ripe","1773648000"\r\n\r\n"4294967295","2001:db8::/32","48","apnic","0"\r\n'
            ),
            (
                "\ufeffURI,ASN,IP Prefix,Max Length,Not Before,Not After,TA\r\n"
                "N/A,AS64496,192.0.2.0/24,26,N/A,2026-03-16 08:00:00,ripe\r\n,as4294967295,2001:db8::/32,48,,N/A,apnic"
            ),
        ],
        ids=["rpki-client", "quoted", "csvext"],
    )
    def test_csv_by_its_header(self, text: str) -> None:
        """The header decides; quotes, line ends, empty lines and a byte order mark are the writer's taste."""
        loaded = read(text)

        assert list(loaded.vrps) == PAIR
        assert (loaded.generated, loaded.format) == (None, "csv")

    def test_csv_with_three_columns_and_empty_max_lengths(self) -> None:
        """No trust anchor is no obstacle; an empty max_length is the prefix length."""
        loaded = read("Max Length,Prefix,ASN\n,192.0.2.0/24,AS64496\n9,10.0.0.0/8,AS0\n")

        assert list(loaded.vrps) == [Vrp("10.0.0.0/8", 9, 0), Vrp("192.0.2.0/24", 24, 64496)]

    def test_duplicates_become_one_and_order_is_by_address(self) -> None:
        """A validator lists a VRP once for each trust anchor or object that has it."""
        loaded = read("ASN,IP Prefix,Max Length\nAS2,10.0.0.0/8,8\nAS1,9.0.0.0/8,8\nAS2,10.0.0.0/8,8\n")

        assert [vrp.asn for vrp in loaded.vrps] == [1, 2]

    @pytest.mark.parametrize("compress", COMPRESSORS, ids=["gzip", "bzip2"])
    def test_compressed_files_are_told_by_their_first_bytes(self, compress: Compressor) -> None:
        """Also several members back to back, as parallel compressors write them."""
        half, rest = b"ASN,IP Prefix,Max Length\nAS1,10.0.0.0/8,8\n", b"AS2,10.0.0.0/8,8\n"

        assert len(read(compress(half) + compress(rest)).vrps) == 2

    def test_no_vrps_is_a_set_too(self) -> None:
        """An empty world is unusual, not unreadable."""
        assert len(read('{"roas": []}').vrps) == len(read("ASN,IP Prefix,Max Length\n").vrps) == 0


class TestRefusing:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "vrps.txt is empty"),
            ("hello\nworld\n", "neither JSON nor CSV with a header"),
            (b"\xff\xfe,\n", "not text in UTF-8"),
            ("{", "not a VRP file in JSON as we know it: Input data was truncated"),
            pytest.param('{"roas": [], "x": ' + "[" * 100_000, "JSON as we know it: maximum recursion", id="deep"),
            (b'{"roas": [{"asn": 1, "prefix": "\xff"}]}', "JSON as we know it: .*invalid start byte"),
            ('{"aspas": []}', "at its top: the member 'roas' is missing"),
            (
                '{"roas": [{"asn": 1.5, "prefix": "10.0.0.0/8"}]}',
                r"at \$.roas\[0\].asn: expected .* or .*, got a number with",
            ),
            (
                '{"roas": [{"asn": 1, "prefix": "10.0.0.0/8", "maxLength": "8"}]}',
                "maxLength: expected a whole number, got text in quotes",
            ),
            (
                '{"roas": [{"asn": 1, "prefix": "10.0.0.0/8", "maxLength": 9223372036854775808}]}',
                "VRP 1: .* max length",
            ),
            ('{"roas": [{"asn": 1, "prefix": "10.0.0.0/8", "expires": -9223372036854775809}]}', "VRP 1: .* not a time"),
            ('{"roas": [{"asn": 1, "prefix": "10.0.0.0/8", "expires": 253402300800}]}', "VRP 1: .* not a time"),
            ('{"roas": [{"asn": 1, "prefix": "10.0.0.0/8", "expires": -1}]}', "VRP 1: -1 is not a time"),
            ('{"roas": [], "metadata": {"generated": 253402300800}}', "made at 253402300800, which is not a time"),
        ],
    )
    def test_what_is_no_vrp_file(self, text: str | bytes, sentence: str) -> None:
        """One sentence with the file's name."""
        with pytest.raises(FormatError, match=sentence):
            read(text)

    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            ("AS4294967296,10.0.0.0/8,8", "VRP 3: AS4294967296 does not exist"),
            ("AS-1,10.0.0.0/8,8", "VRP 3: 'AS-1' is not an AS number"),
            ("AS+1,10.0.0.0/8,8", r"VRP 3: 'AS\+1' is not an AS number"),
            ("+1,10.0.0.0/8,8", r"VRP 3: '\+1' is not an AS number"),
            pytest.param(f"AS1,10.0.0.0/8,{'9' * 5000}", "VRP 3: '9+' is not a max length", id="digits"),
            ("1_0,10.0.0.0/8,8", "VRP 3: '1_0' is not an AS number"),
            ("٣,10.0.0.0/8,8", "VRP 3: '٣' is not an AS number"),
            ("AS1,10.0.0.1/8,8", "VRP 3: '10.0.0.1/8' has host bits set; did you mean 10.0.0.0/8"),
            ("AS1,10.0.0.0,8", "VRP 3: '10.0.0.0' has no prefix length"),
            ("AS1,10.0.0.0/8,7", "VRP 3: max length 7 is no length for 10.0.0.0/8"),
            ("AS1,10.0.0.0/8,33", "VRP 3: max length 33 is no length for 10.0.0.0/8"),
            ("AS1,2001:db8::/32,129", "VRP 3: max length 129 is no length for 2001:db8::/32"),
            ("AS1,10.0.0.0/8,-1", "VRP 3: '-1' is not a max length"),
            ("AS1,10.0.0.0/8,1_0", "VRP 3: '1_0' is not a max length"),
            ("AS1,10.0.0.0/8,٨", "VRP 3: '٨' is not a max length"),
            ("AS1,10.0.0.0/8", "VRP 3: 2 fields where the header has 3"),
            ("AS1,10.0.0.0/8,8,8", "VRP 3: 4 fields where the header has 3"),
        ],
    )
    def test_the_first_bad_vrp_is_named(self, row: str, sentence: str) -> None:
        """Two good rows, the bad one, and another bad one after it."""
        with pytest.raises(FormatError, match=sentence):
            read(f"ASN,IP Prefix,Max Length\nAS1,9.0.0.0/8,8\nAS1,2001:db8::/32,32\n{row}\nAS1,2001:db8::/32,999\n")

    @pytest.mark.parametrize(
        ("asn", "max_length", "sentence"),
        [
            ("4294967296", "8", "VRP 1: AS4294967296 does not exist"),
            ("-1", "8", "VRP 1: AS-1 does not exist"),
            ('"ASx"', "8", "VRP 1: 'ASx' is not an AS number"),
            ("99999999999999999999999", "8", "VRP 1: AS99999999999999999999999 does not exist"),
            ("1", "-2", "VRP 1: max length -2"),
        ],
    )
    def test_numbers_out_of_bounds_in_json(self, asn: str, max_length: str, sentence: str) -> None:
        """JSON has numbers of any size; ours have bounds."""
        with pytest.raises(FormatError, match=sentence):
            read(f'{{"roas": [{{"asn": {asn}, "prefix": "10.0.0.0/8", "maxLength": {max_length}}}]}}')

    @pytest.mark.parametrize("compress", COMPRESSORS, ids=["gzip", "bzip2"])
    def test_a_torn_compressed_file(self, compress: Compressor) -> None:
        """Cut anywhere, also where the whole content has come but its checksum has not."""
        whole = compress(b"ASN,IP Prefix,Max Length\nAS1,10.0.0.0/8,8\n")

        for length in range(4, len(whole)):
            with pytest.raises(FormatError, match="is damaged: its compressed data "):
                read(whole[:length])

    def test_a_torn_large_file(self, shared_data: Path) -> None:
        """The parallel decompressor notices as well."""
        data = (shared_data / "vrps" / "rpkiclient_20250720T0931.json.bz2").read_bytes()

        with pytest.raises(FormatError, match="is damaged: its compressed data ends too early"):
            read(data[:2_000_000])

    @pytest.mark.parametrize("compress", COMPRESSORS, ids=["gzip", "bzip2"])
    def test_a_bomb_is_stopped_at_the_bound(self, compress: Compressor, monkeypatch: pytest.MonkeyPatch) -> None:
        """A small file that unpacks to more than the limit costs no more memory than that."""
        monkeypatch.setattr("rpkival.payload.formats.MAX_VRP_FILE_BYTES", 1_000_000)

        with pytest.raises(LimitError, match="more than 1000000 bytes"):
            read(compress(b"0" * 50_000_000))

    def test_more_vrps_or_trust_anchors_than_there_can_be(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Both bounds are named errors."""
        rows = "".join(f"AS1,10.{n}.0.0/16,16,ta{n}\n" for n in range(5))
        monkeypatch.setattr("rpkival.payload.formats.columns.MAX_VRP_FILE_ANCHORS", 4)
        with pytest.raises(LimitError, match="5 trust anchors, more than 4"):
            read("ASN,IP Prefix,Max Length,Trust Anchor\n" + rows)

        monkeypatch.setattr("rpkival.payload.formats.columns.MAX_VRPS", 4)
        with pytest.raises(LimitError, match="5 VRPs, more than 4"):
            read("ASN,IP Prefix,Max Length,Trust Anchor\n" + rows)

    @given(st.data())
    @pytest.mark.parametrize("fmt", ["csv", "json", "csvext"])
    def test_noise_is_read_or_refused_and_nothing_else(self, fmt: str, data: st.DataObject) -> None:
        """Good files with some bytes changed, taken out or put in: VRPs, or one of our errors."""
        content = bytearray(written(Vrps.of(PAIR), fmt))
        for _ in range(data.draw(st.integers(1, 4))):
            start = data.draw(st.integers(0, len(content)))
            end = data.draw(st.integers(start, min(start + 8, len(content))))
            content[start:end] = data.draw(
                st.binary(max_size=4) | st.sampled_from([b"9" * 30, b"-", b'"', b",", b"\n"])
            )
        with contextlib.suppress(FormatError, LimitError):
            for vrp in read(bytes(content)).vrps:
                network = ipaddress.ip_network(vrp.prefix)
                assert network.prefixlen <= vrp.max_length <= network.max_prefixlen
                assert 0 <= vrp.asn < 2**32


class TestWriting:
    def test_csv_is_routinators(self) -> None:
        """Sorted, unique, N/A for an unknown trust anchor, a name with a comma in quotes."""
        vrps = Vrps.of([*PAIR, Vrp("10.0.0.0/8", 8, 0), Vrp("10.0.0.0/8", 8, 0), Vrp("9.0.0.0/8", 8, 1, 'a,"b"')])

        assert written(vrps, "csv").decode().splitlines() == [
            "ASN,IP Prefix,Max Length,Trust Anchor",
            'AS1,9.0.0.0/8,8,"a,""b"""',
            "AS0,10.0.0.0/8,8,N/A",
            "AS64496,192.0.2.0/24,26,ripe",
            "AS4294967295,2001:db8::/32,48,apnic",
        ]

    def test_csvext_names_object_and_end(self) -> None:
        """The URI and time of Routinator's csvext."""
        vrps = Vrps.of([Vrp("192.0.2.0/24", 26, 64496, "ripe", 1773648000, "rsync://a/b.roa"), PAIR[1]])

        assert written(vrps, "csvext").decode().splitlines() == [
            "URI,ASN,IP Prefix,Max Length,Not Before,Not After",
            "rsync://a/b.roa,AS64496,192.0.2.0/24,26,N/A,2026-03-16 08:00:00",
            "N/A,AS4294967295,2001:db8::/32,48,N/A,N/A",
        ]

    def test_json_is_routinators_with_the_expiry(self) -> None:
        """`expires` is there where it is known and nowhere else."""
        assert json.loads(written(Vrps.of(PAIR), "json")) == {
            "metadata": {"generated": 1773648000, "generatedTime": "2026-03-16T08:00:00Z"},
            "roas": [
                {"asn": "AS64496", "prefix": "192.0.2.0/24", "maxLength": 26, "ta": "ripe", "expires": 1773648000},
                {"asn": "AS4294967295", "prefix": "2001:db8::/32", "maxLength": 48, "ta": "apnic"},
            ],
        }

    def test_summary_counts(self) -> None:
        """By trust anchor and family."""
        text = written(Vrps.of(PAIR), "summary").decode()

        assert " ".join(text.splitlines()[1].split()) == "all: 2 VRPs, 1 IPv4, 1 IPv6, 0 ASPAs, 0 router keys"
        assert [line.split(":")[0].strip() for line in text.splitlines()[2:]] == ["apnic", "ripe"]

    @given(st.data())
    @pytest.mark.parametrize("fmt", ["csv", "csvcompat", "csvext", "json", "jsonext"])
    def test_what_is_written_is_read_back(
        self, vrp_sets: st.SearchStrategy[Vrps], fmt: str, data: st.DataObject
    ) -> None:
        """Any set, also the empty one; each format keeps what it has room for."""
        vrps = data.draw(vrp_sets).unique_sorted()

        back = read(written(vrps, fmt)).vrps

        assert [(v.prefix, v.max_length, v.asn) for v in back] == [(v.prefix, v.max_length, v.asn) for v in vrps]
        if fmt != "csvext":
            assert [v.trust_anchor for v in back] == [v.trust_anchor for v in vrps]
        if fmt not in {"csv", "csvcompat"}:
            assert [v.expires for v in back] == [v.expires for v in vrps]

    @pytest.mark.parametrize("fmt", WRITERS)
    def test_hostile_names_stay_within_their_field(self, fmt: str) -> None:
        """A trust anchor's or object's name that brings quotes and line breaks makes no VRP of its own."""
        evil = '"\n}], {"asn": 1\r\nAS666,0.0.0.0/0,0,evil\x1b[2J'
        output = written(Vrps.of([Vrp("10.0.0.0/8", 8, 64496, evil, 0, evil)]), fmt)

        if fmt in {"csv", "csvcompat", "csvext", "json", "jsonext"}:
            assert [vrp.asn for vrp in read(output).vrps] == [64496]
        elif fmt in {"slurm", "slurm2"}:
            assert len(json.loads(output)["locallyAddedAssertions"]["prefixAssertions"]) == 1
        else:
            good = written(Vrps.of([Vrp("10.0.0.0/8", 8, 64496, "ripe", 0, "rsync://a/b.roa")]), fmt)
            assert b"\x1b" not in output
            assert len(output.splitlines()) == len(good.splitlines())

    def test_an_unknown_format_is_the_askers_fault(self) -> None:
        """The sentence lists what there is."""
        with pytest.raises(UsageError, match="choose one of csv, csvcompat, csvext, json"):
            written(Vrps.empty(), "xml")


def test_the_real_tree_is_written_as_it_was_expected(unpacked: Callable[[str], Path]) -> None:
    """4,363 VRPs of a registry, on which rpki-client and FORT agree, survive every format we read."""
    expected = read((unpacked("twnic.tar.xz") / "expected.csv").read_bytes()).vrps

    assert len(expected) == 4363
    for fmt in ("csv", "json", "csvext"):
        assert list(read(written(expected, fmt)).vrps) == list(expected)


def test_the_world_is_whole(shared_data: Path) -> None:
    """723,521 unique VRPs, as the file's own metadata says."""
    data = (shared_data / "vrps" / "rpkiclient_20250720T0931.json.bz2").read_bytes()

    vrps = read(data).vrps

    assert (len(vrps.ipv4), len(vrps.ipv6)) == (580_366, 143_155)
