"""Files that ship with the package: trust anchor locators, beacons, examples."""

from pathlib import Path

__all__ = ["resource"]

_PACKAGE = Path(__file__).parent


def resource(*parts: str) -> Path:
    """The path of `data/...`, in an installed wheel (`rpkival/data`) as in a checkout (`data` beside the package)."""
    installed = _PACKAGE / "data"
    return (installed if installed.is_dir() else _PACKAGE.parent / "data").joinpath(*parts)
