"""Notices to an SNS topic, as the original bot sent them; they never carry a link that decides."""

from __future__ import annotations

import hashlib

from bot.channel import DeliveryFailed
from bot.cloud import Cloud
from bot.errors import CloudError

MAX_SUBJECT = 99
"""Characters that SNS takes as a subject: ASCII, "less than 100 characters long" (Publish API)."""
MAX_MESSAGE = 256 * 1024
"""Bytes that SNS takes as a message (Publish API)."""


class Topic:
    """Publishes to one topic; `arn` may be empty, then every notice fails for good."""

    def __init__(self, cloud: Cloud, arn: str) -> None:
        self._cloud = cloud
        self._arn = arn

    async def publish(self, key: str, subject: str, message: str) -> None:
        """Publish one notice; raises DeliveryFailed. FIFO topics recognise a repeat by `key`."""
        if not self._arn:
            raise DeliveryFailed("SNS_APPROVAL_TOPIC_ARN is not set.", retryable=False)
        once = {}
        if self._arn.endswith(".fifo"):
            once = {
                "MessageGroupId": "approvals",
                "MessageDeduplicationId": hashlib.sha256(key.encode()).hexdigest(),
            }
        try:
            await self._cloud.call(
                "sns",
                "Publish",
                region=region_of(self._arn),
                TopicArn=self._arn,
                Subject=ascii_subject(subject),
                Message=message.encode()[:MAX_MESSAGE].decode("utf-8", "ignore"),
                **once,
            )
        except CloudError as error:
            raise DeliveryFailed(error.detail, retryable=error.retryable) from error


def ascii_subject(text: str) -> str:
    """Return what SNS takes as a subject: printable ASCII, no blank in front, cut between words where possible."""
    kept = "".join(c if " " <= c <= "~" else "?" if c.isprintable() else " " for c in text)
    words = " ".join(kept.split())
    if len(words) > MAX_SUBJECT:
        whole_words = words[: MAX_SUBJECT + 1].rpartition(" ")[0]
        words = (whole_words or words[:MAX_SUBJECT]).rstrip(" ,;:-(")
    return words or "Approval needed"


def region_of(arn: str) -> str:
    """Return the Region in a topic's ARN, empty when it names none."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 else ""
