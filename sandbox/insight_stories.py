"""The stories that can be asked for: a deployment, what comes of it, and the fix after which it is over."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.errors import ControlError
from sandbox.landing_zone import GOVERNED_REGIONS
from sandbox.model import PlayedStory
from sandbox.world import World

_MINUTE, _HOUR = 60.0, 3_600.0
WEBSHOP = "666677778888"


@dataclass(frozen=True)
class Story:
    """Times in simulated seconds: from the deployment to the insight, from there to a higher severity, from the fix."""

    description: str
    severity: str
    opens_after: float
    raised_after: float
    closes_after: float


PLAYED = {
    "lambda-duration": Story(
        "A deployment slows the function checkout-handler down; provisioned concurrency mends it.",
        "HIGH",
        12 * _MINUTE,
        30 * _MINUTE,
        15 * _MINUTE,
    ),
    "ecs-memory": Story(
        "After a deployment the memory of the ECS service orders climbs towards its limit; more memory mends it.",
        "HIGH",
        35 * _MINUTE,
        4 * _HOUR,
        20 * _MINUTE,
    ),
}


def play(world: World, wish: Mapping[str, Any]) -> PlayedStory:
    """Begin a story, or with "fixed" mend the newest of that name that is not; ControlError when it can't be."""
    unknown = set(wish) - {"name", "account", "region", "fixed"}
    name = wish.get("name")
    if unknown or name not in PLAYED:
        raise ControlError(
            422, f'A story takes "name" ({" or ".join(PLAYED)}) and may take "account", "region" and "fixed".'
        )
    account, region = str(wish.get("account", WEBSHOP)), str(wish.get("region", GOVERNED_REGIONS[0]))
    if account not in world.zone.accounts:
        raise ControlError(422, f"There is no account {account}.")
    if region not in GOVERNED_REGIONS:
        raise ControlError(422, f"The Regions are {' and '.join(GOVERNED_REGIONS)}.")
    if not wish.get("fixed"):
        return begin(world, str(name), account, region)
    story = fix(world, str(name), account, region)
    if story is None:
        raise ControlError(422, f"No story {name} goes on in {account}, {region}.")
    return story


def begin(world: World, name: str, account: str, region: str) -> PlayedStory:
    """Begin a story with its deployment, now."""
    story = PlayedStory(secrets.token_hex(6), name, account, region, _MINUTE * (world.clock.now() // _MINUTE))
    world.zone.stories[story.id] = story
    world.changed()
    return story


def going_on(world: World, name: str, account: str, region: str) -> PlayedStory | None:
    """The newest story of that name that is not mended there, None when there is none."""
    wanted = (name, account, region, None)
    stories = reversed(world.zone.stories.values())
    return next((s for s in stories if (s.kind, s.account_id, s.region, s.fixed_at) == wanted), None)


def fix(world: World, name: str, account: str, region: str) -> PlayedStory | None:
    """Mend what the newest story of that name is about, None when none goes on there."""
    story = going_on(world, name, account, region)
    if story is not None:
        story.fixed_at = world.clock.now()
        world.changed()
    return story
