"""Room for many connections: each costs a file descriptor, and systems start programs with a low limit of them."""

from __future__ import annotations

import resource

from rpkival.limits import MAX_RTR_SESSIONS

__all__ = ["allow_many_files"]

_FOR_EVERYTHING_ELSE = 512
"""Databases, feeds, webhooks, HTTP clients."""


def allow_many_files(connections: int = MAX_RTR_SESSIONS) -> int:
    """Raise this process's limit of open files, as far as it may, to what so many connections need.

    Gives the number of connections that there is room for.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _FOR_EVERYTHING_ELSE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted - _FOR_EVERYTHING_ELSE, 0)
