"""Queues, their messages and the rules that fill them, as plain records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Queue:
    """An SQS queue; its messages are records of their own."""

    key: str
    name: str
    account_id: str
    region: str
    created_at: float
    attributes: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:sqs:{self.region}:{self.account_id}:{self.name}"


@dataclass(slots=True)
class Message:
    """A message in a queue; `number` gives the order in which they came."""

    key: str
    queue: str
    number: int
    id: str
    body: str
    sent_at: float
    received: int = 0
    first_received_at: float = 0.0
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Rule:
    """An EventBridge rule on the default bus; targets by their id."""

    key: str
    name: str
    account_id: str
    region: str
    pattern: str
    state: str = "ENABLED"
    description: str = ""
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:events:{self.region}:{self.account_id}:rule/{self.name}"
