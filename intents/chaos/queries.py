"""Questions about experiments: which there are, what one would hit, and what one did."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.card import Card, Facts, Image, Item, Table, Text
from bot.charts.blast import alt_of
from bot.charts.png import data_url
from bot.errors import Invalid, Unavailable
from bot.intent import Answer, Ask, Definition, Query
from bot.reporting import Exported
from bot.requests import STATE_WORDS, Filter, RequestRecord
from bot.services import Services
from bot.stopping import UNDER_WAY
from intents.chaos import definitions
from intents.chaos.exporting import export
from intents.chaos.finding import named_or_newest, newest
from intents.chaos.fis import Fis
from intents.chaos.model import Template
from intents.chaos.notes import EXPERIMENT
from intents.chaos.reporting import Reporting
from intents.chaos.targets import Hit, Targets

SHOWN = 20
_HITS = re.compile(r"\b(?:would|will|does|could|can)\s+(.+?)\s+(?:hit|affect|touch)\b", re.IGNORECASE)


class ExperimentCatalogue(Query):
    """Lists what can be run."""

    def __init__(self, services: Services, fis: Fis) -> None:
        super().__init__(services)
        self._fis = fis

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.LISTING

    async def answer(self, ask: Ask) -> Answer:
        """Return the templates, of one stack if it is named, with what they do in plain words."""
        stack = ask.slots.get("Stack", "").casefold().strip(" .?!")
        known = await self._fis.templates()
        found = [t for t in known if stack in t.stack.casefold() or stack in t.name.casefold()]
        if not found:
            named = f" for {stack}" if stack else ""
            return Answer(f"There are no experiments{named}. They are templates of AWS Fault Injection Service.")
        rows = tuple((t.name, t.environment, _does(t), _stops(t)) for t in found[:SHOWN])
        table = Table(("Experiment", "For", "Does", "Stops by itself when"), rows)
        more = (Text(f"{len(found) - SHOWN} more are not shown.", subtle=True),) if len(found) > SHOWN else ()
        hint = Text(f"Say “what would {found[0].name} hit?” or “run the experiment {found[0].name}”.", subtle=True)
        card = Card("Experiments", (*await self._under_way(ask), table, *more, hint))
        return Answer(card.as_text(), card)

    async def _under_way(self, ask: Ask) -> tuple[Text, ...]:
        """Return a line for each experiment that runs and that the person may see; one that says so when none does."""
        wanted = Filter(intent=definitions.START, state=UNDER_WAY, owner=ask.owner or None, limit=SHOWN)
        running = [
            r
            for r in (await self.services.requests.list(wanted)).items
            if self.services.policy.may_see(ask.person, r.subject).allowed
        ]
        told = ", ".join(f"{r.plan.effects['name']} ({r.id}, {STATE_WORDS[r.state]})" for r in running)
        return (Text(f"Under way now: {told}." if told else "None is under way now."),)


class ExperimentTargets(Query):
    """Tells what would be hit now; starts nothing."""

    def __init__(self, services: Services, fis: Fis) -> None:
        super().__init__(services)
        self._fis, self._targets = fis, Targets(services)

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.AIMING

    async def answer(self, ask: Ask) -> Answer:
        """Return the targets in numbers and as a picture a zone."""
        name = ask.slots.get("Experiment") or _named(ask.text) or await self._talked_about(ask)
        if not name:
            raise Invalid(
                "Say which experiment, such as “what would the AZ outage experiment on checkout-staging hit?”."
            )
        fits, words = await self._fis.mentioned(ask.text)
        if fits:
            name = fits[0].id if len(fits) == 1 else words
        template = await self._fis.find(name.strip(" ?"), ask.slots.get("Stack", "").strip(" ?"), fresh=True)
        hits = await self._targets.resolve(template)
        items: list[Item] = [Text(f"{template.description}. {' '.join(template.steps())}")]
        items += await self._picture(template, hits)
        items.append(Facts(tuple((h.name, h.sentence()) for h in hits) or (("Targets", "none"),)))
        rows = tuple((h.noun, *row) for h in hits for row in h.picture())
        if rows:
            items.append(Table(("What", "Zone", "Hit", "How many"), rows))
        items.append(Facts((("Stops by itself when", _stops(template)), ("Role", template.role.rpartition("/")[2]))))
        items.append(Text("Nothing was started: I looked these up just now.", subtle=True))
        card = Card(f"{template.name} would hit", tuple(items))
        return Answer(card.as_text(), card)

    async def _picture(self, template: Template, hits: Sequence[Hit]) -> list[Item]:
        figure = {"title": template.name, "targets": [h.figure() for h in hits]}
        try:
            return [Image(data_url(await self.services.charts.draw_blast(figure)), alt_of(figure))] if hits else []
        except Unavailable:
            return []  # the table says the same

    async def _talked_about(self, ask: Ask) -> str:
        """Return what the open form names, else the template of the newest experiment of this conversation."""
        if ask.open_slots.get("Experiment"):
            return ask.open_slots["Experiment"]
        found = await newest(self.services, ask)
        return str(found.plan.effects["template"]) if found else ""


class ExperimentReport(Query):
    """Tells what an experiment did, as it can be read now, and hands it out; see `bot.reporting.RunReports`."""

    reports_on = definitions.START

    def __init__(self, services: Services, reporting: Reporting) -> None:
        super().__init__(services)
        self._reporting = reporting

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.REPORTING

    async def answer(self, ask: Ask) -> Answer:
        """Return the report of the experiment that is named, else of the newest here."""
        record = await named_or_newest(self.services, ask)
        if not self.has_report(record):
            return Answer(f"The experiment of request {record.id} has not begun.")
        return Answer(*await self._reporting.card(record))

    def has_report(self, record: RequestRecord) -> bool:
        """Tell whether it has begun."""
        return bool(record.notes.get(EXPERIMENT))

    async def export(self, record: RequestRecord) -> Exported:
        """Return the report as a file. Raises CloudError."""
        return await export(record, await self._reporting.report(record), self.services.charts)


def _named(text: str) -> str:
    """Return the words of a question that may name an experiment: free words, which no recogniser cuts out reliably."""
    found = _HITS.search(text)
    return "" if found is None or found[1].casefold() in ("it", "that", "this") else found[1]


def _does(template: Template) -> str:
    return f"{template.description}: {' '.join(template.steps())}"


def _stops(template: Template) -> str:
    return " or ".join(f"{arn.partition(':alarm:')[2]} fires" for arn in template.alarms) or "no stop condition"
