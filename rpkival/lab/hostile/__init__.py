"""Attacks on validators, each by name, each in a CA of its own beside one that behaves and must lose nothing."""
