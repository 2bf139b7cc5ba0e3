"""Manifests and CRLs that lie about what is there, or are not what they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

from rpkival.lab import der
from rpkival.lab.certificates import Validity, revocation_list
from rpkival.lab.hostile.ground import Case, Files, Ground
from rpkival.lab.signed_objects import manifest_content, manifest_of_entries

__all__ = ["MANIFESTS"]

_Entry: TypeAlias = tuple[bytes, bytes]
_DAY: Final = 86_400


def _manifest(ground: Ground, content: Callable[[Files], bytes], current: Validity | None = None) -> None:
    """Another manifest over the same files."""
    attacker = ground.attacker

    def change(files: Files) -> Files:
        others = {name: data for name, data in files.items() if name != attacker.manifest}
        signed = attacker.sign_manifest(content(others), current or ground.current)
        return others | {attacker.manifest: signed}

    ground.change(change)


def _entries(files: Files) -> list[_Entry]:
    return [(der.ia5_string(name), sha256(data).digest()) for name, data in sorted(files.items())]


def _listed(ground: Ground, change: Callable[[list[_Entry]], Iterable[_Entry]], number: int = 1) -> None:
    """A manifest with other entries."""
    _manifest(ground, lambda files: manifest_of_entries(number, ground.current, change(_entries(files))))


def _with_name(ground: Ground, name: bytes) -> None:
    """An entry more, of this name."""
    _listed(ground, lambda entries: [*entries, (b"\x16" + der.octet_string(name)[1:], bytes(32))])


def _non_ascii(ground: Ground) -> None:
    _with_name(ground, b"\xff\xfe\xc3\x28.roa")


def _long_name(ground: Ground) -> None:
    _with_name(ground, b"a" * ground.size + b".roa")


def _dot_dot(ground: Ground) -> None:
    _with_name(ground, b"../../../../tmp/climbed.roa")


def _empty(ground: Ground) -> None:
    _listed(ground, lambda _: ())


def _huge(ground: Ground) -> None:
    def many(entries: Sequence[_Entry]) -> Iterable[_Entry]:
        return [*entries, *((der.ia5_string(f"{each:06}.roa"), bytes(32)) for each in range(ground.size))]

    _listed(ground, many)


def _twice(ground: Ground) -> None:
    _listed(ground, lambda entries: [*entries, entries[-1]])


def _number(ground: Ground) -> None:
    _listed(ground, lambda entries: entries, number=2**160)


def _stale(ground: Ground) -> None:
    over = Validity(ground.current.not_before - 2 * _DAY, ground.current.not_before - _DAY)
    _manifest(ground, lambda files: manifest_content(1, over, files), over)


def _rollback(ground: Ground) -> None:
    attacker = ground.attacker
    attacker.count_from(1_000)

    def roll_back() -> None:
        attacker.count_from(1)
        for name in list(attacker.products):
            attacker.withdraw(name)
        attacker.issue_roa(0, [(ground.block.prefix, 32)])

    ground.afterwards = roll_back


def _spoilt_later(ground: Ground) -> None:
    def spoil() -> None:
        ground.change(lambda files: {name: data[:-1] + bytes((data[-1] ^ 1,)) for name, data in files.items()})

    _ = ground.attacker
    ground.afterwards = spoil


def _gone_later(ground: Ground) -> None:
    _ = ground.attacker
    ground.afterwards = lambda: ground.change(lambda _: {})


def _missing_file(ground: Ground) -> None:
    name = ground.attacker.issue_roa(ground.block.asn + 1, [(ground.block.prefix, 17)])
    ground.change(lambda files: {each: data for each, data in files.items() if each != name})


def _crl_replaced(ground: Ground) -> None:
    attacker = ground.attacker
    revoked = dict.fromkeys(range(1, 5), ground.current.not_before)
    other = revocation_list(attacker.key, 99, ground.current, revoked)
    ground.change(lambda files: {**files, f"{attacker.name}.crl": other})


def _crl_missing(ground: Ground) -> None:
    crl = f"{ground.attacker.name}.crl"
    _manifest(ground, lambda files: manifest_content(1, ground.current, {k: v for k, v in files.items() if k != crl}))


def _crl_huge(ground: Ground) -> None:
    attacker = ground.attacker
    revoked = dict.fromkeys(range(1 << 40, (1 << 40) + ground.size), ground.current.not_before)
    crl = revocation_list(attacker.key, 1, ground.current, revoked)

    def change(files: Files) -> Files:
        changed = {**files, f"{attacker.name}.crl": crl}
        del changed[attacker.manifest]
        return changed | {
            attacker.manifest: attacker.sign_manifest(manifest_content(1, ground.current, changed), ground.current)
        }

    ground.change(change)


_GRAMMAR: Final = "Names follow RFC 9286 section 4.2.2, are looked up as keys, and are never a path."
_LAST_GOOD: Final = "The last good version counts until it ends by itself (RFC 9286 section 6.6)."

MANIFESTS: Final = (
    Case(
        "manifest-non-ascii",
        "A file name on a manifest that is no ASCII, nor any text.",
        ("CVE-2025-0638",),
        _GRAMMAR,
        "a value cannot be",
        _non_ascii,
    ),
    Case(
        "long-file-name",
        "A file name of 60,000 characters.",
        ("RPRP N",),
        f"{_GRAMMAR} `MAX_FILE_NAME_LENGTH`.",
        "file name 'a+', which is not allowed",
        _long_name,
        size=60_000,
    ),
    Case(
        "dot-dot-name",
        "A file name that climbs out of its directory.",
        ("RPRP O",),
        _GRAMMAR,
        "climbed.roa', which is not allowed",
        _dot_dot,
    ),
    Case(
        "empty-file-list",
        "A manifest without files, not even a CRL.",
        ("CVE-2024-56375",),
        "A manifest lists exactly one CRL, the most recent (RFC 9286 section 2).",
        "lists 0 CRLs",
        _empty,
    ),
    Case(
        "manifest-huge",
        "A manifest with more than a hundred thousand files.",
        ("rpki-client 9.3",),
        "`MAX_MANIFEST_BYTES`, `MAX_MANIFEST_FILES`.",
        "files; 100000 are allowed",
        _huge,
        size=100_000,
    ),
    Case(
        "manifest-name-twice",
        "One file name twice on a manifest.",
        ("arXiv 2605.26986",),
        "Each file has one entry (RFC 9286 section 4.2.1).",
        "a file name twice",
        _twice,
    ),
    Case(
        "manifest-number-overflow",
        "A manifest number of 21 octets.",
        ("OpenBSD 7.8 errata 012",),
        "`MAX_NUMBER_OCTETS`.",
        "longer than 20 octets",
        _number,
    ),
    Case(
        "manifest-stale",
        "A manifest that is over.",
        ("OpenBSD 6.8 errata 006", "CVE-2020-17366"),
        "thisUpdate and nextUpdate are held against the clock (RFC 9286 section 6.3).",
        "expired at",
        _stale,
    ),
    Case(
        "manifest-rollback",
        "First a manifest, then one with a lower number, that takes back what the first had said.",
        ("CVE-2024-56170",),
        f"Manifest numbers only grow (RFC 9286 section 4.2.1). {_LAST_GOOD}",
        "is a replay or a mistake",
        _rollback,
        keeps=True,
        visits=2,
    ),
    Case(
        "one-bad-fetch",
        "First everything is well, then every file is spoilt.",
        ("CVE-2024-56169",),
        _LAST_GOOD,
        "signature does not verify",
        _spoilt_later,
        keeps=True,
        visits=2,
    ),
    Case(
        "gone-later",
        "First everything is well, then there is nothing.",
        ("CVE-2024-56169", "rpki-client 8.8"),
        _LAST_GOOD,
        "manifest is missing",
        _gone_later,
        keeps=True,
        visits=2,
    ),
    Case(
        "missing-file",
        "A file that is on the manifest is not there.",
        ("RIPE validator #161",),
        "Such a publication point is not used (RFC 9286 section 6.4).",
        "on the manifest, but missing",
        _missing_file,
    ),
    Case(
        "crl-hash-unchecked",
        "Another CRL, well signed, than the one on the manifest.",
        ("CVE-2020-16164", "routinator#265"),
        "The CRL's hash is compared as any other's (RFC 9286 section 6.5).",
        "hash is not the one on the manifest",
        _crl_replaced,
    ),
    Case(
        "crl-missing",
        "A manifest without a CRL.",
        ("CVE-2020-16162", "RIPE validator #162"),
        "Without its CRL a publication point is not used (RFC 9286 section 6).",
        "lists 0 CRLs",
        _crl_missing,
    ),
    Case(
        "crl-huge",
        "A CRL that revokes hundreds of thousands of certificates.",
        ("rpki-client 9.3",),
        "`MAX_CRL_BYTES`, `MAX_REVOKED_CERTIFICATES`.",
        "The CRL has [0-9]+ entries; [0-9]+ are allowed",
        _crl_huge,
        size=300_001,
    ),
)
