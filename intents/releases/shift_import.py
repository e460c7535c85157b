"""What CodeDeploy deploys to, found by the tags of its applications and deployment groups in members' accounts.

A group's tags, with those of its application behind them, name the deployment: `component`, `type` and `id`, beside
`function` and `alias`, or `service` and `family`. Account and Region are those that it is found in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from bot.errors import CloudError, Invalid
from bot.releases.registry import deployment_from
from bot.releases.waves import Deployment
from bot.services import Services
from intents.releases.codedeploy import Where

log = structlog.get_logger(__name__)

AT_ONCE = 12
FIELDS = ("component", "type", "id", "tier", "ring", "tenants", "window")
UNITS = (("lambda", "function", "alias"), ("ecs", "service", "family"))


@dataclass(frozen=True)
class Tagged:
    """What was found, which groups' tags can't be read, and how many places could not be asked, with the first code."""

    found: tuple[Deployment, ...]
    odd: tuple[str, ...] = ()
    unread: int = 0
    code: str = ""


class TaggedTargets:
    """Asks the Resource Groups Tagging API of each account and Region; what can't be asked is counted."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def find(self, accounts: Iterable[str], regions: Iterable[str]) -> Tagged:
        """Return what is tagged there."""
        places = [Where(account, region) for account in sorted(accounts) for region in sorted(set(regions))]
        told = await asyncio.gather(*(self._in(where) for where in places), return_exceptions=True)
        found: list[Deployment] = []
        odd: list[str] = []
        codes: list[str] = []
        for where, groups in zip(places, told, strict=True):
            if isinstance(groups, CloudError):
                log.warning("releases.groups_unread", account=where.account, region=where.region, error=groups.detail)
                codes.append(groups.code)
            elif isinstance(groups, BaseException):
                raise groups
            else:
                for name, tags in groups.items():
                    one = deployment_of_tags(where, name, tags)
                    if one is None:
                        odd.append(f"{name} (its tags can't be read)")
                    else:
                        found.append(one)
        return Tagged(tuple(found), tuple(odd), len(codes), codes[0] if codes else "")

    async def _in(self, where: Where) -> dict[str, dict[str, str]]:
        """Return the tags of each group that names a deployment, by application/group."""
        pages = self._services.cloud.pages(
            "resourcegroupstaggingapi",
            "GetResources",
            "ResourceTagMappingList",
            region=where.region,
            role=self._services.settings.member_role(where.account),
            ResourceTypeFilters=["codedeploy"],
        )
        applications: dict[str, dict[str, str]] = {}
        groups: dict[str, dict[str, str]] = {}
        async with self._turns:
            async for entry in pages:
                kind, _, name = str(entry["ResourceARN"]).split(":", 5)[5].partition(":")
                tags = {str(tag["Key"]): str(tag["Value"]) for tag in entry.get("Tags", ())}
                if kind in ("application", "deploymentgroup"):
                    (groups if kind == "deploymentgroup" else applications)[name] = tags
        whole = {name: {**applications.get(name.partition("/")[0], {}), **tags} for name, tags in groups.items()}
        return {name: tags for name, tags in whole.items() if {"id", "type"} <= tags.keys() and _unit_of(tags)}


def deployment_of_tags(where: Where, name: str, tags: Mapping[str, str]) -> Deployment | None:
    """Return the deployment that a group's tags name; None where they can't be read. `name` is application/group."""
    record = {field: tags[field] for field in FIELDS if field in tags}
    record |= {"account": where.account, "region": where.region, "codedeploy": _unit_of(tags, name)}
    try:
        return deployment_from(record)
    except Invalid:
        return None


def _unit_of(tags: Mapping[str, str], name: str = "") -> str:
    """Return what a group deploys to, in a record's form; empty where its tags do not say."""
    for kind, unit, label in UNITS:
        if unit in tags and label in tags:
            return f"{kind}:{name}/{tags[unit]}/{tags[label]}"
    return ""
