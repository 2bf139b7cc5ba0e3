"""Times of certificates, CRLs, CMS and manifests as unix seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from cryptography.hazmat.asn1 import GeneralizedTime, UTCTime

from rpkival.errors import ObjectError
from rpkival.objects.asn1.der import decode

__all__ = ["format_time", "generalized_seconds", "seconds", "utc_seconds"]

_FIRST_GENERALIZED = int(datetime(2050, 1, 1, tzinfo=UTC).timestamp())


def seconds(time: UTCTime | GeneralizedTime, section: str, what: str) -> int:
    """A `Time` of RFC 5280: UTCTime through 2049, GeneralizedTime from 2050 on. Raises `ObjectError`."""
    if isinstance(time, UTCTime):
        return int(time.as_datetime().timestamp())
    moment = generalized_seconds(time, section, what)
    if moment < _FIRST_GENERALIZED:
        raise ObjectError(section, f"The {what} is a GeneralizedTime, which is only for dates from 2050 on.")
    return moment


@lru_cache(maxsize=1024)
def utc_seconds(data: bytes, section: str, what: str) -> int:
    """The seconds of a DER UTCTime. Raises `ObjectError`.

    What is issued together starts and ends together: hence the cache.
    """
    return seconds(decode(UTCTime, data, section, what), section, what)


def generalized_seconds(time: GeneralizedTime, section: str, what: str) -> int:
    """A GeneralizedTime in whole seconds. Raises `ObjectError`."""
    moment = time.as_datetime()
    if moment.microsecond:
        raise ObjectError(section, f"The {what} has fractions of a second.")
    return int(moment.timestamp())


def format_time(moment: int) -> str:
    """Unix seconds as RFC 3339, for sentences and reports."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
