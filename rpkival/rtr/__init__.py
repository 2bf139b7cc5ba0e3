"""The RPKI to Router protocol: PDUs, the cache's state machine, an asyncio server."""
