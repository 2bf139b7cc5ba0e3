"""What compressed data is found to be when it is not whole."""

__all__ = ["DamagedError"]


class DamagedError(Exception):
    """Compressed data breaks its format or ends too early; the message is a clause for the user. What came out before
    it stands.
    """
