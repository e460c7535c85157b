"""AWS Budgets: whom a budget warns, and when."""

from __future__ import annotations

from typing import Any

from sandbox.budget_notices import add_notification, find_notification
from sandbox.budget_spend import calculate, is_in_alarm
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, page_of
from sandbox.services.budgets import find_budget, operation


@operation("CreateNotification")
def create_notification(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Add a notification with its subscribers to a budget."""
    add_notification(find_budget(context, parameters), parameters["Notification"], parameters["Subscribers"])
    context.world.changed()
    return {}


@operation("DescribeNotificationsForBudget")
def describe_notifications_for_budget(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A budget's notifications, each with whether its threshold is crossed."""
    budget = find_budget(context, parameters)
    spend = calculate(context.world, budget)
    described = [
        {
            **entry["Notification"],
            "NotificationState": "ALARM" if is_in_alarm(budget, entry["Notification"], spend) else "OK",
        }
        for entry in budget.notifications
    ]
    return _listed(context, parameters, "Notifications", described)


@operation("DescribeSubscribersForNotification")
def describe_subscribers_for_notification(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Who hears of a notification."""
    budget = find_budget(context, parameters)
    entry = find_notification(budget, parameters["Notification"])
    if entry is None:
        raise AwsError("NotFoundException", f"{budget.name} has no such notification.")
    return _listed(context, parameters, "Subscribers", entry["Subscribers"])


def _listed(context: Context, parameters: Parameters, member: str, entries: list[Any]) -> dict[str, Any]:
    page, following = page_of(context, parameters, entries, cursor="NextToken", size="MaxResults", default_size=100)
    return {member: page, **({"NextToken": following} if following else {})}
