"""Compressed files within bounds: a few kilobytes can claim to be terabytes."""
