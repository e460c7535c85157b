"""Who counts as the newcomer on their own machine: the embedded default's conveniences are theirs alone."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from bot.settings import Settings, is_loopback_host

_FORWARDING = (
    "forwarded",
    "via",
    "true-client-ip",
    "cf-",
    "cdn-loop",
    "fastly-client-ip",
    "fly-",
    "tailscale-",
    "x-appengine-user-ip",
    "x-azure-",
    "x-arr-",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-",
    "x-forwarded",
    "x-forwarder",
    "x-host",
    "x-original-",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-remote-",
    "x-rewrite-url",
)
"""Beginnings of the headers by which proxies and tunnels give themselves away."""


def is_newcomer(settings: Settings, request: HTTPConnection) -> bool:
    """Tell whether keyless REST, the development user and /dev/mail may be served to this request.

    Only while AWS is the sandbox, HOST and PUBLIC_URL are loopback, the peer and the Host header are
    loopback, and no forwarding header is present: a tunnel or proxy makes strangers look local.
    """
    if not settings.is_embedded or request.client is None or not is_loopback_host(request.client.host):
        return False
    host = urlsplit("//" + request.headers.get("host", "")).hostname or ""
    if not is_loopback_host(host):
        return False  # also stops DNS rebinding
    return not any(name.startswith(_FORWARDING) for name in request.headers)


def address_of(request: HTTPConnection) -> str:
    """Return what counts as one client: the peer's address, for IPv6 its /64 network."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host
