"""Budgets as they are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Budget:
    """A budget of an account.

    `definition` holds what its owner gave, in AWS's names, times as seconds since the epoch; `notifications`
    are ``{"Notification": …, "Subscribers": […]}``, in the order they were made.
    """

    account_id: str
    name: str
    definition: dict[str, Any]
    updated_at: float
    notifications: list[dict[str, Any]] = field(default_factory=list)

    @property
    def key(self) -> str:
        """What it is kept under."""
        return f"{self.account_id}/{self.name}"
