"""Amazon DevOps Guru, across the organization: for the management account and the delegated administrator."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sandbox.coverage import ALL, LEARNING, covered
from sandbox.errors import AwsError
from sandbox.insights import DAY, DELEGATED_ADMINISTRATOR, Insight, list_insights, mean_time_to_recover
from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from sandbox.registry import Context, Parameters, Service, serve
from sandbox.services.devopsguru_shapes import (
    describe_insight,
    describe_proactive_anomaly,
    describe_reactive_anomaly,
    list_advice,
    list_events,
    summarize,
)
from sandbox.world import without_nothing

operation = serve(Service("devops-guru", signing_name="devops-guru", throttled_status=429, denied_status=403))

_KEPT = 180 * DAY
_METRICS_A_RESOURCE, _RESOURCES_AN_ACCOUNT = 24, 31
Entry = TypeVar("Entry")


@operation("DescribeOrganizationHealth")
def describe_organization_health(context: Context, parameters: Parameters) -> dict[str, Any]:
    """How many insights are open, and how much is watched."""
    accounts = _accounts(context, parameters)
    ongoing = [i for i in list_insights(context.world, accounts, context.region) if not i.is_closed(context.now)]
    resources = _RESOURCES_AN_ACCOUNT * sum(_is_analysed(context, account) for account in accounts)
    return {
        "OpenReactiveInsights": sum(not i.kind.is_proactive for i in ongoing),
        "OpenProactiveInsights": sum(i.kind.is_proactive for i in ongoing),
        "MetricsAnalyzed": resources * _METRICS_A_RESOURCE,
        "ResourceHours": resources,
    }


@operation("DescribeOrganizationOverview")
def describe_organization_overview(context: Context, parameters: Parameters) -> dict[str, Any]:
    """How many insights were opened in a time."""
    opened = _within(context, _insights(context, parameters), parameters, "start")
    return {
        "ReactiveInsights": sum(not i.kind.is_proactive for i in opened),
        "ProactiveInsights": sum(i.kind.is_proactive for i in opened),
    }


@operation("ListOrganizationInsights")
def list_organization_insights(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Insights by state and kind, each with its account and OU."""
    if len(parameters["StatusFilter"]) != 1:
        raise _invalid("Exactly one of Ongoing, Closed and Any must be in StatusFilter.")
    ((state, wanted),) = parameters["StatusFilter"].items()
    insights = _insights(context, parameters)
    if state == "Any":
        insights = _within(context, insights, wanted["StartTimeRange"], "start")
    elif state == "Closed":
        insights = _within(context, [i for i in insights if i.is_closed(context.now)], wanted["EndTimeRange"], "end")
    else:
        insights = [i for i in insights if not i.is_closed(context.now)]
    insights = [i for i in insights if i.kind.is_proactive == (wanted["Type"] == "PROACTIVE")]
    page, following = _page(parameters, insights, 100)
    return _listed([summarize(context.world, i, with_account=True) for i in page], wanted["Type"], following)


@operation("SearchOrganizationInsights")
def search_organization_insights(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Insights of one account that were opened in a time, narrowed by severity, state, stack and service."""
    insights = _within(context, _insights(context, parameters), parameters["StartTimeRange"], "start")
    filters = parameters.get("Filters", {})
    stacks = filters.get("ResourceCollection", {}).get("CloudFormation", {}).get("StackNames", [])
    services = filters.get("ServiceCollection", {}).get("ServiceNames", [])
    found = [
        i
        for i in insights
        if i.kind.is_proactive == (parameters["Type"] == "PROACTIVE")
        and (not filters.get("Severities") or i.severity in filters["Severities"])
        and (not filters.get("Statuses") or _status(context, i) in filters["Statuses"])
        and (not stacks or "*" in stacks or i.kind.stack in stacks)
        and (not services or i.kind.service in services)
    ]
    page, following = _page(parameters, found, 100)
    return _listed([summarize(context.world, i) for i in page], parameters["Type"], following)


@operation("DescribeInsight")
def describe(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One insight of the caller's account, or of the one that is named."""
    insight = _find(context, parameters, parameters["Id"])
    name = "ProactiveInsight" if insight.kind.is_proactive else "ReactiveInsight"
    return {name: describe_insight(context.world, insight)}


@operation("ListAnomaliesForInsight")
def list_anomalies_for_insight(context: Context, parameters: Parameters) -> dict[str, Any]:
    """An insight's anomalous metrics, with their values around it."""
    insight = _find(context, parameters, parameters["InsightId"])
    describe_one = describe_proactive_anomaly if insight.kind.is_proactive else describe_reactive_anomaly
    anomalies = [describe_one(context.world, insight, number) for number in range(len(insight.kind.metrics))]
    page, following = _page(parameters, anomalies, 500)
    name = "ProactiveAnomalies" if insight.kind.is_proactive else "ReactiveAnomalies"
    return without_nothing({name: page, "NextToken": following})


@operation("ListEvents")
def list_related_events(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The events that belong to an insight, oldest first."""
    filters = parameters["Filters"]
    if "InsightId" not in filters:
        raise _invalid("The sandboxed AWS lists the events of an insight: name it in Filters.InsightId.")
    events = list_events(_find(context, parameters, filters["InsightId"]), context.now)
    for member in ("EventClass", "EventSource", "DataSource"):
        events = [e for e in events if member not in filters or e[member] == filters[member]]
    if span := filters.get("EventTimeRange"):
        events = [e for e in events if _seconds(span["FromTime"]) <= e["Time"].timestamp() <= _seconds(span["ToTime"])]
    page, following = _page(parameters, events, 200)
    return without_nothing({"Events": page, "NextToken": following})


@operation("ListRecommendations")
def list_recommendations(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What DevOps Guru advises about an insight."""
    if parameters.get("Locale", "EN_US") != "EN_US":
        raise _invalid("The sandboxed AWS advises in EN_US only.")
    page, following = _page(parameters, list_advice(_find(context, parameters, parameters["InsightId"])), 10)
    return without_nothing({"Recommendations": page, "NextToken": following})


@operation("DescribeOrganizationResourceCollectionHealth")
def describe_organization_resource_collection_health(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Open insights by stack, service or account."""
    kind, now = parameters["OrganizationResourceCollectionType"], context.now
    accounts = _accounts(context, parameters)
    groups: dict[str, list[Insight]] = defaultdict(list)
    for insight in list_insights(context.world, accounts, context.region):
        where = {"AWS_CLOUD_FORMATION": insight.kind.stack, "AWS_SERVICE": insight.kind.service}
        groups[where.get(kind, insight.account_id)].append(insight)
    if kind == "AWS_ACCOUNT":
        watched = {account for account in accounts if covered(context.world.zone, account, context.region)}
        groups |= {account: [] for account in sorted(watched - groups.keys())}
    if kind == "AWS_CLOUD_FORMATION":
        chosen = {s for a in accounts for s in covered(context.world.zone, a, context.region) if s != ALL}
        groups |= {stack: [] for stack in sorted(chosen - groups.keys())}
    if kind == "AWS_TAGS":
        groups.clear()  # what is watched here is chosen by account
    names = {"AWS_CLOUD_FORMATION": "StackName", "AWS_SERVICE": "ServiceName", "AWS_ACCOUNT": "AccountId"}
    entries = [
        {
            names[kind]: name,
            "Insight": {
                "OpenProactiveInsights": sum(i.kind.is_proactive and not i.is_closed(now) for i in insights),
                "OpenReactiveInsights": sum(not i.kind.is_proactive and not i.is_closed(now) for i in insights),
                **(
                    {"MeanTimeToRecoverInMilliseconds": mean_time_to_recover(insights, now)}
                    if kind == "AWS_CLOUD_FORMATION"
                    else {}
                ),
            },
        }
        for name, insights in sorted(groups.items())
    ]
    page, following = _page(parameters, entries, 500)
    lists = {"AWS_CLOUD_FORMATION": "CloudFormation", "AWS_SERVICE": "Service", "AWS_ACCOUNT": "Account"}
    return without_nothing({lists.get(kind, "Tags"): page, "NextToken": following})


def _is_analysed(context: Context, account: str) -> bool:
    """Whether metrics are analysed: something is covered, and has been learnt."""
    since = covered(context.world.zone, account, context.region).values()
    return any(at + LEARNING <= context.now for at in since)


def _accounts(context: Context, parameters: Parameters) -> set[str]:
    """The accounts that an organization's call is about: those named, those right in the OUs named, or all."""
    if context.account not in (MANAGEMENT_ACCOUNT, DELEGATED_ADMINISTRATOR):
        raise AwsError(
            "AccessDeniedException",
            f"Account {context.account} is not a delegated administrator of DevOps Guru.",
            status=403,
        )
    named, units = parameters.get("AccountIds", []), parameters.get("OrganizationalUnitIds", [])
    if named and units:
        raise _invalid("Either AccountIds or OrganizationalUnitIds may be given, not both.")
    known = context.world.zone.accounts
    for account in named:
        if account not in known:
            raise _invalid(f"Account {account} is not in the organization.")
    for unit in units:
        if unit not in context.world.zone.units:
            raise _invalid(f"Organizational unit {unit} is not in the organization.")
    if units:
        return {account.id for unit in units for account in context.world.accounts_in(unit)}
    return set(named or known)


def _insights(context: Context, parameters: Parameters) -> list[Insight]:
    return list_insights(context.world, _accounts(context, parameters), context.region)


def _find(context: Context, parameters: Parameters, identifier: str) -> Insight:
    account = parameters.get("AccountId", context.account)
    if account != context.account:
        _accounts(context, {"AccountIds": [account]})
    for insight in list_insights(context.world, {account}, context.region):
        if insight.id == identifier:
            return insight
    raise AwsError(
        "ResourceNotFoundException",
        f"There is no insight {identifier} of account {account} in {context.region}.",
        ResourceId=identifier,
        ResourceType="Insight",
    )


def _within(context: Context, insights: Iterable[Insight], span: Parameters, moment_of: str) -> list[Insight]:
    begin, end = _seconds(span.get("FromTime")), _seconds(span.get("ToTime"))
    if begin is not None and begin < context.now - _KEPT - DAY / 24:
        raise _invalid("FromTime may lie 180 days back at most.")
    if begin is not None and end is not None and begin > end:
        raise _invalid("FromTime must not be after ToTime.")
    return [
        i
        for i in insights
        if (at := getattr(i, moment_of)) is not None and (begin is None or at >= begin) and (end is None or at <= end)
    ]


def _seconds(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    return value if value is None else float(value)


def _status(context: Context, insight: Insight) -> str:
    return "CLOSED" if insight.is_closed(context.now) else "ONGOING"


def _listed(entries: list[dict[str, Any]], kind: str, following: str | None) -> dict[str, Any]:
    name = "ProactiveInsights" if kind == "PROACTIVE" else "ReactiveInsights"
    return without_nothing({name: entries, "NextToken": following})


def _page(parameters: Parameters, entries: Sequence[Entry], default: int) -> tuple[list[Entry], str | None]:
    """A page, and the token of the next: DevOps Guru's tokens look like UUIDs."""
    listing = {name: value for name, value in parameters.items() if name not in ("NextToken", "MaxResults")}
    scope = hashlib.sha256(json.dumps(listing, sort_keys=True, default=str).encode()).hexdigest()[:24]
    start = 0
    if token := parameters.get("NextToken"):
        known, position = token.replace("-", "")[:24], token.replace("-", "")[24:]
        if known != scope:
            raise _invalid("The NextToken is not one that this listing handed out.")
        start = int(position, 16)
    end = start + parameters.get("MaxResults", default)
    return list(entries[start:end]), str(uuid.UUID(f"{scope}{end:08x}")) if end < len(entries) else None


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
