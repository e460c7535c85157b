"""Amazon DevOps Guru: where it publishes what it finds."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.errors import AwsError
from sandbox.model import NotificationChannel
from sandbox.registry import Context, Parameters
from sandbox.services.devopsguru import operation

_MOST = 2


@operation("AddNotificationChannel")
def add_notification_channel(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Publish to a topic from now on, narrowed by severity and kind of news."""
    config = parameters["Config"]
    topic, filters = config["Sns"].get("TopicArn", ""), config.get("Filters", {})
    if topic not in context.world.zone.topics:
        raise AwsError(
            "ResourceNotFoundException",
            f"There is no topic {topic}.",
            status=404,
            ResourceId=topic,
            ResourceType="Topic",
        )
    mine = _channels(context)
    if any(channel.topic_arn == topic for channel in mine):
        raise AwsError(
            "ConflictException", "The topic is a channel already.", status=409, ResourceId=topic, ResourceType="Topic"
        )
    if len(mine) >= _MOST:
        raise AwsError("ServiceQuotaExceededException", f"There are {_MOST} channels already.", status=402)
    channel = NotificationChannel(
        str(uuid.uuid4()),
        context.account,
        context.region,
        topic,
        list(filters.get("Severities", [])),
        list(filters.get("MessageTypes", [])),
    )
    context.world.zone.notification_channels[channel.id] = channel
    context.world.changed()
    return {"Id": channel.id}


@operation("ListNotificationChannels")
def list_notification_channels(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The channels of the caller's account in a Region."""
    return {"Channels": [_describe(channel) for channel in _channels(context)]}


@operation("RemoveNotificationChannel")
def remove_notification_channel(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Publish to a channel no more."""
    found = next((channel for channel in _channels(context) if channel.id == parameters["Id"]), None)
    if found is None:
        raise AwsError(
            "ResourceNotFoundException",
            "There is no such channel.",
            status=404,
            ResourceId=parameters["Id"],
            ResourceType="NotificationChannel",
        )
    del context.world.zone.notification_channels[found.id]
    context.world.changed()
    return {}


def _channels(context: Context) -> list[NotificationChannel]:
    here = (context.account, context.region)
    return [c for c in context.world.zone.notification_channels.values() if (c.account_id, c.region) == here]


def _describe(channel: NotificationChannel) -> dict[str, Any]:
    filters = {"Severities": channel.severities, "MessageTypes": channel.message_types}
    kept = {name: values for name, values in filters.items() if values}
    return {"Id": channel.id, "Config": {"Sns": {"TopicArn": channel.topic_arn}, **({"Filters": kept} if kept else {})}}
