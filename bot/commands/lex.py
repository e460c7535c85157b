"""`lex diff|deploy|rollback|policy`: the Lex V2 bot in AWS, made from the intents' definitions."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import sys
from typing import Any

from bot import logs
from bot.clock import SystemClock
from bot.cloud import Cloud
from bot.lexshape import lex_definition
from bot.settings import Settings


def run(chosen: argparse.Namespace) -> int:
    """Carry one of the commands out; raises QuartermasterError."""
    logs.configure("error", plain=True)
    match chosen.what:
        case "diff":
            return asyncio.run(_diff(chosen))
        case "deploy":
            return asyncio.run(_deploy(chosen))
        case "rollback":
            return asyncio.run(_rollback(chosen))
        case _:
            return _policy(chosen)


async def _diff(chosen: argparse.Namespace) -> int:
    found = await _deployer(chosen).diff(prune=chosen.prune)
    for step in found.steps:
        print(step)
        for difference in step.differences:
            print(f"    {difference}")
    for step in found.stays:
        print(f"stays, though no longer wanted: {step.kind} {step.name} (--prune deletes it)")
    for move in found.moves:
        print(move)
    if not found.moves:
        print("Nothing to change.")
    return int(bool(found.moves))


async def _deploy(chosen: argparse.Namespace) -> int:
    building = importlib.import_module("adapters.lex.building")
    progress = building.ProgressBar(sys.stderr)
    done = await _deployer(chosen, progress).deploy(prune=chosen.prune)
    for step in done.stays:
        print(f"stays, though no longer wanted: {step.kind} {step.name} (--prune deletes it)")
    if done.changed and not done.steps:
        print(f"The draft needed no change; {chosen.environment} is now version {done.version}.")
    elif done.changed:
        print(f"{len(done.steps)} changes; {chosen.environment} is version {done.version}.")
    else:
        print(f"Nothing to change; {chosen.environment} is version {done.version}.")
    print(f"LEX_BOT_ID={done.bot_id}\nLEX_BOT_ALIAS_ID={done.alias_id}")
    return 0


async def _rollback(chosen: argparse.Namespace) -> int:
    before, now = await _deployer(chosen).rollback(chosen.to)
    if before == now:
        print(f"{chosen.environment} is version {now} already.")
    else:
        print(f"{chosen.environment} was version {before} and is version {now}.")
    return 0


def _policy(chosen: argparse.Namespace) -> int:
    settings = Settings()
    building = importlib.import_module("adapters.lex.building")
    policy = building.least_policy(
        chosen.role,
        region=settings.lex_region,
        account=chosen.account,
        bot_id=settings.lex_bot_id or "*",
        alias_id=settings.lex_bot_alias_id or "*",
    )
    print(json.dumps(policy, indent=2))
    return 0


def _deployer(chosen: argparse.Namespace, progress: Any = None) -> Any:
    """Return the deployer for these settings, which are not checked as a whole: Lex needs no mail and no sign-in."""
    from bot.main import build_cloud, build_services, discover

    settings = Settings()
    cloud: Cloud = build_cloud(settings)
    registry = discover(build_services(settings, SystemClock(), cloud))
    building = importlib.import_module("adapters.lex.building")
    target = building.Target(
        region=settings.lex_region,
        locale=settings.lex_locale_id,
        environment=chosen.environment,
        bot_name=chosen.name,
        bot_id=settings.lex_bot_id,
    )
    where = f"the sandbox at {settings.aws_endpoint_url}" if settings.is_sandbox else f"AWS, {target.region}"
    print(f"{target.bot_id or target.bot_name}, {target.locale}, in {where}", file=sys.stderr)
    definition = lex_definition(registry, name=chosen.name, locale=settings.lex_locale_id, samples=True)
    return building.Deployer(cloud, target, definition, progress=progress)
