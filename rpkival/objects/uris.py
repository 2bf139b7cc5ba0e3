"""URIs as certificates may carry them: nothing that could climb out of its directory or confuse a log."""

from __future__ import annotations

import re
from functools import lru_cache

from rpkival.limits import MAX_URI_LENGTH

__all__ = ["is_https_uri", "is_rsync_uri"]

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(?::[0-9]{1,5})?"
_RSYNC = re.compile(rf"rsync://{_HOST}/[A-Za-z0-9._~+,=:@/-]+")
"""No `*`, `?` and `[`, which an rsync server would expand, and no `%`, which nobody should ever decode."""

_HTTPS = re.compile(rf"https://{_HOST}/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*")


def is_rsync_uri(text: str) -> bool:
    """Whether this is `rsync://host/module/path` (RFC 5781), no segment of which is empty or starts with a dot."""
    return (
        len(text) <= MAX_URI_LENGTH
        and _RSYNC.fullmatch(text) is not None
        and "/." not in text
        and text.find("//", len("rsync://")) < 0
    )


@lru_cache(maxsize=256)
def is_https_uri(text: str) -> bool:
    """Whether this is `https://host/path`; what most certificates name is one of few: hence the cache."""
    return len(text) <= MAX_URI_LENGTH and _HTTPS.fullmatch(text) is not None
