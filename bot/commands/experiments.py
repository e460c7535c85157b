"""`chaos stop`: from a shell, with no database and no bot that runs: one experiment, or all by FIS's safety lever."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Mapping
from typing import Any, NamedTuple

from bot.cloud import Cloud
from bot.errors import CloudError, SettingsError
from bot.settings import Settings

LEVER = "default"
REQUEST_TAG = "quartermaster-request"
"""The tag by which FIS knows which request an experiment was started for."""
ENDED = ("completed", "stopped", "failed", "cancelled")


class Place(NamedTuple):
    """An account, as the role that leads into it, and a Region."""

    role: str
    region: str


def stop_all(reason: str) -> int:
    """Stop every experiment and let none start; return 0 when that worked in every account and Region, else 1."""
    cloud, places = _reach()
    return asyncio.run(_engage(cloud, places, reason or f"Engaged from a shell by {getpass.getuser()}"))


def stop_one(named: str) -> int:
    """Stop the experiments of one request (qm-…), or the one with FIS's own id (EXP…).

    Return 0 when each is stopped or has ended, 1 when none was found or one could not be stopped or looked for.
    """
    cloud, places = _reach()
    return asyncio.run(_stop(cloud, places, named.strip()))


def _reach() -> tuple[Cloud, list[Place]]:
    from bot.main import build_cloud

    settings = Settings()  # not checked as a whole: it must work while half of it is broken
    places = [
        Place(role, r) for role in settings.chaos_role_arn for r in settings.chaos_regions or (settings.aws_region,)
    ]
    if not places:
        raise SettingsError("CHAOS_ROLE_ARN is not set, so there is nowhere to stop an experiment.")
    return build_cloud(settings), places


async def _stop(cloud: Cloud, places: list[Place], named: str) -> int:
    """Look in all places at once, and stop what is found in one before the others have answered."""

    async def stop_in(place: Place) -> tuple[int, bool]:
        found, is_good = 0, True
        try:
            async for run in cloud.pages(
                "fis", "ListExperiments", "experiments", region=place.region, role=place.role, maxResults=100
            ):
                if named.casefold() not in (run["id"].casefold(), run.get("tags", {}).get(REQUEST_TAG, "").casefold()):
                    continue
                found += 1
                is_good &= await _stop_run(cloud, place, run)
        except CloudError as error:
            print(f"FAILED   {place.region}  {place.role}: {error.plain}")
            return found, False
        return found, is_good

    done = await asyncio.gather(*(stop_in(place) for place in places))
    if not sum(found for found, _ in done):
        print(f"No experiment {named} was found. Name its request (qm-…) or FIS's own id (EXP…).")
        return 1
    return 0 if all(is_good for _, is_good in done) else 1


async def _stop_run(cloud: Cloud, place: Place, run: Mapping[str, Any]) -> bool:
    if run["state"]["status"] in ENDED:
        print(f"{run['state']['status']} already  {place.region}  {run['id']}")
        return True
    try:
        await cloud.call("fis", "StopExperiment", region=place.region, role=place.role, id=run["id"])
    except CloudError as error:
        if error.code != "ValidationException":  # it has ended meanwhile
            print(f"FAILED   {place.region}  {run['id']}: {error.plain}")
            return False
    print(f"stopping  {place.region}  {run['id']}")
    return True


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
