"""What SNS tells: notifications that were verified and kept, and the parts of the bot that they are for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Protocol

from bot.activity import NOBODY, Activity
from bot.database import Transaction

CHANNEL = "sns"
Commit = Callable[[Transaction], Awaitable[None]]


@dataclass(frozen=True)
class Notification:
    """One notification of an allowed topic; `message` is as it was published. `at` is ISO 8601, by SNS's clock."""

    id: str
    topic: str
    subject: str
    message: str
    at: str

    @property
    def region(self) -> str:
        """The Region of the topic."""
        return self.topic.split(":")[3]

    @property
    def account(self) -> str:
        """The account of the topic."""
        return self.topic.split(":")[4]


class Listener(Protocol):
    """A part of the bot that some notifications are for."""

    def lane_of(self, notification: Notification) -> str:
        """Return what it is about, so that all about one thing is heard in order; empty when it is not for this."""
        ...

    async def hear(self, notification: Notification) -> Commit:
        """Read what is needed; returns what writes, in the transaction that also marks the notification as done.

        Raises Unavailable when that can't be done yet: it is heard again.
        """
        ...


class Notifications:
    """Hands each notification to those whom it is for; everything that they write counts once."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def connect(self, listener: Listener) -> None:
        """Add a listener."""
        self._listeners.append(listener)

    def activity_of(self, notification: Notification) -> Activity:
        """Return a notification as the inbox keeps it; a MessageId counts once, whenever it comes again."""
        lane = next((lane for each in self._listeners if (lane := each.lane_of(notification))), notification.topic)
        return Activity(
            key=f"{CHANNEL}:{notification.id}",
            channel=CHANNEL,
            conversation=f"{CHANNEL}:{lane}"[:255],
            person=NOBODY,
            raw=asdict(notification),
        )

    async def commit_of(self, activity: Activity) -> Commit:
        """Have a kept notification heard by those whom it is for; returns what writes all that follows from it."""
        notification = Notification(**activity.raw)
        commits = [await each.hear(notification) for each in self._listeners if each.lane_of(notification)]

        async def commit(transaction: Transaction) -> None:
            for one in commits:
                await one(transaction)

        return commit
