"""Messages in queues: sent, handed out for a while, deleted. Time-outs are real seconds, as consumers have them."""

from __future__ import annotations

import secrets
import uuid
from collections import deque
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from sandbox.delivery.queue_model import Message, Queue

if TYPE_CHECKING:
    from sandbox.world import World

MOST_IN_FLIGHT = 120_000
RETENTION_SECONDS = 345_600
"""For how long a message is kept that nobody reads, in simulated time, unless its queue says otherwise."""


class Shelf:
    """What of a queue can be handed out, and what is out with whom until when; never saved."""

    def __init__(self, messages: list[Message]) -> None:
        self.ready: deque[str] = deque(m.key for m in sorted(messages, key=lambda m: m.number))
        self.out: dict[str, tuple[str, float]] = {}
        self.delayed: dict[str, float] = {}
        self.numbers = max((message.number for message in messages), default=0)

    def bring_back(self) -> None:
        """Put what was not deleted in time back, and what was delayed long enough in."""
        now = monotonic()
        for key in [key for key, (_, until) in self.out.items() if until <= now]:
            del self.out[key]
            self.ready.append(key)
        for key in [key for key, until in self.delayed.items() if until <= now]:
            del self.delayed[key]
            self.ready.append(key)

    def seconds_until_more(self) -> float | None:
        """After how many seconds something comes back; None if nothing is out."""
        times = [until for _, until in self.out.values()] + list(self.delayed.values())
        return max(0.0, min(times) - monotonic()) if times else None


def shelf_of(world: World, queue: Queue) -> Shelf:
    """A queue's shelf, made when it is first asked for."""
    shelves = world.delivery.shelves
    if queue.key not in shelves:
        found = [message for message in world.delivery.messages.values() if message.queue == queue.key]
        shelves[queue.key] = Shelf(found)
    found_shelf: Shelf = shelves[queue.key]
    return found_shelf


def send(
    world: World, queue: Queue, body: str, *, delay: float = 0.0, attributes: Mapping[str, Any] | None = None
) -> Message:
    """Put a message into a queue."""
    shelf = shelf_of(world, queue)
    shelf.numbers += 1
    key = f"{queue.key}/{shelf.numbers:012d}"
    message = Message(
        key, queue.key, shelf.numbers, str(uuid.uuid4()), body, world.clock.now(), attributes=dict(attributes or {})
    )
    world.delivery.keep("messages", key, message)
    if delay:
        shelf.delayed[key] = monotonic() + delay
    else:
        shelf.ready.append(key)
    world.announce()
    return message


def take(world: World, queue: Queue, most: int, visibility: float) -> list[tuple[Message, str]]:
    """Hand out up to so many messages, each with the receipt to delete it by."""
    shelf = shelf_of(world, queue)
    shelf.bring_back()
    now = world.clock.now()
    found: list[tuple[Message, str]] = []
    while shelf.ready and len(found) < most and len(shelf.out) < MOST_IN_FLIGHT:
        key = shelf.ready.popleft()
        message = world.delivery.messages.get(key)
        if message is None:
            continue
        if now - message.sent_at > float(queue.attributes.get("MessageRetentionPeriod", RETENTION_SECONDS)):
            world.delivery.drop("messages", key)
            continue
        receipt = f"{message.number}.{secrets.token_urlsafe(24)}"
        shelf.out[key] = (receipt, monotonic() + visibility)
        message.received += 1
        message.first_received_at = message.first_received_at or now
        found.append((message, receipt))
    return found


def delete(world: World, queue: Queue, receipt: str) -> bool:
    """Delete a message by its last receipt; False for what is no receipt. One that is gone doesn't matter."""
    number = receipt.partition(".")[0]
    if not number.isdecimal():
        return False
    key, shelf = f"{queue.key}/{int(number):012d}", shelf_of(world, queue)
    held = shelf.out.get(key)
    if held is None or held[0] == receipt:
        shelf.out.pop(key, None)
        world.delivery.drop("messages", key)
    return True


def change_visibility(world: World, queue: Queue, receipt: str, seconds: float) -> bool:
    """Have a message come back then instead; False if this receipt holds none."""
    number = receipt.partition(".")[0]
    shelf = shelf_of(world, queue)
    key = f"{queue.key}/{int(number):012d}" if number.isdecimal() else ""
    if shelf.out.get(key, ("", 0.0))[0] != receipt:
        return False
    shelf.out[key] = (receipt, monotonic() + seconds)
    world.announce()
    return True


def purge(world: World, queue: Queue) -> None:
    """Delete all messages of a queue."""
    for key in [message.key for message in world.delivery.messages.values() if message.queue == queue.key]:
        world.delivery.drop("messages", key)
    world.delivery.shelves.pop(queue.key, None)
