"""The tables of the store, and how its file is tuned."""

from __future__ import annotations

from typing import Final

__all__ = ["CREATION_PRAGMAS", "MIGRATIONS", "PAGE_BYTES", "PRAGMAS", "SCHEMA", "VERSION"]

VERSION: Final = 3
"""`user_version` of the file."""

PAGE_BYTES: Final = 16_384
"""Objects have 2 kB on average; on pages of 4 kB every other would need a second page."""

CREATION_PRAGMAS: Final = (f"page_size={PAGE_BYTES}", "auto_vacuum=INCREMENTAL", "journal_mode=WAL")
"""What can only be chosen while the file is empty."""

PRAGMAS: Final = (
    # A power failure may cost the last transactions, never the file: what they had is fetched again.
    "synchronous=NORMAL",
    "cache_size=-65536",
    "temp_store=FILE",
    # The log of one large snapshot must not stay on disk for ever.
    "journal_size_limit=67108864",
    # No mmap: a disk error under one is a SIGBUS, without one a sentence.
    "mmap_size=0",
)

_MANIFESTS: Final = "CREATE INDEX manifest ON object (repository, uri, sha256) WHERE substr(uri, -4)='.mft'"
"""Of half a million objects a tenth are manifests, and a run that finds little to do asks for nothing else."""

SCHEMA: Final = (
    """CREATE TABLE repository (
        id INTEGER PRIMARY KEY,
        uri TEXT NOT NULL UNIQUE,          -- of the notification file (https) or of the module (rsync)
        state BLOB,                        -- what its protocol wants to know next time
        turn INTEGER NOT NULL DEFAULT 0,   -- counts all successes of all repositories; no clock can disturb it
        version INTEGER NOT NULL DEFAULT 0,  -- the turn at which any of its objects changed last
        objects INTEGER NOT NULL DEFAULT 0,
        bytes INTEGER NOT NULL DEFAULT 0,
        used REAL NOT NULL,                -- unix seconds, as all times here
        succeeded REAL,
        fallback_at REAL,                  -- from when a failure of RRDP leads to rsync
        attempted REAL,
        retry_at REAL,
        failures INTEGER NOT NULL DEFAULT 0,
        error TEXT
    )""",
    # What each repository publishes now. Its URIs are a namespace of its own: nobody else's objects are found there.
    """CREATE TABLE object (
        repository INTEGER NOT NULL,
        uri TEXT NOT NULL,
        sha256 BLOB NOT NULL,
        size INTEGER NOT NULL,
        PRIMARY KEY (repository, uri)
    ) WITHOUT ROWID""",
    _MANIFESTS,
    "CREATE TABLE blob (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, content BLOB NOT NULL)",
    # The last good version of each publication point; `digests` are those of all its files, 32 octets each.
    """CREATE TABLE accepted (
        place BLOB PRIMARY KEY,
        sha256 BLOB NOT NULL,
        number BLOB NOT NULL,              -- up to 20 octets, more than an INTEGER holds
        this_update INTEGER NOT NULL,
        digests BLOB NOT NULL,
        used REAL NOT NULL
    ) WITHOUT ROWID""",
    "CREATE TABLE trust_anchor (uri TEXT PRIMARY KEY, certificate BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE judgement (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE,
        sum INTEGER NOT NULL,
        record BLOB NOT NULL
    )""",
    # How many references to blobs went since the last sweep, and how often versions were accepted since ever, or
    # dropped, or repositories were.
    "CREATE TABLE counter (loose INTEGER NOT NULL, acceptances INTEGER NOT NULL)",
    "INSERT INTO counter VALUES (0, 0)",
)

MIGRATIONS: Final = {
    1: (
        "ALTER TABLE repository ADD COLUMN version INTEGER NOT NULL DEFAULT 0",
        "UPDATE repository SET version=turn",
        "CREATE TABLE counter (loose INTEGER NOT NULL, acceptances INTEGER NOT NULL)",
        "INSERT INTO counter SELECT count, 0 FROM loose",
        "DROP TABLE loose",
    ),
    2: (_MANIFESTS,),
}
"""From each version to the next."""
