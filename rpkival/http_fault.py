"""Why an HTTP request failed, in words for people: what aiohttp says of it is written for its own debugging."""

from __future__ import annotations

import os
import ssl

import aiohttp

__all__ = ["http_fault"]

_LONGEST = 300
"""Characters of the words of others: enough for any that is meant, and no more of a stranger's."""


def http_fault(error: Exception) -> str:
    """A part of a sentence, without its full stop: `no connection: Connection refused`."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = error.certificate_error
        told = getattr(cause, "verify_message", "") or str(cause)
        return f"its certificate is not trusted: {told}"[:_LONGEST].rstrip(".")
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection: {_system_fault(error.os_error)}"[:_LONGEST].rstrip(".")
    return (str(error) or type(error).__name__)[:_LONGEST].rstrip(".")


def _system_fault(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"the other side does not speak TLS as we do ({error.reason or error})"
    if error.errno is not None and error.errno > 0:  # those of name resolution are below, and have words of their own
        return os.strerror(error.errno)
    return error.strerror or str(error)
