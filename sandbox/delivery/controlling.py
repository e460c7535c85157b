"""The control routes on deliveries: many pipelines or functions at once, how pipelines stand, and commits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.delivery.deployables import ALIAS, GROUP, Deployable, add_deployable
from sandbox.delivery.model import Pipeline
from sandbox.delivery.running import seconds_of
from sandbox.delivery.seed import (
    COMPONENT,
    TOOLCHAIN_ACCOUNT,
    TOOLCHAIN_REGION,
    add_commit,
    add_pipeline,
    deployment_structure,
    seed_repository,
)
from sandbox.delivery.shifting import configs
from sandbox.errors import ControlError

if TYPE_CHECKING:
    from sandbox.world import World

MOST_PIPELINES = 100_000
_MODES = ("SUPERSEDED", "QUEUED", "PARALLEL")
_TYPES = ("silo", "pool")
_PREFIX = re.compile(r"[A-Za-z0-9@_-]{1,40}")
_DEFAULTS: dict[str, Any] = {
    "count": 1,
    "type": "silo",
    "prefix": "t",
    "names": None,
    "component": COMPONENT,
    "accounts": [],
    "regions": [TOOLCHAIN_REGION],
    "minutes": [3, 20],
    "failing": 0,
    "seed": 0,
    "mode": "SUPERSEDED",
    "approval": False,
    "verify": True,
    "account": TOOLCHAIN_ACCOUNT,
    "region": TOOLCHAIN_REGION,
}
_DEPLOYABLE: dict[str, Any] = {
    **{name: _DEFAULTS[name] for name in ("count", "type", "prefix", "names", "component", "accounts", "regions")},
    "platform": "Lambda",
    "config": "",
    "versions": ["2.4.0", "2.4.1"],
    "alarms": [],
    "tagged": False,
}


def make_pipelines(world: World, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Make pipelines called {type}-{id}-pipeline; those already there are set up anew and keep what they ran."""
    asked = {**_DEFAULTS, **_checked(wish, _DEFAULTS)}
    ids = asked["names"] or [f"{asked['prefix']}{number:05d}" for number in range(1, asked["count"] + 1)]
    accounts = asked["accounts"] or [account for account in world.zone.accounts if account != TOOLCHAIN_ACCOUNT]
    structure = deployment_structure(asked["mode"], asked["approval"], asked["verify"])
    records = []
    for number, identifier in enumerate(ids):
        values = {
            "component": asked["component"],
            "type": asked["type"],
            "id": identifier,
            "account": accounts[number % len(accounts)],
            "region": asked["regions"][number // len(accounts) % len(asked["regions"])],
        }
        home = (asked["account"], asked["region"])
        former = world.delivery.pipeline_in(*home, f"{values['type']}-{identifier}-pipeline")
        if former is None:
            pipeline = add_pipeline(world.delivery, structure, values, world.clock.now(), home=home)
        else:
            pipeline = former
            _declare_anew(world, pipeline, structure.digest, values)
            world.delivery.share(structure)
        pipeline.seconds = [60.0 * asked["minutes"][0], 60.0 * asked["minutes"][1]]
        pipeline.failing, pipeline.seed = asked["failing"], asked["seed"]
        records.append(values)
    return {"count": len(records), "deployments": records}


def make_deployables(world: World, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Make what CodeDeploy deploys to: functions or services called {component}-{type}-{id}, each in its account."""
    asked = {**_DEPLOYABLE, **_checked(wish, _DEPLOYABLE)}
    platform, versions = asked["platform"], asked["versions"]
    config = asked["config"] or f"CodeDeployDefault.{platform}Canary10Percent5Minutes"
    if config not in configs(platform):
        raise ControlError(422, f"config must be one of {', '.join(configs(platform))}.")
    ids = asked["names"] or [f"{asked['prefix']}{number:05d}" for number in range(1, asked["count"] + 1)]
    accounts = asked["accounts"] or [account for account in world.zone.accounts if account != TOOLCHAIN_ACCOUNT]
    records = []
    for number, identifier in enumerate(ids):
        values = {"component": asked["component"], "type": asked["type"], "id": identifier}
        account = accounts[number % len(accounts)]
        region = asked["regions"][number // len(accounts) % len(asked["regions"])]
        name = f"{asked['component']}-{asked['type']}-{identifier}"
        last = ALIAS if platform == "Lambda" else name
        tags = {
            **values,
            **({"function": name, "alias": ALIAS} if platform == "Lambda" else {"service": name, "family": name}),
        }
        made = Deployable(
            name=name,
            platform=platform,
            account=account,
            region=region,
            config=config,
            versions=versions,
            current=versions[0],
            alarms=asked["alarms"],
            tags=tags if asked["tagged"] else None,
        )
        add_deployable(world.delivery, made, world.clock.now())
        target = f"{platform.lower()}:{name}/{GROUP}/{name}/{last}"
        records.append({**values, "account": account, "region": region, "codedeploy": target})
    return {"count": len(records), "deployments": records}


def tell_pipelines(world: World, prefix: str = "") -> dict[str, Any]:
    """How many there are, how their newest executions stand, and the seconds that each one's next execution takes."""
    delivery = world.delivery
    found = [p for p in delivery.pipelines.values() if p.name.startswith(prefix)]
    newest = Counter(
        delivery.executions[pipeline.executions[-1]].status if pipeline.executions else "Idle" for pipeline in found
    )
    return {
        "count": len(found),
        "executions": sum(len(pipeline.executions) for pipeline in found),
        "newest": dict(newest),
        "due": len(delivery.agenda),
        "seconds": {pipeline.name: round(seconds_of(pipeline, pipeline.begun + 1), 3) for pipeline in found},
    }


def push_commit(world: World, wish: Mapping[str, Any]) -> dict[str, Any]:
    """Add a commit to a repository's branch; the repository is made when it isn't there."""
    texts = {name: wish.get(name, usual) for name, usual in _COMMIT.items()}
    unknown = set(wish) - set(_COMMIT)
    if unknown or not all(isinstance(value, str) for value in texts.values()) or not texts["message"]:
        raise ControlError(422, f"A commit takes texts: {', '.join(_COMMIT)}.")
    key = f"{TOOLCHAIN_ACCOUNT}/{TOOLCHAIN_REGION}/{texts['repository']}"
    repository = world.delivery.repositories.get(key) or seed_repository(texts["repository"])
    commit = add_commit(
        repository, texts["message"], texts["author"], world.clock.now(), texts["version"], texts["branch"]
    )
    world.delivery.keep("repositories", key, repository)
    return {"commitId": commit.id, "parent": commit.parent, "author": commit.email}


_COMMIT = {
    "repository": COMPONENT,
    "branch": "main",
    "message": "Something else",
    "author": "bo@corp.example",
    "version": "",
}


def _declare_anew(world: World, pipeline: Pipeline, digest: str, values: dict[str, str]) -> None:
    if pipeline.structures[-1] != digest:
        pipeline.structures.append(digest)
        pipeline.updated_at = world.clock.now()
    pipeline.values, pipeline.tags = values, dict(values)
    world.delivery.changed("pipelines", pipeline.key)


def _checked(wish: Mapping[str, Any], known: Mapping[str, Any]) -> Mapping[str, Any]:
    """ControlError 422 for what is no wish of those that are known."""
    for name, value in wish.items():
        if name not in known:
            raise ControlError(422, f"They take no {name!r}; they take {', '.join(known)}.")
        accepts, expected = _CHECKS[name]
        if not accepts(value):
            raise ControlError(422, f"{name} must be {expected}.")
    return wish


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_texts(value: object, pattern: str) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) and re.fullmatch(pattern, entry) for entry in value)


_ACCOUNT, _REGION = r"\d{12}", r"[a-z]{2}-[a-z-]+-\d"
_CHECKS: dict[str, tuple[Any, str]] = {
    "count": (
        lambda v: isinstance(v, int) and not isinstance(v, bool) and 1 <= v <= MOST_PIPELINES,
        f"a whole number from 1 to {MOST_PIPELINES:,}",
    ),
    "type": (lambda v: v in _TYPES, "silo or pool"),
    "prefix": (lambda v: isinstance(v, str) and bool(_PREFIX.fullmatch(v)), "1 to 40 letters, digits, @, _ or -"),
    "names": (lambda v: bool(v) and _are_texts(v, _PREFIX.pattern), "a list of ids"),
    "component": (lambda v: isinstance(v, str) and bool(_PREFIX.fullmatch(v)), "1 to 40 letters, digits, @, _ or -"),
    "accounts": (lambda v: _are_texts(v, _ACCOUNT), "a list of account ids"),
    "regions": (lambda v: bool(v) and _are_texts(v, _REGION), "a list of Regions"),
    "minutes": (
        lambda v: isinstance(v, list) and len(v) == 2 and all(map(_is_number, v)) and 0 <= v[0] <= v[1] <= 10_000,
        "the least and the most minutes that an execution takes",
    ),
    "failing": (lambda v: _is_number(v) and 0 <= v <= 1, "a number from 0 to 1"),
    "seed": (lambda v: isinstance(v, int) and not isinstance(v, bool), "a whole number"),
    "mode": (lambda v: v in _MODES, ", ".join(_MODES)),
    "platform": (lambda v: v in ("Lambda", "ECS"), "Lambda or ECS"),
    "config": (lambda v: isinstance(v, str), "a predefined deployment configuration"),
    "versions": (lambda v: bool(v) and _are_texts(v, r"[A-Za-z0-9._+-]{1,80}"), "a list of versions, what runs first"),
    "alarms": (lambda v: _are_texts(v, r".{1,255}"), "a list of alarms"),
    "tagged": (lambda v: isinstance(v, bool), "true or false"),
    "approval": (lambda v: isinstance(v, bool), "true or false"),
    "verify": (lambda v: isinstance(v, bool), "true or false"),
    "account": (lambda v: isinstance(v, str) and bool(re.fullmatch(_ACCOUNT, v)), "an account id"),
    "region": (lambda v: isinstance(v, str) and bool(re.fullmatch(_REGION, v)), "a Region"),
}
