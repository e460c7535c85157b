"""What DevOps Guru publishes: each piece of news about an insight once, as the clock passes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.coverage import is_learnt
from sandbox.insights import ANCHOR, REPORTING, Insight, all_insights
from sandbox.landing_zone import DELEGATED_ADMINISTRATOR, MANAGEMENT_ACCOUNT
from sandbox.model import NotificationChannel
from sandbox.posting import publish
from sandbox.world import World

TOLD = "insights-told"
"""The mark of the time up to which news was published."""
ADVISING, ASSOCIATING = 600.0, 1_200.0
"""Seconds after its beginning until an insight has recommendations, and further anomalies."""


@dataclass(frozen=True)
class News:
    """Something that happens to an insight."""

    at: float
    kind: str
    insight: Insight


def tell_news(world: World) -> None:
    """Publish what has happened since this was last called; to whom nobody listens, nothing is told.

    Counted from when somebody first listened: what was open before is no news.
    """
    channels = [channel for channel in world.zone.notification_channels.values() if _is_heard(world, channel)]
    if not channels:
        return
    now, marks = world.clock.now(), world.zone.marks
    if ANCHOR not in marks:
        marks[ANCHOR] = now
    then = marks.setdefault(TOLD, now)
    if now <= then:
        return
    everything = all_insights(world, world.zone.accounts, marks[ANCHOR])
    fresh = [news for i in everything if _is_seen(world, i) for news in _news_of(i, then, now)]
    for news in sorted(fresh, key=lambda news: news.at):
        for channel in channels:
            if _is_told(channel, news):
                publish(world, channel.topic_arn, message_of(news))
    marks[TOLD] = now
    if fresh:
        world.changed()


def _is_seen(world: World, insight: Insight) -> bool:
    return is_learnt(world.zone, insight.account_id, insight.region, insight.kind.stack, insight.start)


def _is_heard(world: World, channel: NotificationChannel) -> bool:
    return any(s.topic_arn == channel.topic_arn and not s.token for s in world.zone.subscriptions.values())


def _is_told(channel: NotificationChannel, news: News) -> bool:
    """Whether a channel is told; those of who administers the organization hear of all accounts."""
    insight = news.insight
    is_all = channel.account_id in (DELEGATED_ADMINISTRATOR, MANAGEMENT_ACCOUNT)
    return (
        channel.region == insight.region
        and (is_all or channel.account_id == insight.account_id)
        and (not channel.severities or _severity_at(insight, news.at) in channel.severities)
        and (not channel.message_types or news.kind in channel.message_types)
    )


def _news_of(insight: Insight, then: float, now: float) -> Iterator[News]:
    for at, kind in _life_of(insight):
        if then < at <= now:
            yield News(at, kind, insight)


def _life_of(insight: Insight) -> Iterable[tuple[float, str]]:
    end = insight.end if insight.end is not None else float("inf")
    life = [(insight.start, "NEW_INSIGHT"), (insight.start + ADVISING, "NEW_RECOMMENDATION")]
    if len(insight.kind.metrics) > 1:
        life.append((insight.start + ASSOCIATING, "NEW_ASSOCIATION"))
    if insight.raised_at is not None:
        life.append((insight.raised_at, "SEVERITY_UPGRADED"))
    return [(at, kind) for at, kind in life if at < end] + [(end, "CLOSED_INSIGHT")]


def _severity_at(insight: Insight, at: float) -> str:
    return "MEDIUM" if insight.raised_at is not None and at < insight.raised_at else insight.severity


def message_of(news: News) -> str:
    """The message as DevOps Guru publishes it: times in milliseconds, severities in lower case."""
    insight = news.insight
    kind = "proactive" if insight.kind.is_proactive else "reactive"
    message: dict[str, Any] = {
        "AccountId": insight.account_id,
        "Region": insight.region,
        "MessageType": news.kind,
        "InsightId": insight.id,
        "InsightName": insight.kind.name,
        "InsightUrl": (
            f"https://{insight.region}.console.aws.amazon.com/devops-guru/insight/{kind}/{insight.id}"
            f"?accountId={insight.account_id}"
        ),
        "InsightType": kind.upper(),
        "InsightDescription": insight.kind.description,
        "InsightSeverity": _severity_at(insight, news.at).lower(),
        "StartTime": _milliseconds(insight.start),
        "Anomalies": [_anomaly(insight, number) for number in _associated(insight, news.at)],
        "ResourceCollection": {"CloudFormation": {"StackNames": [insight.kind.stack]}},
    }
    if news.kind == "CLOSED_INSIGHT":
        message["EndTime"] = _milliseconds(news.at)
    if news.kind == "SEVERITY_UPGRADED":
        message["PreviousSeverity"] = "medium"
    if news.kind == "NEW_RECOMMENDATION":
        message["Recommendations"] = [
            {"Name": advice.name, "Reason": advice.reason, "Link": advice.link} for advice in insight.kind.advice
        ]
    return json.dumps(message)


def _associated(insight: Insight, at: float) -> range:
    return range(len(insight.kind.metrics) if at >= insight.start + ASSOCIATING else 1)


def _anomaly(insight: Insight, number: int) -> dict[str, Any]:
    metric = insight.kind.metrics[number]
    return {
        "Id": hashlib.sha256(f"{insight.id}/{number}".encode()).hexdigest()[:32],
        "StartTime": _milliseconds(insight.start),
        "OpenTime": _milliseconds(insight.start + REPORTING),
        "Description": f"{metric.name} is anomalous",
        "AnomalyResources": [{"Name": insight.kind.resource, "Type": insight.kind.resource_type}],
        "SourceDetails": [
            {
                "DataSource": "CW_METRICS",
                "DataIdentifiers": {
                    "name": metric.name,
                    "namespace": metric.namespace,
                    "stat": metric.stat,
                    "unit": metric.unit,
                    "dimensions": json.dumps({metric.dimension: insight.kind.resource}),
                },
            }
        ],
    }


def _milliseconds(at: float) -> int:
    return round(at * 1_000)
