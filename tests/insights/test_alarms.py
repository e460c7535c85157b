"""Alarms read as insights, and what CloudTrail saw sorted into DevOps Guru's classes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from intents.insights.providers.alarms import id_of, severity_of, state_in
from intents.insights.providers.events import kind_of_event
from intents.insights.providers.metrics import metric_of, queries_of, read_series

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        ("checkout-latency Critical: customers wait", "HIGH"),
        ("orders sev1", "HIGH"),
        ("disk warning", "LOW"),
        ("highway-queue depth", "MEDIUM"),
        ("", "MEDIUM"),
    ],
)
def test_how_grave_an_alarm_is_stands_in_its_words(words: str, severity: str) -> None:
    assert severity_of(words) == severity


def test_each_time_an_alarm_fires_is_an_insight_of_its_own_whatever_its_name() -> None:
    names = [id_of("ü / “orders”\n", AT), id_of("ü / “orders”\n", AT + timedelta(hours=1)), id_of("other", AT)]
    assert len(set(names)) == 3
    assert all(name.replace("-", "").isalnum() for name in names)


def test_history_without_data_is_read_from_its_summary() -> None:
    assert state_in({"HistoryData": '{"newState": {"stateValue": "OK"}}'}) == "OK"
    assert state_in({"HistoryData": "{", "HistorySummary": "Alarm updated from OK to ALARM"}) == "ALARM"
    assert state_in({}) == ""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("UpdateFunctionCode20150331v2", "DEPLOYMENT"),
        ("UpdateService", "DEPLOYMENT"),
        ("ExecuteChangeSet", "DEPLOYMENT"),
        ("TerminateInstances", "INFRASTRUCTURE"),
        ("ModifyDBInstance", "CONFIG_CHANGE"),
    ],
)
def test_what_was_deployed_is_told_from_what_was_configured(name: str, kind: str) -> None:
    assert kind_of_event(name) == kind


def test_a_threshold_and_a_band_are_asked_for_alike_and_either_edge_of_a_band_may_come_first() -> None:
    dimensions = [{"Name": "QueueName", "Value": "orders"}]
    plain = {
        "MetricName": "Age",
        "Namespace": "AWS/SQS",
        "Dimensions": dimensions,
        "Statistic": "Maximum",
        "Period": 60,
    }
    (query,) = queries_of(plain)
    assert query["MetricStat"]["Metric"] == {n: plain[n] for n in ("Namespace", "MetricName", "Dimensions")}
    assert queries_of({"AlarmName": "composite"}) == []
    banded = {"Metrics": [{"Id": "ad1", "Expression": "…"}, {"Id": "m1", "MetricStat": query["MetricStat"]}]}
    assert metric_of(banded)["MetricName"] == "Age"
    edges = [{"Id": "ad1", "Timestamps": [AT], "Values": [value]} for value in (9.0, 3.0)]
    points, band = read_series([*edges, {"Id": "m1", "Timestamps": [AT], "Values": [12.0]}])
    assert (points, band) == (((AT, 12.0),), ((AT, 3.0, 9.0),))
