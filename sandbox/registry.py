"""Which operations the sandbox serves, and how each service words what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sandbox.errors import AwsError
from sandbox.paging import BadPageToken, take_page
from sandbox.sessions import Caller
from sandbox.world import World

Parameters = Mapping[str, Any]
Handler = Callable[["Context", Parameters], Mapping[str, Any]]


@dataclass(frozen=True)
class Context:
    """Who calls which service where; `caller` is the ARN of the `principal`."""

    account: str
    region: str
    service: str
    operation: str
    caller: str
    access_key: str
    world: World
    principal: Caller

    @property
    def now(self) -> float:
        """Seconds since the epoch on the simulated clock."""
        return self.world.clock.now()


@dataclass(frozen=True)
class Service:
    """A service: the name it is signed under, and its codes for what any of its operations may answer."""

    name: str
    signing_name: str
    invalid: str = "ValidationException"
    bad_page: str = "ValidationException"
    throttled: str = "ThrottlingException"
    denied: str = "AccessDeniedException"
    failed: str = "InternalServerException"
    throttled_status: int = 400
    denied_status: int = 400


@dataclass(frozen=True)
class Served:
    """A handler, whether it is called under the world's lock, and what holds for as long as a call takes."""

    handler: Handler
    locked: bool = True
    within: Callable[[Context, Parameters], AbstractContextManager[None]] | None = None


SERVICES: dict[str, Service] = {}
OPERATIONS: dict[tuple[str, str], Served] = {}


def serve(service: Service) -> Callable[..., Callable[[Handler], Handler]]:
    """Announce a service; returns the decorator that registers its operations' handlers."""
    SERVICES[service.name] = service

    def operation(
        *names: str,
        locked: bool = True,
        within: Callable[[Context, Parameters], AbstractContextManager[None]] | None = None,
    ) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            for name in names:
                OPERATIONS[service.name, name] = Served(handler, locked, within)
            return handler

        return register

    return operation


def services_signed_as(signing_name: str) -> list[Service]:
    """The services that share a name in the credential scope, such as ses and sesv2."""
    return [service for service in SERVICES.values() if service.signing_name == signing_name]


def page_of(
    context: Context,
    parameters: Parameters,
    entries: list[Any],
    *,
    cursor: str,
    size: str,
    default_size: int = 20,
) -> tuple[list[Any], str | None]:
    """A page of entries by the service's own parameter names; its own error for a foreign token."""
    listing = {name: value for name, value in parameters.items() if name not in (cursor, size)}
    try:
        return take_page(
            entries,
            size=parameters.get(size) or default_size,
            token=parameters.get(cursor),
            listing=[context.service, context.operation, listing],
        )
    except BadPageToken as error:
        code = SERVICES[context.service].bad_page
        raise AwsError(code, f"The {cursor} is not one that this listing handed out.") from error
