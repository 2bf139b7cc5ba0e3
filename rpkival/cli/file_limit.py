"""Room for many connections: each costs a file descriptor, and systems start programs with a low limit of them."""

from __future__ import annotations

import resource

from rpkival.limits import MAX_RTR_SESSIONS

__all__ = ["allow_many_files"]

_FOR_EVERYTHING_ELSE = 512
"""Databases, feeds, webhooks, HTTP clients."""


def allow_many_files() -> None:
    """Raise this process's limit of open files, as far as it may, to what the most routers we allow need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_RTR_SESSIONS + _FOR_EVERYTHING_ELSE
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
