"""Experiments for programs: a key starts those templates that it is bound to, looks at its runs, and stops them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from adapters.rest.callers import Caller, KeyRefused
from adapters.rest.chaos_shapes import ReportView, RunCall, RunView
from adapters.rest.conversations import conversation_of
from adapters.rest.problems import problems
from adapters.rest.records import RequestPath, acting_person, find_record
from adapters.rest.repeats import DOCUMENTED, IdempotencyKey, Repeats
from adapters.rest.routing import CallerGiven, PostedGiven
from adapters.rest.shapes import CancelCall
from adapters.rest.turns import CHANNEL
from bot.errors import NotFound
from bot.intent import Change
from bot.ordering import place_request
from bot.reporting import export_report
from bot.requests import RequestRecord
from bot.requests.record import PROGRESS
from bot.services import Services
from bot.stopping import Stopping

INTENT = "StartExperiment"
KIND = "chaos"
FIRST_ANSWER = 25.0
"""Seconds that a repeated call waits for the first one's answer."""


class Chaos:
    """The routes under /v1/chaos."""

    def __init__(self, services: Services, repeats: Repeats, router: APIRouter) -> None:
        self._services, self._repeats = services, repeats
        self._stopping = Stopping(services)
        self._bound = frozenset(services.settings.chaos_runs)
        router.add_api_route(
            "/v1/chaos/runs",
            self.start_run,
            operation_id="start_chaos_run",
            methods=["POST"],
            response_model=RunView,
            responses=problems(409, 413, 415, 502),
            summary="Ask for an experiment",
            description=f"Keys are bound to templates by CHAOS_RUNS; policies say who has to approve. {DOCUMENTED}",
        )
        router.add_api_route(
            "/v1/chaos/runs/{id}",
            self.show_run,
            operation_id="show_chaos_run",
            methods=["GET"],
            response_model=RunView,
            responses=problems(404),
            summary="Show how an experiment stands",
        )
        router.add_api_route(
            "/v1/chaos/runs/{id}/report",
            self.show_report,
            operation_id="show_chaos_report",
            methods=["GET"],
            response_model=ReportView,
            responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, **problems(404, 502)},
            summary="Show what an experiment did to alarms and metrics",
            description="`format=html` gives a page that stands alone, with its charts.",
        )
        router.add_api_route(
            "/v1/chaos/runs/{id}/stop",
            self.stop_run,
            operation_id="stop_chaos_run",
            methods=["POST"],
            response_model=RunView,
            responses=problems(404, 409, 413, 415, 502),
            summary="Stop an experiment at once",
        )

    async def start_run(
        self,
        body: RunCall,
        request: Request,
        caller: CallerGiven,
        posted: PostedGiven,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Plan the experiment and put it up for approval; what stands against it is a 409."""
        caller.speak_for(body.user.email)
        if caller.key and f"{caller.owner}:{body.template}" not in self._bound:
            raise KeyRefused(
                f"This key may not run the template {body.template}.",
                next_step=f"Whoever runs the bot binds it: CHAOS_RUNS={caller.owner}:{body.template}.",
            )
        claim = await self._repeats.claim(caller, request, idempotency_key, posted)
        answer = await self._repeats.first_answer(claim, FIRST_ANSWER)
        if answer is None:
            person = await self._services.people.of_email(body.user.email, name=body.user.name)
            given = {
                "Experiment": body.template,
                "Expectation": body.expectation or "no alarm of its stop conditions fires",
                "Via": "pipeline",
                **({"RunTime": f"PT{body.minutes}M"} if body.minutes else {}),
            }
            record = await place_request(
                self._services,
                self._intent(),
                given,
                person,
                conversation=conversation_of(caller, person.email, claim.name, kind=KIND),
                channel=CHANNEL,
                owner=caller.owner if caller.key else "",
            )
            answer = await self._repeats.keep(claim, view_of(record))
        return JSONResponse(answer)

    async def show_run(self, id: RequestPath, caller: CallerGiven) -> Response:
        """Return one run of the caller's."""
        return JSONResponse(view_of(await self._find(caller, id)))

    async def show_report(
        self, id: RequestPath, caller: CallerGiven, format: Annotated[Literal["json", "html"], Query()] = "json"
    ) -> Response:
        """Return the report of one of the caller's runs, once it has begun."""
        exported = await export_report(self._services.registry, await self._find(caller, id))
        if format == "json":
            return JSONResponse(exported.data)
        headers = {"content-disposition": f'attachment; filename="{exported.name}.html"', "cache-control": "no-store"}
        return Response(exported.page, media_type="text/html; charset=utf-8", headers=headers)

    async def stop_run(self, id: RequestPath, caller: CallerGiven, body: CancelCall | None = None) -> Response:
        """Stop it on behalf of `user`, or of who asked for it when nobody is named. Stopping twice is like once."""
        record = await self._find(caller, id)
        person = await acting_person(self._services, caller, record, body)
        if record.state not in ("stopping", "stopped"):
            record, _ = await self._stopping.stop(record.id, person, surface=CHANNEL, owner=caller.sees)
        return JSONResponse(view_of(record))

    def _intent(self) -> Change:
        intent = self._services.registry.get(INTENT)
        if not isinstance(intent, Change):
            raise NotFound("Experiments are not installed here.")
        return intent

    async def _find(self, caller: Caller, request_id: str) -> RequestRecord:
        record = await find_record(self._services, caller, request_id)
        if record.intent != INTENT:
            raise NotFound(f"There is no experiment {record.id}.")
        return record


def view_of(record: RequestRecord) -> dict[str, Any]:
    """Return a run as JSON types; keys as RunView has them."""
    outcome: dict[str, Any] = record.outcome or {}
    return {
        "id": record.id,
        "state": record.state,
        "template": record.plan.effects["template"],
        "name": record.plan.effects["name"],
        "experiment": str(record.notes.get("experiment", "")),
        "status": str(outcome.get("status", "")),
        "verdict": str(outcome.get("verdict", "")),
        "text": str(outcome.get("text", "")),
        "progress": [
            dict(zip(("mark", "name", "sentence"), line, strict=True)) for line in record.notes.get(PROGRESS, ())
        ],
    }
