"""The intent: asked for in words by those who may, and sent by itself on the first working day of a month."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import structlog

from bot.database import Transaction
from bot.errors import Unavailable
from bot.hours import WorkingHours
from bot.intent import Answer, Ask, Definition, Query, Slot, SlotType, Value
from bot.services import Services
from bot.settings import CONVERSATION
from bot.workflow.periodic import Job
from intents.reports.figures import Report
from intents.reports.gathering import Gatherer
from intents.reports.months import NAMES, Month, due_at, due_between, month_of, zone_of
from intents.reports.showing import card_of, csv_of, facts_of

log = structlog.get_logger(__name__)

MONTH = SlotType(
    "ReportMonth",
    (
        *(Value(name, (name[:3].casefold(),)) for name in NAMES),
        Value("last month", ("the last month", "the previous month", "previous month")),
        Value("this month", ("the current month", "current month")),
    ),
    listed=False,
)
PATIENCE = timedelta(days=1)
LOOK = timedelta(hours=1)
"""How often it is looked whether a report is due."""


class MonthlyReport(Query):
    """Answers with one month, and sends the last one around."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._hours = WorkingHours.parse(services.settings.working_hours)
        self.gatherer = Gatherer(services, self._hours)
        self.jobs = (Job("monthly-report", LOOK, self.send_due),) if services.settings.report_to else ()

    def define(self) -> Definition:
        """Return the definition."""
        return Definition(
            name="MonthlyReport",
            title="monthly report",
            description="Report a month: accounts, times, spending, failures, what leavers leave behind.",
            utterances=(
                "monthly report",
                "the numbers for {Month}",
                "send me the report for {Month}",
                "send the monthly report",
                "the monthly report",
                "show me the monthly report",
                "give me the monthly report",
                "monthly report for {Month}",
                "report for {Month}",
                "report of {Month}",
                "the report for {Month}",
                "show me the report for {Month}",
                "give me the report for {Month}",
                "I need the report for {Month}",
                "what happened in {Month}",
                "{Month} report",
                "how was {Month}",
                "what do leavers leave behind",
                "what have leavers left behind",
                "accounts of people who left",
                "how many accounts were opened in {Month}",
                "how many accounts did we open in {Month}",
                "how many accounts were closed in {Month}",
                "how long do approvals take",
                "how long does an account take",
                "what failed in {Month}",
                "statistics for {Month}",
                "summary of {Month}",
                "what did we do in {Month}",
                "overview of the month",
                "how did {Month} go",
                "figures of {Month}",
                "what did we spend and open in {Month}",
                "the report of the previous month",
            ),
            slots=(Slot("Month", MONTH, required=False, label="Month"),),
            examples=("monthly report", "report for October"),
        )

    async def answer(self, ask: Ask) -> Answer:
        """Return the month that is named, else the last one. Raises Invalid or NotFound."""
        month = month_of(ask.slots.get("Month") or "", self._today())
        report = await self.gatherer.report(month)
        link = self._link(month) if self.services.settings.is_embedded else ""
        card = card_of(report, link=link)
        return Answer(card.as_text(), card)

    async def write_csv(self, month: str) -> tuple[str, str]:
        """Return (file name, CSV) of a month; see `bot.reporting.MonthlyCsv`."""
        wanted = month_of(month, self._today())
        report = await self.gatherer.report(wanted)
        if report.is_cut:
            raise Unavailable(
                f"The report for {wanted.title} would not be whole. {' '.join(report.notes)}",
                next_step="Ask again in a few minutes.",
            )
        return f"quartermaster-{wanted.key}.csv", csv_of(report)

    async def send_due(self, last: datetime) -> None:
        """Send the reports that came due since `last`; each goes to each receiver once. Raises Unavailable.

        A report that AWS holds things back from is tried again for a day, and then sent as it is.
        """
        now = self.services.clock.now()
        for month in due_between(last, now, self._hours):
            report = await self.gatherer.report(month, for_somebody=False)
            if report.notes and now - due_at(month.after, self._hours) < PATIENCE:
                raise Unavailable(f"The report for {month.title} is not whole: {' '.join(report.notes)}")
            await self._send(report)

    async def _send(self, report: Report) -> None:
        services, card = self.services, card_of(report)
        key = f"report:{report.month.key}"

        async def work(transaction: Transaction) -> None:
            for receiver in services.settings.report_to:
                if receiver.startswith(CONVERSATION):
                    place = receiver.removeprefix(CONVERSATION)
                    await services.conversations.notify(
                        transaction, place, f"{key}:{place}"[:255], card.as_text(), card, ""
                    )
                else:
                    letter = self._letter(report, receiver)
                    await services.outbox.put(
                        transaction, f"{key}:{receiver}"[:255], "email", letter, pace=f"email:{receiver}"[:255]
                    )

        await services.database.write(work)
        log.info("report.sent", month=report.month.key, receivers=len(services.settings.report_to))

    def _letter(self, report: Report, receiver: str) -> dict[str, object]:
        lines = ["The whole report is attached as CSV."]
        if report.leavers:
            lines.append(
                "People whom neither Identity Center nor the directory lists have accounts or requests: "
                + ", ".join(leaver.email for leaver in report.leavers[:20])
                + ("." if len(report.leavers) <= 20 else f" and {len(report.leavers) - 20} more.")
            )
        return {
            "kind": "news",
            "to": receiver,
            "subject": f"Report for {report.month.title}",
            "lines": [*lines, *report.notes],
            "rows": [list(pair) for pair in facts_of(report)],
            "attachments": [{"name": f"quartermaster-{report.month.key}.csv", "type": "csv", "text": csv_of(report)}],
        }

    def _link(self, month: Month) -> str:
        return f"{self.services.settings.public_url.rstrip('/')}/v1/reports/{month.key}.csv"

    def _today(self) -> date:
        return self.services.clock.now().astimezone(zone_of(self._hours)).date()
