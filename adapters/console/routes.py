"""What every route of the console has in common: a visit, errors as pages, the headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.limits import DOING, LOOKING, SIGNING_IN, STRANGERS, Limits, TooOften
from adapters.console.pages import HEADERS, Pages, is_partial
from adapters.console.visits import Doorkeeper, SignInNeeded, Visit
from bot.errors import QuartermasterError
from bot.guard import address_of

Handler = Callable[[Request], Awaitable[Response]]


class ConsoleRouter:
    """Adds routes to one APIRouter, each wrapped the same way."""

    def __init__(self, doorkeeper: Doorkeeper, pages: Pages, limits: Limits) -> None:
        self._doorkeeper, self._pages, self._limits = doorkeeper, pages, limits
        self.router = APIRouter(route_class=self._route_class(), include_in_schema=False)

    def add(self, method: str, path: str, handler: Handler) -> None:
        """Serve a path; GET routes answer HEAD too."""
        methods = ["GET", "HEAD"] if method == "GET" else [method]

        async def endpoint(request: Request) -> Response:
            return await handler(request)

        endpoint.__name__ = f"console_{handler.__name__}"
        self.router.add_api_route(path, endpoint, methods=methods, response_model=None)

    def _route_class(self) -> type[APIRoute]:
        doorkeeper, pages, limits = self._doorkeeper, self._pages, self._limits

        class ConsoleRoute(APIRoute):
            """Opens a visit before the handler and writes its cookies and headers after it."""

            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                handle = super().get_route_handler()

                async def handle_visit(request: Request) -> Response:
                    visit = request.state.visit = await doorkeeper.open(request)
                    try:
                        _count(limits, request, visit)
                        response = await handle(request)
                    except SignInNeeded as error:
                        response = _to_sign_in(request) if _can_go(request) else pages.error(request, error)
                    except TooOften as error:
                        response = pages.error(request, error)
                        response.headers["retry-after"] = str(error.retry_after)
                    except QuartermasterError as error:
                        response = pages.error(request, error)
                    await doorkeeper.close(visit, response)
                    for name, value in HEADERS.items():
                        response.headers[name] = value
                    return response

                return handle_visit

        return ConsoleRoute


def _count(limits: Limits, request: Request, visit: Visit) -> None:
    """Count a request towards what its sender may ask; raises TooOften."""
    if request.url.path.startswith("/signin"):
        limits.count(SIGNING_IN, address_of(request))
    if visit.person is None:
        limits.count(STRANGERS, address_of(request))
    else:
        limits.count(LOOKING if request.method in {"GET", "HEAD"} else DOING, visit.person.id)


def _can_go(request: Request) -> bool:
    return request.method in {"GET", "HEAD"} and not is_partial(request) and not request.url.path.endswith("/events")


def _to_sign_in(request: Request) -> Response:
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/signin?next={quote(wanted, safe='/')}", 303)
