"""Insights for programs: lists with filters and a cursor, and one with its metrics, events and recommendations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import JSONResponse, Response

from adapters.rest.callers import Caller
from adapters.rest.cursors import InsightCursor, insight_cursor_in, insight_cursor_out
from adapters.rest.fields import Email, Moment, parse_moment
from adapters.rest.problems import problems
from adapters.rest.routing import CallerGiven
from adapters.rest.shapes import InsightPage, InsightView
from bot.activity import Person
from bot.errors import Refused
from bot.insight_desk import Listed, Wanted, insight_desk
from bot.insights import Details, Insight
from bot.services import Services

Plain = r"^[^\u0000-\u001f\u007f]*$"
Words = Annotated[str, Field(max_length=200, pattern=Plain)]
Severities = Literal["high", "medium", "low"]
Id = Annotated[
    str, Path(description="The insight's id.", pattern=r"^[A-Za-z0-9_-]{1,100}$", examples=["AKJ4e8-example"])
]
UserQuery = Annotated[Email | SkipJsonSchema[None], Query(description="Who asks; needed with a key.")]
AccountQuery = Annotated[list[Words] | SkipJsonSchema[None], Query(description="Any of these, by id or name.")]
AccountPlace = Annotated[str, Query(pattern=r"^([0-9]{12})?$", description="Spares the search, with the Region.")]
RegionPlace = Annotated[str, Query(pattern=r"^([a-z]{2}-[a-z-]{2,20}-[0-9])?$")]


class Insights:
    """Hands out what the intent of insights reads."""

    def __init__(self, services: Services, router: APIRouter) -> None:
        self._services = services
        router.add_api_route(
            "/v1/insights",
            self.list_insights,
            operation_id="list_insights",
            methods=["GET"],
            response_model=InsightPage,
            responses=problems(404, 502),
            summary="List insights, gravest and newest first",
            description="What is open, unless a time or a status is given. Closed ones without a time: of seven days.",
        )
        router.add_api_route(
            "/v1/insights/{id}",
            self.show_insight,
            operation_id="show_insight",
            methods=["GET"],
            response_model=InsightView,
            responses=problems(404, 502),
            summary="Show an insight with its metrics, events and recommendations",
        )

    async def list_insights(
        self,
        caller: CallerGiven,
        user: UserQuery = None,
        account: AccountQuery = None,
        ou: Annotated[list[Words] | SkipJsonSchema[None], Query(description="Any of these or below them.")] = None,
        region: Annotated[list[Words] | SkipJsonSchema[None], Query()] = None,
        stack: Annotated[Words, Query()] = "",
        service: Annotated[Words, Query(description="As DevOps Guru names it.", examples=["LAMBDA"])] = "",
        resource: Annotated[Words, Query(description="Part of a name.")] = "",
        tag: Annotated[Words, Query(description="key=value.", examples=["team=payments"])] = "",
        kind: Annotated[Literal["reactive", "proactive"] | SkipJsonSchema[None], Query()] = None,
        severity: Annotated[list[Severities] | SkipJsonSchema[None], Query()] = None,
        status: Annotated[Literal["open", "closed"] | SkipJsonSchema[None], Query()] = None,
        since: Annotated[Moment | SkipJsonSchema[None], Query(description="Opened then or later.")] = None,
        until: Annotated[Moment | SkipJsonSchema[None], Query(description="Opened then or before; with since.")] = None,
        cursor: Annotated[InsightCursor, Query()] = "",
        limit: Annotated[int, Query(ge=1, le=200, description="Most entries on one page.")] = 50,
    ) -> Response:
        """Return the insights that pass every filter, and what could not be looked at."""
        person = await self._admit(caller, user)
        wanted = Wanted(
            account=tuple(account or ()),
            unit=tuple(ou or ()),
            region=tuple(region or ()),
            stack=stack,
            service=service,
            resource=resource,
            tag=tag,
            kind=kind or "",
            severity=tuple(severity or ()),
            state=status or "",
            since=parse_moment(since) if since else None,
            until=parse_moment(until) if until else None,
        )
        listed = await insight_desk(self._services.registry).list_insights(
            person, wanted, insight_cursor_in(cursor), limit
        )
        return JSONResponse(
            {
                "insights": [view_of(insight, listed) for insight in listed.page.items],
                "total": listed.total,
                "sources": list(listed.sources),
                "missing": list(listed.missing),
                "unwatched": list(listed.unwatched),
                "next_cursor": insight_cursor_out(listed.page.next_cursor),
            }
        )

    async def show_insight(
        self,
        id: Id,
        caller: CallerGiven,
        user: UserQuery = None,
        account: AccountPlace = "",
        region: RegionPlace = "",
    ) -> Response:
        """Return one insight; without its account and Region it is looked for everywhere."""
        person = await self._admit(caller, user)
        details = await insight_desk(self._services.registry).show_insight(person, id, account, region)
        return JSONResponse(details_of(details))

    async def _admit(self, caller: Caller, user: str | None) -> Person | None:
        if user is None:
            if caller.key is None:
                return None  # the newcomer is alone on the machine
            raise Refused("Insights are shown to people only.", next_step="Name who asks: ?user=ana@corp.example")
        caller.speak_for(user)
        return await self._services.people.of_email(user)


def view_of(insight: Insight, listed: Listed | None = None) -> dict[str, Any]:
    """Return an insight as callers get it."""
    names, units = (listed.accounts, listed.units) if listed else ({}, {})
    return {
        "id": insight.id,
        "account": {"id": insight.account, "name": names.get(insight.account, "")},
        "ou": units.get(insight.unit, insight.unit),
        "region": insight.region,
        "name": insight.name,
        "description": insight.description,
        "severity": insight.severity.casefold(),
        "kind": "proactive" if insight.is_proactive else "reactive",
        "status": "open" if insight.is_open else "closed",
        "start": _iso(insight.start),
        "end": _iso(insight.end),
        "predicted_at": _iso(insight.prediction),
        "stacks": list(insight.stacks),
        "services": list(insight.services),
        "resources": list(insight.resources),
        "tags": list(insight.tags),
        "source": insight.source,
        "also": list(insight.also),
    }


def details_of(details: Details) -> dict[str, Any]:
    """Return all about one insight as callers get it."""
    return {
        **view_of(details.insight),
        "anomalies": [
            {
                "metric": anomaly.metric,
                "resource": anomaly.resource,
                "unit": anomaly.unit,
                "statistic": anomaly.statistic,
                "start": _iso(anomaly.start),
                "end": _iso(anomaly.end),
                "limit": anomaly.limit,
                "predicted_at": _iso(anomaly.prediction),
                "points": [[_iso(at), value] for at, value in anomaly.points],
                "expected": [[_iso(at), low, high] for at, low, high in anomaly.band],
                "figures": [{"label": c.label, "usually": c.usually, "now": c.now} for c in anomaly.comparisons],
            }
            for anomaly in details.anomalies
        ],
        "events": [
            {
                "at": _iso(event.at),
                "name": event.name,
                "source": event.source,
                "class": event.kind,
                "resources": list(event.resources),
            }
            for event in details.events
        ],
        "recommendations": [
            {
                "name": advice.name,
                "description": advice.description,
                "reason": advice.reason,
                "link": advice.link,
                "because": list(advice.because),
            }
            for advice in details.recommendations
        ],
        "missing": list(details.missing),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
