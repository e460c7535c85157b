"""CloudWatch and CloudTrail tell of the same trouble as DevOps Guru; what is not covered is told by nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.server import Sandbox
from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in, refusal_of

WEBSHOP, WEBSHOP_TEST, OLD_INTRANET = "666677778888", "666688889999", "888899990000"


def now_of(aws: Aws) -> datetime:
    return datetime.fromisoformat(aws.get("clock")["now"]).astimezone(UTC)


def insight_of(aws: Aws, account: str, kind: str = "REACTIVE") -> Any:
    listed = aws.client("devops-guru").list_organization_insights(
        StatusFilter={"Ongoing": {"Type": kind}}, AccountIds=[account]
    )
    return listed["ReactiveInsights" if kind == "REACTIVE" else "ProactiveInsights"][0]


def test_an_alarm_fires_with_the_insight_and_its_metric_has_the_same_values(aws: Aws) -> None:
    insight = insight_of(aws, WEBSHOP)
    watch = client_in(aws, WEBSHOP, "cloudwatch")
    (alarm,) = watch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert alarm["StateUpdatedTimestamp"] - insight["InsightTimeRange"]["StartTime"] == timedelta(minutes=5)
    anomalies = aws.client("devops-guru").list_anomalies_for_insight(InsightId=insight["Id"], AccountId=WEBSHOP)
    shown = anomalies["ReactiveAnomalies"][0]["SourceDetails"]["CloudWatchMetrics"][0]
    told = {p["Timestamp"]: p["MetricValue"] for p in shown["MetricDataSummary"]["TimestampMetricValuePairList"]}
    queries = [
        {**query, "MetricStat": {**query["MetricStat"], "Period": shown["Period"]}} if "MetricStat" in query else query
        for query in alarm["Metrics"]
    ]
    answer = watch.get_metric_data(MetricDataQueries=queries, StartTime=min(told), EndTime=max(told))
    values, *band = answer["MetricDataResults"]
    assert dict(zip(values["Timestamps"], values["Values"], strict=True)) == told
    assert len(band) == 2
    assert max(told.values()) > max(max(edge["Values"]) for edge in band) > min(told.values())


def test_what_alarms_did_is_told_for_thirty_days_newest_first(aws: Aws) -> None:
    watch = client_in(aws, WEBSHOP, "cloudwatch")
    items = watch.describe_alarm_history(HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    times = [item["Timestamp"] for item in items]
    assert times == sorted(times, reverse=True)
    assert {"OK", "ALARM"} == {item["HistorySummary"].rpartition(" ")[2] for item in items}
    assert min(times) > now_of(aws) - timedelta(days=30)


def test_cloudtrail_saw_the_deployment_before_it(aws: Aws) -> None:
    trail = client_in(aws, WEBSHOP, "cloudtrail")
    looked_up = [{"AttributeKey": "ResourceName", "AttributeValue": "checkout-handler"}]
    events = trail.lookup_events(LookupAttributes=looked_up)["Events"]
    related = aws.client("devops-guru").list_events(
        Filters={"InsightId": insight_of(aws, WEBSHOP)["Id"]}, AccountId=WEBSHOP
    )["Events"]
    assert {(e["EventName"], e["EventTime"]) for e in events} >= {(e["Name"], e["Time"]) for e in related}
    assert refusal_of(lambda: trail.lookup_events(LookupAttributes=looked_up * 2)) == "InvalidLookupAttributesException"


def test_what_is_not_covered_is_silent_until_it_is_covered_and_learnt(aws: Aws) -> None:
    guru, inside = aws.client("devops-guru"), client_in(aws, WEBSHOP_TEST, "devops-guru")
    assert not guru.describe_organization_health(AccountIds=[OLD_INTRANET])["MetricsAnalyzed"]
    chosen = inside.get_resource_collection(ResourceCollectionType="AWS_CLOUD_FORMATION")["ResourceCollection"]
    assert chosen["CloudFormation"]["StackNames"] == ["cart-table"]
    wish = {"CloudFormation": {"StackNames": ["webshop-test"]}}
    for _ in range(2):
        inside.update_resource_collection(Action="ADD", ResourceCollection=wish)
    chosen = inside.get_resource_collection(ResourceCollectionType="AWS_CLOUD_FORMATION")["ResourceCollection"]
    assert chosen["CloudFormation"]["StackNames"] == ["cart-table", "webshop-test"]
    unknown = {"CloudFormation": {"StackNames": ["nothing"]}}
    refusal = refusal_of(lambda: inside.update_resource_collection(Action="ADD", ResourceCollection=unknown))
    assert refusal == "ValidationException"


def test_a_stack_s_cost_is_estimated_after_a_while(aws: Aws) -> None:
    inside = client_in(aws, WEBSHOP, "devops-guru")
    stack = {"CloudFormation": {"StackNames": ["webshop-prod"]}}
    inside.start_cost_estimation(ResourceCollection=stack)
    assert inside.get_cost_estimation()["Status"] == "ONGOING"
    assert refusal_of(lambda: inside.start_cost_estimation(ResourceCollection=stack)) == "ConflictException"
    aws.advance(minutes=15)
    estimate = inside.get_cost_estimation()
    assert estimate["Status"] == "COMPLETED"
    assert estimate["TotalCost"] == pytest.approx((0.0028 + 2 * 0.0042) * 730)


def test_rates_are_held_for_each_account_and_operation(aws: Aws) -> None:
    aws.post("faults", name="rate_limits", operations=["DescribeAlarms"], rate_a_second=0.001, burst=2)
    watch = client_in(aws, WEBSHOP, "cloudwatch")
    for _ in range(2):
        watch.describe_alarms()
    assert refusal_of(watch.describe_alarms) == "Throttling"
    client_in(aws, WEBSHOP_TEST, "cloudwatch").describe_alarms()
    watch.describe_alarm_history()


def test_forty_accounts_in_three_regions_have_sixty_insights_of_both_kinds() -> None:
    with Sandbox(speed=0, accounts=40, regions=3) as sandbox:
        aws = Aws(sandbox.url)
        found: dict[str, int] = {"REACTIVE": 0, "PROACTIVE": 0}
        for region in ("us-east-1", "eu-central-1", "eu-west-1"):
            guru = aws.client("devops-guru", region)
            for kind in found:
                since = {"Type": kind, "StartTimeRange": {"FromTime": now_of(aws) - timedelta(days=179)}}
                pages = guru.get_paginator("list_organization_insights").paginate(
                    StatusFilter={"Any": since}, PaginationConfig={"PageSize": 7}
                )
                listed = [i for page in pages for i in page.get(f"{kind.title()}Insights", ())]
                assert listed
                found[kind] += len(listed)
        assert sum(found.values()) >= 60
        aws.close()
