"""`chaos stop`: engages FIS's safety lever everywhere, from a shell, with no database and no bot that runs."""

from __future__ import annotations

import asyncio
import getpass
from typing import NamedTuple

from bot.cloud import Cloud
from bot.errors import CloudError, SettingsError
from bot.settings import Settings

LEVER = "default"


class Place(NamedTuple):
    """An account, as the role that leads into it, and a Region."""

    role: str
    region: str


def stop_all(reason: str) -> int:
    """Stop every experiment and let none start; return 0 when that worked in every account and Region, else 1."""
    from bot.main import build_cloud

    settings = Settings()  # not checked as a whole: it must work while half of it is broken
    places = [
        Place(role, r) for role in settings.chaos_role_arn for r in settings.chaos_regions or (settings.aws_region,)
    ]
    if not places:
        raise SettingsError("CHAOS_ROLE_ARN is not set, so there is no safety lever to engage.")
    said = reason or f"Engaged from a shell by {getpass.getuser()}"
    return asyncio.run(_engage(build_cloud(settings), places, said))


async def _engage(cloud: Cloud, places: list[Place], reason: str) -> int:
    async def engage(place: Place) -> bool:
        state = {"status": "engaged", "reason": reason}
        try:
            await cloud.call(
                "fis", "UpdateSafetyLeverState", region=place.region, role=place.role, id=LEVER, state=state
            )
        except CloudError as error:
            if error.code != "ConflictException":  # engaged already
                print(f"FAILED   {place.region}  {place.role}: {error.plain}")
                return False
        print(f"engaged  {place.region}  {place.role}")
        return True

    done = await asyncio.gather(*(engage(place) for place in places))
    if all(done):
        print("No experiment starts until somebody says “allow experiments again”, or disengages the lever in FIS.")
        return 0
    print("Engage it where it failed in the console of FIS, or stop the experiments there.")
    return 1
