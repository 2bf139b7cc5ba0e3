"""BGP route security: RPKI validation, RTR, route classification, hijack alerts, and a page that explains it."""

__version__ = "0.1.0"
