"""DevOps Guru across the organization: who may ask, what is found, pages and refused questions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in, refusal_of

WEBSHOP, AUDIT = "666677778888", "333344445555"
ONGOING = {"Ongoing": {"Type": "REACTIVE"}}


def now_of(aws: Aws) -> datetime:
    return datetime.fromisoformat(aws.get("clock")["now"]).astimezone(UTC)


def since(aws: Aws, **before: float) -> dict[str, datetime]:
    return {"FromTime": now_of(aws) - timedelta(**before)}


def test_an_insight_tells_its_story_to_the_delegated_administrator(aws: Aws) -> None:
    guru = client_in(aws, AUDIT, "devops-guru")
    listed = guru.list_organization_insights(StatusFilter=ONGOING, AccountIds=[WEBSHOP])["ReactiveInsights"]
    (insight,) = listed
    assert (insight["AccountId"], insight["Severity"], insight["Status"]) == (WEBSHOP, "HIGH", "ONGOING")
    named = {"InsightId": insight["Id"], "AccountId": WEBSHOP}

    described = guru.describe_insight(Id=insight["Id"], AccountId=WEBSHOP)["ReactiveInsight"]
    anomalies = guru.list_anomalies_for_insight(**named)["ReactiveAnomalies"]
    events = guru.list_events(Filters={"InsightId": insight["Id"]}, AccountId=WEBSHOP)["Events"]
    advice = guru.list_recommendations(**named)["Recommendations"]

    assert "Lambda p50 duration" in described["Name"]
    start = described["InsightTimeRange"]["StartTime"]
    points = anomalies[0]["SourceDetails"]["CloudWatchMetrics"][0]["MetricDataSummary"]["TimestampMetricValuePairList"]
    calm = max(p["MetricValue"] for p in points if p["Timestamp"] < start)
    assert max(p["MetricValue"] for p in points if p["Timestamp"] >= start) > 5 * calm
    assert "DEPLOYMENT" in {event["EventClass"] for event in events if event["Time"] < start}
    assert "provisioned concurrency" in advice[0]["Name"]


def test_what_is_listed_agrees_with_what_is_counted(aws: Aws) -> None:
    guru = aws.client("devops-guru")
    health = guru.describe_organization_health()
    by_account = guru.describe_organization_resource_collection_health(OrganizationResourceCollectionType="AWS_ACCOUNT")
    for kind, counted in (("REACTIVE", "OpenReactiveInsights"), ("PROACTIVE", "OpenProactiveInsights")):
        pages = guru.get_paginator("list_organization_insights").paginate(
            StatusFilter={"Ongoing": {"Type": kind}}, PaginationConfig={"PageSize": 1}
        )
        found = [i for page in pages for i in page.get(f"{kind.title()}Insights", ())]
        assert len({i["Id"] for i in found}) == len(found) == health[counted] > 1
        assert sum(account["Insight"][counted] for account in by_account["Account"]) == len(found)
    opened = guru.describe_organization_overview(**since(aws, days=7))
    anytime = {"Any": {"Type": "REACTIVE", "StartTimeRange": since(aws, days=7)}}
    listed = guru.list_organization_insights(StatusFilter=anytime)["ReactiveInsights"]
    assert opened["ReactiveInsights"] == len(listed) > health["OpenReactiveInsights"]


def test_a_search_narrows_by_severity_state_stack_and_service(aws: Aws) -> None:
    guru = aws.client("devops-guru")

    def names(**filters: Any) -> list[str]:
        answer = guru.search_organization_insights(
            AccountIds=[WEBSHOP], StartTimeRange=since(aws, days=3), Type="REACTIVE", Filters=filters
        )
        return [insight["Name"].split()[0] for insight in answer["ReactiveInsights"]]

    assert sorted(names(Severities=["HIGH"])) == ["DynamoDB", "Lambda"]
    assert names(Severities=["HIGH"], Statuses=["CLOSED"]) == ["DynamoDB"]
    assert names(ServiceCollection={"ServiceNames": ["LAMBDA"]}) == ["Lambda"]
    assert names(ResourceCollection={"CloudFormation": {"StackNames": ["cart-table"]}}) == ["DynamoDB"]


def test_units_hold_the_accounts_right_below_them(aws: Aws) -> None:
    guru = aws.client("devops-guru")
    prod = guru.list_organization_insights(StatusFilter=ONGOING, OrganizationalUnitIds=["ou-c0rp-w1prod00"])
    assert {i["AccountId"] for i in prod["ReactiveInsights"]} == {WEBSHOP}
    assert not guru.list_organization_insights(StatusFilter=ONGOING, OrganizationalUnitIds=["ou-c0rp-w0rkload"]).get(
        "ReactiveInsights"
    )


def test_insights_close_and_open_as_time_passes(aws: Aws) -> None:
    guru = aws.client("devops-guru")
    before = {i["Id"] for i in guru.list_organization_insights(StatusFilter=ONGOING)["ReactiveInsights"]}
    aws.advance(minutes=9 * 24 * 60)
    week = {"Any": {"Type": "REACTIVE", "StartTimeRange": since(aws, days=9)}}
    later = {i["Id"] for i in guru.list_organization_insights(StatusFilter=week)["ReactiveInsights"]}
    assert later - before
    assert before <= {i["Id"] for i in guru.list_organization_insights(StatusFilter=ONGOING)["ReactiveInsights"]}


@pytest.mark.parametrize(
    "asked",
    [
        {"StatusFilter": {}},
        {"StatusFilter": {**ONGOING, "Closed": {"Type": "REACTIVE", "EndTimeRange": {}}}},
        {"StatusFilter": ONGOING, "AccountIds": ["999999999999"]},
        {"StatusFilter": ONGOING, "AccountIds": [WEBSHOP, AUDIT]},
        {"StatusFilter": ONGOING, "AccountIds": [WEBSHOP], "OrganizationalUnitIds": ["ou-c0rp-w1prod00"]},
        {"StatusFilter": ONGOING, "NextToken": "00000000-0000-0000-0000-000000000000"},
        {"StatusFilter": {"Any": {"Type": "REACTIVE", "StartTimeRange": {"FromTime": datetime(2020, 1, 1)}}}},
    ],
    ids=[
        "no state",
        "two states",
        "foreign account",
        "two accounts",
        "account and OU",
        "foreign token",
        "too long ago",
    ],
)
def test_wrong_questions_are_refused(aws: Aws, asked: dict[str, Any]) -> None:
    refusal = refusal_of(lambda: aws.client("devops-guru").list_organization_insights(**asked))
    assert refusal == "ValidationException"


def test_member_accounts_see_neither_the_organization_nor_each_other(aws: Aws) -> None:
    guru = client_in(aws, WEBSHOP, "devops-guru")
    own = aws.client("devops-guru").list_organization_insights(StatusFilter=ONGOING)["ReactiveInsights"]
    mine, foreign = (next(i for i in own if (i["AccountId"] == WEBSHOP) == is_mine) for is_mine in (True, False))
    assert guru.describe_insight(Id=mine["Id"])["ReactiveInsight"]["Id"] == mine["Id"]
    refusal = refusal_of(lambda: guru.list_organization_insights(StatusFilter=ONGOING))
    assert refusal == "AccessDeniedException"
    refusal = refusal_of(lambda: guru.describe_insight(Id=foreign["Id"], AccountId=foreign["AccountId"]))
    assert refusal == "AccessDeniedException"
