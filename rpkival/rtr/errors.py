"""What can be wrong with a peer's PDU: one class for each error code of RFC 8210 section 12 that we tell peers of."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from rpkival.errors import ProtocolError

__all__ = [
    "CorruptDataError",
    "DuplicateAnnouncementError",
    "ErrorCode",
    "InvalidRequestError",
    "NoDataError",
    "PduError",
    "UnexpectedVersionError",
    "UnknownWithdrawalError",
    "UnsupportedTypeError",
    "UnsupportedVersionError",
]


class ErrorCode(IntEnum):
    """RFC 8210 section 12. Code 8 does not exist in version 0."""

    CORRUPT_DATA = 0
    INTERNAL_ERROR = 1
    NO_DATA_AVAILABLE = 2
    INVALID_REQUEST = 3
    UNSUPPORTED_VERSION = 4
    UNSUPPORTED_TYPE = 5
    UNKNOWN_WITHDRAWAL = 6
    DUPLICATE_ANNOUNCEMENT = 7
    UNEXPECTED_VERSION = 8


class PduError(ProtocolError):
    """Something the peer sent breaks the protocol; `code` is what an Error Report about it says."""

    code: ClassVar[ErrorCode]


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
