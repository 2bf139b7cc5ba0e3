"""The source of what a local exception asserts: `slurm:PATH#COMMENT`, where others have an object's URI."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from rpkival.limits import MAX_LOCAL_SOURCE_LENGTH

__all__ = ["LocalSource"]

_SCHEME = "slurm:"
_PLAIN = "/ !$&'()*+,;=:@[]{}<>|"
"""Left as they are besides letters and digits, since people read this."""


@dataclass(frozen=True, slots=True)
class LocalSource:
    """The file that asserts it, and what its author says of it; "" where unknown or nothing."""

    path: str
    comment: str = ""

    def __str__(self) -> str:
        comment = "".join(character if character.isprintable() else " " for character in self.comment).strip()
        text = _SCHEME + quote(self.path, safe=_PLAIN) + (f"#{comment}" if comment else "")
        return text if len(text) <= MAX_LOCAL_SOURCE_LENGTH else f"{text[: MAX_LOCAL_SOURCE_LENGTH - 1]}…"

    @classmethod
    def parse(cls, source: str) -> LocalSource | None:
        """None for the URI of a signed object, and for an unknown source."""
        if not source.startswith(_SCHEME):
            return None
        path, _, comment = source.removeprefix(_SCHEME).partition("#")
        return cls(unquote(path), comment)
