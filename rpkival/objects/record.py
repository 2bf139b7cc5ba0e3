"""How many small frozen values travel between processes and to disk."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = ["Record"]


class Record:
    """A frozen dataclass with slots that is pickled by its constructor's arguments.

    The way that dataclasses bring along looks up every field by its name, on both sides, and takes five times as long.
    """

    __slots__: ClassVar[tuple[str, ...]] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), tuple([getattr(self, name) for name in self.__slots__])
