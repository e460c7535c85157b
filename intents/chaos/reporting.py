"""What came of an experiment: how it ended, what its alarms and their metrics did, and whether it was as expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from bot.card import Card, Facts, Image, Item, Table, Text
from bot.charts.png import data_url
from bot.errors import CloudError, Unavailable
from bot.requests import RequestRecord
from bot.services import Services
from bot.words import lasting
from bot.workflow.model import Done, Failed, Notice
from intents.chaos.fis import ENDED, Fis
from intents.chaos.notes import ASKED_TO_STOP, EXPERIMENT, WITHIN, place_of
from intents.chaos.observing import AROUND, AlarmStory, Observing
from intents.chaos.targets import differences, hit_of_plan

log = structlog.get_logger(__name__)

COLUMNS = ("Metric, on average", "before", "during", "after")
DRAWN = 3
"""Charts in a card, at most."""


@dataclass(frozen=True)
class Report:
    """A report as it could be written now; `stories` are None when the alarms could not be read."""

    title: str
    text: str
    verdict: str
    status: str
    rows: tuple[tuple[str, str], ...]
    stories: tuple[AlarmStory, ...] | None

    @property
    def metrics(self) -> tuple[tuple[str, ...], ...]:
        """A row of COLUMNS for each metric."""
        return metrics_of(self.stories)


class Reporting:
    """Reads runs anew; what can't be read is left out and said so."""

    def __init__(self, services: Services, fis: Fis) -> None:
        self._services, self._fis = services, fis
        self._observing = Observing(services, fis)

    async def conclude(self, record: RequestRecord) -> Done | Failed:
        """Return the end of a request, from how FIS says that its experiment ended. Raises CloudError."""
        experiment = await self._fis.experiment(place_of(record), str(record.notes[EXPERIMENT]))
        status, reason = experiment["state"]["status"], experiment["state"].get("reason", "")
        stories = await self._observing.alarms(record, experiment)
        verdict = _verdict(record, status, stories)
        differs = await self._differs(record)
        text = " ".join(s for s in (_ended(record, experiment), differs, _alarm_sentences(stories), verdict) if s)
        yields = {
            "experiment": experiment["id"],
            "status": status,
            "verdict": verdict,
            "held": status == "completed" and not any(story.has_fired for story in stories or ()),
            "started": _iso(experiment.get("startTime")),
            "ended": _iso(experiment.get("endTime")),
        }
        if status in ("failed", "cancelled"):
            step = "Look at the experiment in FIS, mend its template or role, and ask again."
            card = Card(f"Failed: {record.plan.summary}", (Text(text), Text(step)), tone="bad", request=record.id)
            return Failed(Notice("done", f"Request {record.id}: {text} {step}", card), text, step, yields)
        step = f"Say “experiment report {record.id}” in some minutes to see what came after."
        is_stopped = status == "stopped"
        title = "Stopped" if is_stopped else "Done"
        items: tuple[Item, ...] = (Text(text), *_table(stories), Text(step, subtle=True))
        tone = "warning" if is_stopped or differs else "good"
        card = Card(f"{title}: {record.plan.summary}", items, tone=tone, request=record.id)  # type: ignore[arg-type]
        notice = Notice("done", f"Request {record.id}: {text} {step}", card)
        log.info("chaos.ended", request=record.id, status=status, reason=reason)
        return Done(notice, text, step, yields, state="stopped" if is_stopped else "succeeded")

    async def report(self, record: RequestRecord) -> Report:
        """Return the report as it can be written now. Raises CloudError."""
        experiment = await self._fis.experiment(place_of(record), str(record.notes[EXPERIMENT]))
        stories = await self._observing.alarms(record, experiment)
        view = await self._services.requests.view(record)
        approved = ", ".join(a["approver"] for a in view["approvals"] if a["decision"] == "approve") or "nobody"
        if within := record.slots.get(WITHIN):
            approved += f"; the roll-out {within}, whose gate it is, was approved with it in its plan"
        status = experiment["state"]["status"]
        verdict = _verdict(record, status, stories)
        effects = record.plan.effects
        rows = (
            ("Request", record.id),
            ("Experiment", f"{effects['name']} ({experiment['id']})"),
            ("Ended" if status in ENDED else "State", f"{status}. {experiment['state'].get('reason', '')}"),
            ("Time", _span(experiment)),
            ("Actions", ", ".join(f"{n}: {a['state']['status']}" for n, a in experiment["actions"].items())),
            ("Hit", await self._hit(record)),
            ("Asked by", record.requester.email),
            ("Approved by", approved),
            *((("OVERRIDE", effects["override"]),) if effects["override"] else ()),
            ("Expected", effects["expectation"] or "—"),
            ("Verdict", verdict),
            ("Insights opened meanwhile", await self._insights(record, experiment)),
        )
        text = f"{_ended(record, experiment)} {_alarm_sentences(stories)}".strip()
        return Report(f"Report: {record.plan.summary}", text, verdict, status, rows, stories)

    async def card(self, record: RequestRecord) -> tuple[str, Card]:
        """Return the report for people, with a chart of each metric where one can be drawn now. Raises CloudError."""
        report = await self.report(record)
        items: tuple[Item, ...] = (
            Text(report.text),
            *await self._pictures(report),
            Facts(report.rows),
            *_table(report.stories),
        )
        card = Card(report.title, items, request=record.id)
        return card.as_text(), card

    async def _pictures(self, report: Report) -> list[Image]:
        pictures = []
        for story in [s for s in report.stories or () if s.points][:DRAWN]:
            try:
                drawn = await self._services.charts.draw(story.chart)
            except Unavailable:
                continue  # the table below says the same in numbers
            pictures.append(Image(data_url(drawn), f"Chart of {story.metric} before, during and after the experiment"))
        return pictures

    async def _differs(self, record: RequestRecord) -> str:
        """Return what was hit beside the plan: a run may be over before anybody could compare."""
        try:
            resolved = await self._fis.resolved(place_of(record), str(record.notes[EXPERIMENT]))
        except CloudError as error:
            log.warning("chaos.targets_unread", request=record.id, error=error.detail)
            return ""
        planned = (hit_of_plan(name, target) for name, target in record.plan.effects["targets"].items())
        differs = differences(planned, resolved) if resolved else ""
        return f"What it hit was not what was approved: {differs}." if differs else ""

    async def _hit(self, record: RequestRecord) -> str:
        try:
            resolved = await self._fis.resolved(place_of(record), str(record.notes[EXPERIMENT]))
        except CloudError as error:
            return f"can't be read just now ({error.code})"
        planned = [hit_of_plan(name, target) for name, target in record.plan.effects["targets"].items()]
        return ", ".join(f"{len(resolved.get(hit.name, ()))} {hit.noun} ({hit.name})" for hit in planned) or "nothing"

    async def _insights(self, record: RequestRecord, experiment: Mapping[str, Any]) -> str:
        if self._services.insights is None:
            return "nothing watches for them here"
        begin = experiment.get("startTime") or experiment["creationTime"]
        end = (experiment.get("endTime") or self._services.clock.now()) + AROUND
        effects = record.plan.effects
        try:
            found = await self._services.insights.opened((effects["region"],), begin, end, effects["account"])
        except CloudError as error:
            return f"can't be read just now ({error.code})"
        return "; ".join(i.name for i in found.insights) or "none"


def metrics_of(stories: Sequence[AlarmStory] | None) -> tuple[tuple[str, ...], ...]:
    """Return the means of each metric in words: its name, before, during and after."""
    return tuple((s.metric, *(_number(mean) for mean in s.means)) for s in stories or () if s.metric)


def _ended(record: RequestRecord, experiment: Mapping[str, Any]) -> str:
    status, asked = experiment["state"]["status"], record.notes.get(ASKED_TO_STOP)
    name, time = record.plan.effects["name"], _span(experiment)
    if status == "stopped":
        reason = str(experiment["state"].get("reason", ""))
        if asked and "stop condition" not in reason:
            who = f" by {asked['by']}" if asked["by"] else f": {asked['why']}"
            return f"The experiment {name} was stopped{who}. FIS has confirmed it. It ran {time}."
        return f"The experiment {name} was stopped: {reason} It ran {time}."
    if status == "completed":
        return f"The experiment {name} ran to its end, {time}."
    verb = "was" if status == "cancelled" else "has" if status == "failed" else "is"
    return f"The experiment {name} {verb} {status}: {experiment['state'].get('reason', '')}"


def _verdict(record: RequestRecord, status: str, stories: Sequence[AlarmStory] | None) -> str:
    expected = record.plan.effects["expectation"] or "no alarm fires"
    fired = [s.name for s in stories or () if s.has_fired]
    unsaid = f"It can't be said whether it was as expected (“{expected}”)"
    if fired:
        return f"Not as expected (“{expected}”): {', '.join(fired)} fired."
    if stories is None:
        return f"{unsaid}: its alarms can't be read just now."
    if status not in ENDED:
        return f"{unsaid}: it goes on."
    if status != "completed":
        return f"It can't be said whether it would have been as expected (“{expected}”): it did not run to its end."
    if not stories:
        return f"{unsaid}: no alarm watched it."
    return f"As expected (“{expected}”), as far as its alarms tell: none fired."


def _alarm_sentences(stories: Sequence[AlarmStory] | None) -> str:
    if stories is None:
        return "Its alarms can't be read just now."
    return " ".join(_alarm_sentence(story) for story in stories)


def _alarm_sentence(story: AlarmStory) -> str:
    if not story.changes:
        return f"{story.name} stayed as it was."
    told = ", ".join(f"{state} at {at:%H:%M:%S}" for at, state in story.changes)
    return f"{story.name}: {told} UTC."


def _table(stories: Sequence[AlarmStory] | None) -> tuple[Table, ...]:
    rows = metrics_of(stories)
    return (Table(COLUMNS, rows),) if rows else ()


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:,.4g}"


def _span(experiment: Mapping[str, Any]) -> str:
    begin, end = experiment.get("startTime"), experiment.get("endTime")
    if begin is None:
        return "not at all"
    return f"for {lasting(end - begin)}" if end else f"since {begin:%H:%M} UTC"


def _iso(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
