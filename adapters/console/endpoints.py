"""Where an identity provider's metadata may send us: what it names is asked by this machine, from within the network.

Discovery is read over TLS from the issuer itself, yet a provider that many share, or one that was broken into,
must not make us ask addresses that only we can reach, such as the cloud's metadata service or our own ports.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.settings import is_loopback_host

ASKED = ("token_endpoint", "jwks_uri", "userinfo_endpoint")
"""What this machine asks."""
VISITED = ("authorization_endpoint",)
"""Where browsers are sent."""
_OURS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")
"""Endings of names that mean something only within a network."""


def checked_metadata(metadata: Mapping[str, Any]) -> None:
    """Raise ValueError unless each address that the metadata names may be asked.

    https, or http when the issuer itself is on this machine; and, unless it is the issuer's own host, a name in the
    public tree rather than a bare address. TLS does the rest: what answers must own a certificate for that name.
    """
    issuer = urlsplit(str(metadata["issuer"]))
    is_local = is_loopback_host(issuer.hostname or "")
    for name in (*ASKED, *VISITED):
        value = metadata.get(name)
        if value is None and name == "userinfo_endpoint":
            continue
        if not isinstance(value, str):
            raise ValueError(f"the metadata lacks {name}")
        url = urlsplit(value)
        host = (url.hostname or "").rstrip(".")
        if not host or url.username is not None or url.password is not None or url.fragment:
            raise ValueError(f"{name} is no plain address")
        if url.scheme != "https" and not (url.scheme == "http" and is_local and is_loopback_host(host)):
            raise ValueError(f"{name} is not https")
        if host != issuer.hostname and not _is_public_name(host) and not (is_local and is_loopback_host(host)):
            raise ValueError(f"{name} names a host that only this network knows")


def _is_public_name(host: str) -> bool:
    if "." not in host or host.endswith(_OURS):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # A last label of digits is read as an address, however it is written (0x7f.1, 2130706433).
        return not host.rpartition(".")[2][:1].isdigit()
    return False
