"""A budget's notifications: which thresholds it warns at, and whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.budgeting import Budget
from sandbox.errors import AwsError

_MOST_NOTIFICATIONS = 10
_MOST_SUBSCRIBERS = {"EMAIL": 10, "SNS": 1}
_ADDRESSES = {
    "EMAIL": re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+"),
    "SNS": re.compile(r"arn:aws:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}"),
}
_IDENTITY = ("NotificationType", "ComparisonOperator", "Threshold", "ThresholdType")


def add_notification(budget: Budget, notification: Mapping[str, Any], subscribers: list[dict[str, str]]) -> None:
    """Add a notification that the budget doesn't have yet, or raise AWS's error for why it can't be."""
    added = normalize(notification)
    if find_notification(budget, notification) is not None:
        raise AwsError("DuplicateRecordException", f"{budget.name} has this notification already.")
    if len(budget.notifications) >= _MOST_NOTIFICATIONS:
        raise AwsError("CreationLimitExceededException", f"A budget can have {_MOST_NOTIFICATIONS} notifications.")
    for kind, most in _MOST_SUBSCRIBERS.items():
        addresses = [entry["Address"] for entry in subscribers if entry["SubscriptionType"] == kind]
        if len(addresses) > most:
            raise AwsError(
                "CreationLimitExceededException", f"A notification can have {most} subscribers of the type {kind}."
            )
        for address in addresses:
            if not _ADDRESSES[kind].fullmatch(address):
                raise AwsError("InvalidParameterException", f"{address} is not an address of the type {kind}.")
        if len(set(addresses)) < len(addresses):
            raise AwsError("DuplicateRecordException", "A subscriber is named twice.")
    budget.notifications.append({"Notification": added, "Subscribers": [dict(entry) for entry in subscribers]})


def find_notification(budget: Budget, notification: Mapping[str, Any]) -> dict[str, Any] | None:
    """The budget's notification of that type, operator and threshold, with its subscribers."""
    wanted = normalize(notification)
    return next((entry for entry in budget.notifications if entry["Notification"] == wanted), None)


def normalize(notification: Mapping[str, Any]) -> dict[str, Any]:
    """What identifies a notification; a threshold is a percentage unless it says otherwise."""
    complete = {"ThresholdType": "PERCENTAGE", **notification}
    return {**{name: complete[name] for name in _IDENTITY}, "Threshold": float(complete["Threshold"])}
