"""What stories about roll-outs do again and again."""

from __future__ import annotations

from sqlalchemy import func, select

from bot.database.tables import audit
from bot.releases.registry import deployment_from
from bot.releases.rollouts import Rollouts, Target
from tests.stories.accounts import is_approved
from tests.support.stage import Approver, Speaker, Stage, eventually

BOOTH, WEB, TEST = "444466667777", "666677778888", "666688889999"
TENANTS = (
    {"component": "shop", "id": "1", "type": "pool", "account": WEB, "region": "us-east-1", "tenants": "20"},
    {"component": "shop", "id": "2", "type": "pool", "account": WEB, "region": "us-east-1", "tenants": "30"},
    {"component": "shop", "id": "7", "type": "pool", "account": TEST, "region": "eu-central-1", "tenants": "8"},
    {"component": "shop", "id": "acme", "type": "silo", "account": BOOTH, "region": "us-east-1", "ring": "early"},
    {"component": "shop", "id": "initech", "type": "silo", "account": "555566667777", "region": "us-east-1"},
)
"""Five of the sandbox's pipelines, as records."""


async def knows(stage: Stage, *records: dict[str, str]) -> None:
    """Fill the registry."""
    services = stage.application.services
    person = await services.people.of_email("ola@corp.example", name="Ola")
    await services.deployments.keep([deployment_from(r) for r in records or TENANTS], person, surface="test")


async def is_rolling(stage: Stage, ana: Speaker, bo: Approver, waves: str = "canary first, then everyone") -> str:
    """Have 2.4.1 planned and approved, and begun; return its request."""
    await ana.says("roll out 2.4.1")
    ana.hears("In which waves?")
    await ana.says(waves)
    request = await is_approved(ana, bo)
    await ana.hears_later("has begun")
    return request


async def stands(stage: Stage, request: str, **states: int) -> None:
    """Wait until so many targets are in these states; time goes on meanwhile by nothing but what is advanced."""
    found: dict[str, int] = {}

    async def is_so() -> bool:
        found.clear()
        for target in await targets(stage, request):
            found[target.state] = found.get(target.state, 0) + 1
        return all(found.get(state, 0) == count for state, count in states.items())

    await eventually(is_so, lambda: f"{request} stands at {found}, not at {states}")


async def targets(stage: Stage, request: str) -> list[Target]:
    """Return the roll-out's targets."""
    services = stage.application.services
    return await Rollouts(services.database, services.clock).targets(request)


async def waits_for_its_own_approval(stage: Stage, request: str) -> None:
    """Wait until a target's pipeline is seen to wait for its manual approval."""

    async def is_so() -> bool:
        return any(target.detail.get("approval") for target in await targets(stage, request))

    await eventually(is_so, lambda: f"no pipeline of {request} waits for an approval")


async def has_looked(stage: Stage, request: str) -> None:
    """Wait until what runs was looked at once, and found to run."""

    async def is_so() -> bool:
        return any(target.detail.get("looks") for target in await targets(stage, request))

    await eventually(is_so, lambda: f"nothing of {request} was looked at")


async def is_called(stage: Stage, operation: str) -> None:
    """Wait until an operation of AWS was called."""

    async def is_so() -> bool:
        return bool(await stage.calls(operation))

    await eventually(is_so, lambda: f"{operation} was not called")


async def is_in_phase(stage: Stage, request: str, phase: str) -> None:
    """Wait until a roll-out is in a phase."""
    services = stage.application.services

    async def is_so() -> bool:
        return (await Rollouts(services.database, services.clock).require(request)).phase == phase

    await eventually(is_so, lambda: f"{request} does not come to {phase}")


async def recorded(stage: Stage, request: str, event: str) -> int:
    """Return how often the record says something of a request."""
    query = select(func.count()).where(audit.c.request_id == request, audit.c.kind == event)
    async with stage.application.services.database.read() as connection:
        return int((await connection.execute(query)).scalar_one())
