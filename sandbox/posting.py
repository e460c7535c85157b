"""What SNS has to post to endpoints: queued with what caused it, signed and sent by a courier beside the calls."""

from __future__ import annotations

import http.client
import json
import secrets
import uuid
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread
from urllib.parse import urlsplit

from sandbox.clock import moment
from sandbox.delivery.queueing import send
from sandbox.model import Post, Subscription
from sandbox.signing import certificate_path, sign
from sandbox.world import World

PAUSES = (1.0, 5.0, 20.0, 60.0, 120.0, 300.0, 600.0)
"""Simulated seconds between tries; the last goes on."""
LONGEST = 3_600.0
"""Simulated seconds after which a post is given up: no delivery policy of SNS takes longer."""
_PATIENCE = 15.0
"""Seconds that an endpoint has to answer."""
_LOOK = 0.5


def publish(world: World, topic_arn: str, message: str, subject: str | None = None) -> str:
    """Queue a message for every confirmed endpoint of a topic; its id."""
    identifier = str(uuid.uuid4())
    members = {"Message": message, "MessageId": identifier} | ({} if subject is None else {"Subject": subject})
    for subscription in world.zone.subscriptions.values():
        if subscription.topic_arn != topic_arn or subscription.token:
            continue
        if subscription.protocol in ("http", "https"):
            _queue(world, subscription, "Notification", members)
        elif subscription.protocol == "sqs":
            _put_into_queue(world, subscription, members)
    return identifier


def _put_into_queue(world: World, subscription: Subscription, members: dict[str, str]) -> None:
    """Deliver to a queue, in SNS's envelope unless the subscription wants it raw; the envelope is not signed."""
    queue = world.delivery.queue_by_arn(subscription.endpoint)
    if queue is None:
        return
    envelope = {"Type": "Notification", "TopicArn": subscription.topic_arn, "Timestamp": _stamp(world.clock.now())}
    is_raw = subscription.attributes.get("RawMessageDelivery") == "true"
    send(world, queue, members["Message"] if is_raw else json.dumps({**envelope, **members}))


def ask_to_confirm(world: World, subscription: Subscription, kind: str = "SubscriptionConfirmation") -> None:
    """Queue what a new subscriber has to confirm, or what one is sent whose subscription has ended."""
    subscription.token = subscription.token or secrets.token_hex(64)
    what = "subscribe to" if kind == "SubscriptionConfirmation" else "deactivate a subscription to"
    members = {
        "MessageId": str(uuid.uuid4()),
        "Token": subscription.token,
        "Message": f"You have chosen to {what} the topic {subscription.topic_arn}. "
        "To confirm, visit the SubscribeURL included in this message.",
    }
    _queue(world, subscription, kind, members)


def _queue(world: World, subscription: Subscription, kind: str, members: dict[str, str]) -> None:
    now, identifier = world.clock.now(), str(uuid.uuid4())
    members = {"Type": kind, "TopicArn": subscription.topic_arn, "Timestamp": _stamp(now), **members}
    world.zone.posts[identifier] = Post(
        identifier, kind, subscription.arn, subscription.endpoint, subscription.topic_arn, members, now, now
    )
    world.changed()
    world.stir()


def _stamp(at: float) -> str:
    return moment(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Courier:
    """Posts what is due, one after the other; `prepare` is called under the world's lock before each look."""

    def __init__(self, world: World, url: Callable[[], str], prepare: Callable[[World], None]) -> None:
        self._world, self._url, self._prepare = world, url, prepare
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="sandbox-courier", daemon=True)

    def start(self) -> None:
        """Begin to post."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; what is being posted is waited for as long as an endpoint may take."""
        self._stopped.set()
        self._world.stir()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            at, due = self._due()
            for post in due:
                if self._stopped.is_set():
                    return
                self._record(post, self._send(post), at)
            self._world.wait_until_stirred(_LOOK)

    def _due(self) -> tuple[float, list[Post]]:
        with self._world.lock:
            self._prepare(self._world)
            self._world.save()
            now = self._world.clock.now()
            return now, [replace(post) for post in self._world.zone.posts.values() if post.due <= now]

    def _record(self, post: Post, status: int, at: float) -> None:
        """Take a post off the queue, or put it off: refusals (4xx, but for 429) are final."""
        is_final = 200 <= status < 300 or (400 <= status < 500 and status != 429)
        with self._world.lock:
            kept = self._world.zone.posts.get(post.id)
            if kept is None:
                return
            if is_final or at - kept.first_at > LONGEST:
                del self._world.zone.posts[post.id]
            else:
                kept.due = at + PAUSES[min(kept.attempts, len(PAUSES) - 1)]
                kept.attempts += 1
            self._world.changed()
            self._world.save()

    def _send(self, post: Post) -> int:
        """Post one; the status, 0 when nobody answered."""
        with self._world.lock:
            topic = self._world.zone.topics.get(post.topic_arn)
            subscription = self._world.zone.subscriptions.get(post.subscription_arn)
        version = topic.attributes.get("SignatureVersion", "1") if topic else "1"
        is_raw = subscription is not None and subscription.attributes.get("RawMessageDelivery") == "true"
        body = self._body(post, version)
        headers = {
            "Content-Type": "text/plain; charset=UTF-8",
            "User-Agent": "Amazon Simple Notification Service Agent",
            "x-amz-sns-message-type": post.kind,
            "x-amz-sns-message-id": post.members["MessageId"],
            "x-amz-sns-topic-arn": post.topic_arn,
        }
        if post.kind == "Notification":
            headers["x-amz-sns-subscription-arn"] = post.subscription_arn
            if is_raw:
                headers["x-amz-sns-rawdelivery"] = "true"
                body = post.members["Message"]
        url = urlsplit(post.endpoint)
        made = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = made(url.hostname or "", url.port, timeout=_PATIENCE)
        try:
            connection.request("POST", url.path or "/", body.encode(), headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def _body(self, post: Post, version: str) -> str:
        here = self._url()
        members = dict(post.members)
        if post.kind != "Notification":
            members["SubscribeURL"] = (
                f"{here}/?Action=ConfirmSubscription&TopicArn={post.topic_arn}&Token={members['Token']}"
            )
        members |= {
            "SignatureVersion": version,
            "Signature": sign(members, version),
            "SigningCertURL": here + certificate_path(),
        }
        if post.kind == "Notification":
            members["UnsubscribeURL"] = f"{here}/?Action=Unsubscribe&SubscriptionArn={post.subscription_arn}"
        return json.dumps(members, indent=2)
