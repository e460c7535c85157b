"""Which experiments come again, and ending that."""

from __future__ import annotations

import re

from bot.card import Button, Card, Table, Text
from bot.errors import Conflict, Invalid, NotFound
from bot.intent import Answer, Ask, Definition, Query
from bot.requests import RequestRecord
from bot.schedules import Schedule
from intents.chaos import schedule_definitions as definitions
from intents.chaos.schedule_runs import KIND

_ALL = re.compile(r"\ball\b", re.IGNORECASE)


class ExperimentSchedules(Query):
    """Lists them."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.LISTING_SCHEDULES

    async def answer(self, ask: Ask) -> Answer:
        """Return all that the person may see, what is next first."""
        known = await visible(self, ask)
        if not known:
            example = definitions.SCHEDULING.examples[0]
            return Answer(f"No experiment is scheduled. To schedule one, say “{example}”.")
        rows = tuple(
            (
                record.plan.effects["name"],
                schedule.recurrence.words,
                schedule.recurrence.local(schedule.next_at),
                schedule.last or "—",
                record.requester.email,
                record.id,
            )
            for schedule, record in known
        )
        table = Table(("Experiment", "When", "Next", "Last time", "Asked by", "Schedule"), rows)
        buttons = tuple(Button(f"End {record.id}", "say", f"end the schedule {record.id}") for _, record in known[:5])
        card = Card("Scheduled experiments", (table,), buttons)
        return Answer(card.as_text(), card)


class EndExperimentSchedule(Query):
    """Ends one at once, for everybody who may see it: what does not run any more harms nobody."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.ENDING

    async def answer(self, ask: Ask) -> Answer:
        """End the one that is named, or the only one here or anywhere, or all."""
        known = await visible(self, ask)
        if not known:
            raise Conflict("No experiment is scheduled, so no schedule was ended.")
        ended = self._meant(ask, known)
        count = await self.services.schedules.end([record.id for record in ended], ask.person)
        names = ", ".join(f"{r.plan.effects['name']} ({r.id})" for r in ended)
        one = f"The schedule of {names} has ended" if len(ended) == 1 else f"{count} schedules have ended: {names}"
        text = f"{one}; what is running goes on. To stop that, say “stop the experiment”."
        return Answer(text, Card("Schedule ended", (Text(text),), request=ended[0].id if len(ended) == 1 else ""))

    def _meant(self, ask: Ask, known: list[tuple[Schedule, RequestRecord]]) -> list[RequestRecord]:
        records = [record for _, record in known]
        if named := ask.slots.get("RequestId", "").casefold():
            found = [r for r in records if r.id.removeprefix("qm-") == named.removeprefix("qm-")]
            if not found:
                raise NotFound(f"There is no schedule {named}.", next_step="Say “which experiments are scheduled”.")
            return found
        if _ALL.search(ask.text):
            return records
        here = [r for r in records if r.conversation == ask.conversation]
        for fitting in (here, records):
            if len(fitting) == 1:
                return fitting
        listed = ", ".join(f"{r.id} ({r.plan.summary})" for r in here or records)
        first = (here or records)[0].id
        raise Invalid(f"Several experiments are scheduled: {listed}.", next_step=f"Say “end the schedule {first}”.")


async def visible(query: Query, ask: Ask) -> list[tuple[Schedule, RequestRecord]]:
    """Return the schedules that the person may see, with the requests that made them."""
    services, found = query.services, []
    for schedule in await services.schedules.active(KIND):
        record = await services.requests.find(schedule.request)
        foreign = bool(ask.owner) and record.owner != ask.owner
        if not foreign and services.policy.may_see(ask.person, record.subject).allowed:
            found.append((schedule, record))
    return found
