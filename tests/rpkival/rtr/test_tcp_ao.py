"""What the kernel is given for TCP-AO, which hardly any kernel has: kernels that are played."""

from __future__ import annotations

import errno
import ipaddress
import socket
import sys

import pytest

from rpkival.errors import UsageError
from rpkival.rtr.tcp_ao import Ao


def test_what_the_kernel_is_given_for_tcp_ao() -> None:
    """struct tcp_ao_add of linux/tcp.h, octet by octet; a kernel without it is told of in a sentence."""
    given: list[tuple[int, int, bytes]] = []

    class Kernel(socket.socket):
        """Takes any option; has no key to be deleted."""

        def setsockopt(self, level: int, option: int, value: bytes) -> None:  # type: ignore[override]
            if option == 39 and len(value) == 144:
                raise FileNotFoundError(errno.ENOENT, "No such file or directory")
            given.append((level, option, value))

    with Kernel(socket.AF_INET) as four, Kernel(socket.AF_INET6) as six:
        Ao(7, b"key").sign(four, "192.0.2.0", 24)
        Ao(8, b"key", "aes-128-cmac-96").sign(six, "2001:db8::1")

    (level, option, first), (_, _, second) = given
    assert (level, option, len(first), len(second)) == (6, 38, 288, 288)
    assert first[:8] == socket.AF_INET.to_bytes(2, sys.byteorder) + bytes(2) + bytes([192, 0, 2, 0])
    assert second[:2] == socket.AF_INET6.to_bytes(2, sys.byteorder)
    assert second[8:24] == ipaddress.IPv6Address("2001:db8::1").packed
    assert first[128:192] == b"hmac(sha1)".ljust(64, b"\0")
    assert second[128:192] == b"cmac(aes128)".ljust(64, b"\0")
    assert first[192:202] == bytes(10)
    assert first[202:208] == bytes([24, 7, 7, 12, 0, 3])
    assert second[202:208] == bytes([128, 8, 8, 12, 0, 3])
    assert first[208:] == b"key".ljust(80, b"\0")


def test_a_kernel_without_tcp_ao_is_told_of() -> None:
    """In a sentence that says what it takes."""

    class Kernel(socket.socket):
        """Takes no option."""

        def setsockopt(self, *option: object) -> None:
            raise OSError(errno.ENOPROTOOPT, "Protocol not available")

    with Kernel() as connection, pytest.raises(UsageError, match=r"no TCP-AO \(Linux from 6\.7 on"):
        Ao(7, b"key").sign(connection, "127.0.0.1")
