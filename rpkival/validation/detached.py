"""Objects that are in no repository (RFC 9323): which CA has issued the certificate that signed one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from rpkival.errors import LimitError, ObjectError
from rpkival.objects.checklist import Checklist
from rpkival.objects.resources import first_outside
from rpkival.objects.tal import Tal
from rpkival.validation.issuer import Issuer
from rpkival.validation.memo import Memo
from rpkival.validation.publication_point import file_name, judge_detached
from rpkival.validation.source import Source
from rpkival.validation.walk import Progress, validate

__all__ = ["issuer_of"]


def issuer_of(
    checklist: Checklist,
    tals: Sequence[Tal],
    source: Source,
    *,
    clock: Callable[[], int],
    workers: int | None = 0,
    memo: Memo | None = None,
    on_progress: Progress | None = None,
) -> Issuer | None:
    """The CA under these trust anchors that has issued a checklist's certificate; None where no CA has its key.

    Validates all that the trust anchors lead to, with `workers` as for `validate`. Raises `ObjectError`, `LimitError`
    where a CA has the key, but the certificate is not valid under it: expired, revoked, with other resources, or with
    nothing to tell so.
    """
    issuers: list[Issuer] = []

    def note(issuer: Issuer) -> None:
        if issuer.subject_key_id == checklist.certificate.authority_key_id:
            issuers.append(issuer)

    validate(
        tals,
        source,
        clock=clock,
        workers=workers,
        memo=memo and _ReadOnly(memo),
        on_progress=on_progress,
        on_authority=note,
    )
    fault: ObjectError | LimitError | None = None
    for issuer in issuers:
        try:
            _judge(checklist, issuer, source, clock())
        except (ObjectError, LimitError) as error:
            fault = fault or error
        else:
            return issuer
    if fault is not None:
        raise fault
    return None


def _judge(checklist: Checklist, issuer: Issuer, source: Source, now: int) -> None:
    """By the manifest as last fetched, or else by the one accepted last."""
    place = issuer.place
    accepted = source.accepted(place)
    fault: ObjectError | LimitError | None = None
    for digest in dict.fromkeys((source.manifest(place), None if accepted is None else accepted.sha256)):
        read = partial(source.read, place)
        manifest = None if digest is None else read(file_name(place.manifest), digest)
        try:
            resources = judge_detached(issuer, checklist.certificate, manifest, read, now)
        except (ObjectError, LimitError) as error:
            fault = fault or error
            continue
        claimed = checklist.content.resources
        for outer, inner in (
            (resources.ipv4, claimed.ipv4),
            (resources.ipv6, claimed.ipv6),
            (resources.asn, claimed.asn),
        ):
            if first_outside(outer, inner) is not None:
                sentence = "The checklist has resources that its issuer does not have."
                raise ObjectError("RFC 8360 section 4.2.4.4", sentence)
        return
    assert fault is not None
    raise fault


class _ReadOnly:
    """A memo that other trust anchors use too: this run is no reason to forget what is theirs."""

    def __init__(self, memo: Memo) -> None:
        self._memo = memo

    def get(self, key: bytes) -> bytes | None:
        return self._memo.get(key)

    def put(self, key: bytes, record: bytes) -> None:
        """Leave it."""

    def forget_unused(self, keys: frozenset[bytes]) -> None:
        """Leave it."""
