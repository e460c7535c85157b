"""Amazon SNS: topics and subscriptions; what is published is in the call log and delivered to nobody."""

from __future__ import annotations

import re
import unicodedata
import uuid
from typing import Any

from sandbox.errors import AwsError
from sandbox.landing_zone import topic_arn
from sandbox.model import Subscription, Topic
from sandbox.registry import Context, Parameters, Service, page_of, serve

operation = serve(
    Service(
        "sns",
        signing_name="sns",
        invalid="InvalidParameter",
        bad_page="InvalidParameter",
        throttled="Throttling",
        denied="AuthorizationError",
        failed="InternalError",
        denied_status=403,
    )
)

_TOPIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}|[A-Za-z0-9_-]{1,251}\.fifo")
_MAX_MESSAGE_BYTES = 262_144
_MAX_SUBJECT = 99
"""The Publish API: "less than 100 characters long", and "no line breaks or control characters" (those below)."""
_CONTROLS = frozenset({"Cc", "Zl", "Zp"})
_PAGE = 100
_PROTOCOLS = ("http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose")


@operation("CreateTopic")
def create_topic(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a topic; one of that name already there is answered as it is."""
    name = parameters["Name"]
    if not _TOPIC_NAME.fullmatch(name):
        raise AwsError("InvalidParameter", "Invalid parameter: Topic Name")
    arn = topic_arn(context.account, context.region, name)
    if arn not in context.world.zone.topics:
        context.world.zone.topics[arn] = Topic(arn, name, dict(parameters.get("Attributes", {})))
        context.world.changed()
    return {"TopicArn": arn}


@operation("DeleteTopic")
def delete_topic(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Remove a topic and its subscriptions; one that isn't there doesn't matter."""
    zone = context.world.zone
    if zone.topics.pop(parameters["TopicArn"], None) is not None:
        for subscription in list(zone.subscriptions.values()):
            if subscription.topic_arn == parameters["TopicArn"]:
                del zone.subscriptions[subscription.arn]
        context.world.changed()
    return {}


@operation("ListTopics")
def list_topics(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The topics of the caller's account and Region."""
    prefix = topic_arn(context.account, context.region, "")
    entries = [{"TopicArn": arn} for arn in context.world.zone.topics if arn.startswith(prefix)]
    return _listed(context, parameters, "Topics", entries)


@operation("GetTopicAttributes")
def get_topic_attributes(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A topic's attributes."""
    topic = _require_topic(context, parameters["TopicArn"])
    subscribed = [entry for entry in context.world.zone.subscriptions.values() if entry.topic_arn == topic.arn]
    return {
        "Attributes": {
            **topic.attributes,
            "TopicArn": topic.arn,
            "Owner": topic.arn.split(":")[4],
            "SubscriptionsConfirmed": str(len(subscribed)),
        }
    }


@operation("Subscribe")
def subscribe(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Subscribe an endpoint, confirmed at once; the same one again is the same subscription."""
    topic = _require_topic(context, parameters["TopicArn"])
    if parameters["Protocol"] not in _PROTOCOLS:
        raise AwsError(
            "InvalidParameter",
            f"Invalid parameter: Amazon SNS does not support this protocol string: {parameters['Protocol']}",
        )
    endpoint = parameters.get("Endpoint")
    if not endpoint:
        raise AwsError("InvalidParameter", "Invalid parameter: Endpoint")
    for known in context.world.zone.subscriptions.values():
        if (known.topic_arn, known.protocol, known.endpoint) == (topic.arn, parameters["Protocol"], endpoint):
            return {"SubscriptionArn": known.arn}
    arn = f"{topic.arn}:{uuid.uuid4()}"
    context.world.zone.subscriptions[arn] = Subscription(
        arn, topic.arn, parameters["Protocol"], endpoint, context.account
    )
    context.world.changed()
    return {"SubscriptionArn": arn}


@operation("Unsubscribe")
def unsubscribe(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Remove a subscription."""
    if context.world.zone.subscriptions.pop(parameters["SubscriptionArn"], None) is None:
        raise AwsError("NotFound", "Subscription does not exist", status=404)
    context.world.changed()
    return {}


@operation("ListSubscriptionsByTopic")
def list_subscriptions_by_topic(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A topic's subscriptions."""
    topic = _require_topic(context, parameters["TopicArn"])
    entries = [
        {
            "SubscriptionArn": entry.arn,
            "Owner": entry.owner,
            "Protocol": entry.protocol,
            "Endpoint": entry.endpoint,
            "TopicArn": entry.topic_arn,
        }
        for entry in context.world.zone.subscriptions.values()
        if entry.topic_arn == topic.arn
    ]
    return _listed(context, parameters, "Subscriptions", entries)


@operation("Publish")
def publish(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Publish a message to a topic."""
    arn = parameters.get("TopicArn") or parameters.get("TargetArn")
    if arn is None:
        raise AwsError("InvalidParameter", "Invalid parameter: TopicArn or TargetArn Reason: no value given")
    _require_topic(context, arn)
    message = parameters["Message"]
    if not message:
        raise AwsError("InvalidParameter", "Invalid parameter: Empty message")
    if len(message.encode()) > _MAX_MESSAGE_BYTES:
        raise AwsError("InvalidParameter", "Invalid parameter: Message too long")
    subject = parameters.get("Subject")
    if subject is not None and (
        not 0 < len(subject) <= _MAX_SUBJECT or _CONTROLS & {unicodedata.category(letter) for letter in subject}
    ):
        raise AwsError("InvalidParameter", "Invalid parameter: Subject")
    return {"MessageId": str(uuid.uuid4())}


def _require_topic(context: Context, arn: str) -> Topic:
    topic = context.world.zone.topics.get(arn)
    if topic is None:
        raise AwsError("NotFound", "Topic does not exist", status=404)
    return topic


def _listed(context: Context, parameters: Parameters, member: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    page, following = page_of(
        context,
        parameters,
        entries,
        cursor="NextToken",
        size="",
        default_size=_PAGE,
    )
    return {member: page, **({"NextToken": following} if following else {})}
