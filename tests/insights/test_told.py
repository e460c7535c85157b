"""What comes through SNS is read, whatever its letters' case; what is none of DevOps Guru's is left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.sns import Notification
from intents.insights.told import read_told

WHOLE: dict[str, Any] = {
    "AccountId": "666677778888",
    "Region": "us-east-1",
    "MessageType": "NEW_INSIGHT",
    "InsightId": "A1b2",
    "InsightName": "Lambda p50 duration is anomalous",
    "InsightType": "REACTIVE",
    "InsightSeverity": "high",
    "StartTime": 1_795_452_120_000,
    "ResourceCollection": {"CloudFormation": {"StackNames": ["shop"]}},
}


def notified(message: Any) -> Notification:
    text = message if isinstance(message, str) else json.dumps(message)
    return Notification("1", "arn:aws:sns:us-east-1:333344445555:insights", "", text, "2026-03-02T08:59:30Z")


def test_a_message_is_read_in_either_case() -> None:
    told = read_told(notified(WHOLE))
    assert told is not None
    assert (told.insight.severity, told.insight.stacks, told.kind) == ("HIGH", ("shop",), "NEW_INSIGHT")
    camel = {name[0].lower() + name[1:]: value for name, value in WHOLE.items()}
    camel["resourceCollection"] = {"cloudFormation": {"stackNames": ["shop"]}}
    assert read_told(notified(camel)) == told


@pytest.mark.parametrize(
    "changed",
    [
        {"AccountId": "banana"},
        {"Region": "nowhere"},
        {"InsightId": "../../x"},
        {"MessageType": "DROP_TABLE"},
        {"StartTime": "yesterday"},
        {"StartTime": 1e300},
        {"StartTime": True},
    ],
)
def test_what_does_not_name_an_insight_is_nobodys(changed: dict[str, Any]) -> None:
    assert read_told(notified({**WHOLE, **changed})) is None


@pytest.mark.parametrize("text", ["", "null", "[]", "hello", "[" * 100_000, '{"MessageType": "NEW_INSIGHT"}'])
def test_other_messages_are_nobodys(text: str) -> None:
    assert read_told(notified(text)) is None


def test_odd_parts_are_left_out() -> None:
    odd = {
        **WHOLE,
        "InsightSeverity": 7,
        "InsightName": "a\u0000b\u202ec",
        "Anomalies": ["x", {"SourceDetails": [None], "AnomalyResources": "y"}],
        "ResourceCollection": {"CloudFormation": []},
        "Recommendations": {"Name": "x"},
    }
    told = read_told(notified(odd))
    assert told is not None
    assert (told.insight.severity, told.insight.name, told.anomalies, told.newest) == ("LOW", "abc", 1, "")
    assert (told.insight.stacks, told.advice) == ((), "")
