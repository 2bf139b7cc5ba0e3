"""The process of `rpkival up`: composes the rooms and owns their lives."""
