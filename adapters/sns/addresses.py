"""Which URLs in a post may be opened: of SNS itself, in the topic's own Region, and of the expected form. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from bot.settings import is_loopback_host

_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9A-Za-z]{1,64}\.pem")
_LABEL = "[a-z0-9-]{1,63}"
_LONGEST = 2_048
_HTTPS = 443


@dataclass(frozen=True)
class Addresses:
    """The hosts that are SNS; each as in SNS_CERT_HOSTS, where * stands for one whole label, a Region's name.

    `is_sandbox` allows plain http, on loopback alone.
    """

    hosts: tuple[str, ...]
    is_sandbox: bool = False

    def is_certificate(self, url: str, topic: str) -> bool:
        """Tell whether a URL is where SNS keeps a certificate for a topic's messages."""
        parts = self._path_and_query(url, topic)
        return parts is not None and bool(_CERTIFICATE.fullmatch(parts[0])) and not parts[1]

    def confirms(self, url: str, topic: str, token: str) -> bool:
        """Tell whether opening a URL does nothing but confirm that topic's subscription."""
        parts = self._path_and_query(url, topic)
        if parts is None or parts[0] not in ("", "/"):
            return False
        try:
            asked = parse_qs(parts[1], strict_parsing=True, max_num_fields=8)
        except ValueError:
            return False
        wanted = {"Action": ["ConfirmSubscription"], "TopicArn": [topic], "Token": [token]}
        return asked == wanted and bool(token)

    def _path_and_query(self, url: str, topic: str) -> tuple[str, str] | None:
        """Return path and query of a URL of SNS, None for any other."""
        # Anything that two readers of URLs could read differently is refused as a whole.
        if len(url) > _LONGEST or not url.isascii() or re.search(r"[\s\\@#;]", url) or not url.isprintable():
            return None
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return None
        host = parts.hostname or ""
        if parts.scheme not in ("https", "http") or parts.netloc.lower() != parts.netloc or not host:
            return None
        is_local = self.is_sandbox and is_loopback_host(host)
        if parts.scheme == "http" and not is_local:
            return None
        named = parts.netloc if is_local else host
        if not is_local and port not in (None, _HTTPS):
            return None
        if not any(_fits(pattern, named, topic) for pattern in self.hosts):
            return None
        return parts.path, parts.query


def _fits(pattern: str, host: str, topic: str) -> bool:
    """Tell whether a host is the one that is meant; a * must be the Region of the topic."""
    before, star, after = pattern.casefold().partition("*")
    if not star:
        return host == before
    found = re.fullmatch(f"{re.escape(before)}({_LABEL}){re.escape(after)}", host)
    return found is not None and found[1] == topic.split(":")[3]
