"""Route origin validation (RFC 6811): states of announcements, a batch at a time, and their explanation."""
