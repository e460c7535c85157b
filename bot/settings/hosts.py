"""Hosts that only this machine, or its own network, can reach."""

from __future__ import annotations

import ipaddress


def is_near_host(host: str) -> bool:
    """Tell whether a host is loopback or link-local, as clouds' metadata services are."""
    try:
        return is_loopback_host(host) or ipaddress.ip_address(host.strip("[]")).is_link_local
    except ValueError:
        return False


def is_loopback_host(host: str) -> bool:
    """Tell whether a host name or address can only be reached from this machine."""
    if host.casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
