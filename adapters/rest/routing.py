"""The way of every REST call: let the caller in, read the body, and turn what goes wrong into a problem."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from adapters.rest.bodies import Posted, ReadRequest, read_json
from adapters.rest.callers import Caller, Door
from adapters.rest.problems import invalid_fields, problem_response
from bot.errors import QuartermasterError

Handler = Callable[[Request], Awaitable[Response]]


def router_behind(door: Door) -> APIRouter:
    """Return a router whose routes admit callers before they read a byte, and answer errors as problems."""

    class Route(APIRoute):
        def __init__(self, *given: Any, **options: Any) -> None:
            super().__init__(*given, **options)
            if not door.needs_key:
                # FastAPI adds this to the bearer scheme: documented, and optional as long as no keys are set.
                self.openapi_extra = {"security": [{}]}

        def get_route_handler(self) -> Handler:  # type: ignore[override]
            return _guarded(super().get_route_handler(), door, reads=self.body_field is not None)

    return APIRouter(route_class=Route, tags=["rest"])


def _guarded(handle: Handler, door: Door, *, reads: bool) -> Handler:
    async def guarded(request: Request) -> Response:
        try:
            request.state.caller = door.admit(request)
            return await handle(await read_json(request) if reads else request)
        except RequestValidationError as error:
            return problem_response(invalid_fields(error))
        except QuartermasterError as error:
            return problem_response(error)

    return guarded


_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    description="A key of API_KEYS. Not needed in the embedded default while no keys are set.",
)


def _caller(request: Request, documented: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> Caller:
    return cast(Caller, request.state.caller)


def _posted(request: Request) -> Posted:
    return cast(ReadRequest, request).posted


CallerGiven = Annotated[Caller, Depends(_caller)]
PostedGiven = Annotated[Posted, Depends(_posted)]
