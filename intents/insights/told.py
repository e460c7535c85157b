"""What DevOps Guru tells through SNS, read: which insight it is about, and what has become of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args

from bot.activity import clean_text
from bot.insights import SEVERITIES, Insight
from bot.sns import Notification

Kind = Literal["NEW_INSIGHT", "NEW_ASSOCIATION", "SEVERITY_UPGRADED", "CLOSED_INSIGHT", "NEW_RECOMMENDATION"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_ID = re.compile(r"[\w-]{1,100}")
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")


@dataclass(frozen=True)
class Told:
    """One piece of news; `insight` holds as much of it as the message does, `anomalies` how many it counts."""

    kind: Kind
    insight: Insight
    anomalies: int
    newest: str
    """The metric and resource of the newest anomaly."""
    advice: str
    """The name of the first recommendation."""


def read_told(notification: Notification) -> Told | None:
    """Return the news in a notification; None for what is nothing of DevOps Guru's.

    Members are read whatever the case of their first letter: SNS and EventBridge write them differently.
    """
    try:
        message = json.loads(notification.message)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    members = {str(name)[:1].upper() + str(name)[1:]: value for name, value in message.items()}
    kind = members.get("MessageType")
    identifier, account = str(members.get("InsightId", "")), str(members.get("AccountId", ""))
    region, start = str(members.get("Region", "")), _moment(members.get("StartTime"))
    is_whole = _ID.fullmatch(identifier) and _ACCOUNT.fullmatch(account) and _REGION.fullmatch(region)
    if kind not in KINDS or not is_whole or start is None:
        return None
    severity = str(members.get("InsightSeverity", "")).upper()
    anomalies = [a for a in members.get("Anomalies") or () if isinstance(a, Mapping)]
    return Told(
        kind=cast(Kind, kind),
        insight=Insight(
            id=identifier,
            account=account,
            region=region,
            name=_text(members.get("InsightName")) or _text(members.get("InsightDescription")) or "An insight",
            severity=severity if severity in SEVERITIES else "LOW",
            is_proactive=members.get("InsightType") == "PROACTIVE",
            start=start,
            end=_moment(members.get("EndTime")) or start if kind == "CLOSED_INSIGHT" else None,
            stacks=_stacks(members.get("ResourceCollection")),
            description=_text(members.get("InsightDescription")),
        ),
        anomalies=len(anomalies),
        newest=_anomaly(anomalies[-1]) if anomalies else "",
        advice=_first_name(members.get("Recommendations")),
    )


def _anomaly(anomaly: Mapping[str, Any]) -> str:
    sources = [s for s in anomaly.get("SourceDetails") or () if isinstance(s, Mapping)]
    metric = sources[0].get("DataIdentifiers") if sources else None
    name = _text(metric.get("name")) if isinstance(metric, Mapping) else ""
    resource = _first_name(anomaly.get("AnomalyResources"))
    return " of ".join(part for part in (name, resource) if part) or _text(anomaly.get("Description"))


def _first_name(entries: Any) -> str:
    found = [e for e in entries if isinstance(e, Mapping)] if isinstance(entries, list) else []
    return _text(found[0].get("Name")) if found else ""


def _stacks(collection: Any) -> tuple[str, ...]:
    folded = {str(k).casefold(): v for k, v in collection.items()} if isinstance(collection, Mapping) else {}
    inner = folded.get("cloudformation")
    names = {str(k).casefold(): v for k, v in inner.items()}.get("stacknames") if isinstance(inner, Mapping) else None
    return tuple(_text(name) for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def _text(value: Any) -> str:
    return clean_text(value)[:500] if isinstance(value, str) else ""


def _moment(value: Any) -> datetime | None:
    """Return a time from milliseconds since the epoch, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value / 1_000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
