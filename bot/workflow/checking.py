"""A plan is checked again right before it is carried out: the world may have changed since the approval."""

from __future__ import annotations

from typing import Any

from bot.card import Card, Text
from bot.intent import Ask
from bot.plan import Plan, difference
from bot.requests import RequestRecord
from bot.workflow.model import Failed, Notice
from bot.workflow.run import CHANGING, Run


async def check_again(run: Run, step: str) -> Failed | Plan | None:
    """Gather and plan anew, as the step of that name; None when all is as it was approved.

    A segment returns what this returns: another Plan puts the request up for approval again, which is
    possible only before `Run.begin_changing`; a failing check refuses it.
    """

    async def prepare() -> dict[str, Any]:
        current = await run.services.requests.find(run.request.id)
        if current.notes.get(CHANGING):
            return current.plan.as_dict()  # run anew after a crash: what differs now may be our own work
        return (await run.intent.prepare(ask_of(run.request))).as_dict()

    fresh = Plan.from_dict(await run.step(step, prepare))
    if fresh.problems:
        reasons = " ".join(c.sentence for c in fresh.problems)
        next_step = " ".join(c.next_step for c in fresh.problems if c.next_step)
        return failure(run.request, f"Nothing was done: {reasons}", next_step or "Ask again when that is mended.")
    if fresh.digest == run.request.digest:
        return None
    if not run.intent.asks_again:
        changed = "; ".join(f"{name}: {old} → {new}" for name, old, new in difference(run.request.plan, fresh))
        text = f"Nothing was done: the plan has changed since it was approved ({changed or 'in what is not shown'})."
        return failure(run.request, text, "Ask for it again, so that what would happen now is approved.")
    return fresh


def ask_of(record: RequestRecord) -> Ask:
    """Return the Ask that a request was made from, so that it can be planned again."""
    return Ask(record.requester, record.slots, record.conversation, "", record.owner, fresh=True)


def failure(record: RequestRecord, text: str, next_step: str) -> Failed:
    """Return the end of a request that failed, with what its requester is told."""
    card = Card(f"Failed: {record.plan.summary}", (Text(text), Text(next_step)), tone="bad", request=record.id)
    return Failed(Notice("failed", f"Request {record.id} failed. {text} {next_step}".strip(), card), text, next_step)
