"""Tests for rpkival.lab.rsync_misbehaviour."""

from __future__ import annotations

import socket

from rpkival.lab.rsync_misbehaviour import DrippingDaemon


def test_it_greets_and_drips_until_it_is_closed() -> None:
    """An octet at a time; closing ends those that still listen."""
    with DrippingDaemon() as daemon:
        host, port = daemon.authority.split(":")
        connection = socket.create_connection((host, int(port)), 60)
        with connection:
            assert connection.recv(14) == b"@RSYNCD: 31.0\n"
            assert connection.recv(10) == b"x"
            assert connection.recv(10) == b"x"
            daemon.close()
            while connection.recv(10):
                pass
