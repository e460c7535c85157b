"""What stories of watches share: a bot that SNS posts to, and the stories that the sandbox plays."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import select

from bot.database.tables import inbox
from bot.settings import SANDBOX_TOPICS
from tests.support.stage import Stage, eventually


async def listens(stage: Stage, *topics: str) -> None:
    """Subscribe the bot to topics, DevOps Guru's unless told otherwise, and wait until it has confirmed."""
    sns = stage.aws("sns")
    for topic in topics or SANDBOX_TOPICS:
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"{stage.url}/sns")

        async def is_confirmed(topic: str = topic) -> bool:
            (mine,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
            return str(mine["SubscriptionArn"]).startswith("arn:")

        await eventually(is_confirmed, lambda: "the bot did not confirm its subscription")


async def plays(stage: Stage, name: str, **more: object) -> None:
    """Have the sandbox begin a story, or with fixed=True mend what it is about."""
    async with httpx.AsyncClient(base_url=stage.application.settings.aws_endpoint_url) as sandbox:
        answer = await sandbox.post("/_sandbox/stories", json={"name": name, **more})
        assert answer.status_code == 200, answer.text


async def has_heard(stage: Stage, count: int) -> list[dict[str, str]]:
    """Wait until the bot has handled so many notifications, and return them as they were published."""
    query = select(inbox.c.body, inbox.c.done_at).where(inbox.c.key.startswith("sns:")).order_by(inbox.c.seq)
    rows: list[Any] = []

    async def is_heard() -> bool:
        async with stage.application.services.database.read() as connection:
            rows[:] = (await connection.execute(query)).all()
        return len(rows) >= count and all(row.done_at for row in rows)

    await eventually(is_heard, lambda: f"{len(rows)} notifications came, not {count}")
    return [row.body["raw"] for row in rows]


async def publishes_again(stage: Stage, told: list[dict[str, str]]) -> None:
    """Have SNS publish once more, under other ids, what was told; wait until that is heard."""
    for raw in told:
        stage.aws("sns").publish(TopicArn=raw["topic"], Message=raw["message"])
    await has_heard(stage, 2 * len(told))
