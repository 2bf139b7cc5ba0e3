"""What must outlive a process: one SQLite file."""

from rpkival.storage.database import DATABASE_NAME, Database, open_database
from rpkival.storage.directory import hold_directory
from rpkival.storage.events import append_event

__all__ = ["DATABASE_NAME", "Database", "append_event", "hold_directory", "open_database"]
