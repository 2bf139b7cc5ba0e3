"""Every bound on what the outside may cost us, each with its reason. Passing one raises `LimitError`."""

from typing import Final

# --- AS numbers and prefixes -------------------------------------------------------------------------------------

MAX_ASN: Final = 2**32 - 1
"""RFC 6793: AS numbers have 32 bits."""

# --- files and tables --------------------------------------------------------------------------------------------

MAX_VRP_FILE_BYTES: Final = 2 * 1024**3
"""Decompressed size of a VRP file. The world of 2025 is 75 MB of rpkiclient JSON; ten times that still fits twice."""

MAX_VRPS: Final = 16_000_000
"""VRPs in one set. The world has 0.8 million; beyond twenty times that a source is broken or hostile."""
