"""The way of every REST call: let the caller in, read the body, and turn what goes wrong into a problem."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from adapters.rest.bodies import Posted, ReadRequest, read_json
from adapters.rest.callers import Caller, Door, KeyRefused
from adapters.rest.problems import invalid_fields, problem_response
from adapters.rest.refused_keys import RefusedKeys
from bot.errors import QuartermasterError

Handler = Callable[[Request], Awaitable[Response]]


def router_behind(door: Door, refused: RefusedKeys) -> APIRouter:
    """Return a router whose routes admit callers before they read a byte, and answer errors as problems."""

    class Route(APIRoute):
        def __init__(self, *given: Any, **options: Any) -> None:
            super().__init__(*given, **options)
            if not door.needs_key:
                # FastAPI adds this to the bearer scheme: documented, and optional as long as no keys are set.
                self.openapi_extra = {"security": [{}]}

        def get_route_handler(self) -> Handler:  # type: ignore[override]
            scopes = {method: SCOPE_OF.get((method, self.path), "") for method in self.methods or ()}
            return _guarded(super().get_route_handler(), door, refused, scopes, reads=self.body_field is not None)

    return APIRouter(route_class=Route, tags=["rest"])


SCOPE_OF = {
    ("POST", "/account"): "ask",
    ("POST", "/v1/messages"): "ask",
    ("GET", "/v1/conversations/{id}/messages"): "ask",
    ("GET", "/v1/requests"): "read",
    ("GET", "/v1/requests/{id}"): "read",
    ("POST", "/v1/requests/{id}/cancel"): "cancel",
    ("GET", "/v1/audit"): "audit",
    ("GET", "/v1/reports/{month}.csv"): "report",
    ("GET", "/v1/insights"): "insight",
    ("GET", "/v1/insights/{id}"): "insight",
    ("POST", "/v1/chaos/runs"): "",
    ("GET", "/v1/chaos/runs/{id}"): "",
    ("GET", "/v1/chaos/runs/{id}/report"): "",
    ("POST", "/v1/chaos/runs/{id}/stop"): "",
    ("GET", "/v1/deployments"): "",
    ("POST", "/v1/deployments"): "",
    ("POST", "/v1/rollouts"): "",
    ("GET", "/v1/rollouts/{id}"): "",
    ("POST", "/v1/rollouts/{id}/stop"): "",
}
"""What a person's own key must be for; it opens no route that is missing here, or says nothing."""


def _guarded(handle: Handler, door: Door, refused: RefusedKeys, scopes: Mapping[str, str], *, reads: bool) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            request.state.caller = caller = await door.admit(request)
            caller.require(scopes.get(request.method, ""))
            return await handle(await read_json(request) if reads else request)
        except RequestValidationError as error:
            return problem_response(invalid_fields(error))
        except KeyRefused as error:
            await refused.keep(request, request.state.caller, error)
            return problem_response(error)
        except QuartermasterError as error:
            return problem_response(error)

    return guarded


_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key of API_KEYS, or one that a person made in the console. "
    "Not needed in the embedded default while no keys are set.",
)


def _caller(request: Request, documented: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> Caller:
    return cast(Caller, request.state.caller)


def _posted(request: Request) -> Posted:
    return cast(ReadRequest, request).posted


CallerGiven = Annotated[Caller, Depends(_caller)]
PostedGiven = Annotated[Posted, Depends(_posted)]
