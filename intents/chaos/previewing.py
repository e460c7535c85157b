"""FIS's own preview of an experiment: it resolves the targets and skips every action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.card import Button, Card, Facts, Text
from bot.intent import Definition
from bot.plan import Plan, Resource
from bot.requests import RequestRecord
from bot.services import Services
from bot.workflow.model import Done, Failed, Notice, SegmentResult
from bot.workflow.run import Run
from intents.chaos import definitions
from intents.chaos.fis import Fis
from intents.chaos.notes import EXPERIMENT, SKIP_ALL, place_of
from intents.chaos.planning import plan_of
from intents.chaos.reporting import Reporting
from intents.chaos.starting import StartExperiment
from intents.chaos.targets import differences, hit_of_plan

_STAND_AGAINST_IT = ("Safety lever", "Running experiments", "Targets")
"""Of what stands against a run, what keeps FIS from previewing it, too."""
_LEFT_OUT = ("FIS preview", "Stops by itself when", "Lasts", "Costs", "Expected", "Lease")


class PreviewExperiment(StartExperiment):
    """Starts a template with every action skipped. It touches nothing, so policy asks for nobody's approval."""

    def __init__(self, services: Services, fis: Fis, reporting: Reporting) -> None:
        super().__init__(services, fis, reporting)
        self.watchers = ()  # the one of StartExperiment looks at previews, too

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.PREVIEWING

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan of a run, less all that would happen in one."""
        run = plan_of(facts)
        effects = {**run.effects, "actions_mode": SKIP_ALL, "alarms": [], "limit_minutes": 0.0, "lease_minutes": 0.0}
        return replace(
            run,
            intent=definitions.PREVIEW,
            summary=f"Preview the experiment {run.effects['name']} on {run.effects['stack']}: every action is skipped",
            effects={**effects, "expectation": "", "override": ""},
            details=tuple(row for row in run.details if row[0] not in _LEFT_OUT),
            checks=tuple(check for check in run.checks if check.name in _STAND_AGAINST_IT),
            tier="none",
            touches=(Resource("experiment-preview", run.effects["template"], exclusive=True),),
        )

    def announce(self, record: RequestRecord, experiment: str) -> Notice | None:
        """Say nothing: what it came to follows within seconds."""
        return None

    async def conclude(self, run: Run) -> SegmentResult:
        """Tell what FIS resolved, and whether it is what the bot had looked up."""
        record = await self.services.requests.find(run.request.id)
        place, effects = place_of(record), record.plan.effects
        experiment = await self._fis.experiment(place, str(record.notes[EXPERIMENT]))
        status, reason = experiment["state"]["status"], experiment["state"].get("reason", "")
        yields = {"experiment": experiment["id"], "status": status}
        if status != "completed":
            text = f"FIS could not preview the experiment {effects['name']}: {status}. {reason}".strip()
            step = "Mend the template, its role or its targets, and preview it again."
            card = Card(f"Failed: {record.plan.summary}", (Text(text), Text(step)), tone="bad", request=record.id)
            return Failed(Notice("done", f"Request {record.id}: {text} {step}", card), text, step, yields)
        resolved = await self._fis.resolved(place, experiment["id"])
        hits = [hit_of_plan(name, target) for name, target in effects["targets"].items()]
        differs = differences(hits, resolved)
        found = f"It is not what I had looked up: {differs}." if differs else "It is the same that I had looked up."
        text = f"FIS has previewed the experiment {effects['name']} and touched nothing. {found}"
        rows = tuple((f"FIS resolved ({hit.name})", _named(resolved.get(hit.name, ()), hit.noun)) for hit in hits)
        words = f"run the experiment {effects['name']}"
        card = Card(
            f"Previewed: {effects['name']} on {effects['stack']}",
            (Text(text), Facts((*rows, ("FIS experiment", experiment["id"])))),
            (Button("Run it", "say", words),),
            tone="warning" if differs else "good",
            request=record.id,
        )
        step = f"Say “{words}” to have it planned."
        return Done(Notice("done", f"Request {record.id}: {card.as_text()}", card), text, step, yields)


def _named(arns: Any, noun: str) -> str:
    names = sorted(arn.rpartition("/")[2] for arn in arns)
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return f"{len(names)} {noun}: {shown}" if names else f"no {noun}"
