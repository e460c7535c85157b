"""What SNS posts, read and bounded, and the text that its signature is over. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Kind = Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
_ID = re.compile(r"[0-9A-Za-z-]{8,100}")
_SIGNED: Mapping[str, tuple[str, ...]] = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        "Message",
        "MessageId",
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
"""Which members a signature is over, in which order (SNS guide: "Verifying the signatures of messages")."""
_ABOUT = {
    "Notification": "Notification",
    "SubscriptionConfirmation": "SubscriptionConfirmation",
    "UnsubscribeConfirmation": "SubscriptionConfirmation",
}
_HALF = re.compile("[\ud800-\udfff]")
"""Halves of characters, which no UTF-8 has."""
_OPTIONAL = frozenset({"Subject"})


class Malformed(Exception):
    """It is not what SNS posts."""


@dataclass(frozen=True)
class Envelope:
    """One post. Nothing in it is true before its signature was verified."""

    kind: Kind
    members: Mapping[str, str]
    at: datetime

    @property
    def id(self) -> str:
        """SNS's id of the message, the same in every try to deliver it."""
        return self.members["MessageId"]

    @property
    def topic(self) -> str:
        """The ARN of the topic."""
        return self.members["TopicArn"]

    @property
    def message(self) -> str:
        """What was published."""
        return self.members["Message"]

    @property
    def subject(self) -> str:
        """The subject, empty when there is none."""
        return self.members.get("Subject", "")

    @property
    def signed_text(self) -> bytes:
        """What the signature is over: each member's name and value on lines of their own, those that are there."""
        names = _SIGNED[_ABOUT[self.kind]]
        return "".join(f"{n}\n{self.members[n]}\n" for n in names if n in self.members).encode()


def read_envelope(body: bytes, announced: str) -> Envelope:
    """Return a post's envelope; `announced` is the header that names its type. Raises Malformed."""
    try:
        posted = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("not JSON") from error
    if not isinstance(posted, dict):
        raise Malformed("not an object")
    kind = posted.get("Type")
    if kind not in _ABOUT or kind != announced:
        raise Malformed("type")
    wanted = (*_SIGNED[_ABOUT[kind]], "Signature", "SignatureVersion", "SigningCertURL")
    members: dict[str, str] = {}
    for name in wanted:
        value = posted.get(name)
        if isinstance(value, str) and not _HALF.search(value):
            members[name] = value
        elif value is not None or name not in _OPTIONAL:
            raise Malformed(name)
    if not _ID.fullmatch(members["MessageId"]):
        raise Malformed("MessageId")
    return Envelope(kind, members, _moment(members["Timestamp"]))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Malformed("Timestamp") from error
    if moment.tzinfo is None:
        raise Malformed("Timestamp")
    return moment.astimezone(UTC)
