"""Deployments and roll-outs for programs: a registry to read and fill, and versions to roll out, look at and stop."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from adapters.rest.callers import Caller
from adapters.rest.conversations import conversation_of
from adapters.rest.fields import Reason
from adapters.rest.problems import problems
from adapters.rest.records import RequestPath, find_record
from adapters.rest.repeats import DOCUMENTED, IdempotencyKey, Repeats
from adapters.rest.routing import CallerGiven, PostedGiven
from adapters.rest.shapes import CancelCall, User
from adapters.rest.turns import CHANNEL
from bot.errors import Invalid, NotFound
from bot.intent import Change
from bot.ordering import place_request
from bot.releases.registry import MOST, deployments_from, records_of_csv
from bot.releases.rollouts import Rollouts
from bot.requests import STATES, RequestRecord
from bot.services import Services
from bot.stopping import Stopping

INTENT = "RollOut"
KIND = "rollout"
FIRST_ANSWER = 25.0
"""Seconds that a repeated call waits for the first one's answer."""
SHOWN = 1_000
"""Targets that are shown of a roll-out."""


class DeploymentView(BaseModel):
    """One deployment; `version` and `commit` are empty until something was rolled out to it from here."""

    component: str = Field(examples=["checkout"])
    id: str = Field(examples=["acme"])
    type: str = Field(json_schema_extra={"enum": ["silo", "pool"]})
    account: str
    region: str
    tier: str
    tenants: int
    ring: str
    tags: list[str]
    window: str
    version: str
    commit: str
    pinned: str
    pipeline: str = Field(description="The pipeline that changes it; empty where CodeDeploy does.")
    codedeploy: str = Field(description="What CodeDeploy changes instead.", examples=["lambda:app/group/prices/live"])


class DeploymentList(BaseModel):
    """All deployments, or those of a component."""

    deployments: list[DeploymentView]


class DeploymentsCall(BaseModel):
    """Deployments to add, or to replace, on behalf of an operator: as records, or as CSV with a line of names."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    user: User
    deployments: Annotated[
        list[dict[str, str | int | list[str]]],
        Field(max_length=MOST, description="Records with id, type, account, region, and component, tier, tenants, …"),
    ] = []
    csv: Annotated[str, Field(max_length=900_000, description="The same as CSV, instead.")] = ""


class DeploymentsKept(BaseModel):
    """How many were kept."""

    count: int


class RolloutCall(BaseModel):
    """A version to roll out, on behalf of a person."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    user: User
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,79}$", examples=["2.4.1"])]
    waves: Annotated[str, Field(min_length=1, max_length=500, examples=["canary first, then 10 %, then everyone"])]
    component: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,62})?$")] = ""
    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{7,64})?$")] = ""
    hotfix: Annotated[Reason, Field(description="Why it goes through a freeze; empty when it is no hotfix.")] = ""


class TargetView(BaseModel):
    """One deployment of a roll-out; waves count from 1."""

    name: str
    wave: int
    state: str
    execution: str
    why: str


class RolloutView(BaseModel):
    """One roll-out; `phase` and what follows are empty until it has begun."""

    id: str = Field(examples=["qm-7k3m9qxa"])
    state: str = Field(json_schema_extra={"enum": list(STATES)})
    component: str
    version: str
    commit: str
    strategy: str
    phase: str
    wave: int
    reason: str
    counts: dict[str, int]
    targets: list[TargetView]
    text: str = Field(description="What came of it.")


class Releases:
    """The routes under /v1/deployments and /v1/rollouts."""

    def __init__(self, services: Services, repeats: Repeats, router: APIRouter) -> None:
        self._services, self._repeats = services, repeats
        self._rollouts = Rollouts(services.database, services.clock)
        self._stopping = Stopping(services)
        router.add_api_route(
            "/v1/deployments",
            self.list_deployments,
            operation_id="list_deployments",
            methods=["GET"],
            response_model=DeploymentList,
            responses=problems(),
            summary="List deployments",
        )
        router.add_api_route(
            "/v1/deployments",
            self.keep_deployments,
            operation_id="keep_deployments",
            methods=["POST"],
            response_model=DeploymentsKept,
            responses=problems(409, 413, 415, 502),
            summary="Add or replace deployments",
            description=f"For operators; into accounts under DEPLOYMENT_OUS only; all or none are kept. {DOCUMENTED}",
        )
        # Two routes share this address: each alone would tell of its own method only.
        router.add_api_route(
            "/v1/deployments",
            self.take_no_other,
            methods=["OPTIONS", "PUT", "PATCH", "DELETE"],
            include_in_schema=False,
        )
        router.add_api_route(
            "/v1/rollouts",
            self.start_rollout,
            operation_id="start_rollout",
            methods=["POST"],
            response_model=RolloutView,
            responses=problems(404, 409, 413, 415, 502),
            summary="Ask for a roll-out",
            description=f"Policies say who has to approve. {DOCUMENTED}",
        )
        router.add_api_route(
            "/v1/rollouts/{id}",
            self.show_rollout,
            operation_id="show_rollout",
            methods=["GET"],
            response_model=RolloutView,
            responses=problems(404),
            summary="Show how a roll-out stands",
        )
        router.add_api_route(
            "/v1/rollouts/{id}/stop",
            self.stop_rollout,
            operation_id="stop_rollout",
            methods=["POST"],
            response_model=RolloutView,
            responses=problems(404, 409, 413, 415, 502),
            summary="Stop a roll-out",
        )

    async def list_deployments(
        self,
        caller: CallerGiven,
        component: Annotated[str, Query(max_length=80, description="Of this component only.")] = "",
    ) -> Response:
        """Return all deployments, or those of a component."""
        listed = await self._services.deployments.all(component)
        views = []
        for one in listed:
            view = {**asdict(one), "type": one.kind, "pipeline": one.pipeline}
            views.append({name: view[name] for name in DeploymentView.model_fields})
        return JSONResponse({"deployments": views})

    async def take_no_other(self) -> Response:
        """Refuse other methods."""
        raise HTTPException(405, headers={"Allow": "GET, POST"})

    async def keep_deployments(
        self,
        body: DeploymentsCall,
        request: Request,
        caller: CallerGiven,
        posted: PostedGiven,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Keep all of them, or none when one is at fault."""
        caller.speak_for(body.user.email)
        person = await self._services.people.of_email(body.user.email, name=body.user.name)
        self._services.policy.may_pause(person).require()
        if bool(body.deployments) == bool(body.csv):
            raise Invalid("Send either deployments or csv.", field="deployments")
        found = deployments_from(body.deployments or records_of_csv(body.csv))
        await self._services.deployable.require(found)
        claim = await self._repeats.claim(caller, request, idempotency_key, posted)
        answer = await self._repeats.first_answer(claim, FIRST_ANSWER)
        if answer is None:
            count = await self._services.deployments.keep(found, person, surface=CHANNEL)
            answer = await self._repeats.keep(claim, {"count": count})
        return JSONResponse(answer)

    async def start_rollout(
        self,
        body: RolloutCall,
        request: Request,
        caller: CallerGiven,
        posted: PostedGiven,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Plan the roll-out and put it up for approval; what stands against it is a 409."""
        caller.speak_for(body.user.email)
        claim = await self._repeats.claim(caller, request, idempotency_key, posted)
        answer = await self._repeats.first_answer(claim, FIRST_ANSWER)
        if answer is None:
            person = await self._services.people.of_email(body.user.email, name=body.user.name)
            given = {
                "Version": body.version,
                "Waves": body.waves,
                **({"Component": body.component} if body.component else {}),
                **({"Commit": body.commit} if body.commit else {}),
                **({"HotfixReason": body.hotfix} if body.hotfix else {}),
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
            answer = await self._repeats.keep(claim, await self._view(record))
        return JSONResponse(answer)

    async def show_rollout(self, id: RequestPath, caller: CallerGiven) -> Response:
        """Return one roll-out of the caller's."""
        return JSONResponse(await self._view(await self._find(caller, id)))

    async def stop_rollout(self, id: RequestPath, caller: CallerGiven, body: CancelCall | None = None) -> Response:
        """Stop it on behalf of `user`, or of who asked for it when nobody is named. Stopping twice is like once."""
        record = await self._find(caller, id)
        user = body.user if body else None
        email = user.email if user else record.requester.email
        caller.speak_for(email)
        person = record.requester if user is None else await self._services.people.of_email(email, name=user.name)
        if record.state not in ("stopping", "stopped"):
            record, _ = await self._stopping.stop(record.id, person, surface=CHANNEL, owner=caller.sees)
        return JSONResponse(await self._view(record))

    def _intent(self) -> Change:
        intent = self._services.registry.get(INTENT)
        if not isinstance(intent, Change):
            raise NotFound("Roll-outs are not installed here.")
        return intent

    async def _find(self, caller: Caller, request_id: str) -> RequestRecord:
        record = await find_record(self._services, caller, request_id)
        if record.intent != INTENT:
            raise NotFound(f"There is no roll-out {record.id}.")
        return record

    async def _view(self, record: RequestRecord) -> dict[str, Any]:
        rollout = await self._rollouts.find(record.id)
        targets = await self._rollouts.targets(record.id, limit=SHOWN) if rollout else []
        counts: dict[str, int] = {}
        for wave in (await self._rollouts.counts(record.id)).values() if rollout else ():
            for state, count in wave.items():
                counts[state] = counts.get(state, 0) + count
        effects = record.plan.effects
        return {
            "id": record.id,
            "state": record.state,
            "component": effects["component"],
            "version": effects["version"],
            "commit": effects["commit"],
            "strategy": effects["strategy"],
            "phase": rollout.phase if rollout else "",
            "wave": rollout.wave + 1 if rollout else 0,
            "reason": rollout.reason if rollout else "",
            "counts": counts,
            "targets": [
                {"name": t.key, "wave": t.wave + 1, "state": t.state, "execution": t.execution, "why": t.why}
                for t in targets
            ],
            "text": str((record.outcome or {}).get("text", "")),
        }
