"""AWS Fault Injection Service and what stands beside it: templates, runs, alarms, the safety lever."""

from __future__ import annotations

import asyncio
import difflib
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog

from bot.errors import CloudError, Conflict, Invalid
from bot.services import Services
from intents.chaos.model import Place, Template

log = structlog.get_logger(__name__)

LEVER = "default"
MOST_RUNNING = 5
"""Experiments that may run at once in an account and Region (FIS quota)."""
ENDED = ("completed", "stopped", "failed", "cancelled")
KEPT = 60.0
"""Seconds for which the templates that were read are taken to be the same when people only look."""
AT_ONCE = 6
ALARMS_A_CALL = 100
_WORD = re.compile(r"[a-z0-9]+")
_LONG_ENOUGH = 5
_NOISE = frozenset("the a an experiment experiments test on in at of for our my chaos template run".split())


class Fis:
    """Reads and steers experiments in every place that CHAOS_ROLE_ARN and CHAOS_REGIONS name."""

    def __init__(self, services: Services) -> None:
        self._services, self._cloud = services, services.cloud
        self._known: tuple[float, tuple[Template, ...]] = (float("-inf"), ())
        self._turns = asyncio.Semaphore(AT_ONCE)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where templates are kept."""
        settings = self._services.settings
        regions = settings.chaos_regions or (settings.aws_region,)
        return tuple(Place(role, region) for role in settings.chaos_role_arn for region in regions)

    async def templates(self, *, fresh: bool = False) -> tuple[Template, ...]:
        """Return all templates by name; of a place that can't be read none, unless no place can. Raises CloudError."""
        if not self.places:
            raise Conflict(
                "Experiments are switched off here.",
                next_step="Whoever runs the bot sets CHAOS_ROLE_ARN, see docs/chaos.md.",
            )
        if fresh or time.monotonic() - self._known[0] > KEPT:
            read = await asyncio.gather(*(self._templates_in(place) for place in self.places), return_exceptions=True)
            failed = [r for r in read if isinstance(r, BaseException)]
            if len(failed) == len(read):
                raise failed[0]
            for error in failed:
                log.warning("chaos.place_unread", error=str(error))
            found = [t for r in read if not isinstance(r, BaseException) for t in r]
            self._known = (time.monotonic(), tuple(sorted(found, key=lambda t: t.name)))
        return self._known[1]

    async def find(self, words: str, stack: str = "", *, fresh: bool = False) -> Template:
        """Return the one template that words mean: its id, its name, or words of both; raises Invalid with choices."""
        known = await self.templates(fresh=fresh)
        exact = [t for t in known if words.strip().casefold() in (t.id.casefold(), t.name.casefold())]
        if len(exact) == 1:
            return exact[0]
        wanted = _words(f"{words} {stack}")
        fits = [t for t in exact or known if wanted and wanted <= _described(t)]
        if len(fits) == 1:
            return fits[0]
        near = fits or [t for t in known if wanted & _words(t.name)]
        names = tuple(t.name if [n.name for n in known].count(t.name) == 1 else t.id for t in (near or known)[:10])
        text = "Several experiments fit" if fits else f"No experiment is called “{words}”"
        raise Invalid(f"{text}: {', '.join(names)}.", field="Experiment", choices=names)

    async def start(
        self, template: str, place: Place, token: str, tags: Mapping[str, str], mode: str
    ) -> dict[str, Any]:
        """Start a run and return it; the same token never starts a second one. Raises CloudError."""
        answer = await self._ask(
            place,
            "StartExperiment",
            clientToken=token,
            experimentTemplateId=template,
            experimentOptions={"actionsMode": mode},
            tags=dict(tags),
        )
        started: dict[str, Any] = answer["experiment"]
        return started

    async def stop(self, place: Place, experiment: str) -> bool:
        """Have a run stop; tell whether it was still going on. Raises CloudError."""
        try:
            await self._ask(place, "StopExperiment", id=experiment)
        except CloudError as error:
            if error.code == "ValidationException":  # it has ended
                return False
            raise
        return True

    async def experiment(self, place: Place, experiment: str) -> dict[str, Any]:
        """Return one run with its actions. Raises CloudError."""
        answer = await self._ask(place, "GetExperiment", id=experiment)
        found: dict[str, Any] = answer["experiment"]
        return found

    async def statuses(self, place: Place, wanted: set[str]) -> dict[str, dict[str, Any]]:
        """Return the state of runs by their ids, from as few pages as they stand on. Raises CloudError."""
        found: dict[str, dict[str, Any]] = {}
        async for entry in self._cloud.pages(
            "fis", "ListExperiments", "experiments", region=place.region, role=place.role, maxResults=100
        ):
            found[entry["id"]] = entry["state"]
            if wanted <= found.keys():
                break
        return found

    async def runs(self, place: Place) -> list[dict[str, Any]]:
        """Return all runs of a place that FIS still knows, in short. Raises CloudError."""
        pages = self._cloud.pages(
            "fis", "ListExperiments", "experiments", region=place.region, role=place.role, maxResults=100
        )
        return [entry async for entry in pages]

    async def resolved(self, place: Place, experiment: str) -> dict[str, list[str]]:
        """Return the ARNs that each target of a run came to. Raises CloudError."""
        found: dict[str, list[str]] = {}
        async for entry in self._cloud.pages(
            "fis",
            "ListExperimentResolvedTargets",
            "resolvedTargets",
            region=place.region,
            role=place.role,
            experimentId=experiment,
            maxResults=100,
        ):
            information = entry.get("targetInformation", {})
            found.setdefault(entry["targetName"], []).append(information.get("arn", str(sorted(information.items()))))
        return found

    async def alarms(self, place: Place, arns: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return alarms by ARN, a hundred a call; one that is not there is left out. Raises CloudError."""
        names = sorted({arn.partition(":alarm:")[2] for arn in arns})
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(names), ALARMS_A_CALL):
            answer = await self._cloud.call(
                "cloudwatch",
                "DescribeAlarms",
                region=place.region,
                role=place.role,
                AlarmNames=names[start : start + ALARMS_A_CALL],
                AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                MaxRecords=100,
            )
            listed: Sequence[dict[str, Any]] = (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ()))
            found.update({alarm["AlarmArn"]: alarm for alarm in listed})
        return found

    async def lever(self, place: Place) -> dict[str, Any]:
        """Return the state of a place's safety lever: status and reason. Raises CloudError."""
        answer = await self._ask(place, "GetSafetyLever", id=LEVER)
        state: dict[str, Any] = answer["safetyLever"]["state"]
        return state

    async def set_lever(self, place: Place, status: str, reason: str) -> str:
        """Engage or disengage a place's safety lever and return its status. Raises CloudError."""
        state = {"status": status, "reason": reason}
        answer = await self._ask(place, "UpdateSafetyLeverState", id=LEVER, state=state)
        return str(answer["safetyLever"]["state"]["status"])

    async def mentioned(self, text: str) -> tuple[tuple[Template, ...], str]:
        """Return the templates whose names, stacks and environments a text mentions, and its words that tell which.

        None where it says no more than where. Words may be misspelt a little. Raises CloudError.
        """
        known = await self.templates()
        places = {word for t in known for word in _words(f"{t.stack} {t.environment}")} | {"prod", "production"}
        vocabulary = places | {word for t in known for word in _words(t.name)}
        said = [_spelt(word, vocabulary) for word in _WORD.findall(text.casefold()) if word not in _NOISE]
        wanted = [word for word in dict.fromkeys(said) if word in vocabulary]
        if not set(wanted) - places:
            return (), ""
        return tuple(t for t in known if set(wanted) <= _described(t)), " ".join(wanted)

    async def _templates_in(self, place: Place) -> list[Template]:
        ids = [
            entry["id"]
            async for entry in self._cloud.pages(
                "fis",
                "ListExperimentTemplates",
                "experimentTemplates",
                region=place.region,
                role=place.role,
                maxResults=100,
            )
        ]
        return list(await asyncio.gather(*(self._template(place, identifier) for identifier in ids)))

    async def _template(self, place: Place, identifier: str) -> Template:
        async with self._turns:
            answer = await self._ask(place, "GetExperimentTemplate", id=identifier)
            found = answer["experimentTemplate"]
            accounts: list[str] = []
            if found.get("experimentOptions", {}).get("accountTargeting") == "multi-account":
                accounts = [
                    entry["accountId"]
                    async for entry in self._cloud.pages(
                        "fis",
                        "ListTargetAccountConfigurations",
                        "targetAccountConfigurations",
                        region=place.region,
                        role=place.role,
                        experimentTemplateId=identifier,
                    )
                ]
        tags = found.get("tags", {})
        return Template(
            id=found["id"],
            name=tags.get("Name") or found["id"],
            description=found.get("description", ""),
            tags=tags,
            place=place,
            updated=found["lastUpdateTime"].isoformat(),
            targets=found.get("targets", {}),
            actions=found.get("actions", {}),
            stop_conditions=tuple(found.get("stopConditions", ())),
            role=found.get("roleArn", ""),
            accounts=tuple(sorted(accounts)),
        )

    async def _ask(self, place: Place, operation: str, **parameters: Any) -> dict[str, Any]:
        return await self._cloud.call("fis", operation, region=place.region, role=place.role, **parameters)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold())) - _NOISE


def _spelt(word: str, vocabulary: set[str]) -> str:
    near = difflib.get_close_matches(word, vocabulary, n=1, cutoff=0.8) if len(word) >= _LONG_ENOUGH else []
    return near[0] if near else word


def _described(template: Template) -> set[str]:
    told = f"{template.name} {template.description} {template.environment} {template.stack}"
    words = _words(told)
    return words | ({"production", "prod"} if template.is_production else set())
