"""Having an experiment come again and again: approved once as a standing plan, kept, and run by `schedule_runs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from bot.card import Button, Card, Facts, Text
from bot.intent import Ask, Definition, Segment
from bot.plan import Check, Plan, Resource
from bot.recurrence import read_recurrence
from bot.services import Services
from bot.workflow.checking import check_again
from bot.workflow.model import Done, Notice, SegmentResult
from bot.workflow.run import Run
from intents.chaos import schedule_definitions as definitions
from intents.chaos.asking import ExperimentOrder
from intents.chaos.fis import Fis
from intents.chaos.notes import SCHEDULED_BY, VIA
from intents.chaos.planning import plan_of
from intents.chaos.schedule_definitions import RECURRENCE
from intents.chaos.schedule_runs import KIND, START_WITHIN, ScheduledRuns
from intents.chaos.starting import StartExperiment

_FOR_GOOD = ("Stop conditions", "Targets")
"""What stands against an experiment until somebody mends its template: then it is not scheduled at all."""
_LEFT_OUT = ("FIS preview",)
_KEPT = ("template", "name", "stack", "account", "region", "role", "content", "limit_minutes", "expectation")
SHOWN = 3
_OVER = Check("When", "fails", "The time that was asked for is over.", RECURRENCE, "Name a time that is still to come.")


class ScheduleExperiment(ExperimentOrder):
    """Keeps a schedule. What its runs do is approved with it; what they hit is resolved anew each time."""

    def __init__(self, services: Services, fis: Fis, starting: StartExperiment) -> None:
        super().__init__(services, fis)
        self._starting = starting
        self.jobs = (ScheduledRuns(services, starting).job,)

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.SCHEDULING

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the value as it is kept; when it comes again with its time zone."""
        if slot == RECURRENCE:
            return read_recurrence(value, self.services.settings.working_hours, self.services.clock.now()).words
        return await super().validate(slot, value, ask)

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read all that a run today would meet, and what its runs will need."""
        facts = await self._gathering.facts(ask)
        run = plan_of(facts)
        values = {**ask.slots, VIA: "schedule", SCHEDULED_BY: "", "Experiment": run.effects["template"]}
        required = self.services.approvals.requirement_for(run, ask.person.email, values)
        recurrence = read_recurrence(ask.slots[RECURRENCE])
        upcoming = islice(recurrence.upcoming(self.services.clock.now()), SHOWN)
        return {
            **facts,
            "recurrence": recurrence.words,
            "upcoming": [recurrence.local(moment) for moment in upcoming],
            "each_needs": "" if required.is_none else required.words,
        }

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the standing plan."""
        run = plan_of(facts)
        effects = {name: run.effects[name] for name in _KEPT}
        latest = f"{START_WITHIN.total_seconds() / 60:g} minutes"
        needs, upcoming = facts["each_needs"], ", ".join(facts["upcoming"])
        begin = f"after {needs}, asked for at its time" if needs else "at once: this approval stands for them"
        return Plan(
            intent=definitions.SCHEDULE,
            summary=f"Run the experiment {run.effects['name']} on {run.effects['stack']} {facts['recurrence']}",
            effects={"call": "schedule", **effects, "recurrence": facts["recurrence"], "each_needs": needs},
            details=(
                ("When", facts["recurrence"]),
                ("Next", upcoming or "never: that time is over"),
                ("Runs begin", f"{begin}; within {latest} of their time, or not at all"),
                ("Runs are skipped", "when anything stands against them then, or the template has been changed"),
                *((name.replace("Hits", "Hits now", 1), value) for name, value in run.details if name not in _LEFT_OUT),
            ),
            checks=(*(() if upcoming else (_OVER,)), *(_standing(check) for check in run.checks)),
            tier=run.tier,
            figure=run.figure,
            touches=(Resource("experiment-schedule", run.effects["template"]),),
        )

    def segments(self) -> Mapping[str, Segment]:
        """Return the one segment."""
        return {"start": self._keep}

    async def _keep(self, run: Run) -> SegmentResult:
        changed = await check_again(run, "look at the template once more")
        if changed:
            return changed
        record = run.request
        recurrence = read_recurrence(record.plan.effects["recurrence"])

        async def keep() -> str:
            kept = await self.services.schedules.begin(record.id, KIND, recurrence)
            return recurrence.local(kept.next_at)

        following = await run.step("keep the schedule", keep)
        name = record.plan.effects["name"]
        text = f"The experiment {name} comes {recurrence.words}, for the first time on {following}."
        if recurrence.on:
            text = f"The experiment {name} comes once, on {following}."
        step = f"Say “end the schedule {record.id}” to end it, or “which experiments are scheduled”."
        card = Card(
            f"Scheduled: {record.plan.summary}",
            (Text(text), Facts((("Schedule", record.id), ("Next", following))), Text(step, subtle=True)),
            (Button("End the schedule", "say", f"end the schedule {record.id}"),),
            tone="good",
            request=record.id,
        )
        return Done(Notice("done", f"Request {record.id}: {text} {step}", card), text, step, {"next_run": following})


def _standing(check: Check) -> Check:
    """Return what stands against a run today as what it is for a schedule: a word of warning, unless it stays so."""
    if check.result != "fails" or check.name in _FOR_GOOD:
        return check
    return replace(check, result="waits", sentence=f"A run now would be skipped. {check.sentence}", slot="")
