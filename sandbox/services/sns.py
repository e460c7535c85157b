"""Amazon SNS: topics, subscriptions, and what is published: posted to the confirmed endpoints that speak HTTP."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.errors import AwsError
from sandbox.insight_news import tell_news
from sandbox.landing_zone import topic_arn
from sandbox.model import Subscription, Topic
from sandbox.posting import ask_to_confirm
from sandbox.posting import publish as post
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.world import World

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
_POSTED = ("http", "https")
_CONFIRMED_BY = "ConfirmedBy"
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
    waiting = sum(bool(entry.token) for entry in subscribed)
    return {
        "Attributes": {
            **topic.attributes,
            "TopicArn": topic.arn,
            "Owner": topic.arn.split(":")[4],
            "SubscriptionsConfirmed": str(len(subscribed) - waiting),
            "SubscriptionsPending": str(waiting),
        }
    }


@operation("Subscribe")
def subscribe(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Subscribe an endpoint; one that speaks HTTP has to confirm it. The same one again is the same subscription."""
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
            if known.token:
                ask_to_confirm(context.world, known)
            return {"SubscriptionArn": _arn_shown(known, parameters)}
    arn = f"{topic.arn}:{uuid.uuid4()}"
    attributes = _subscription_attributes(parameters.get("Attributes", {}))
    added = Subscription(arn, topic.arn, parameters["Protocol"], endpoint, context.account, attributes=attributes)
    context.world.zone.subscriptions[arn] = added
    if added.protocol in _POSTED:
        if not endpoint.startswith(f"{added.protocol}://"):
            del context.world.zone.subscriptions[arn]
            raise AwsError("InvalidParameter", "Invalid parameter: Endpoint must match the specified protocol")
        ask_to_confirm(context.world, added)
    context.world.changed()
    return {"SubscriptionArn": _arn_shown(added, parameters)}


@operation("ConfirmSubscription")
def confirm_subscription(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Confirm a subscription by the token that its endpoint was posted; once more does no harm."""
    return {"SubscriptionArn": confirm(context.world, parameters["TopicArn"], parameters["Token"])}


def confirm(world: World, topic: str, token: str) -> str:
    """Confirm the subscription to a topic that waits for this token; its ARN."""
    for subscription in world.zone.subscriptions.values():
        confirmed = subscription.attributes.get(_CONFIRMED_BY)
        if subscription.topic_arn == topic and token and token in (subscription.token, confirmed):
            subscription.token = ""
            subscription.attributes[_CONFIRMED_BY] = token
            world.changed()
            tell_news(world)  # what happens from now on is for this endpoint too
            return subscription.arn
    raise AwsError("InvalidParameter", "Invalid parameter: Token")


@operation("Unsubscribe")
def unsubscribe(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Remove a subscription."""
    if context.world.zone.subscriptions.pop(parameters["SubscriptionArn"], None) is None:
        raise AwsError("NotFound", "Subscription does not exist", status=404)
    context.world.changed()
    return {}


@operation("SetTopicAttributes")
def set_topic_attributes(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change an attribute: the version of the signature, or what a topic is called."""
    topic, name = _require_topic(context, parameters["TopicArn"]), parameters["AttributeName"]
    value = parameters.get("AttributeValue", "")
    if name not in ("SignatureVersion", "DisplayName"):
        raise AwsError("InvalidParameter", "Invalid parameter: AttributeName")
    if name == "SignatureVersion" and value not in ("1", "2"):
        raise AwsError("InvalidParameter", "Invalid parameter: SignatureVersion Reason: must be 1 or 2")
    topic.attributes[name] = value
    context.world.changed()
    return {}


@operation("SetSubscriptionAttributes")
def set_subscription_attributes(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change an attribute: whether messages are delivered raw."""
    subscription = context.world.zone.subscriptions.get(parameters["SubscriptionArn"])
    if subscription is None:
        raise AwsError("NotFound", "Subscription does not exist", status=404)
    named = {parameters["AttributeName"]: parameters.get("AttributeValue", "")}
    subscription.attributes |= _subscription_attributes(named)
    context.world.changed()
    return {}


def _subscription_attributes(given: Mapping[str, str]) -> dict[str, str]:
    for name, value in given.items():
        if name != "RawMessageDelivery" or value not in ("true", "false"):
            raise AwsError("InvalidParameter", f"Invalid parameter: Attributes Reason: {name} is not supported here")
    return dict(given)


def _arn_shown(subscription: Subscription, parameters: Parameters) -> str:
    is_told = not subscription.token or parameters.get("ReturnSubscriptionArn")
    return subscription.arn if is_told else "pending confirmation"


@operation("ListSubscriptionsByTopic")
def list_subscriptions_by_topic(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A topic's subscriptions."""
    topic = _require_topic(context, parameters["TopicArn"])
    entries = [
        {
            "SubscriptionArn": "PendingConfirmation" if entry.token else entry.arn,
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
    return {"MessageId": post(context.world, arn, message, subject)}


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
