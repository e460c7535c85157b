"""A guard: tests talk to this machine only.

It stands in Python's own sockets, from before the first test module is imported until the end. A test that
tries to reach further gets the error of a machine without a network, and fails at its end, since the code
under test may well have swallowed the error.
"""

import ipaddress
import socket
from collections.abc import Iterator
from typing import Any

import pytest

_attempts: list[str] = []
_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex
_getaddrinfo = socket.getaddrinfo


class NetworkOutsideError(OSError):
    """A test tried to reach something that is not on this machine."""


def is_inside(host: object) -> bool:
    """Say whether a host, as sockets take it, is this machine's loopback (or nothing: any local one)."""
    if isinstance(host, bytes | bytearray):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or host in ("", "localhost"):
        return host in (None, "", "localhost")
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.endswith(".localhost")


def _check(host: object) -> None:
    if not is_inside(host):
        _attempts.append(str(host))
        raise NetworkOutsideError(f"tests may not reach {host!r}: only this machine")


def _check_address(sock: socket.socket, address: Any) -> None:
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        _check(address[0])


def _guarded_connect(sock: socket.socket, address: Any) -> None:
    _check_address(sock, address)
    _connect(sock, address)


def _guarded_connect_ex(sock: socket.socket, address: Any) -> int:
    _check_address(sock, address)
    return _connect_ex(sock, address)


def _guarded_getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    _check(host)
    return _getaddrinfo(host, *arguments, **options)


def pytest_configure() -> None:
    """Put the guard up."""
    # Assigned by name, because to a type checker a method is not a variable.
    setattr(socket.socket, "connect", _guarded_connect)  # noqa: B010
    setattr(socket.socket, "connect_ex", _guarded_connect_ex)  # noqa: B010
    setattr(socket, "getaddrinfo", _guarded_getaddrinfo)  # noqa: B010


def pytest_unconfigure() -> None:
    """Take the guard down."""
    setattr(socket.socket, "connect", _connect)  # noqa: B010
    setattr(socket.socket, "connect_ex", _connect_ex)  # noqa: B010
    setattr(socket, "getaddrinfo", _getaddrinfo)  # noqa: B010


def take_attempts() -> list[str]:
    """Return the hosts that were asked for since the last call, and forget them."""
    taken = _attempts.copy()
    _attempts.clear()
    return taken


@pytest.fixture(autouse=True)
def stays_inside() -> Iterator[None]:
    """Fail a test that tried to reach the network outside, even if nobody saw the error."""
    take_attempts()
    yield
    attempts = take_attempts()
    assert not attempts, f"tried to reach {', '.join(attempts)}"
