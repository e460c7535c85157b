"""Slack's request signature, version v0: HMAC-SHA256 over "v0:<timestamp>:<raw body>", within five minutes."""

from __future__ import annotations

import hmac

WINDOW = 300
"""Seconds by which a timestamp may differ from our clock, either way."""


def fault_of(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> str:
    """Return why a request is not Slack's: "signature" or "timestamp"; empty when it is. Takes constant time.

    `timestamp` and `signature` are the headers X-Slack-Request-Timestamp and X-Slack-Signature as they came.
    """
    if not secret or not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > 12:
        return "timestamp"
    expected = "v0=" + hmac.digest(secret.encode(), b"v0:%s:%s" % (timestamp.encode(), body), "sha256").hex()
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        return "signature"
    return "timestamp" if abs(now - int(timestamp)) > WINDOW else ""
