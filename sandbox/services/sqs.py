"""Amazon SQS: standard queues, whose messages are handed out for a while, in batches, and waited for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from time import monotonic
from typing import Any

from sandbox.delivery import queueing
from sandbox.delivery.queue_model import Message, Queue
from sandbox.errors import AwsError, ConnectionReset
from sandbox.provisioning import settle
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.world import without_nothing

operation = serve(
    Service(
        "sqs",
        signing_name="sqs",
        invalid="InvalidParameterValue",
        bad_page="InvalidParameterValue",
        throttled="RequestThrottled",
        failed="InternalError",
    )
)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MOST_BYTES = 1_048_576
_MOST_ENTRIES = 10
_LONGEST_POLL = 20
_USUAL = {
    "VisibilityTimeout": "30",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
    "MessageRetentionPeriod": "345600",
    "MaximumMessageSize": str(_MOST_BYTES),
}
_KEPT = (*_USUAL, "Policy", "KmsMasterKeyId", "SqsManagedSseEnabled")


@operation("CreateQueue")
def create_queue(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a queue; the same again is the same queue."""
    name, attributes = parameters["QueueName"], _checked(parameters.get("Attributes", {}))
    if not _NAME.fullmatch(name):
        raise AwsError(
            "InvalidParameterValue",
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        )
    key = f"{context.account}/{context.region}/{name}"
    known = context.world.delivery.queues.get(key)
    if known is None:
        known = Queue(key, name, context.account, context.region, context.now, attributes, parameters.get("tags", {}))
        context.world.delivery.keep("queues", key, known)
    elif any(known.attributes.get(name, _USUAL.get(name)) != value for name, value in attributes.items()):
        raise AwsError("QueueNameExists", "A queue already exists with the same name and a different attribute.")
    return {"QueueUrl": _url(known)}


@operation("GetQueueUrl")
def get_queue_url(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A queue's URL by its name."""
    account = parameters.get("QueueOwnerAWSAccountId", context.account)
    queue = context.world.delivery.queues.get(f"{account}/{context.region}/{parameters['QueueName']}")
    return {"QueueUrl": _url(_there(queue))}


@operation("ListQueues")
def list_queues(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The URLs of the caller's queues in a Region."""
    prefix = f"{context.account}/{context.region}/{parameters.get('QueueNamePrefix', '')}"
    found = [_url(q) for key, q in sorted(context.world.delivery.queues.items()) if key.startswith(prefix)]
    page, following = page_of(context, parameters, found, cursor="NextToken", size="MaxResults", default_size=1_000)
    return without_nothing({"QueueUrls": page or None, "NextToken": following})


@operation("DeleteQueue")
def delete_queue(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete a queue with what is in it."""
    queue = _find(context, parameters)
    queueing.purge(context.world, queue)
    context.world.delivery.drop("queues", queue.key)
    return {}


@operation("PurgeQueue")
def purge_queue(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete what is in a queue."""
    queueing.purge(context.world, _find(context, parameters))
    return {}


@operation("GetQueueAttributes")
def get_queue_attributes(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What a queue is like, and how much is in it."""
    queue = _find(context, parameters)
    shelf = queueing.shelf_of(context.world, queue)
    shelf.bring_back()
    everything = {
        **_USUAL,
        **queue.attributes,
        "QueueArn": queue.arn,
        "CreatedTimestamp": str(int(queue.created_at)),
        "LastModifiedTimestamp": str(int(queue.created_at)),
        "ApproximateNumberOfMessages": str(len(shelf.ready)),
        "ApproximateNumberOfMessagesNotVisible": str(len(shelf.out)),
        "ApproximateNumberOfMessagesDelayed": str(len(shelf.delayed)),
    }
    wanted = parameters.get("AttributeNames", [])
    return {"Attributes": {name: value for name, value in everything.items() if name in wanted or "All" in wanted}}


@operation("SetQueueAttributes")
def set_queue_attributes(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change what a queue is like."""
    queue = _find(context, parameters)
    queue.attributes |= _checked(parameters["Attributes"])
    context.world.delivery.changed("queues", queue.key)
    return {}


@operation("SendMessage")
def send_message(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Put a message into a queue."""
    return _send(context, _find(context, parameters), parameters)


@operation("SendMessageBatch")
def send_message_batch(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Put up to ten messages into a queue."""
    queue = _find(context, parameters)
    sent = [{"Id": entry["Id"], **_send(context, queue, entry)} for entry in _entries(parameters)]
    return {"Successful": sent, "Failed": []}


@operation("ReceiveMessage", locked=False)
def receive_message(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Be handed up to ten messages, waiting for the first as long as wanted (real seconds)."""
    world = context.world
    until: float | None = None
    while True:
        with world.lock:
            settle(world)
            queue = _find(context, parameters)
            most = _within(parameters, "MaxNumberOfMessages", 1, 1, _MOST_ENTRIES)
            usual = int(queue.attributes.get("ReceiveMessageWaitTimeSeconds", 0))
            if until is None:
                until = monotonic() + _within(parameters, "WaitTimeSeconds", usual, 0, _LONGEST_POLL)
            hidden = int(queue.attributes.get("VisibilityTimeout", _USUAL["VisibilityTimeout"]))
            visibility = _within(parameters, "VisibilityTimeout", hidden, 0, 43_200)
            seen = world.arrivals
            taken = queueing.take(world, queue, most, visibility)
            world.save()
            more = queueing.shelf_of(world, queue).seconds_until_more()
        left = until - monotonic()
        if taken or left <= 0:
            return {"Messages": [_handed_out(m, receipt, parameters) for m, receipt in taken]} if taken else {}
        if not world.wait_for_arrivals(seen, left if more is None else min(left, more + 0.001)):
            raise ConnectionReset


@operation("DeleteMessage")
def delete_message(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete a message by the receipt it was handed out with."""
    if not queueing.delete(context.world, _find(context, parameters), parameters["ReceiptHandle"]):
        raise AwsError("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
    return {}


@operation("DeleteMessageBatch")
def delete_message_batch(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete up to ten messages."""
    queue = _find(context, parameters)
    outcome: dict[str, list[dict[str, Any]]] = {"Successful": [], "Failed": []}
    for entry in _entries(parameters):
        if queueing.delete(context.world, queue, entry["ReceiptHandle"]):
            outcome["Successful"].append({"Id": entry["Id"]})
        else:
            outcome["Failed"].append({"Id": entry["Id"], "SenderFault": True, "Code": "ReceiptHandleIsInvalid"})
    return outcome


@operation("ChangeMessageVisibility")
def change_message_visibility(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Have a message come back at another time."""
    queue = _find(context, parameters)
    seconds = _within(parameters, "VisibilityTimeout", 0, 0, 43_200)
    if not queueing.change_visibility(context.world, queue, parameters["ReceiptHandle"], seconds):
        raise AwsError("MessageNotInflight", "The message referred to isn't in flight.")
    return {}


def _send(context: Context, queue: Queue, wish: Parameters) -> dict[str, Any]:
    body = wish["MessageBody"]
    if not body or len(body.encode()) > _MOST_BYTES:
        raise AwsError("InvalidParameterValue", f"A message must have 1 to {_MOST_BYTES} bytes.")
    usual = int(queue.attributes.get("DelaySeconds", 0))
    delay = _within(wish, "DelaySeconds", usual, 0, 900)
    sent = queueing.send(context.world, queue, body, delay=delay, attributes=wish.get("MessageAttributes"))
    return {"MessageId": sent.id, "MD5OfMessageBody": _md5(body)}


def _handed_out(message: Message, receipt: str, parameters: Parameters) -> dict[str, Any]:
    attributes = {
        "SentTimestamp": str(round(message.sent_at * 1_000)),
        "ApproximateReceiveCount": str(message.received),
        "ApproximateFirstReceiveTimestamp": str(round(message.first_received_at * 1_000)),
    }
    wanted = [*parameters.get("AttributeNames", []), *parameters.get("MessageSystemAttributeNames", [])]
    shown = {name: value for name, value in attributes.items() if name in wanted or "All" in wanted}
    named = parameters.get("MessageAttributeNames", [])
    own = {n: v for n, v in message.attributes.items() if n in named or "All" in named or ".*" in named}
    return {
        "MessageId": message.id,
        "ReceiptHandle": receipt,
        "MD5OfBody": _md5(message.body),
        "Body": message.body,
        **({"Attributes": shown} if shown else {}),
        **({"MessageAttributes": own} if own else {}),
    }


def _entries(parameters: Parameters) -> Iterator[dict[str, Any]]:
    entries = parameters["Entries"]
    if not entries:
        raise AwsError("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > _MOST_ENTRIES:
        raise AwsError("TooManyEntriesInBatchRequest", f"Maximum number of entries per request are {_MOST_ENTRIES}.")
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise AwsError("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id.")
    yield from entries


def _find(context: Context, parameters: Parameters) -> Queue:
    account, name = f"//{parameters['QueueUrl']}".rsplit("/", 2)[1:]
    return _there(context.world.delivery.queues.get(f"{account}/{context.region}/{name}"))


def _there(queue: Queue | None) -> Queue:
    if queue is None:
        raise AwsError("QueueDoesNotExist", "The specified queue does not exist.")
    return queue


def _url(queue: Queue) -> str:
    return f"https://sqs.{queue.region}.amazonaws.com/{queue.account_id}/{queue.name}"


def _within(parameters: Parameters, name: str, usual: int, least: int, most: int) -> int:
    value = int(parameters.get(name, usual))
    if not least <= value <= most:
        raise AwsError("InvalidParameterValue", f"Value {value} for parameter {name} is invalid.")
    return value


def _checked(attributes: dict[str, str]) -> dict[str, str]:
    unknown = [name for name in attributes if name not in _KEPT]
    if unknown:
        raise AwsError("InvalidAttributeName", f"Unknown Attribute {unknown[0]}.")
    return dict(attributes)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
