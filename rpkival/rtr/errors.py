"""What can be wrong with a peer's PDU: one class for each error code that we tell peers of.

The codes are those of draft-ietf-sidrops-8210bis-26 section 12; which of them a version has, `code_in` knows.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from rpkival.errors import ProtocolError

__all__ = [
    "FATAL",
    "AspaProviderListError",
    "BrokenReportError",
    "CorruptDataError",
    "DuplicateAnnouncementError",
    "ErrorCode",
    "InvalidRequestError",
    "NoDataError",
    "OrderingError",
    "PduError",
    "UnexpectedVersionError",
    "UnknownWithdrawalError",
    "UnsupportedTypeError",
    "UnsupportedVersionError",
    "code_in",
]


class ErrorCode(IntEnum):
    """draft-ietf-sidrops-8210bis-26 section 12. Codes from 9 on belong to version 2, code 8 to 1 and 2."""

    CORRUPT_DATA = 0
    INTERNAL_ERROR = 1
    NO_DATA_AVAILABLE = 2
    INVALID_REQUEST = 3
    UNSUPPORTED_VERSION = 4
    UNSUPPORTED_TYPE = 5
    UNKNOWN_WITHDRAWAL = 6
    DUPLICATE_ANNOUNCEMENT = 7
    UNEXPECTED_VERSION = 8
    ASPA_PROVIDER_LIST = 9
    TRANSPORT = 10
    ORDERING = 11
    CACHE_RESTART = 12
    CACHE_SHUTDOWN = 13


FATAL = frozenset(ErrorCode) - {
    ErrorCode.NO_DATA_AVAILABLE,
    ErrorCode.UNSUPPORTED_VERSION,
    ErrorCode.CACHE_RESTART,
}
"""After these a router forgets what it has learned from the cache; after the others it keeps it until it expires."""

_HIGHEST_CODE = {0: ErrorCode.DUPLICATE_ANNOUNCEMENT, 1: ErrorCode.UNEXPECTED_VERSION}
_OLDER_WORD = {
    ErrorCode.UNEXPECTED_VERSION: ErrorCode.UNSUPPORTED_VERSION,
    ErrorCode.ASPA_PROVIDER_LIST: ErrorCode.CORRUPT_DATA,
    ErrorCode.ORDERING: ErrorCode.CORRUPT_DATA,
}


def code_in(version: int, code: ErrorCode) -> ErrorCode:
    """`code`, or the nearest word that a session of `version` has for it (section 12: no other may be sent)."""
    if code <= _HIGHEST_CODE.get(version, max(ErrorCode)):
        return code
    return _OLDER_WORD.get(code, ErrorCode.INTERNAL_ERROR)


class PduError(ProtocolError):
    """Something the peer sent breaks the protocol; `code` is what an Error Report about it says."""

    code: ClassVar[ErrorCode]


class BrokenReportError(ProtocolError):
    """An Error Report that is broken itself. It is never answered with one (RFC 8210 section 5.11)."""


class CorruptDataError(PduError):
    """A PDU whose fields contradict each other or the session."""

    code = ErrorCode.CORRUPT_DATA


class NoDataError(PduError):
    """The cache has nothing to serve yet."""

    code = ErrorCode.NO_DATA_AVAILABLE


class InvalidRequestError(PduError):
    """A PDU that only a cache may send, sent by a router."""

    code = ErrorCode.INVALID_REQUEST


class UnsupportedVersionError(PduError):
    """A protocol version that nobody here speaks."""

    code = ErrorCode.UNSUPPORTED_VERSION


class UnsupportedTypeError(PduError):
    """A PDU type that does not exist in this version."""

    code = ErrorCode.UNSUPPORTED_TYPE


class UnknownWithdrawalError(PduError):
    """A withdrawal of what was never announced."""

    code = ErrorCode.UNKNOWN_WITHDRAWAL


class DuplicateAnnouncementError(PduError):
    """An announcement of what is already there."""

    code = ErrorCode.DUPLICATE_ANNOUNCEMENT


class UnexpectedVersionError(PduError):
    """Another version than the one the session was opened with."""

    code = ErrorCode.UNEXPECTED_VERSION


class AspaProviderListError(PduError):
    """An ASPA whose providers are missing, out of order, double, or AS 0 among others."""

    code = ErrorCode.ASPA_PROVIDER_LIST


class OrderingError(PduError):
    """PDUs in another order than that of draft-ietf-sidrops-8210bis-26 section 11.2."""

    code = ErrorCode.ORDERING
