"""Tests for rpkival.cli.validate, the whole command in this process."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from rpkival.cli.main import main
from rpkival.lab.ca import CertificateAuthority, trust_anchor
from rpkival.lab.certificates import Validity
from rpkival.lab.keys import KeyRing
from rpkival.lab.number_resources import Resources
from rpkival.lab.publisher import Publisher
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.objects.ccr import CachedRoas, parse_ccr

ROOT = Path(__file__).parents[3]
NOW = 1_773_648_000
AT = ("--at", "2026-03-16T08:00:00Z")
YEAR = Validity(NOW - 86_400, NOW + 365 * 86_400)
DAY = Validity(NOW - 60, NOW + 86_400)
HEADER = "ASN,IP Prefix,Max Length,Trust Anchor"
ALL = [HEADER, "AS64500,10.1.0.0/16,24,lab", "AS64501,10.2.0.0/16,16,lab"]


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Standard output, line by line."""
        return self.out.splitlines()


Run = Callable[..., Outcome]


@pytest.fixture
def validate(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """`validate(option, ...)` runs `rpkival validate` as of the moment of these tests."""

    def run(*options: str | Path) -> Outcome:
        at = () if "--at" in options else AT
        monkeypatch.setattr(sys, "argv", ["rpkival", "validate", *at, *map(str, options)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        return Outcome(int(ended.value.code or 0), captured.out, captured.err)

    return run


@dataclass(frozen=True)
class Lab:
    """A trust anchor with two members that have a ROA each, published."""

    anchor: CertificateAuthority
    publisher: Publisher
    tal: Path

    def publish(self, files: dict[str, bytes] | None = None) -> None:
        """Publish a tree, unless told that of today."""
        self.publisher.publish(self.anchor, files=self.anchor.tree(DAY) if files is None else files)

    @property
    def options(self) -> tuple[str | Path, ...]:
        """Those that make a run read the published directory."""
        return "--tal", self.tal, "--repository-dir", self.publisher.rsync, "--offline"


def make_lab(keys: KeyRing, directory: Path, repository: str) -> Lab:
    """Members `first` and `second` under `lab`."""
    anchor = trust_anchor("lab", Resources(["10.0.0.0/8"], [(64496, 64511)]), YEAR, keys, repository=repository)
    for name, asn, prefix, max_length in (("first", 64500, "10.1.0.0/16", 24), ("second", 64501, "10.2.0.0/16", 16)):
        anchor.issue_ca(name, Resources([prefix], [asn])).issue_roa(asn, [(prefix, max_length)])
    publisher = Publisher(directory)
    (tal,) = publisher.publish(anchor, files=anchor.tree(DAY))
    return Lab(anchor, publisher, tal)


@pytest.fixture
def lab(lab_keys: KeyRing, tmp_path: Path) -> Lab:
    """A lab whose host exists nowhere."""
    return make_lab(lab_keys, tmp_path / "lab", "rsync://rpki.lab.example/repository/")


@pytest.fixture
def lab_online(lab_keys: KeyRing, tmp_path: Path, rsync_daemon: RsyncDaemon) -> Lab:
    """A lab behind a real rsync daemon on loopback."""
    lab = make_lab(lab_keys, tmp_path / "lab", f"rsync://{rsync_daemon.authority}/repository/")
    rsync_daemon.serve("repository", lab.publisher.rsync / rsync_daemon.authority / "repository")
    return lab


def test_a_registry_gives_what_others_found(validate: Run, unpacked: Callable[[str], Path], tmp_path: Path) -> None:
    """All 4,363 VRPs of TWNIC's tree, from 422 CAs, with nothing rejected."""
    data = unpacked("twnic.tar.xz")

    done = validate(
        "--tal", data / "ta.tal", "--repository-dir", data / "rsync", "--offline", "--strict", "--complete",
        "--report", tmp_path / "report.json",
    )  # fmt: skip

    assert done.code == 0
    found = [line.rpartition(",")[0] for line in done.lines]
    assert sorted(found) == sorted((data / "expected.csv").read_text().splitlines())
    assert "4,363 VRPs in" in done.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["rejections"] == []
    assert report["trust_anchors"][0]["counts"]["certificates_valid"] == 422


def test_the_lab_gives_its_payload(validate: Run, lab: Lab) -> None:
    """As CSV on standard output; the table for people is on standard error."""
    done = validate(*lab.options)

    assert (done.code, done.lines) == (0, ALL)
    assert done.err.splitlines()[1].split() == ["lab", "3", "0", "2", "0", "0", "2", "0", "0"]


def test_selectors_choose_what_is_printed(validate: Run, lab: Lab) -> None:
    """By ASN, by what covers a prefix and by what is within it; of the kinds that are not left out."""
    first, second = ALL[1:]

    assert validate(*lab.options, "-a", "AS64501").lines == [HEADER, second]
    assert validate(*lab.options, "-p", "10.1.2.0/24", "--select-asn", "64501").lines == [HEADER, first, second]
    assert validate(*lab.options, "-p", "10.0.0.0/12").lines == [HEADER]
    assert validate(*lab.options, "-p", "10.0.0.0/15", "-m").lines == [HEADER, first]
    assert validate(*lab.options, "--no-route-origins", "--no-aspas", "--no-router-keys").lines == [HEADER]


def test_local_exceptions(validate: Run, lab: Lab, tmp_path: Path) -> None:
    """Several files; what they did is told, and is in the report. What is wrong with one is told before any work."""
    drop, add = tmp_path / "drop.json", tmp_path / "add.json"
    drop.write_text(
        '{"slurmVersion": 1, "validationOutputFilters": {"prefixFilters": [{"asn": 64500}], "bgpsecFilters": []}, '
        '"locallyAddedAssertions": {"prefixAssertions": [], "bgpsecAssertions": []}}'
    )
    add.write_text(
        '{"slurmVersion": 2, "validationOutputFilters": {"prefixFilters": [], "bgpsecFilters": []}, '
        '"locallyAddedAssertions": {"prefixAssertions": [{"asn": 7, "prefix": "10.9.0.0/16", "comment": "ours"}], '
        '"bgpsecAssertions": []}}'
    )
    done = validate(*lab.options, "--exceptions", drop, "--slurm", add, "--report", tmp_path / "report.json")

    assert done.lines == [HEADER, ALL[2], "AS7,10.9.0.0/16,16,N/A"]
    assert "Local exceptions take away 1 VRP of lab." in done.err
    assert f"{add} adds 1 VRP." in done.err
    told = json.loads((tmp_path / "report.json").read_text())["exceptions"]
    assert told["filtered"] == [{"of": "lab", "vrps": 1, "aspas": 0, "router_keys": 0}]
    extended = json.loads(validate(*lab.options, "--slurm", add, "--format", "jsonext").out)["roas"]
    assert {"type": "exception", "path": str(add), "comment": "ours"} in [roa["source"][0] for roa in extended]

    drop.write_text("{}")
    broken = validate(*lab.options, "--exceptions", drop)
    assert (broken.code, broken.out) == (3, "")
    assert "drop.json is wrong at its top: the member 'slurmVersion' is missing." in broken.err


def test_a_canonical_cache_representation(validate: Run, lab: Lab, tmp_path: Path) -> None:
    """What is read back is what was validated; the same octets each time."""
    first, second = tmp_path / "first.ccr", tmp_path / "second.ccr"
    for output in (first, second):
        assert validate(*lab.options, "--format", "ccr", "--output", output).code == 0
    ccr = parse_ccr(first.read_bytes())

    assert first.read_bytes() == second.read_bytes()
    assert ccr.roas == (
        CachedRoas(64500, ((0x0A010000, 16, 24),), ()),
        CachedRoas(64501, ((0x0A020000, 16, 16),), ()),
    )
    assert (ccr.produced_at, ccr.aspas, ccr.router_keys) == (NOW, (), ())
    assert ccr.manifests is not None
    assert {each.locations[0].rpartition("/")[2]: len(each.subordinates) for each in ccr.manifests} == {
        "lab.mft": 2,
        "first.mft": 0,
        "second.mft": 0,
    }
    assert ccr.trust_anchors is not None
    assert len(ccr.trust_anchors) == 1


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Of OpenMetrics, by name and labels."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_openmetrics_by_the_names_of_rpki_client(validate: Run, lab_online: Lab, tmp_path: Path) -> None:
    """Read by the strict parser of Prometheus' own library."""
    member = lab_online.anchor.children[0]
    member.issue_aspa(64500, [64501, 64502])
    member.issue_ghostbusters("NOC", "noc@lab.example")
    lab_online.anchor.issue_trust_anchor_key()
    lab_online.publish()
    where = ("--repository-dir", tmp_path / "store", "--allow-dubious-hosts", "--tal", lab_online.tal)
    done = validate(*where, "--format", "openmetrics")
    found = samples(done.out)

    assert done.out.endswith("# EOF\n")
    assert found["rpki_client_job_completion_time",] == NOW
    assert found["rpki_client_objects", "valid", "cert"] == 3
    assert found["rpki_client_objects", "failed parse", "roa"] == 0
    assert found["rpki_client_objects", "unique", "vrp"] == 2
    assert found["rpki_client_ta_objects", "lab", "valid", "roa"] == 2
    assert found["rpki_client_ta_objects", "lab", "unique", "vrp"] == 2
    for kind, state, number in (("gbr", "valid", 1), ("tak", "valid", 1), ("vap providers", "total", 2)):
        assert (
            found["rpki_client_objects", state, kind] == found["rpki_client_ta_objects", "lab", state, kind] == number
        )
    repository = lab_online.anchor.repository.removesuffix("/lab/")
    assert found["rpki_client_repository_objects", repository, "lab", "", "total", "vap"] == 1
    # The trust anchor's certificate is one fetch, the repository another.
    assert found["rpki_client_repository", "synced", "rsync"] == 2
    for state, kind, number in (("non-functional", "cert", 0), ("sequence gap", "manifest", 0), ("unique", "vrp", 2)):
        assert found["rpki_client_repository_objects", repository, "lab", "", state, kind] == number
    assert found["rpki_client_duration", "elapsed"] > 0
    for name, value in (("state", "synced"), ("protos", "rsync")):
        values = [found[key] for key in found if key[0] == f"rpki_client_repository_{name}" and value in key]
        assert values == [1, 1]


def test_what_the_payload_is_worth_is_told_alike_everywhere(validate: Run, lab_online: Lab, tmp_path: Path) -> None:
    """What is unsafe, doubled and skipped; also by a run that finds nothing new, but for what was skipped."""
    anchor = lab_online.anchor
    second = anchor.children[1]
    second.issue_roa(64500, [("10.2.0.0/16", 16)])
    second.issue_roa(64501, [("10.2.0.0/16", 16)])
    anchor.issue_roa(64502, [("10.1.2.0/24", 24)])
    lab_online.publish()
    store = ("--repository-dir", tmp_path / "store", "--allow-dubious-hosts", "--tal", lab_online.tal)
    told = validate(*store, "--verbose").err
    assert "1 VRP is said again by another ROA." in told
    assert "overlap" not in told
    assert "skipped" not in told
    for _ in range(2):
        second.publication_point(DAY)
    lab_online.publish({uri: data for uri, data in anchor.tree(DAY).items() if not uri.endswith("first.mft")})

    for gaps, where in ((1, store), (0, store), (0, ("--repository-dir", tmp_path / "other", *store[2:]))):
        lost = gaps == 0 and where is not store
        done = validate(*where, "--report", tmp_path / "report.json", "--format", "openmetrics", "--verbose")
        report = json.loads((tmp_path / "report.json").read_text())
        found = samples(done.out)
        assert ("1 CA has skipped a manifest number since the last run" in done.err) is bool(gaps)
        assert ("1 VRP overlaps with addresses of CAs that failed" in done.err) is lost
        for each in (report["trust_anchors"][0], report["repositories"][0]):
            (ipv4,) = (share for share in each["shares"] if share["kind"] == "ipv4")
            valid = 4 if lost else 5
            assert ipv4 == {
                "kind": "ipv4", "valid": valid, "unique": valid - 1, "duplicates": 1, "unsafe": int(lost),
            }  # fmt: skip
            assert each["manifest_gaps"] == gaps
            assert each["counts"]["manifests_missing"] == int(lost)
        for state, kind, number in (("non-functional", "cert", int(lost)), ("sequence gap", "manifest", gaps)):
            assert found["rpki_client_objects", state, kind] == number


def test_quiet_says_nothing(validate: Run, lab: Lab) -> None:
    """Only the payload."""
    assert validate(*lab.options, "--quiet").err == ""


def test_json_to_a_file(validate: Run, lab: Lab, tmp_path: Path) -> None:
    """Whole, and nothing on standard output."""
    done = validate(*lab.options, "--format", "json", "--output", tmp_path / "vrps.json")

    assert (done.code, done.out) == (0, "")
    roas = json.loads((tmp_path / "vrps.json").read_text())["roas"]
    assert [(roa["asn"], roa["prefix"]) for roa in roas] == [("AS64500", "10.1.0.0/16"), ("AS64501", "10.2.0.0/16")]


def test_one_changed_octet_costs_its_publication_point(validate: Run, lab: Lab, tmp_path: Path) -> None:
    """RFC 9286 section 6.5: the point is lost and no other; the report names the file and its hash."""
    files = lab.anchor.tree(DAY)
    uri = "rsync://rpki.lab.example/repository/first/AS64500-1.roa"
    files[uri] = files[uri][:-1] + bytes((files[uri][-1] ^ 1,))
    lab.publish(files)

    done = validate(*lab.options, "--report", tmp_path / "report.json")

    assert (done.code, done.lines) == (0, [HEADER, ALL[2]])
    (rejection,) = (
        each for each in json.loads((tmp_path / "report.json").read_text())["rejections"] if each["uri"] == uri
    )
    assert rejection["section"].startswith("RFC 9286")
    assert len(rejection["sha256"]) == 64
    assert rejection["trust_anchor"] == "lab"
    assert uri in done.err


def test_bad_news_has_its_exit_codes(validate: Run, lab: Lab) -> None:
    """A rejected object is bad news only where asked; an incomplete point likewise."""
    member = lab.anchor.children[0]
    member.revoke("AS64500-1.roa", NOW - 60)
    lab.publish()

    assert [validate(*lab.options, *more).code for more in ([], ["--strict"], ["--complete"])] == [0, 1, 0]
    member.products["missing.roa"] = member.products["AS64500-1.roa"]
    files = lab.anchor.tree(DAY)
    del files[member.repository + "missing.roa"]
    lab.publish(files)
    assert [validate(*lab.options, *more).code for more in ([], ["--strict"], ["--complete"])] == [0, 1, 3]


def test_a_trust_anchor_without_certificate_makes_the_payload_incomplete(
    validate: Run, lab: Lab, tmp_path: Path
) -> None:
    """Exit code 3, and what the others gave is printed all the same."""
    (tmp_path / "other.tal").write_text(lab.tal.read_text().replace("lab.cer", "other.cer"))

    done = validate(*lab.options, "--tal", tmp_path / "other.tal")

    assert (done.code, done.lines) == (3, ALL)
    assert "could not be had from any URI" in done.err


def test_a_tree_that_passes_its_limit_makes_the_payload_incomplete(
    validate: Run, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 3, the report tells which tree it was, and what was read is printed all the same."""
    monkeypatch.setattr("rpkival.validation.walk.MAX_PUBLICATION_POINTS", 2)

    done = validate(*lab.options, "--report", tmp_path / "report.json")

    assert (done.code, done.lines) == (3, ALL[:2])
    assert json.loads((tmp_path / "report.json").read_text())["trust_anchors"][0]["complete"] is False


def test_a_locator_with_another_key_is_not_believed(validate: Run, lab: Lab, lab_keys: KeyRing, tmp_path: Path) -> None:
    """The certificate at its URI is not the one it means (RFC 8630 section 3)."""
    elsewhere = make_lab(KeyRing(), tmp_path / "elsewhere", "rsync://rpki.lab.example/repository/")

    done = validate(*lab.options, "--tal", elsewhere.tal.rename(tmp_path / "wrong.tal"))

    assert (done.code, done.lines) == (3, ALL)
    assert "The certificate's key is not the one in the locator wrong." in done.err


def test_rsync_brings_what_the_directory_has(validate: Run, lab_online: Lab, tmp_path: Path) -> None:
    """From a real daemon, to the data directory; from there an offline run has the same."""
    fetched = validate("--tal", lab_online.tal, "--data-dir", tmp_path / "state", "--allow-dubious-hosts")

    assert (fetched.code, fetched.lines) == (0, ALL)
    assert "2 fetches (2 by rsync), none failed, " in fetched.err
    assert validate(*lab_online.options).lines == ALL
    offline = validate("--tal", lab_online.tal, "--data-dir", tmp_path / "state", "--offline")
    assert (offline.code, offline.lines) == (0, ALL)
    assert "fetch" not in offline.err
    assert validate("--tal", lab_online.tal, "--data-dir", tmp_path / "state", "--no-rsync", "--no-rrdp").lines == ALL


def test_a_repository_that_is_down_costs_nothing_yet(
    validate: Run, lab_online: Lab, rsync_daemon: RsyncDaemon, tmp_path: Path
) -> None:
    """What the last run brought is used, the failure is told, and --complete makes it count."""
    options = ("--tal", lab_online.tal, "--repository-dir", tmp_path / "cache", "--allow-dubious-hosts")
    assert validate(*options, "--complete").code == 0
    rsync_daemon.close()

    done = validate(*options, "--report", tmp_path / "report.json")

    assert (done.code, done.lines) == (0, ALL)
    assert "Connection refused" in done.err
    assert "2 fetches (2 by rsync), 2 failed, 0.0 MB received." in done.err
    report = json.loads((tmp_path / "report.json").read_text())
    assert [fetch["exit_code"] for fetch in report["fetches"]] == [10, 10]
    assert "Connection refused" in report["fetch_problems"][0]["sentence"]
    assert validate(*options, "--complete").code == 3


def test_our_own_machine_is_not_asked_unless_allowed(validate: Run, lab_online: Lab, tmp_path: Path) -> None:
    """A locator or a certificate with an address for a host is refused by default."""
    done = validate("--tal", lab_online.tal, "--data-dir", tmp_path / "state", "--report", tmp_path / "report.json")

    assert (done.code, done.lines) == (3, [HEADER])
    (unreadable,) = json.loads((tmp_path / "report.json").read_text())["unreadable"]
    assert "refused outside a lab" in unreadable["sentence"]


def test_many_problems_are_counted_and_on_request_told(validate: Run, lab: Lab) -> None:
    """Five on the screen, all of them with --verbose."""
    member = lab.anchor.children[0]
    for number in range(8):
        member.revoke(member.issue_roa(64500, [(f"10.1.{number}.0/24", 24)]), NOW - 60)
    lab.publish()

    assert "... and 3 more of these; --verbose tells them" in validate(*lab.options).err
    verbose = validate(*lab.options, "--verbose").err
    assert sum("revoked" in line for line in verbose.splitlines()) == 8
    assert "more of these" not in verbose


def test_the_documentation_can_be_followed(validate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of docs/repositories.md signs a tree, and the command below it finds what is in it."""
    text = (ROOT / "docs/repositories.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    (command,) = re.findall(r"`rpkival validate (--tal .*?)`", text)
    monkeypatch.chdir(tmp_path)

    exec(example, {})

    assert validate(*command.split()).lines == [HEADER, ALL[1]]


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (
            ["--tal", "nothing.tal"],
            2,
            "The trust anchor locator nothing.tal cannot be read: No such file or directory.",
        ),
        (["--tal", "."], 2, "cannot be read: Is a directory."),
        (["--tal", "text.tal"], 3, "has no empty line"),
        (["--tal", "lab/lab.tal", "--tal", "lab/lab.tal"], 2, "Two trust anchor locators are named lab"),
        (["--repository-dir", "nothing", "--offline"], 2, "nothing is not a directory"),
        (["--output", "nothing/vrps.csv"], 2, "does not exist"),
        (["--output", "lab"], 2, "lab is a directory"),
        (["--output", "."], 2, "needs the name of a file"),
        (["--report", "nothing/report.json"], 2, "does not exist"),
        (["--format", "xml"], 2, "'xml' is not a format of VRPs; choose one of csv"),
        (["--at", "yesterday"], 2, "'yesterday' is not a time"),
        (["-a", "ASx"], 2, "--select-asn or --select-prefix: 'ASx' is not an AS number"),
        (["-p", "10.0.0.1/8"], 2, "--select-asn or --select-prefix: '10.0.0.1/8' has host bits set"),
    ],
)
def test_wrong_input_is_one_sentence(
    validate: Run,
    lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: list[str],
    code: int,
    sentence: str,
) -> None:
    """With its exit code, before any work, and never a traceback."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.tal").write_text("not a locator")

    done = validate(*(() if "--tal" in options else ("--tal", lab.tal)), *options)

    assert (done.code, done.out) == (code, "")
    assert sentence in done.err
    assert len(done.err.splitlines()) == 1


def test_a_machine_without_rsync_is_told_what_to_do(
    validate: Run, lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Install it, or stay offline; with RRDP, what comes only by rsync says that it is missing."""
    monkeypatch.setenv("PATH", str(tmp_path))

    done = validate("--tal", lab.tal, "--data-dir", tmp_path / "state", "--no-rrdp")
    assert done.code == 2
    assert "The program rsync is not installed; install it, or use --offline" in done.err

    done = validate("--tal", lab.tal, "--data-dir", tmp_path / "state", "--allow-dubious-hosts")
    assert done.code == 3
    assert "rsync is not installed" in done.err


@pytest.mark.usefixtures("needs_rsync")
def test_a_directory_that_cannot_be_written_is_told(
    validate: Run, lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Before anything is fetched into it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()

    done = validate("--tal", lab.tal, "--repository-dir", "file/x")

    assert done.code == 2
    assert "cannot be written: Not a directory; choose another." in done.err
