"""An alarm read as an insight: what it is called, how grave it is, what it is about, and what its history says."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.insights import Recommendation, Severity

STACK_TAG = "aws:cloudformation:stack-name"
_GRAVE = re.compile(r"\b(?:critical|high|severe|urgent|fatal|p1|p0|sev-?[01])\b", re.IGNORECASE)
_SLIGHT = re.compile(r"\b(?:low|minor|info\w*|warn\w*|p[45]|sev-?[45])\b", re.IGNORECASE)
SERVICES = {
    "AWS/ApiGateway": "API_GATEWAY",
    "AWS/ApplicationELB": "APPLICATION_ELB",
    "AWS/DynamoDB": "DYNAMO_DB",
    "AWS/EC2": "EC2",
    "AWS/ECS": "ECS",
    "ECS/ContainerInsights": "ECS",
    "ContainerInsights": "EKS",
    "AWS/ElastiCache": "ELASTI_CACHE",
    "AWS/Kinesis": "KINESIS",
    "AWS/Lambda": "LAMBDA",
    "AWS/NATGateway": "NAT_GATEWAY",
    "AWS/RDS": "RDS",
    "AWS/S3": "S3",
    "AWS/SNS": "SNS",
    "AWS/SQS": "SQS",
    "AWS/States": "STEP_FUNCTIONS",
}
"""Namespaces by the names that DevOps Guru has for services, so that filters fit both."""


def severity_of(words: str) -> Severity:
    """Return what an alarm's name and description say of how grave it is; MEDIUM when they say nothing."""
    return "HIGH" if _GRAVE.search(words) else "LOW" if _SLIGHT.search(words) else "MEDIUM"


def id_of(name: str, start: datetime) -> str:
    """Return an id of our own: alarms fire again and again under one name."""
    return f"cw-{hash_of(name)}-{int(start.timestamp())}"


def since_of(alarm: Mapping[str, Any]) -> datetime:
    """Return since when an alarm has its state; that is later told anew with each new reason."""
    at: datetime = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return at.astimezone(UTC)


def hash_of(name: str) -> str:
    """Return what stands for an alarm's name in ids: names may hold anything."""
    return hashlib.sha256(name.encode()).hexdigest()[:20]


def state_in(item: Mapping[str, Any]) -> str:
    """Return the state that an alarm changed to, empty when the history does not say."""
    try:
        return str(json.loads(item.get("HistoryData") or "{}").get("newState", {}).get("stateValue", ""))
    except ValueError:
        found = re.search(r"to (ALARM|OK|INSUFFICIENT_DATA)$", item.get("HistorySummary", ""))
        return found[1] if found else ""


def advice_for(alarm: Mapping[str, Any], region: str) -> Recommendation:
    """Return where to look on: CloudWatch itself advises nothing."""
    name = alarm["AlarmName"]
    link = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#alarmsV2:alarm/{name}"
    reason = "CloudWatch gives no advice: what the team wrote into the alarm is all there is."
    return Recommendation(f"Look at the alarm {name}", reason, link.replace(" ", "%20"))
