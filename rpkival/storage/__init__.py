"""The embedded database: schema and migrations."""
